/*
 * slots.h - what the tests of concurrency semaphores share: jobs of a kind, and how many of them run.
 */
#ifndef FASTJOBS_TESTS_SLOTS_H
#define FASTJOBS_TESTS_SLOTS_H

#include "harness.h"

static sem_t s_done;

/* Jobs that share a semaphore, and how many of them run. */
struct kind {
    sem_t slots;
    long running, most, runs;
    struct gate gate;
};

static inline void kind_init(struct kind *kind, unsigned slots, int gate_is_open)
{
    static const struct gate closed = GATE_CLOSED;
    memset(kind, 0, sizeof(*kind));
    kind->gate = closed;
    kind->gate.open = gate_is_open;
    new_semaphore(&kind->slots, slots);
}

static inline void run_with_slot(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    raise_to(&kind->most, add(&kind->running, 1));
    GATE_PASS(&kind->gate);
    add(&kind->runs, 1);
    add(&kind->running, -1);
}

/* As above, without a gate: for large numbers. */
static inline void run_shortly(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    raise_to(&kind->most, add(&kind->running, 1));
    for (int i = 0; i < 50; i++) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    add(&kind->runs, 1);
    add(&kind->running, -1);
}

static inline ec_async_job *with_slot(ec_async_job *job, int job_class, ec_thread_pool_work_func worker,
                                      struct kind *kind)
{
    job_with_semaphore(job, job_class, worker, kind, &s_done);
    job->concurrency = &kind->slots;
    return job;
}

/* The slot is posted before the completion, so after the last completion all are there. */
static inline void expect_all_slots_back(struct kind *kind, int slots)
{
    CHECK_EQ(semaphore_value(&kind->slots), slots);
    CHECK_EQ(get(&kind->running), 0);
    CHECK_EQ(sem_destroy(&kind->slots), 0); /* nobody uses it any more */
    memset(&kind->slots, 0xdd, sizeof(kind->slots));
}

#endif
