/*
 * guest.h - what the tests of the library as a guest, in a process that belongs to somebody else, share.
 *
 * Most need a process in which the library has not been used yet; they run in children forked by a main
 * program that never uses it.
 */
#ifndef FASTJOBS_TESTS_GUEST_H
#define FASTJOBS_TESTS_GUEST_H

#include "harness.h"

static UNUSED sem_t s_done;
static long s_ran;

static inline void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static inline void run_one_job(int job_class, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job job;
    sem_t done;
    new_semaphore(&done, 0);
    if (QUEUE(job_with_semaphore(&job, job_class, worker, closure, &done))) {
        AWAIT(&done);
    }
    sem_destroy(&done);
}

/* Uses every part of the library once: pools, scheduler, slots, figures. */
static inline void use_everything(void)
{
    ec_async_job job, two[2];
    sem_t slot, done;
    new_semaphore(&slot, 1);
    new_semaphore(&done, 0);
    run_one_job(ECTP_CLASS_CPU, do_nothing, NULL);
    run_one_job(ECTP_CLASS_IO, do_nothing, NULL);
    job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, post, &done);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&job);
    AWAIT(&done);
    for (int i = 0; i < 2; i++) {
        job_with_semaphore(&two[i], ECTP_CLASS_CPU, do_nothing, NULL, &done);
        two[i].concurrency = &slot;
        QUEUE(&two[i]);
    }
    AWAIT_TIMES(&done, 2);
    stats_of(ECTP_CLASS_CPU);
    fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 0);
    CHECK_EQ(sem_destroy(&slot), 0);
    CHECK_EQ(sem_destroy(&done), 0);
}

#define CHILD(scenario)                                                                                      \
    static void in_a_host_##scenario(void)                                                                   \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }

#define RUN_CHILD(scenario) RUN(in_a_host_##scenario);

#endif
