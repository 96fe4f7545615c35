/*
 * tail.h - what the tests of ec_async_complete_tail share: a job that says what happened to it.
 *
 * The tail may come before the worker starts, while it runs, inside it and after it. In each case there is
 * one completion, after the worker.
 */
#ifndef FASTJOBS_TESTS_TAIL_H
#define FASTJOBS_TESTS_TAIL_H

#include "harness.h"

static sem_t s_done;

/* A job that says what happened to it, in which order. */
struct traced {
    ec_async_job job;
    struct gate gate; /* the worker stands at it */
    long returning;   /* the worker is about to return */
    long completions;
    pthread_t worker, completion;
    int completed_after_worker;
};

static inline void traced_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct traced *t = closure;
    t->worker = pthread_self();
    GATE_PASS(&t->gate);
    set(&t->returning, 1);
}

static inline void traced_completion(ec_async_job *job, void *closure)
{
    (void)job;
    struct traced *t = closure;
    t->completed_after_worker = (int)get(&t->returning);
    t->completion = pthread_self();
    add(&t->completions, 1);
    sem_post(&s_done);
}

static inline void traced_init(struct traced *t, int job_class, int gate_open_at_once)
{
    static const struct gate closed = GATE_CLOSED;
    memset(t, 0, sizeof(*t));
    t->gate = closed;
    t->gate.open = gate_open_at_once;
    job_with_callback(&t->job, job_class, traced_worker, t, traced_completion, t);
    t->job.skip_completion = 1;
}

static inline void *tail_in_thread(void *job)
{
    ec_async_complete_tail(job);
    return NULL;
}

/* Waits until the pool has counted its jobs: then their workers have returned. */
static inline void await_returned(int job_class, unsigned long long jobs)
{
    POLL(stats_of(job_class).invocations >= jobs);
}

#endif
