/*
 * jobs.h - what the tests of single jobs share: a job that is queued again.
 */
#ifndef FASTJOBS_TESTS_JOBS_H
#define FASTJOBS_TESTS_JOBS_H

#include "harness.h"

static sem_t s_done;

struct rounds {
    ec_async_job job;
    long left;
    int reuse_as_none;
};

static inline void requeue(ec_async_job *job, void *closure)
{
    struct rounds *r = closure;
    if (--r->left == 0) {
        sem_post(&s_done);
        return;
    }
    CHECK(QUEUE(job));
}

static inline void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

#endif
