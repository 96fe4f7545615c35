/*
 * pools.h - what the tests of pools share: jobs that stay, and that count how many run at once.
 */
#ifndef FASTJOBS_TESTS_POOLS_H
#define FASTJOBS_TESTS_POOLS_H

#include "harness.h"

static sem_t s_done;

struct crowd {
    long running, most, limit, over, started;
    struct gate gate;
};
#define CROWD(allowed)                                                                                       \
    {                                                                                                        \
        0, 0, (allowed), 0, 0, GATE_CLOSED                                                                   \
    }

static inline void join_crowd(ec_async_job *job, void *closure)
{
    (void)job;
    struct crowd *crowd = closure;
    long running = add(&crowd->running, 1);
    raise_to(&crowd->most, running);
    if (running > get(&crowd->limit)) {
        add(&crowd->over, 1);
    }
    add(&crowd->started, 1);
    GATE_PASS(&crowd->gate);
    add(&crowd->running, -1);
}

/* Jobs that stay until a post of their closure lets one of them go. */
struct held {
    struct crowd *crowd;
    sem_t leave;
};

static inline void stay(ec_async_job *job, void *closure)
{
    (void)job;
    struct held *held = closure;
    long running = add(&held->crowd->running, 1);
    raise_to(&held->crowd->most, running);
    if (running > get(&held->crowd->limit)) {
        add(&held->crowd->over, 1);
    }
    add(&held->crowd->started, 1);
    AWAIT(&held->leave);
    add(&held->crowd->running, -1);
}

#endif
