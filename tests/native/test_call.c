/*
 * test_call.c - jobs without a struct (fj_call.h): each runs once, in order, with its closure whatever that
 * is, and counts, waits and is listed as a job.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

#include "harness.h"

static void add_one(void *count)
{
    add(count, 1);
}

static void post_call(void *semaphore)
{
    sem_post(semaphore);
}

void wait_at_gate(void *gate); /* not static: listings name it */
void wait_at_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

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

/* ---- they are jobs ---- */

struct seen {
    int count;
    fj_queued_job last;
    char label[64];
};

static int see(const fj_queued_job *job, void *closure)
{
    struct seen *seen = closure;
    seen->count++;
    seen->last = *job;
    snprintf(seen->label, sizeof(seen->label), "%s", job->label);
    return 0;
}

static void calls_count_and_are_listed_by_their_function(void)
{
    struct gate gate = GATE_CLOSED;
    int pool = new_pool("call.listed", 1);
    fj_job_kind kinds[4];
    struct seen seen = {0};
    fj_call(pool, wait_at_gate, &gate);
    GATE_AWAIT(&gate, 1);
    fj_call(pool, wait_at_gate, &gate);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    CHECK_EQ(fj_pool_list_jobs(pool, see, &seen), 1);
    CHECK_EQ(seen.count, 1);
    CHECK(seen.last.job == NULL);
    CHECK_EQ(seen.last.state, FJ_JOB_QUEUED);
    CHECK_STR(seen.label, "wait_at_gate");
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 1);
    CHECK(kinds[0].file == NULL);
    CHECK_EQ(kinds[0].job_num_queued, 1);
    CHECK_EQ(kinds[0].job_num_running, 1);
    gate_open(&gate);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 0);
    CHECK_EQ(stats_of(pool).invocations, 2);
}

struct waiting_caller {
    int pool, result;
    long done;
    void *closure;
    int each;
};

static void *call_into_full_pool(void *argument)
{
    struct waiting_caller *caller = argument;
    void *closures[] = {caller->closure, caller->closure, caller->closure};
    caller->result = caller->each ? fj_call_each(caller->pool, post_call, closures, 3)
                                  : fj_call(caller->pool, post_call, caller->closure);
    set(&caller->done, 1);
    return NULL;
}

static void a_call_waits_for_room_in_the_backlog(void)
{
    for (int each = 0; each < 2; each++) {
        struct gate gate = GATE_CLOSED;
        sem_t ran;
        int pool = new_pool(each ? "call.full.each" : "call.full", 1);
        struct waiting_caller caller = {.pool = pool, .closure = &ran, .each = each};
        pthread_t thread;
        CHECK_EQ(ec_thread_pool_set_backlog(pool, 1), 1);
        new_semaphore(&ran, 0);
        fj_call(pool, wait_at_gate, &gate);
        GATE_AWAIT(&gate, 1);
        fj_call(pool, post_call, &ran);
        thread = start_thread(call_into_full_pool, &caller);
        pause_ms(20); /* time to be wrong in */
        CHECK_EQ(get(&caller.done), 0);
        gate_open(&gate);
        JOIN(thread);
        CHECK_EQ(caller.result, each ? 3 : 1);
        AWAIT_TIMES(&ran, each ? 4 : 2);
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        sem_destroy(&ran);
    }
}

static pthread_t ran_in;

static void note_thread(void *count)
{
    ran_in = pthread_self();
    add(count, 1);
}

static void a_pool_without_concurrency_runs_calls_at_once(void)
{
    int pools[] = {new_pool("call.inline", 0), ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 2; i++) {
        long count = 0;
        void *closures[] = {&count, &count, &count};
        memset(&ran_in, 0, sizeof(ran_in));
        CHECK_EQ(fj_call(pools[i], note_thread, &count), 1);
        CHECK_EQ(count, 1);
        CHECK(pthread_equal(ran_in, pthread_self()));
        CHECK_EQ(fj_call_each(pools[i], note_thread, closures, 3), 3);
        CHECK_EQ(count, 4);
    }
}

static void clear_next(void *next)
{
    if (next != NULL)
        *(void **)next = NULL;
}

static void a_call_that_runs_at_once_may_change_the_next(void)
{
    int pools[] = {new_pool("call.inline.change", 0), ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 2; i++) {
        void *closures[] = {&closures[1], &closures[2], &closures[0]};
        CHECK_EQ(fj_call_each(pools[i], clear_next, closures, 3), 3);
        CHECK(closures[0] == NULL); /* by the third, which the second did not change */
        CHECK(closures[2] == &closures[0]);
    }
}

static void end_thread(void *semaphore)
{
    sem_post(semaphore);
    pthread_exit(NULL);
}

static sem_t *ended;

static void end_thread_oddly(void *closure)
{
    (void)closure;
    end_thread(ended);
}

static void a_call_may_end_its_thread(void)
{
    int pool = new_pool("call.exit", 1);
    sem_t ran;
    new_semaphore(&ran, 0);
    ended = &ran;
    fj_call(pool, end_thread, &ran);
    fj_call(pool, end_thread_oddly, (void *)UINTPTR_MAX); /* made a job, of which nothing may be left */
    fj_call(pool, post_call, &ran);
    AWAIT_TIMES(&ran, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(stats_of(pool).invocations, 3);
    sem_destroy(&ran);
}

struct traced {
    long kinds[5], others;
};

static void trace(const fj_trace_event *event, void *closure)
{
    struct traced *traced = closure;
    add(&traced->kinds[event->kind], 1);
    add(&traced->others, (uintptr_t)event->worker != (uintptr_t)add_one);
}

static void a_trace_sees_calls(void)
{
    int pool = new_pool("call.trace", 1);
    struct traced traced = {{0}, 0};
    long count = 0;
    void *closures[] = {&count, &count};
    CHECK_EQ(fj_trace_set(trace, &traced), 1);
    fj_call(pool, add_one, &count);
    fj_call_each(pool, add_one, closures, 2);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(get(&count), 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_QUEUED], 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_STARTED], 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_COMPLETED], 3);
    CHECK_EQ(traced.others, 0);
}

/* ---- what fails ---- */

static void wrong_calls_say_what_is_wrong(void)
{
    int pool = new_pool("call.errors", 1);
    long count = 0;
    void *closures[] = {&count};
    CHECK_EQ(fj_call(pool, NULL, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_STR(fj_last_error(), "fj_call: the function is NULL");
    CHECK_EQ(fj_call_each(pool, NULL, closures, 1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_call(12345, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_STR(fj_last_error(), "no pool has job class 12345");
    CHECK_EQ(fj_call(-2, add_one, (void *)-1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_call_each(12345, add_one, closures, 1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_call_each(pool, add_one, closures, -1), 0);
    CHECK_STR(fj_last_error(), "fj_call_each: the count is negative");
    CHECK_EQ(fj_call_each(pool, add_one, NULL, 1), 0);
    CHECK_STR(fj_last_error(), "fj_call_each: closures is NULL");
    CHECK_EQ(fj_call_each(pool, add_one, NULL, 0), 0);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&count), 0);
}

static void after_a_shutdown_no_call_is_taken(void)
{
    int pool = new_pool("call.shutdown", 2);
    long count = 0;
    void *closures[100];
    for (int i = 0; i < 100; i++)
        closures[i] = &count;
    CHECK_EQ(fj_call_each(pool, add_one, closures, 100), 100);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&count), 100);
    CHECK_EQ(fj_call(pool, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(fj_call_each(pool, add_one, closures, 100), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(get(&count), 100);
}

int main(void)
{
    RUN(a_call_runs_once_with_its_closure);
    RUN(many_threads_lose_and_double_no_call);
    RUN(calls_of_one_thread_run_in_order_in_a_pool_of_one);
    RUN(a_closure_may_be_any_word);
    RUN(calls_count_and_are_listed_by_their_function);
    RUN(a_call_waits_for_room_in_the_backlog);
    RUN(a_pool_without_concurrency_runs_calls_at_once);
    RUN(a_call_that_runs_at_once_may_change_the_next);
    RUN(a_call_may_end_its_thread);
    RUN(a_trace_sees_calls);
    RUN(wrong_calls_say_what_is_wrong);
    RUN(any_number_of_functions_can_be_called); /* later ones are no quick calls any more */
    RUN(after_a_shutdown_no_call_is_taken);
    return check_report();
}
