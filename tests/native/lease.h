/*
 * lease.h - what the tests of pools whose submitter writes to the queue itself share.
 *
 * A submitter gets there within some 1,000 jobs on a machine that is quick enough. Nothing here depends on
 * that.
 */
#ifndef FASTJOBS_TESTS_LEASE_H
#define FASTJOBS_TESTS_LEASE_H

#include <stdint.h>

#include "harness.h"

enum { ENOUGH = 3000 }; /* so many that the submitter leases */

static long s_ran;

static inline void count_call(void *unused)
{
    (void)unused;
    add(&s_ran, 1);
}

static inline void count_job(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static inline ec_async_job *new_job(int pool, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    job_init(job, pool, worker, closure);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    return job;
}

static inline void await_empty(int pool)
{
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

static inline void defer(int pool)
{
    ec_thread_pool_defer_spawn(pool, 1);
    CHECK_EQ(fj_pool_stats_reset(pool), 1);
    set(&s_ran, 0);
}

static inline int deferred_pool(const char *name)
{
    int pool = new_pool(name, 1);
    defer(pool);
    return pool;
}

static inline void submit(int pool, long jobs)
{
    for (long i = 0; i < jobs; i++)
        CHECK_EQ(fj_call(pool, count_call, NULL), 1);
}

static inline void run_deferred(int pool, long jobs)
{
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), jobs);
    CHECK_EQ(get(&s_ran), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), jobs);
    CHECK_EQ(stats_of(pool).invocations, jobs);
}

static int s_pool;
static long s_stop;

static inline int count_queued(const fj_queued_job *job, void *count)
{
    (void)job;
    ++*(long *)count;
    return 0;
}

#endif
