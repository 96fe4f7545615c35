/*
 * test_order.c - pools whose owner has given up the strict order of jobs (fj_pool_set_order): no call is lost
 * or doubled, and what is promised of the order holds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "order.h"

/* ---- order ---- */

enum { THREADS = 4 };
static struct {
    uintptr_t next;
    long wrong;
} line[THREADS];

static void follows(void *closure)
{
    uintptr_t thread = (uintptr_t)closure % THREADS;
    line[thread].wrong += (uintptr_t)closure / THREADS != line[thread].next;
    line[thread].next++;
}

static void follows_too(void *closure)
{
    follows(closure);
}

static void follows_as_job(ec_async_job *job, void *closure)
{
    (void)job;
    follows(closure);
}

struct submitter {
    int pool, thread, calls;
};

/* Calls of two functions, batches and jobs. */
static void *submit_in_all_ways(void *argument)
{
    const struct submitter *me = argument;
    for (uintptr_t i = 0; i < (uintptr_t)me->calls; i++) {
        void *closure = (void *)(i * THREADS + (uintptr_t)me->thread);
        switch (i % 97) {
        case 31: {
            ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
            *job = (ec_async_job){.job_class = me->pool,
                                  .worker = follows_as_job,
                                  .closure = closure,
                                  .free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB};
            CHECK_EQ(ec_queue_async_job(job), 1);
            break;
        }
        case 57:
            CHECK_EQ(fj_call_each(me->pool, follows_too, &closure, 1), 1);
            break;
        default:
            CHECK_EQ(fj_call(me->pool, i % 5 == 0 ? follows_too : follows, closure), 1);
        }
    }
    return NULL;
}

static void each_thread_keeps_its_order(int pool)
{
    struct submitter submitters[THREADS];
    pthread_t threads[THREADS];
    memset(line, 0, sizeof(line));
    for (int i = 0; i < THREADS; i++) {
        submitters[i] = (struct submitter){pool, i, many(100000)};
        threads[i] = start_thread(submit_in_all_ways, &submitters[i]);
    }
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    await_empty(pool);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(line[i].next, submitters[i].calls);
        CHECK_EQ(line[i].wrong, 0);
    }
}

static void a_pool_of_one_keeps_the_order_of_each_thread(void)
{
    each_thread_keeps_its_order(relaxed_pool("order.each", 1));
}

static void *change_the_order(void *argument)
{
    struct crowd *crowd = argument;
    for (long i = 0; get(&crowd->stop) == 0; i++) {
        CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_FIFO), 1);
        CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_RELAXED), 1);
        usleep(i % 16 == 0 ? 1000 : 50); /* so that they gather, and hands are taken away often, too */
    }
    return NULL;
}

static void it_does_while_the_pool_takes_up_order_and_gives_it_up(void)
{
    struct crowd crowd = {.pool = relaxed_pool("order.changed", 1)};
    pthread_t changer = start_thread(change_the_order, &crowd);
    each_thread_keeps_its_order(crowd.pool);
    set(&crowd.stop, 1);
    JOIN(changer);
}

/* ---- nothing is lost ---- */

static void *meddle(void *argument)
{
    struct crowd *crowd = argument;
    for (int i = 0; get(&crowd->stop) == 0; i++) {
        switch (i % 7) {
        case 0:
            CHECK(ec_thread_pool_get_queue_size(crowd->pool) >= 0);
            break;
        case 1:
            CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_FIFO), 1);
            break;
        case 2:
            CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_RELAXED), 1);
            break;
        case 3:
            CHECK_EQ(fj_pool_set_concurrency(crowd->pool, 1 + i % 4), 1);
            break;
        case 4: {
            ec_async_job none;
            CHECK_EQ(fj_cancel_job(&none), 0);
            break;
        }
        case 5:
            ec_thread_pool_defer_spawn(crowd->pool, i % 2);
            break;
        default:
            pause_ms(1);
        }
    }
    ec_thread_pool_defer_spawn(crowd->pool, 0);
    return NULL;
}

static void many_threads_lose_and_double_no_call(void)
{
    for (int meddler = 0; meddler < 2; meddler++) {
        long count = 0;
        struct crowd crowd = {relaxed_pool(meddler ? "order.meddled" : "order.crowd", 3), many(200000),
                              &count, 0};
        pthread_t threads[THREADS], other;
        if (meddler)
            other = start_thread(meddle, &crowd);
        for (int i = 0; i < THREADS; i++)
            threads[i] = start_thread(call_often, &crowd);
        for (int i = 0; i < THREADS; i++)
            JOIN(threads[i]);
        set(&crowd.stop, 1);
        if (meddler)
            JOIN(other);
        await_empty(crowd.pool);
        CHECK_EQ(get(&count), (long)THREADS * crowd.calls);
        CHECK_EQ(stats_of(crowd.pool).invocations, (unsigned long long)get(&count));
    }
}

static void *call_and_end(void *argument)
{
    const struct crowd *crowd = argument;
    for (int i = 0; i < crowd->calls; i++)
        CHECK_EQ(fj_call(crowd->pool, add_one, crowd->count), 1);
    return NULL;
}

static void calls_of_threads_that_have_ended_run(void)
{
    long count = 0;
    int rounds = many(400) / 4;
    struct gate gate = GATE_CLOSED;
    struct crowd crowd = {relaxed_pool("order.ended", 1), DEEP / 10, &count, 0};
    CHECK_EQ(fj_call(crowd.pool, pass_gate, &gate), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < rounds; i++)
        JOIN(start_thread(call_and_end, &crowd)); /* later ones find a deep queue */
    CHECK_EQ(ec_thread_pool_get_queue_size(crowd.pool), rounds * crowd.calls);
    gate_open(&gate);
    await_empty(crowd.pool);
    CHECK_EQ(get(&count), (long)rounds * crowd.calls);
}

static void end_thread(void *count)
{
    add(count, 1);
    pthread_exit(NULL);
}

static void calls_behind_one_that_ends_its_thread_run(void)
{
    long count = 0;
    int pool = relaxed_pool("order.killed", 2);
    for (int i = 0; i < many(20000); i++)
        CHECK_EQ(fj_call(pool, i % 700 == 333 ? end_thread : add_one, &count), 1);
    await_empty(pool);
    CHECK_EQ(get(&count), many(20000));
}

int main(void)
{
    relax_the_predefined();
    RUN(a_pool_of_one_keeps_the_order_of_each_thread);
    RUN(it_does_while_the_pool_takes_up_order_and_gives_it_up);
    RUN(many_threads_lose_and_double_no_call);
    RUN(calls_of_threads_that_have_ended_run);
    RUN(calls_behind_one_that_ends_its_thread_run);
    return check_report();
}
