/*
 * test_hands_calls.c - a worker of an ordinary pool that takes a whole segment of calls at once: they begin
 * in their order, also where another worker takes the rest of them away from it.
 *
 * The order that is promised: when a call begins, at most concurrency - 1 older ones have not.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

#include "harness.h"

enum { CALLS = 4000, WORKERS = 3 };

static long s_begun;
static intptr_t s_long; /* the number of the call that waits for the gate */
static struct gate s_gate;

static void begin(intptr_t number)
{
    long begun = __atomic_fetch_add(&s_begun, 1, __ATOMIC_SEQ_CST);
    CHECK(number <= begun + WORKERS - 1);
}

static void numbered(void *closure)
{
    begin((intptr_t)closure);
    if ((intptr_t)closure == s_long)
        stand_at_gate(NULL, &s_gate);
}

/* Some take as long as a worker that waits for them to be through its hand does not stand. */
static void slow_at_times(void *closure)
{
    begin((intptr_t)closure);
    if ((intptr_t)closure % 61 == 0)
        for (volatile int i = 0; i < 3000; i++) {
        }
}

static void another_worker_begins_what_is_behind_a_long_call(void)
{
    static void *closures[CALLS];
    for (intptr_t i = 0; i < CALLS; i++)
        closures[i] = (void *)i;
    int pool = new_pool("hands.calls.long", WORKERS);
    for (int round = 0; round < many(200); round++) {
        s_gate = (struct gate)GATE_CLOSED;
        s_long = 300 + round * 53 % (CALLS - 600);
        set(&s_begun, 0);
        ec_thread_pool_defer_spawn(pool, 1);
        CHECK_EQ(fj_call_each(pool, numbered, closures, CALLS), CALLS);
        ec_thread_pool_defer_spawn(pool, 0);
        GATE_AWAIT(&s_gate, 1);
        POLL(get(&s_begun) == CALLS); /* all others: the gate is closed still */
        gate_open(&s_gate);
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    }
    CHECK_EQ(stats_of(pool).invocations, (long)CALLS * many(200));
}

static void calls_begin_in_their_order_while_hands_are_taken_away(void)
{
    enum { BATCH = 300 };
    void *closures[BATCH];
    int pool = new_pool("hands.calls.order", WORKERS);
    intptr_t calls = many(300000) / BATCH * BATCH;
    set(&s_begun, 0);
    for (intptr_t number = 0; number < calls; number += BATCH) {
        for (int i = 0; i < BATCH; i++)
            closures[i] = (void *)(number + i);
        CHECK_EQ(fj_call_each(pool, slow_at_times, closures, BATCH), BATCH);
    }
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&s_begun), calls);
}

int main(void)
{
    RUN(another_worker_begins_what_is_behind_a_long_call);
    RUN(calls_begin_in_their_order_while_hands_are_taken_away);
    return check_report();
}
