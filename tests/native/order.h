/*
 * order.h - what the tests of pools without a strict order share.
 */
#ifndef FASTJOBS_TESTS_ORDER_H
#define FASTJOBS_TESTS_ORDER_H

#include <limits.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { DEEP = 2000 }; /* so many that submitters gather */

static inline void add_one(void *count)
{
    add(count, 1);
}

static inline void add_one_too(void *count)
{
    add(count, 1);
}

static inline void pass_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

static inline int relaxed_pool(const char *name, int workers)
{
    int pool = new_pool(name, workers);
    CHECK_EQ(fj_pool_set_order(pool, FJ_ORDER_RELAXED), 1);
    return pool;
}

static inline void await_empty(int pool)
{
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

struct crowd {
    int pool, calls;
    long *count, stop;
};

static inline void *call_often(void *argument)
{
    const struct crowd *crowd = argument;
    for (int i = 0; i < crowd->calls; i++)
        CHECK_EQ(fj_call(crowd->pool, i % 7 == 0 ? add_one_too : add_one, crowd->count), 1);
    return NULL;
}

/* What takes jobs out of outboxes and hands, and what ends the gathering. */

static inline void relax_the_predefined(void)
{
    CHECK_EQ(fj_pool_set_order(ECTP_CLASS_CPU, FJ_ORDER_RELAXED), 1);
    CHECK_EQ(fj_pool_set_order(ECTP_CLASS_IO, FJ_ORDER_RELAXED), 1);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, 2), 1);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_IO, 2), 1);
}

#endif
