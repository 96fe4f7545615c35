/*
 * shutdown.h - what the tests of the end share: jobs that are counted, and what holds after a shutdown.
 *
 * An engine ends once, so every scenario has a child process of its own, forked before this process has used
 * the library.
 */
#ifndef FASTJOBS_TESTS_SHUTDOWN_H
#define FASTJOBS_TESTS_SHUTDOWN_H

#include "harness.h"

static long s_ran;
static sem_t s_done;

static inline void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static inline void count_completion(ec_async_job *job, void *closure)
{
    count(job, closure);
}

/* A job of its own memory: freed by the library. */
static inline ec_async_job *allocated(int job_class, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    if (job == NULL) {
        exit(1);
    }
    job_init(job, job_class, worker, closure);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    return job;
}

static inline long live_jobs(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage), 1);
    return (long)usage.objects;
}

static inline void expect_refused(int job_class, int completion)
{
    ec_async_job job;
    job_with_semaphore(&job, job_class, count, NULL, &s_done);
    memcpy(&job.completion, &completion, sizeof(completion));
    long ran = get(&s_ran);
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK(fj_last_error()[0] != '\0');
    CHECK_EQ(get(&s_ran), ran);
}

/* What holds after every successful shutdown. */
static inline void expect_all_ended(void)
{
    expect_refused(ECTP_CLASS_CPU, ECTP_COMPLETE_SEMAPHORE);
    expect_refused(ECTP_CLASS_CPU, ECTP_COMPLETE_SYNC);
    expect_refused(ECTP_CLASS_CLOSE, ECTP_COMPLETE_NONE);
    expect_refused(ECTP_CLASS_SHORT_LIVED, ECTP_COMPLETE_NONE);
    CHECK_EQ(ec_thread_pool_shutdown(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    static const char *const names[] = {"CPU-",  "IO-",       "Unlink-",  "SwapIn-",
                                        "test-", "scheduler", "fj-slots", "fj-ages"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        /* A joined thread may be listed for another moment. */
        double end = seconds_now() + WAIT_SECONDS / 4;
        int left;
        while ((left = threads_named(names[i])) > 0 && seconds_now() < end) {
            pause_ms(1);
        }
        if (left > 0) {
            char text[64];
            snprintf(text, sizeof(text), "%d thread(s) named %s... are still there", left, names[i]);
            check_that(0, __FILE__, __LINE__, text);
        }
    }
}

/* ---- scenarios ---- */

#define SHUTDOWN(scenario)                                                                                   \
    static void shutdown_##scenario(void)                                                                    \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
#define RUN_SCENARIO(scenario) RUN(shutdown_##scenario);

#endif
