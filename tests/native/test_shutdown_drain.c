/*
 * test_shutdown_drain.c - what ec_thread_pool_shutdown runs, delivers and waits for, and what it discards:
 * skip_on_shutdown.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "shutdown.h"

/* ---- draining ---- */

static void of_an_unused_library(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

static void runs_all_that_is_queued(void)
{
    static ec_async_job jobs[20000];
    int count_of_jobs = many(20000) < 20000 ? many(20000) : 20000;
    for (int i = 0; i < count_of_jobs; i++) {
        job_init(&jobs[i], i % 3, count, NULL); /* CPU, IO, SwapOut */
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), count_of_jobs);
    CHECK_EQ(ec_thread_pool_get_queue_size(ECTP_CLASS_CPU), 0);
    expect_all_ended();
}

static void submit_next_generation(ec_async_job *job, void *generations)
{
    (void)job;
    add(&s_ran, 1);
    long left = (long)generations - 1;
    if (left > 0) {
        /* In turn through pools that were busy, unused, without threads and deferred. */
        static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SIEVE_IO, ECTP_CLASS_CLOSE,
                                      ECTP_CLASS_UNLINK};
        QUEUE(allocated(classes[left % 4], submit_next_generation, (void *)left));
    }
}

static void runs_what_draining_jobs_submit(void)
{
    enum { CHAINS = 50, GENERATIONS = 40 };
    ec_thread_pool_defer_spawn(ECTP_CLASS_UNLINK, 1);
    for (int i = 0; i < CHAINS; i++) {
        CHECK_OR_RETURN(QUEUE(allocated(ECTP_CLASS_CPU, submit_next_generation, (void *)(long)GENERATIONS)));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), CHAINS * GENERATIONS);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static void starts_deferred_pools(void)
{
    int pool = new_pool("test-deferred", 3);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 100; i++) {
        CHECK_OR_RETURN(QUEUE(allocated(pool, count, NULL)));
    }
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 100);
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 100);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static void delivers_completions(void)
{
    enum { JOBS = 300 };
    static ec_async_job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, count, NULL, count_completion, NULL);
        if (i % 2 == 0) {
            jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        }
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 2 * JOBS);
    expect_all_ended();
}

static void submit_from_scheduler(ec_async_job *job, void *closure)
{
    long *left = closure;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    add(&s_ran, 1);
    if (--*left > 0) {
        QUEUE(job);
    }
}

static void runs_what_completions_in_the_scheduler_submit(void)
{
    static ec_async_job job;
    static long left = 100;
    job_with_callback(&job, ECTP_CLASS_CPU, count, NULL, submit_from_scheduler, &left);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK_OR_RETURN(QUEUE(&job));
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 200);
    expect_all_ended();
}

static void waits_for_jobs_that_wait_for_a_slot(void)
{
    enum { JOBS = 500 };
    static ec_async_job jobs[JOBS];
    static sem_t slots;
    new_semaphore(&slots, 0);
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i], ECTP_CLASS_CPU, count, NULL);
        jobs[i].concurrency = &slots;
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    ec_async_job last; /* has run when the others have been looked at */
    QUEUE(job_with_semaphore(&last, ECTP_CLASS_CPU, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    sem_post(&slots);
    sem_post(&slots);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), JOBS);
    CHECK_EQ(semaphore_value(&slots), 2);
    CHECK_EQ(sem_destroy(&slots), 0);
    expect_all_ended();
}

/* ---- skip_on_shutdown ---- */

static struct gate s_gate = GATE_CLOSED;

static void must_not_run(ec_async_job *job, void *closure)
{
    (void)job;
    CHECK(!"a discarded job runs, or completes");
    (void)closure;
}

static ec_async_job *skipped_job(int job_class, int completion)
{
    ec_async_job *job = allocated(job_class, must_not_run, NULL);
    memcpy(&job->completion, &completion, sizeof(completion));
    job->r.cb.func = must_not_run;
    if (completion == ECTP_COMPLETE_SEMAPHORE) {
        job->r.sema = &s_done;
    }
    job->skip_on_shutdown = 1;
    return job;
}

static void open_gate(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    gate_open(&s_gate);
}

static void discards_jobs_with_skip_on_shutdown(void)
{
    int busy = new_pool("test-busy", 1);
    int deferred = new_pool("test-deferred", 1);
    ec_thread_pool_defer_spawn(deferred, 1);
    /* The one worker of `busy` is held until shutdown has begun: only that starts the job that opens the
     * gate. */
    QUEUE(allocated(busy, stand_at_gate, &s_gate));
    QUEUE(allocated(deferred, open_gate, NULL));
    GATE_AWAIT(&s_gate, 1);
    static const int completions[] = {ECTP_COMPLETE_NONE, ECTP_COMPLETE_CALLBACK, ECTP_COMPLETE_SEMAPHORE,
                                      ECTP_COMPLETE_CALLBACK_SCHED};
    for (int i = 0; i < 40; i++) {
        QUEUE(skipped_job(busy, completions[i % 4]));
        QUEUE(allocated(busy, count, NULL));
        QUEUE(skipped_job(deferred, completions[i % 4]));
    }
    ec_async_job kept; /* memtype 0: discarded, and its memory stays the caller's */
    job_init(&kept, busy, must_not_run, NULL);
    kept.completion = ECTP_COMPLETE_CALLBACK;
    kept.r.cb.func = must_not_run;
    kept.skip_on_shutdown = 1;
    QUEUE(&kept);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 40);
    CHECK_EQ(live_jobs(), 0);
    CHECK_EQ(semaphore_value(&s_done), 0);
    expect_all_ended();
}

/* Nobody will ever post this semaphore: the jobs behind it are queued, and discarded like others. */
static void discards_skipped_jobs_that_wait_for_a_slot(void)
{
    int pool = new_pool("test-slots", 1);
    sem_t none;
    new_semaphore(&none, 0);
    for (int i = 0; i < 10; i++) {
        ec_async_job *job = skipped_job(pool, ECTP_COMPLETE_CALLBACK);
        job->concurrency = &none;
        QUEUE(job);
    }
    ec_async_job last; /* when it has run, those before it have stepped aside */
    QUEUE(job_with_semaphore(&last, pool, count, NULL, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 10);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(live_jobs(), 0);
    CHECK_EQ(semaphore_value(&none), 0);
    expect_all_ended();
}

static void runs_jobs_with_skip_on_shutdown_before_it(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done);
    job.skip_on_shutdown = 1;
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(of_an_unused_library)                                                                                  \
    X(runs_all_that_is_queued)                                                                               \
    X(runs_what_draining_jobs_submit)                                                                        \
    X(starts_deferred_pools)                                                                                 \
    X(delivers_completions)                                                                                  \
    X(runs_what_completions_in_the_scheduler_submit)                                                         \
    X(waits_for_jobs_that_wait_for_a_slot)                                                                   \
    X(discards_jobs_with_skip_on_shutdown)                                                                   \
    X(discards_skipped_jobs_that_wait_for_a_slot)                                                            \
    X(runs_jobs_with_skip_on_shutdown_before_it)
EVERY_SCENARIO(SHUTDOWN)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
