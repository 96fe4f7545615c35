/*
 * test_tail.c - jobs completed from outside, skip_completion and ec_async_complete_tail: before the worker
 * starts, while it runs, inside it and after it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tail.h"

static void without_a_tail_nothing_completes(void)
{
    int pool = new_pool("tail.none", 1);
    struct traced t;
    traced_init(&t, pool, 1);
    QUEUE(&t.job);
    await_returned(pool, 1);
    CHECK_EQ(get(&t.completions), 0);
    CHECK_EQ(semaphore_value(&s_done), 0);
    ec_async_complete_tail(&t.job);
    CHECK_EQ(get(&t.completions), 1);
    AWAIT(&s_done);
}

static void after_the_worker_it_completes_in_the_calling_thread(void)
{
    int pool = new_pool("tail.after", 1);
    for (int i = 0; i < 100; i++) {
        struct traced t;
        traced_init(&t, pool, 1);
        QUEUE(&t.job);
        await_returned(pool, (unsigned long long)i + 1);
        pthread_t thread = start_thread(tail_in_thread, &t.job);
        AWAIT(&s_done);
        CHECK_EQ(get(&t.completions), 1);
        CHECK(t.completed_after_worker);
        CHECK(pthread_equal(t.completion, thread));
        JOIN(thread);
    }
}

static void while_the_worker_runs_it_completes_when_that_returns(void)
{
    for (int i = 0; i < 100; i++) {
        struct traced t;
        traced_init(&t, ECTP_CLASS_CPU, 0);
        QUEUE(&t.job);
        GATE_AWAIT(&t.gate, 1);
        pthread_t thread = start_thread(tail_in_thread, &t.job);
        JOIN(thread);
        CHECK_EQ(get(&t.completions), 0); /* the tail has returned and the worker has not */
        gate_open(&t.gate);
        AWAIT(&s_done);
        CHECK_EQ(get(&t.completions), 1);
        CHECK(t.completed_after_worker);
    }
}

static void before_the_worker_has_started(void)
{
    int pool = new_pool("tail.before", 2);
    for (int i = 0; i < 100; i++) {
        struct traced t;
        traced_init(&t, pool, 1);
        ec_thread_pool_defer_spawn(pool, 1);
        QUEUE(&t.job);
        ec_async_complete_tail(&t.job);
        CHECK_EQ(get(&t.completions), 0);
        CHECK_EQ(get(&t.returning), 0);
        ec_thread_pool_defer_spawn(pool, 0);
        AWAIT(&s_done);
        CHECK_EQ(get(&t.completions), 1);
        CHECK(t.completed_after_worker);
    }
}

static void worker_calls_tail(ec_async_job *job, void *closure)
{
    struct traced *t = closure;
    ec_async_complete_tail(job);
    CHECK_EQ(get(&t->completions), 0); /* not before it has returned */
    set(&t->returning, 1);
}

static void inside_the_worker(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    for (int i = 0; i < 300; i++) {
        struct traced t;
        traced_init(&t, classes[i % 3], 1);
        t.job.worker = worker_calls_tail;
        QUEUE(&t.job);
        AWAIT(&s_done);
        CHECK_EQ(get(&t.completions), 1);
        CHECK(t.completed_after_worker);
    }
}

/* ---- the worker changes its mind ---- */

static void worker_sets_skip(ec_async_job *job, void *closure)
{
    job->skip_completion = 1;
    set(&((struct traced *)closure)->returning, 1);
}

static void the_worker_may_set_the_flag(void)
{
    int pool = new_pool("tail.sets", 1);
    struct traced t;
    traced_init(&t, pool, 1);
    t.job.skip_completion = 0;
    t.job.worker = worker_sets_skip;
    QUEUE(&t.job);
    await_returned(pool, 1);
    CHECK_EQ(get(&t.completions), 0);
    ec_async_complete_tail(&t.job);
    AWAIT(&s_done);
    CHECK_EQ(get(&t.completions), 1);
}

static void worker_clears_skip(ec_async_job *job, void *closure)
{
    job->skip_completion = 0;
    set(&((struct traced *)closure)->returning, 1);
}

static void the_worker_may_clear_the_flag(void)
{
    struct traced t;
    traced_init(&t, ECTP_CLASS_CPU, 1);
    t.job.worker = worker_clears_skip;
    QUEUE(&t.job);
    AWAIT(&s_done);
    CHECK_EQ(get(&t.completions), 1);
}

static void worker_sets_skip_and_hands_over(ec_async_job *job, void *closure)
{
    struct traced *t = closure;
    job->skip_completion = 1;
    set(&t->returning, 1);
    gate_open(&t->gate); /* somebody else may complete it from here on */
}

static void *tail_behind_gate(void *closure)
{
    struct traced *t = closure;
    GATE_PASS(&t->gate);
    return tail_in_thread(&t->job);
}

static void a_worker_that_sets_the_flag_races_with_the_tail(void)
{
    for (int i = 0; i < many(1000); i++) {
        struct traced t;
        traced_init(&t, ECTP_CLASS_CPU, 0);
        t.job.skip_completion = 0;
        t.job.worker = worker_sets_skip_and_hands_over;
        pthread_t thread = start_thread(tail_behind_gate, &t);
        QUEUE(&t.job);
        AWAIT(&s_done);
        JOIN(thread);
        CHECK_EQ(get(&t.completions), 1);
        CHECK(t.completed_after_worker);
    }
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(without_a_tail_nothing_completes);
    RUN(after_the_worker_it_completes_in_the_calling_thread);
    RUN(while_the_worker_runs_it_completes_when_that_returns);
    RUN(before_the_worker_has_started);
    RUN(inside_the_worker);
    RUN(the_worker_may_set_the_flag);
    RUN(the_worker_may_clear_the_flag);
    RUN(a_worker_that_sets_the_flag_races_with_the_tail);
    return check_report();
}
