/*
 * test_call.c - jobs without a struct (fj_call.h): each runs once, in order, with its closure whatever that
 * is.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "calls.h"

/* ---- each runs once ---- */

static void a_call_runs_once_with_its_closure(void)
{
    int pool = new_pool("call.once", 2);
    sem_t ran;
    new_semaphore(&ran, 0);
    CHECK_EQ(fj_call(pool, post_call, &ran), 1);
    AWAIT(&ran);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&ran), 0);
    CHECK_EQ(stats_of(pool).invocations, 1);
    sem_destroy(&ran);
}

struct crowd {
    int pool, calls;
    long *count;
};

static void *call_often(void *argument)
{
    const struct crowd *crowd = argument;
    void *closures[7];
    for (int i = 0; i < 7; i++)
        closures[i] = crowd->count;
    for (int i = 0; i < crowd->calls; i += 8) {
        CHECK_EQ(fj_call(crowd->pool, add_one, crowd->count), 1);
        CHECK_EQ(fj_call_each(crowd->pool, add_one, closures, 7), 7);
    }
    return NULL;
}

static void many_threads_lose_and_double_no_call(void)
{
    enum { THREADS = 4 };
    long count = 0;
    struct crowd crowd = {new_pool("call.crowd", 3), many(80000), &count};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(call_often, &crowd);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    CHECK_EQ(fj_pool_wait_empty(crowd.pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&count), (long)THREADS * ((crowd.calls + 7) / 8 * 8));
    CHECK_EQ(stats_of(crowd.pool).invocations, (unsigned long long)get(&count));
}

/* ---- in order, with any closure ---- */

struct order {
    uintptr_t next;
    int wrong;
};
static struct order order;

static void follows(void *closure)
{
    order.wrong += (uintptr_t)closure != order.next;
    order.next++;
}

static void calls_of_one_thread_run_in_order_in_a_pool_of_one(void)
{
    enum { MOST = 300 };
    int pool = new_pool("call.order", 1), calls = many(30000), sent = 0;
    void *closures[MOST];
    order = (struct order){0, 0};
    for (int size = 0; sent < calls; size = (size + 7) % MOST) {
        for (int i = 0; i < size; i++)
            closures[i] = (void *)(uintptr_t)(sent + i);
        CHECK_EQ(fj_call_each(pool, follows, closures, size), size);
        CHECK_EQ(fj_call(pool, follows, (void *)(uintptr_t)(sent + size)), 1);
        sent += size + 1;
    }
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(order.next, sent);
    CHECK_EQ(order.wrong, 0);
}

static const uintptr_t odd[] = {0,
                                1,
                                2,
                                3,
                                UINTPTR_MAX,
                                UINTPTR_MAX - 1,
                                (uintptr_t)1 << 47,
                                (uintptr_t)1 << 48,
                                (uintptr_t)1 << 63,
                                0x123456789abcdef0u};
enum { ODD = sizeof(odd) / sizeof(*odd) };
static int odd_next, odd_wrong;

static void is_the_next_odd_one(void *closure)
{
    odd_wrong += (uintptr_t)closure != odd[odd_next % ODD];
    odd_next++;
}

static void a_closure_may_be_any_word(void)
{
    int pool = new_pool("call.odd", 1);
    void *closures[ODD];
    for (int i = 0; i < ODD; i++) {
        closures[i] = (void *)odd[i];
        CHECK_EQ(fj_call(pool, is_the_next_odd_one, closures[i]), 1);
    }
    CHECK_EQ(fj_call_each(pool, is_the_next_odd_one, closures, ODD), ODD);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(odd_next, 2 * ODD);
    CHECK_EQ(odd_wrong, 0);
}

/* ---- more functions than the engine keeps ---- */

#define F1(n)                                                                                                \
    static void f##n(void *count)                                                                            \
    {                                                                                                        \
        ((long *)count)[0x##n]++;                                                                            \
    }
/* clang-format does not know that these are definitions. */
/* clang-format off */
#define F16(n)                                                                                               \
    F1(n##0) F1(n##1) F1(n##2) F1(n##3) F1(n##4) F1(n##5) F1(n##6) F1(n##7)                                  \
    F1(n##8) F1(n##9) F1(n##a) F1(n##b) F1(n##c) F1(n##d) F1(n##e) F1(n##f)
#define F256(n)                                                                                              \
    F16(n##0) F16(n##1) F16(n##2) F16(n##3) F16(n##4) F16(n##5) F16(n##6) F16(n##7)                          \
    F16(n##8) F16(n##9) F16(n##a) F16(n##b) F16(n##c) F16(n##d) F16(n##e) F16(n##f)
F256(0) F256(1) F256(2) F256(3) F256(4)
/* clang-format on */
#define N16(n)                                                                                               \
    f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7, f##n##8, f##n##9, f##n##a,       \
        f##n##b, f##n##c, f##n##d, f##n##e, f##n##f
#define N256(n)                                                                                              \
    N16(n##0), N16(n##1), N16(n##2), N16(n##3), N16(n##4), N16(n##5), N16(n##6), N16(n##7), N16(n##8),       \
        N16(n##9), N16(n##a), N16(n##b), N16(n##c), N16(n##d), N16(n##e), N16(n##f)
    static const fj_call_func functions[] = {N256(0), N256(1), N256(2), N256(3), N256(4)};
enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

static void any_number_of_functions_can_be_called(void)
{
    int pool = new_pool("call.functions", 1), wrong = 0;
    static long counts[FUNCTIONS];
    void *twice[] = {counts, counts};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < FUNCTIONS; i++) {
            CHECK_EQ(fj_call(pool, functions[i], counts), 1);
            CHECK_EQ(fj_call_each(pool, functions[i], twice, 2), 2);
        }
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    for (int i = 0; i < FUNCTIONS; i++)
        wrong += counts[i] != 6;
    CHECK_EQ(wrong, 0);
}

int main(void)
{
    RUN(a_call_runs_once_with_its_closure);
    RUN(many_threads_lose_and_double_no_call);
    RUN(calls_of_one_thread_run_in_order_in_a_pool_of_one);
    RUN(a_closure_may_be_any_word);
    RUN(any_number_of_functions_can_be_called);
    return check_report();
}
