/*
 * test_queues_memory.c - what named queues keep: few bytes for a job that waits, nothing for one that is
 * over.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

#include "one_queue.h"

/* Sanitizers have memory of their own beside each object, and keep what was freed. */
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
enum { IS_MEASURED = 0 };
#else
enum { IS_MEASURED = 1 };
#endif

static long released;

static int set_number(fj_run *run, void *state)
{
    (void)state;
    long number = 42;
    CHECK_EQ(fj_run_set_result(run, &number, sizeof number), 1);
    return 0;
}

static void count_release(void *state)
{
    add(state, 1);
}

static const fj_work work = {sizeof(fj_work), "number", set_number, NULL, count_release};

static void begin(void)
{
    begin_queue(1);
    set(&released, 0);
}

static void add_detached(int jobs)
{
    fj_job_options options = {.struct_size = sizeof options, .detached = 1};
    for (int i = 0; i < jobs; i++) {
        if (!fj_queue_add(queue, &work, &released, &options, NULL)) {
            CHECK_STR(fj_last_error(), "");
            return;
        }
    }
}

static void a_job_that_waits_takes_64_bytes_beyond_its_state(void)
{
    int jobs = many(1000000);
    begin();
    add_detached(1000);
    POLL(get(&released) == 1000);
    fj_queue_pause(queue);
    long before = anonymous_kb();
    add_detached(jobs);
    double bytes = (double)(anonymous_kb() - before) * 1024 / jobs;
    printf("       %.1f bytes a job, the pointer to its state included\n", bytes);
    if (IS_MEASURED)
        CHECK(bytes <= 64 + sizeof(void *));
    fj_queue_resume(queue);
    POLL(get(&released) == jobs + 1000);
    end_queue();
}

/* Rounds of jobs that are added, run and collected in different ways. */
static void use_queue(int rounds)
{
    enum { JOBS = 100 };
    fj_job_id ids[JOBS];
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < JOBS; i++)
            CHECK_EQ(fj_queue_add(queue, &work, &released, NULL, &ids[i]), 1);
        for (int i = 0; i < JOBS; i++) {
            fj_job_result result;
            if (i % 3 == 0)
                fj_queue_cancel(queue, ids[i]);
            CHECK_EQ(fj_queue_wait(queue, ids[i], -1, i % 2 == 0 ? &result : NULL), 1);
            if (i % 2 == 0)
                fj_job_result_free(&result);
        }
    }
}

static void what_is_collected_leaves_nothing(void)
{
    int rounds = many(2000);
    begin();
    use_queue(rounds);
    long before = anonymous_kb();
    use_queue(4 * rounds);
    if (IS_MEASURED)
        CHECK(anonymous_kb() <= before + 1000);
    CHECK_EQ(get(&released), 5L * rounds * 100);
    end_queue();
}

static int see_state(const fj_job_info *job, void *closure)
{
    CHECK(job->state == &released);
    (void)closure;
    return 0;
}

/* What is kept of a job for a listing is kept once, and goes with the job. */
static void listings_leave_nothing(void)
{
    enum { JOBS = 1000 };
    begin();
    for (int r = 0; r < many(100); r++) {
        fj_queue_pause(queue);
        add_detached(JOBS);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(fj_queue_list_jobs(queue, see_state, NULL), JOBS);
        fj_queue_resume(queue);
        POLL(get(&released) == (r + 1L) * JOBS);
    }
    end_queue();
}

/* ---- results of all sizes ---- */

enum { SIZES = 200 };

struct sized {
    size_t first, last; /* results that it sets one after the other */
};

static void fill(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(size + 7 * i);
}

static int set_twice(fj_run *run, void *closure)
{
    const struct sized *sized = closure;
    char bytes[SIZES];
    fill(bytes, sized->first);
    CHECK_EQ(fj_run_set_result(run, bytes, sized->first), 1);
    FAILS(fj_run_set_result(run, NULL, 1), FJ_EINVAL, "fj_run_set_result: the bytes are NULL");
    FAILS(fj_run_set_result(run, bytes, SIZE_MAX), FJ_ENOMEM,
          "fj_run_set_result: no memory for a result of 18446744073709551615 bytes");
    fill(bytes, sized->last);
    CHECK_EQ(fj_run_set_result(run, bytes, sized->last), 1);
    return 0;
}

static int count_results(int memtype, const fj_memtype_usage *usage, void *closure)
{
    (void)memtype;
    if (strcmp(usage->name, "queue_result") == 0)
        *(long *)closure = (long)usage->objects;
    return 0;
}

/* Small results that somebody holds; -1: there is no such memory, as under a sanitizer. */
static long small_results(void)
{
    long results = -1;
    fj_memtype_list(count_results, &results);
    return results;
}

static void results_of_any_size_are_kept_until_they_are_freed(void)
{
    static const fj_work sets = {sizeof(fj_work), "sets", set_twice, NULL, NULL};
    static struct sized sized[SIZES];
    static fj_job_result results[SIZES];
    fj_job_id ids[SIZES];
    begin();
    long before = small_results();
    CHECK_EQ(before, IS_MEASURED ? 0 : -1);
    for (size_t i = 0; i < SIZES; i++) {
        sized[i] = (struct sized){.first = SIZES - i - 1, .last = i};
        ids[i] = ADD_WORK(queue, &sets, &sized[i]);
    }
    for (size_t i = 0; i < SIZES; i++)
        CHECK_EQ(fj_queue_wait(queue, ids[i], -1, &results[i]), 1);
    if (IS_MEASURED)
        CHECK(small_results() > 8 && small_results() < SIZES / 2);
    for (size_t i = 0; i < SIZES; i++) {
        char bytes[SIZES];
        fill(bytes, i);
        CHECK_EQ(results[i].size, i);
        CHECK(memcmp(results[i].bytes, bytes, i) == 0);
        CHECK_EQ(((const char *)results[i].bytes)[i], 0);
        fj_job_result_free(&results[i]);
    }
    CHECK_EQ(small_results(), before);
    end_queue();
}

/* ---- readers that have gone ---- */

static struct gate gate;

static int write_much(fj_run *run, void *closure)
{
    static const char some[1 << 16];
    (void)closure;
    GATE_PASS(&gate);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(fj_run_write(run, some, sizeof some), 1);
    return 0;
}

static void output_whose_reader_has_gone_is_not_kept(void)
{
    static const fj_work writes = {sizeof(fj_work), "writes", write_much, NULL, NULL};
    gate = (struct gate)GATE_CLOSED;
    begin();
    fj_job_id id = ADD_WORK(queue, &writes, NULL);
    fj_job_output_close(fj_queue_output(queue, id));
    long before = anonymous_kb();
    gate_open(&gate);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    if (IS_MEASURED)
        CHECK(anonymous_kb() <= before + 16000);
    end_queue();
}

static void a_feed_that_is_closed_hears_nothing(void)
{
    int rounds = many(5000); /* of 100 jobs, of which each would be 16 bytes in the feed */
    begin();
    use_queue(rounds / 10);
    fj_queue_feed_close(fj_queue_feed_open(queue));
    long before = anonymous_kb();
    use_queue(rounds);
    if (IS_MEASURED)
        CHECK(anonymous_kb() <= before + 2000);
    end_queue();
}

int main(void)
{
    RUN(a_job_that_waits_takes_64_bytes_beyond_its_state);
    RUN(what_is_collected_leaves_nothing);
    RUN(listings_leave_nothing);
    RUN(results_of_any_size_are_kept_until_they_are_freed);
    RUN(output_whose_reader_has_gone_is_not_kept);
    RUN(a_feed_that_is_closed_hears_nothing);
    return check_report();
}
