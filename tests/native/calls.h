/*
 * calls.h - what the tests of fj_call.h share: two functions to call.
 */
#ifndef FASTJOBS_TESTS_CALLS_H
#define FASTJOBS_TESTS_CALLS_H

#include <stdint.h>

#include "harness.h"

static inline void add_one(void *count)
{
    add(count, 1);
}

static inline void post_call(void *semaphore)
{
    sem_post(semaphore);
}

#endif
