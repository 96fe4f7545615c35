/*
 * test_stats_kinds.c - figures: the jobs of a pool by kind, fj_pool_job_kinds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static sem_t s_done;

static void queue_from(ec_async_job *job, const char *file, int line)
{
    CHECK_EQ(ec_queue_async_job_(job, file, line, 0), 1);
}

static const fj_job_kind *find_kind(const fj_job_kind *kinds, int count, const char *file, int line)
{
    for (int i = 0; i < count; i++) {
        int same_file =
            file == NULL || kinds[i].file == NULL ? file == kinds[i].file : strcmp(kinds[i].file, file) == 0;
        if (same_file && kinds[i].line == line) {
            return &kinds[i];
        }
    }
    return NULL;
}

static void expect_kind_at(const fj_job_kind *kinds, int count, const char *file, int line, int queued,
                           int running, int at)
{
    const fj_job_kind *kind = find_kind(kinds, count, file, line);
    if (check_that(kind != NULL, __FILE__, at, "a kind is missing")) {
        check_numbers(kind->job_num_queued, queued, __FILE__, at, "job_num_queued");
        check_numbers(kind->job_num_running, running, __FILE__, at, "job_num_running");
    }
}
#define EXPECT_KIND(file, line, queued, running)                                                             \
    expect_kind_at(kinds, count, (file), (line), (queued), (running), __LINE__)

static void kinds_are_counted_by_file_and_line(void)
{
    enum { WORKERS = 3 };
    int pool = new_pool("stats.kinds", WORKERS);
    struct gate gate = GATE_CLOSED;
    ec_async_job running[WORKERS], queued[20];
    fj_job_kind kinds[10];
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 10), 0);
    for (int i = 0; i < WORKERS; i++) {
        job_with_semaphore(&running[i], pool, stand_at_gate, &gate, &s_done);
        queue_from(&running[i], "running.c", i == 0 ? 1 : 2);
    }
    GATE_AWAIT(&gate, WORKERS);
    for (int i = 0; i < 20; i++) {
        job_with_semaphore(&queued[i], pool, do_nothing, NULL, &s_done);
        queue_from(&queued[i],
                   i < 5    ? "running.c"
                   : i < 12 ? "a.c"
                   : i < 18 ? "b.c"
                            : NULL,
                   i < 5    ? 2
                   : i < 18 ? 10
                            : 0);
    }
    int count = fj_pool_job_kinds(pool, kinds, 10);
    CHECK_EQ(count, 5);
    EXPECT_KIND("running.c", 1, 0, 1);
    EXPECT_KIND("running.c", 2, 5, 2);
    EXPECT_KIND("a.c", 10, 7, 0);
    EXPECT_KIND("b.c", 10, 6, 0);
    EXPECT_KIND(NULL, 0, 2, 0);
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_SIEVE_IO, kinds, 10), 0); /* another pool's */

    fj_job_kind few[3]; /* less room than kinds: the number is right, and no more is written */
    memset(few, 0x55, sizeof(few));
    CHECK_EQ(fj_pool_job_kinds(pool, few, 2), 5);
    CHECK(find_kind(few, 2, few[0].file, few[0].line) != NULL);
    CHECK_EQ(few[2].line, 0x55555555);
    CHECK_EQ(fj_pool_job_kinds(pool, NULL, 0), 5);

    gate_open(&gate);
    AWAIT_TIMES(&s_done, WORKERS + 20);
    POLL(fj_pool_job_kinds(pool, kinds, 10) == 0);
}

static void jobs_that_wait_for_a_slot_are_listed(void)
{
    int pool = new_pool("stats.slots", 2);
    sem_t slots;
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[10];
    fj_job_kind kinds[4];
    new_semaphore(&slots, 1);
    for (int i = 0; i < 10; i++) {
        job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done);
        jobs[i].concurrency = &slots;
        queue_from(&jobs[i], "slots.c", 1);
    }
    GATE_AWAIT(&gate, 1);
    /* a worker that wakes late takes one more to its place of waiting */
    int count;
    POLL((count = fj_pool_job_kinds(pool, kinds, 4)) == 1 && kinds[0].job_num_queued == 9);
    EXPECT_KIND("slots.c", 1, 9, 1);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 10);
    sem_destroy(&slots);
}

static void many_kinds(void)
{
    enum { KINDS = 5000 };
    static ec_async_job jobs[KINDS];
    static fj_job_kind kinds[KINDS];
    int pool = new_pool("stats.many", 2);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < KINDS; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        queue_from(&jobs[i], "many.c", i);
    }
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, KINDS), KINDS);
    long long sum = 0;
    for (int i = 0; i < KINDS; i++) {
        sum += kinds[i].line;
        CHECK(kinds[i].job_num_queued == 1 && kinds[i].job_num_running == 0);
    }
    CHECK_EQ(sum, (long long)KINDS * (KINDS - 1) / 2);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, KINDS);
}

/* ---- under load: jobs are freed as they complete, and a listing must not read a freed one ---- */

struct load {
    int pool;
    long stop, queued, freed;
    sem_t slots;
};

static void free_job(ec_async_job *job, void *closure)
{
    struct load *load = closure;
    memset(job, 0xdd, sizeof(*job)); /* a listing that reads it now has a wild pointer for a file name */
    free(job);
    add(&load->freed, 1);
}

static void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

static const char *const s_files[] = {"load.a", "load.b", "load.c"};

static void *queue_freed_jobs(void *closure)
{
    struct load *load = closure;
    for (long i = 0; !get(&load->stop); i++) {
        if (i % 64 == 0) {
            POLL(ec_thread_pool_get_queue_size(load->pool) < 1000);
        }
        ec_async_job *job = malloc(sizeof(*job));
        job_init(job, load->pool, free_job, load); /* freed by its worker, or by its completion */
        if (i % 2 == 0) {
            job_with_callback(job, load->pool, pass_on, NULL, free_job, load);
        }
        job->concurrency = i % 5 == 0 ? &load->slots : NULL; /* some wait for a slot */
        queue_from(job, s_files[i % 3], (int)(i % 3));
        add(&load->queued, 1);
    }
    return NULL;
}

static void listings_under_load_read_no_freed_job(void)
{
    enum { PRODUCERS = 2 };
    struct load load = {.pool = new_pool("stats.load", 3)};
    pthread_t threads[PRODUCERS];
    fj_job_kind kinds[8];
    new_semaphore(&load.slots, 2);
    for (int i = 0; i < PRODUCERS; i++) {
        threads[i] = start_thread(queue_freed_jobs, &load);
    }
    int wrong = 0;
    for (int listing = 0; listing < many(3000) || get(&load.freed) < 1000; listing++) {
        int count = fj_pool_job_kinds(load.pool, kinds, 8);
        wrong += count < 0 || count > 3;
        for (int i = 0; i < count && i < 8; i++) {
            int known = kinds[i].line >= 0 && kinds[i].line < 3 && kinds[i].file == s_files[kinds[i].line];
            wrong += !known || kinds[i].job_num_queued < 0 || kinds[i].job_num_running > 3;
        }
    }
    CHECK_EQ(wrong, 0);
    set(&load.stop, 1);
    for (int i = 0; i < PRODUCERS; i++) {
        JOIN(threads[i]);
    }
    POLL(get(&load.freed) == get(&load.queued));
    POLL(semaphore_value(&load.slots) == 2);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(kinds_are_counted_by_file_and_line);
    RUN(jobs_that_wait_for_a_slot_are_listed);
    RUN(many_kinds);
    RUN(listings_under_load_read_no_freed_job);
    return check_report();
}
