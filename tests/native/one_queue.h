/*
 * one_queue.h - for tests of named queues that need a set with one queue at a time.
 */
#ifndef FASTJOBS_TESTS_ONE_QUEUE_H
#define FASTJOBS_TESTS_ONE_QUEUE_H

#include "queues.h"

static UNUSED fj_queue_set *queues;
static UNUSED fj_queue *queue;

static inline void begin_queue_with(const fj_queue_set_options *options, int concurrency)
{
    queues = fj_queue_set_create(options);
    CHECK(queues != NULL);
    queue = queue_in(queues, "q", concurrency);
}

static inline void begin_queue(int concurrency)
{
    begin_queue_with(NULL, concurrency);
}

/* Closes the set; nothing may have been discarded. */
static inline void end_queue(void)
{
    fj_queue_release(queue);
    end_set(queues);
}

#endif
