/*
 * test_shutdown_after.c - what can be called after the end, and what has happened by then.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "shutdown.h"

static void a_pool_made_afterwards_takes_no_jobs(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    int pool = ec_thread_pool_create_module(NULL, "test-late", 2, 0, 0);
    if (pool >= 0) {
        expect_refused(pool, ECTP_COMPLETE_NONE);
    } else {
        CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    }
    expect_all_ended();
}

static void settings_and_figures_can_still_be_read(void)
{
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).invocations, 1);
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).num_threads, 0);
    CHECK_EQ(ec_thread_pool_name_to_class("io"), ECTP_CLASS_IO);
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 0), 0);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, 9), 1);
    ec_thread_pool_defer_spawn(ECTP_CLASS_CPU, 1);
    ec_thread_pool_defer_spawn(ECTP_CLASS_CPU, 0);
    ec_thread_pool_auto_shrink(ECTP_CLASS_CPU);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    expect_all_ended();
}

static void a_tail_after_it_still_completes(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done);
    job.skip_completion = 1;
    QUEUE(&job);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    ec_async_complete_tail(&job);
    CHECK_EQ(semaphore_value(&s_done), 1);
    expect_all_ended();
}

static void a_tail_after_it_still_reaches_the_callback(void)
{
    ec_async_job jobs[2];
    for (int i = 0; i < 2; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, count, NULL, count_completion, NULL);
        jobs[i].completion = i == 0 ? ECTP_COMPLETE_CALLBACK : ECTP_COMPLETE_CALLBACK_SCHED;
        jobs[i].skip_completion = 1;
        QUEUE(&jobs[i]);
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 2);
    for (int i = 0; i < 2; i++) {
        ec_async_complete_tail(&jobs[i]); /* there is no scheduler thread any more: in the calling one */
    }
    CHECK_EQ(get(&s_ran), 4);
    expect_all_ended();
}

enum { TAILS = 2000 };

static void *complete_tails(void *closure)
{
    ec_async_job *jobs = closure;
    for (int i = 0; i < TAILS; i++) {
        ec_async_complete_tail(&jobs[i]);
    }
    return NULL;
}

/* A tail call hands its completion to the scheduler thread, or, once that takes no more, delivers it itself.
 */
static void tails_during_it_complete_once(void)
{
    ec_async_job *jobs = calloc(TAILS, sizeof *jobs);
    for (int i = 0; i < TAILS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, count_completion, NULL);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        jobs[i].skip_completion = 1;
        QUEUE(&jobs[i]);
    }
    pthread_t thread = start_thread(complete_tails, jobs);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    JOIN(thread);
    CHECK_EQ(get(&s_ran), TAILS);
    free(jobs);
    expect_all_ended();
}

static void end_thread(ec_async_job *job, void *closure)
{
    count(job, closure);
    pthread_exit(NULL);
}

static void waits_for_workers_that_their_jobs_end(void)
{
    enum { JOBS = 20 };
    ec_async_job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i], i % 3, end_thread, NULL);
        QUEUE(&jobs[i]);
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), JOBS);
    expect_all_ended();
}

static void exit_hook_count(int job_class, void *closure)
{
    (void)job_class;
    add((long *)closure, 1);
}

static void the_exit_hooks_have_run(void)
{
    static long started, ended;
    static struct gate gate = GATE_CLOSED;
    ec_async_job jobs[3];
    fj_pool_set_worker_hooks(ECTP_CLASS_CPU, exit_hook_count, NULL, &started);
    int pool = new_pool("test-hooks", 3);
    fj_pool_set_worker_hooks(pool, NULL, exit_hook_count, &ended);
    for (int i = 0; i < 3; i++) {
        job_init(&jobs[i], pool, stand_at_gate, &gate);
        QUEUE(&jobs[i]);
    }
    GATE_AWAIT(&gate, 3);
    gate_open(&gate);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&ended), 3); /* joined, so before shutdown returned */
    CHECK_EQ(get(&started), 0);
    expect_all_ended();
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(a_pool_made_afterwards_takes_no_jobs)                                                                  \
    X(settings_and_figures_can_still_be_read)                                                                \
    X(a_tail_after_it_still_completes)                                                                       \
    X(a_tail_after_it_still_reaches_the_callback)                                                            \
    X(tails_during_it_complete_once)                                                                         \
    X(waits_for_workers_that_their_jobs_end)                                                                 \
    X(the_exit_hooks_have_run)
EVERY_SCENARIO(SHUTDOWN)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
