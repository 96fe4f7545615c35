/*
 * test_queues_list.c - looking at queues and jobs: order, phases, times, what a job reports, and that what a
 * visitor sees stays while it looks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

/* ---- jobs ---- */

struct seen {
    int count, most; /* `most`: after so many it has seen enough; 0: never */
    fj_job_info jobs[8];
    char ids[8][16], results[8][16], progress[8][16];
};

static int see(const fj_job_info *job, void *closure)
{
    struct seen *seen = closure;
    int i = seen->count++;
    CHECK_EQ(job->struct_size, sizeof *job);
    seen->jobs[i] = *job;
    snprintf(seen->ids[i], sizeof seen->ids[i], "%s", job->id_text);
    snprintf(seen->results[i], sizeof seen->results[i], "%s",
             job->bytes == NULL ? "-" : (const char *)job->bytes);
    snprintf(seen->progress[i], sizeof seen->progress[i], "%s", job->progress == NULL ? "-" : job->progress);
    return seen->count == seen->most;
}

static double seconds_since_1970(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct reporter {
    struct gate gate;
    long thread;
};

static int report_half(fj_run *run, void *closure)
{
    struct reporter *reporter = closure;
    set(&reporter->thread, thread_id());
    CHECK_EQ(fj_run_report(run, "a tenth"), 1);
    CHECK_EQ(fj_run_report(run, "half"), 1);
    GATE_PASS(&reporter->gate);
    CHECK_EQ(fj_run_report(run, NULL), 1);
    return 0;
}

static const fj_work reports = {sizeof(fj_work), "reports", report_half, NULL, NULL};

static void jobs_are_listed_in_the_order_of_queueing_with_all_that_is_known(void)
{
    struct state done = {.result = "the result", .code = 3};
    struct state waits[4] = {{.ran = 0}};
    struct reporter reporter = {.gate = GATE_CLOSED};
    struct seen seen = {.count = 0};
    double began = seconds_since_1970();
    begin_queue(1);
    ADD(queue, &done);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    fj_job_id runs = ADD_WORK(queue, &reports, &reporter);
    GATE_AWAIT(&reporter.gate, 1);
    ADD_WITH(queue, &waits[0], OPTIONS(.id = "own"));
    ADD_WITH(queue, &waits[1], OPTIONS(.head = 1, .detached = 1));
    ADD_WITH(queue, &waits[2], OPTIONS(.delay_ms = 1000000));
    ADD(queue, &waits[3]);
    CHECK_EQ(fj_queue_list_jobs(queue, see, &seen), 6);
    static const char *const ids[] = {"job0", "job1", "own", "job2", "job3", "job4"};
    for (int i = 0; i < 6; i++) {
        const fj_job_info *job = &seen.jobs[i];
        CHECK_STR(seen.ids[i], ids[i]);
        CHECK_EQ(job->phase, i == 0 ? FJ_JOB_DONE : i == 1 ? FJ_JOB_RUNNING : FJ_JOB_SCHEDULED);
        CHECK_EQ(job->outcome, i == 0 ? FJ_OUTCOME_FAILED : FJ_OUTCOME_NONE);
        CHECK_EQ(job->code, i == 0 ? 3 : 0);
        CHECK_STR(seen.results[i], i == 0 ? "the result" : "-");
        CHECK_EQ(job->size, i == 0 ? 10 : 0);
        CHECK(job->work == (i == 1 ? &reports : &work_on_state));
        CHECK(job->state == (i == 0 ? (void *)&done : i == 1 ? (void *)&reporter : (void *)&waits[i - 2]));
        CHECK_EQ(job->detached, i == 3);
        CHECK_EQ(job->delayed, i == 4);
        CHECK_EQ(job->waited_for, 0);
        CHECK_EQ(job->attempt, 1);
        CHECK_STR(seen.progress[i], i == 1 ? "half" : "-");
        CHECK_EQ(job->thread, i == 1 ? get(&reporter.thread) : 0);
        CHECK(job->seconds >= 0 && job->seconds < WAIT_SECONDS);
        CHECK(job->start_time > began - 0.1 && job->start_time < seconds_since_1970() + 0.1);
        CHECK(i == 0 ? job->end_time >= job->start_time : job->end_time == 0);
    }
    struct seen two = {.most = 2};
    CHECK_EQ(fj_queue_list_jobs(queue, see, &two), 2); /* the visitor had enough */
    gate_open(&reporter.gate);
    EXPECT(queue, runs, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(fj_queue_cancel(queue, fj_job_number(3)), 0);
    end_queue();
    CHECK_EQ(get(&waits[2].released), 1);
    CHECK_EQ(get(&waits[2].ran), 0);
}

static void one_job_is_visited(void)
{
    struct state state = {.result = "x"};
    struct seen seen = {.count = 0};
    begin_queue(1);
    ADD_WITH(queue, &state, OPTIONS(.id = "own"));
    CHECK_EQ(fj_queue_visit_job(queue, fj_job_named("own"), see, &seen), 1);
    CHECK_EQ(seen.count, 1);
    CHECK_STR(seen.ids[0], "own");
    FAILS(fj_queue_visit_job(queue, fj_job_named("job7"), see, &seen), FJ_ENOJOB, "no such job: job7");
    EXPECT(queue, fj_job_named("own"), FJ_OUTCOME_COMPLETED, 0, "x");
    CHECK_EQ(get(&state.released), 1);
    end_queue();
}

/* ---- what a visitor sees stays ---- */

struct collector {
    struct state state;
    int phase;
    int is_cancelled;
    struct gate *opens;
};

static int collect_meanwhile(const fj_job_info *job, void *closure)
{
    struct collector *collector = closure;
    collector->phase = (int)job->phase;
    if (collector->is_cancelled)
        CHECK_EQ(fj_queue_cancel(queue, job->id), 0);
    if (collector->opens != NULL)
        gate_open(collector->opens);
    CHECK_EQ(fj_queue_wait(queue, job->id, -1, NULL), 1);
    CHECK_EQ(fj_queue_exists(queue, job->id), 0);
    CHECK_EQ(get(&collector->state.released), 0);
    CHECK(job->state == &collector->state);
    if (job->phase == FJ_JOB_DONE)
        CHECK_STR(job->bytes, "seen to the end");
    return 0;
}

static void what_a_visitor_sees_outlives_the_job(void)
{
    struct collector done = {.state = {.result = "seen to the end"}};
    struct collector waits = {.is_cancelled = 1};
    struct collector runs = {.state = {.result = "later"}};
    struct gate gate = GATE_CLOSED;
    begin_queue(1);
    ADD(queue, &done.state);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_visit_job(queue, fj_job_number(0), collect_meanwhile, &done), 1);
    CHECK_EQ(done.phase, FJ_JOB_DONE);
    CHECK_EQ(get(&done.state.released), 1);

    fj_queue_pause(queue);
    ADD(queue, &waits.state);
    CHECK_EQ(fj_queue_list_jobs(queue, collect_meanwhile, &waits), 1);
    CHECK_EQ(waits.phase, FJ_JOB_SCHEDULED);
    CHECK_EQ(get(&waits.state.released), 1);
    CHECK_EQ(get(&waits.state.ran), 0);
    fj_queue_resume(queue);

    runs.state.gate = runs.opens = &gate;
    ADD(queue, &runs.state);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(fj_queue_visit_job(queue, fj_job_number(2), collect_meanwhile, &runs), 1);
    CHECK_EQ(runs.phase, FJ_JOB_RUNNING);
    CHECK_EQ(get(&runs.state.released), 1);
    end_queue();
}

static int count_in_order(const fj_job_info *job, void *closure)
{
    long long *next = closure;
    CHECK_EQ(job->id.number, *next);
    (*next)++;
    return 0;
}

static void a_long_queue_is_listed_whole(void)
{
    enum { JOBS = 5000 };
    struct state *states = calloc(JOBS, sizeof *states);
    long long next = 0;
    begin_queue(4);
    fj_queue_pause(queue);
    for (int i = 0; i < JOBS; i++)
        ADD(queue, &states[i]);
    CHECK_EQ(fj_queue_list_jobs(queue, count_in_order, &next), JOBS);
    fj_queue_resume(queue);
    for (int i = 0; i < JOBS; i++) /* what was kept for the listing is no result */
        EXPECT(queue, fj_job_number(i), FJ_OUTCOME_COMPLETED, 0, NULL);
    for (int i = 0; i < JOBS; i++)
        CHECK_EQ(get(&states[i].released), 1);
    free(states);
    end_queue();
}

static int count_mixed(const fj_job_info *job, void *closure)
{
    long long *next = closure;
    char expected[24];
    if (*next % 3 == 0)
        snprintf(expected, sizeof expected, "own %lld", *next);
    else
        snprintf(expected, sizeof expected, "job%lld", *next - *next / 3 - 1);
    CHECK_STR(job->id_text, expected);
    (*next)++;
    return 0;
}

static int remove_what_was_seen(const fj_job_info *job, void *closure)
{
    CHECK_EQ(fj_queue_cancel(queue, job->id), 0);
    CHECK_EQ(fj_queue_wait(queue, job->id, 0, NULL), 1);
    return count_mixed(job, closure);
}

static void ids_of_all_kinds_are_listed_in_order_although_jobs_go(void)
{
    enum { JOBS = 3000 };
    struct state state = {.ran = 0};
    char id[24];
    long long next = 0;
    begin_queue(1);
    fj_queue_pause(queue);
    for (int i = 0; i < JOBS; i++) {
        snprintf(id, sizeof id, "own %d", i);
        ADD_WITH(queue, &state, OPTIONS(.id = i % 3 == 0 ? id : NULL));
    }
    CHECK_EQ(fj_queue_list_jobs(queue, count_mixed, &next), JOBS);
    next = 0;
    CHECK_EQ(fj_queue_list_jobs(queue, remove_what_was_seen, &next), JOBS);
    CHECK_EQ(fj_queue_list_jobs(queue, count_mixed, &next), 0);
    CHECK_EQ(get(&state.released), JOBS);
    fj_queue_resume(queue);
    end_queue();
}

/* ---- queues ---- */

static int note_queue(const fj_queue_info *info, void *closure)
{
    char *names = closure;
    CHECK_EQ(info->struct_size, sizeof *info);
    strcat(names, info->name);
    strcat(names, " ");
    return strcmp(info->name, "\xc3\xbc") == 0; /* the last to be seen */
}

/* The first job that is shown takes the others out, except for those that were kept with it. */
static int take_out(const fj_job_info *info, void *closure)
{
    (void)info;
    long *shown = closure;
    if ((*shown)++ == 0)
        for (int i = 1; i < 2000; i++) {
            CHECK_EQ(fj_queue_cancel(queue, fj_job_number(i)), 0);
            CHECK_EQ(fj_queue_wait(queue, fj_job_number(i), -1, NULL), 1);
        }
    return 0;
}

static void a_long_queue_is_listed_piece_by_piece_whatever_ids_it_has(void)
{
    struct state state = {.ran = 0};
    char own[600][8];
    long shown = 0;
    begin_queue(1);
    fj_queue_pause(queue);
    for (int i = 0; i < 2000; i++) {
        ADD(queue, &state);
        if (i % 10 == 5) {
            snprintf(own[i / 10], sizeof own[0], "own%d", i / 10);
            ADD_WITH(queue, &state, OPTIONS(.id = own[i / 10]));
        }
    }
    for (int i = 200; i < 600; i++) {
        snprintf(own[i], sizeof own[0], "own%d", i);
        ADD_WITH(queue, &state, OPTIONS(.id = own[i]));
    }
    long long listed = fj_queue_list_jobs(queue, take_out, &shown);
    CHECK_EQ(listed, shown);
    CHECK(shown >= 601 && shown < 1200);
    shown = 1;
    CHECK_EQ(fj_queue_list_jobs(queue, take_out, &shown), 601);
    fj_queue_resume(queue);
    end_queue();
}

static void queues_are_listed_in_the_order_of_their_creation(void)
{
    char names[100] = "";
    struct state state = {.ran = 0};
    fj_queue_options options = {
        .struct_size = sizeof options, .name = "\xc3\xbc", .description = "what \xc3\xbc is for"};
    begin_queue(1);
    fj_queue *second = fj_queue_create(queues, &options);
    fj_queue *third = queue_in(queues, "third", 3);
    FAILS(fj_queue_create(queues, &options), FJ_EEXIST, "queue already exists: \xc3\xbc");
    CHECK_EQ(fj_queue_set_list(queues, note_queue, names), 2);
    CHECK_STR(names, "q \xc3\xbc ");
    fj_queue *found = fj_queue_find(queues, "\xc3\xbc");
    fj_queue_pause(found);
    ADD(second, &state);
    ADD_WITH(second, &state, OPTIONS(.delay_ms = 1000000));
    fj_queue_info info = info_of(found);
    CHECK_STR(info.name, "\xc3\xbc");
    CHECK_STR(info.description, "what \xc3\xbc is for");
    CHECK_EQ(info.concurrency, 4);
    CHECK_EQ(info.scheduled, 2);
    CHECK_EQ(info.running + info.done, 0);
    CHECK_EQ(info.paused, 1);
    CHECK_EQ(info.deleting, 0);
    CHECK_EQ(fj_queue_set_concurrency(found, 7), 1);
    CHECK_EQ(fj_queue_delete(found), 1);
    fj_queue_resume(second);
    CHECK_EQ(fj_queue_wait_any(second, -1), 1);
    info = info_of(second);
    CHECK_EQ(info.concurrency, 7);
    CHECK_EQ(info.done, 1);
    CHECK_EQ(info.scheduled, 1);
    CHECK_EQ(info.paused, 0);
    CHECK_EQ(info.deleting, 1);
    CHECK_EQ(fj_queue_cancel(second, fj_job_number(1)), 0);
    fj_queue_release(found);
    fj_queue_release(second);
    fj_queue_release(third);
    end_queue();
}

static void ids_are_given_once(void)
{
    char first[64], second[64];
    unsigned counter, seconds;
    begin_queue(1);
    CHECK_EQ(fj_queue_set_new_id(queues, first, sizeof first), 1);
    CHECK_EQ(fj_queue_set_new_id(queues, second, sizeof second), 1);
    CHECK(strcmp(first, second) != 0);
    CHECK_EQ(sscanf(first, "queue_id_%x_%x", &counter, &seconds), 2);
    CHECK(seconds > 1600000000 && (double)seconds <= seconds_since_1970());
    CHECK_EQ(fj_queue_set_new_id(queues, first, 8), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    FAILS(fj_queue_set_new_id(queues, NULL, 8), FJ_EINVAL, "fj_queue_set_new_id: the buffer is NULL");
    end_queue();
}

int main(void)
{
    RUN(jobs_are_listed_in_the_order_of_queueing_with_all_that_is_known);
    RUN(one_job_is_visited);
    RUN(what_a_visitor_sees_outlives_the_job);
    RUN(a_long_queue_is_listed_whole);
    RUN(ids_of_all_kinds_are_listed_in_order_although_jobs_go);
    RUN(a_long_queue_is_listed_piece_by_piece_whatever_ids_it_has);
    RUN(queues_are_listed_in_the_order_of_their_creation);
    RUN(ids_are_given_once);
    return check_report();
}
