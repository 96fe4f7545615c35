/*
 * test_order_seen.c - pools without a strict order: what their calls look like to listings, counts and
 * traces, and the ends of settings, children and engines.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "order.h"

/* ---- settings ---- */

static void gathered_calls_are_seen(void)
{
    long count = 0;
    int pool = relaxed_pool("order.seen", 2);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP + 17; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), DEEP + 17);
    fj_job_kind kinds[4];
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 1);
    CHECK_EQ(kinds[0].job_num_queued, DEEP + 17);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP + 17);
}

struct ages {
    long listed;
    double least;
};

static int note_age(const fj_queued_job *job, void *closure)
{
    struct ages *ages = closure;
    ages->listed++;
    ages->least = job->age < ages->least ? job->age : ages->least;
    CHECK_EQ(job->state, FJ_JOB_QUEUED);
    return 0;
}

static int all_are_old(int pool, long count)
{
    struct ages ages = {0, 1e9};
    CHECK_EQ(fj_pool_list_jobs(pool, note_age, &ages), count);
    CHECK_EQ(ages.listed, count);
    return ages.least >= 0.03;
}

static void call_at_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

/* A listing takes calls out of the hand of a worker that is busy: it knows how old they are. */
static void calls_from_a_hand_are_listed_with_their_age(void)
{
    static struct gate gate = GATE_CLOSED;
    long count = 0;
    int pool = relaxed_pool("order.ages", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_call(pool, call_at_gate, &gate), 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    ec_thread_pool_defer_spawn(pool, 0);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(get(&count), DEEP);
    POLL(all_are_old(pool, DEEP));
    gate_open(&gate);
    await_empty(pool);
    CHECK_EQ(get(&count), 2 * DEEP);
}

static void without_concurrency_calls_run_at_once_again(void)
{
    long count = 0;
    int pool = relaxed_pool("order.inline", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_pool_set_concurrency(pool, 0), 1);
    CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(get(&count), 1); /* the last one, in this thread */
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP + 1);
}

static void note_event(const fj_trace_event *event, void *started)
{
    if (event->kind == FJ_TRACE_STARTED)
        add(started, 1);
}

static void a_trace_sees_calls_that_come_after_it(void)
{
    long count = 0, started = 0;
    int pool = relaxed_pool("order.trace", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_trace_set(note_event, &started), 1);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(get(&count), DEEP + 100);
    CHECK(get(&started) >= 100);
}

static long s_looking;

static void *look_on(void *argument)
{
    const struct crowd *crowd = argument;
    while (get(&s_looking) != 0) {
        CHECK(ec_thread_pool_get_queue_size(crowd->pool) >= 0);
        CHECK(stats_of(crowd->pool).name != NULL);
    }
    return NULL;
}

/* Threads begin to gather while another one counts what is gathered. */
static void counts_are_read_while_threads_begin(void)
{
    long count = 0;
    int rounds = many(500);
    struct crowd crowd = {relaxed_pool("order.begin", 1), DEEP / 10, &count, 0};
    ec_thread_pool_defer_spawn(crowd.pool, 1);
    CHECK_EQ(call_often(&(struct crowd){crowd.pool, DEEP, &count, 0}), NULL);
    set(&s_looking, 1);
    pthread_t other = start_thread(look_on, &crowd);
    for (int i = 0; i < rounds; i++)
        JOIN(start_thread(call_often, &crowd));
    set(&s_looking, 0);
    JOIN(other);
    ec_thread_pool_defer_spawn(crowd.pool, 0);
    await_empty(crowd.pool);
    CHECK_EQ(get(&count), DEEP + (long)rounds * crowd.calls);
}

static void wrong_orders_are_refused(void)
{
    int pool = new_pool("order.wrong", 1);
    CHECK_EQ(fj_pool_set_order(pool, (fj_order)2), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_STR(fj_last_error(), "pool \"order.wrong\": 2 is no order (FJ_ORDER_FIFO, FJ_ORDER_RELAXED)");
    CHECK_EQ(fj_pool_set_order(-77, FJ_ORDER_RELAXED), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    long count = 0;
    CHECK_EQ(fj_call(pool, add_one, &count), 1); /* a function that is known */
    CHECK_EQ(fj_call(INT_MIN, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    await_empty(pool);
    CHECK_EQ(get(&count), 1);
}

static void a_child_process_is_told_that_it_has_no_engine(void)
{
    long count = 0;
    int pool = relaxed_pool("order.fork", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    pid_t child = fork();
    if (child == 0)
        _exit(fj_call(pool, add_one, &count) == 0 && fj_last_error_code() == FJ_EFORKED ? 0 : 1);
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP);
}

/* Last: the engine has ended. */
static void a_shutdown_runs_what_was_gathered(void)
{
    long count = 0;
    struct crowd crowd = {relaxed_pool("order.shutdown", 2), DEEP, &count, 0};
    CHECK_EQ(fj_call(crowd.pool, add_one, &count), 1);
    JOIN(start_thread(call_often, &crowd));
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(crowd.pool, add_one, &count), 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&count), 2 * DEEP + 1);
    CHECK_EQ(fj_call(crowd.pool, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(get(&count), 2 * DEEP + 1);
}

int main(void)
{
    relax_the_predefined();
    RUN(gathered_calls_are_seen);
    RUN(counts_are_read_while_threads_begin);
    RUN(calls_from_a_hand_are_listed_with_their_age);
    RUN(without_concurrency_calls_run_at_once_again);
    RUN(a_trace_sees_calls_that_come_after_it);
    RUN(wrong_orders_are_refused);
    RUN(a_child_process_is_told_that_it_has_no_engine);
    RUN(a_shutdown_runs_what_was_gathered);
    return check_report();
}
