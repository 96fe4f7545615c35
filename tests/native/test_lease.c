/*
 * test_lease.c - a thread that submits alone and quickly writes to the queue itself, until others come in
 * between, the workers run out of jobs, or it stops or goes elsewhere.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "lease.h"

enum { THREADS = 3 };

/* ---- order ---- */

static long s_next;

static void comes_next(intptr_t number)
{
    CHECK_EQ(get(&s_next), number);
    set(&s_next, number + 1);
}

static void numbered_call(void *closure)
{
    comes_next((intptr_t)closure);
}

static void numbered_job(ec_async_job *job, void *closure)
{
    (void)job;
    comes_next((intptr_t)closure);
}

static void nothing_more(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

static void submit_numbered(long number)
{
    if (number % 1999 == 7) { /* goes through the engine */
        ec_async_job *job = new_job(s_pool, numbered_job, (void *)number);
        job->completion = ECTP_COMPLETE_CALLBACK;
        job->r.cb.func = nothing_more;
        QUEUE(job);
    } else if (number % 3 == 0) {
        CHECK_EQ(fj_call(s_pool, numbered_call, (void *)number), 1);
    } else {
        QUEUE(new_job(s_pool, numbered_job, (void *)number));
    }
}

static void one_thread_keeps_its_order(void)
{
    long jobs = many(300000);
    s_pool = new_pool("lease.order", 1);
    set(&s_next, 0);
    for (long i = 0; i < jobs; i++)
        submit_numbered(i);
    await_empty(s_pool);
    CHECK_EQ(get(&s_next), jobs);
}

static void batches_keep_their_place(void)
{
    long jobs = many(200000) / 100 * 100;
    void *closures[50];
    s_pool = new_pool("lease.batches", 1);
    set(&s_next, 0);
    for (long i = 0; i < jobs; i += 100) {
        for (int k = 0; k < 50; k++)
            closures[k] = (void *)(intptr_t)(i + 50 + k);
        for (int k = 0; k < 50; k++)
            submit_numbered(i + k);
        CHECK_EQ(fj_call_each(s_pool, numbered_call, closures, 50), 50);
        /* ... and now and then enough alone for the next lease */
        for (int k = 0; i % 20000 == 0 && k < ENOUGH; k++)
            CHECK_EQ(fj_call(s_pool, count_call, NULL), 1);
    }
    await_empty(s_pool);
    CHECK_EQ(get(&s_next), jobs);
}

static struct {
    long turn;
    long number;
    long jobs;
} s_baton;

/* Each thread submits some, many or few, and passes the baton on: what comes later runs later. */
static void *submit_in_turn(void *self)
{
    for (;;) {
        POLL(get(&s_baton.turn) % THREADS == (intptr_t)self);
        if (s_baton.number >= s_baton.jobs)
            break;
        long until = s_baton.number + (s_baton.turn % 5 == 0 ? 7 : ENOUGH);
        while (s_baton.number < until)
            submit_numbered(s_baton.number++);
        add(&s_baton.turn, 1);
    }
    add(&s_baton.turn, 1);
    return NULL;
}

static void threads_in_turn_keep_the_order(void)
{
    pthread_t threads[THREADS];
    s_pool = new_pool("lease.turns", 1);
    s_baton.turn = s_baton.number = 0;
    s_baton.jobs = many(300000);
    set(&s_next, 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = start_thread(submit_in_turn, (void *)i);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    await_empty(s_pool);
    CHECK_EQ(get(&s_next), s_baton.number);
}

static long s_nexts[THREADS];

static void comes_next_of_its_thread(void *closure)
{
    intptr_t thread = (intptr_t)closure % THREADS, number = (intptr_t)closure / THREADS;
    CHECK_EQ(get(&s_nexts[thread]), number);
    set(&s_nexts[thread], number + 1);
}

static void *submit_own(void *self)
{
    long jobs = many(200000);
    for (intptr_t i = 0; i < jobs; i++)
        CHECK_EQ(fj_call(s_pool, comes_next_of_its_thread, (void *)(i * THREADS + (intptr_t)self)), 1);
    return NULL;
}

static void threads_at_once_keep_each_its_order(void)
{
    pthread_t threads[THREADS];
    s_pool = new_pool("lease.threads", 1);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = start_thread(submit_own, (void *)i);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    await_empty(s_pool);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(get(&s_nexts[i]), many(200000));
}

/* ---- a submitter that stops, or goes elsewhere ---- */

static void workers_come_to_rest_and_wake_again(void)
{
    int pool = new_pool("lease.rest", 2);
    long jobs = 0;
    set(&s_ran, 0);
    for (int round = 0; round < many(300); round++) {
        long some = round % 3 == 0 ? 1 : ENOUGH + round;
        submit(pool, some);
        jobs += some;
        await_empty(pool);
        CHECK_EQ(get(&s_ran), jobs);
    }
}

static int s_pools[3];

static void *list_the_pools(void *unused)
{
    while (get(&s_stop) == 0) {
        for (int i = 0; i < 3; i++) {
            long listed = 0;
            CHECK(ec_thread_pool_get_queue_size(s_pools[i]) >= 0);
            CHECK(fj_pool_list_jobs(s_pools[i], count_queued, &listed) >= 0);
            usleep(200); /* so that leases last */
        }
    }
    return unused;
}

/* What it has in its hands for one pool ends, by itself or by others, when it begins with another one. */
static void one_thread_serves_three_pools(void)
{
    s_pools[0] = new_pool("lease.one", 1);
    s_pools[1] = new_pool("lease.relaxed", 1);
    s_pools[2] = new_pool("lease.two", 1);
    long rounds = many(300);
    set(&s_ran, 0);
    set(&s_stop, 0);
    CHECK_EQ(fj_pool_set_order(s_pools[1], FJ_ORDER_RELAXED), 1);
    pthread_t thread = start_thread(list_the_pools, NULL);
    for (long i = 0; i < rounds * 3; i++)
        submit(s_pools[i % 3], ENOUGH);
    set(&s_stop, 1);
    JOIN(thread);
    for (int i = 0; i < 3; i++) {
        await_empty(s_pools[i]);
        CHECK_EQ(stats_of(s_pools[i]).invocations, rounds * ENOUGH);
    }
    CHECK_EQ(get(&s_ran), rounds * 3 * ENOUGH);
}

static void *submit_and_end(void *unused)
{
    submit(s_pool, ENOUGH);
    return unused;
}

static void a_thread_may_end(void)
{
    s_pool = new_pool("lease.end", 1);
    for (int round = 0; round < many(50); round++) {
        defer(s_pool);
        JOIN(start_thread(submit_and_end, NULL));
        JOIN(start_thread(submit_and_end, NULL));
        submit(s_pool, 1);
        run_deferred(s_pool, 2 * ENOUGH + 1);
    }
}

static void submit_and_kill_the_thread(void *unused)
{
    (void)unused;
    submit(s_pool, ENOUGH);
    pthread_exit(NULL);
}

static void a_worker_may_submit_and_end_its_thread(void)
{
    int pool = new_pool("lease.killed", 1);
    s_pool = new_pool("lease.target", 1);
    for (int round = 0; round < many(50); round++) {
        defer(s_pool);
        CHECK_EQ(fj_call(pool, submit_and_kill_the_thread, NULL), 1);
        await_empty(pool);
        submit(s_pool, ENOUGH);
        run_deferred(s_pool, 2 * ENOUGH);
    }
}

int main(void)
{
    RUN(one_thread_keeps_its_order);
    RUN(batches_keep_their_place);
    RUN(threads_in_turn_keep_the_order);
    RUN(threads_at_once_keep_each_its_order);
    RUN(workers_come_to_rest_and_wake_again);
    RUN(one_thread_serves_three_pools);
    RUN(a_thread_may_end);
    RUN(a_worker_may_submit_and_end_its_thread);
    return check_report();
}
