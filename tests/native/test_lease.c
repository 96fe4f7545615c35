/*
 * test_lease.c - a thread that submits alone and quickly writes to the queue itself, until somebody comes in
 * between: other threads, workers without work, whoever looks at the pool, changes it or ends it.
 *
 * A submitter gets there within some 1,000 jobs on a machine that is quick enough. Nothing here depends on
 * that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

#include "harness.h"

enum { ENOUGH = 3000, THREADS = 3 };

static long s_ran;

static void count_call(void *unused)
{
    (void)unused;
    add(&s_ran, 1);
}

static void count_job(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static ec_async_job *new_job(int pool, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    job_init(job, pool, worker, closure);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    return job;
}

static void await_empty(int pool)
{
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

static void defer(int pool)
{
    ec_thread_pool_defer_spawn(pool, 1);
    CHECK_EQ(fj_pool_stats_reset(pool), 1);
    set(&s_ran, 0);
}

static int deferred_pool(const char *name)
{
    int pool = new_pool(name, 1);
    defer(pool);
    return pool;
}

static void submit(int pool, long jobs)
{
    for (long i = 0; i < jobs; i++)
        CHECK_EQ(fj_call(pool, count_call, NULL), 1);
}

static void run_deferred(int pool, long jobs)
{
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), jobs);
    CHECK_EQ(get(&s_ran), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), jobs);
    CHECK_EQ(stats_of(pool).invocations, jobs);
}

/* ---- order ---- */

static int s_pool;
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

static long s_stop;
static int s_pools[3];

static int count_queued(const fj_queued_job *job, void *count)
{
    (void)job;
    ++*(long *)count;
    return 0;
}

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

/* ---- who looks ---- */

static void what_was_submitted_is_seen_at_once(void)
{
    int pool = deferred_pool("lease.seen");
    ec_async_job *last = NULL;
    for (int i = 1; i <= 2 * ENOUGH; i++) {
        QUEUE(last = new_job(pool, count_job, NULL));
        if (i % 500 == 0)
            CHECK_EQ(ec_thread_pool_get_queue_size(pool), i);
    }
    long listed = 0;
    CHECK_EQ(fj_pool_list_jobs(pool, count_queued, &listed), 2 * ENOUGH);
    CHECK_EQ(listed, 2 * ENOUGH);
    CHECK_EQ(fj_cancel_job(last), 1);
    ec_free(MEMTYPE_EC_ASYNC_JOB, last);
    submit(pool, 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 2 * ENOUGH);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), 2 * ENOUGH);
}

static int note_age(const fj_queued_job *job, void *ages)
{
    double *age = ages;
    age[age[0] < 0 ? 0 : 1] = job->age;
    return 0;
}

static void list_ages(int pool, double *first_and_last)
{
    first_and_last[0] = first_and_last[1] = -1;
    CHECK(fj_pool_list_jobs(pool, note_age, first_and_last) > 1);
}

/* Returns how much older the first one is than the last one, once the first one is so old. */
static double age_difference(int pool, double first)
{
    double ages[2];
    do
        list_ages(pool, ages);
    while (ages[0] < first);
    return ages[0] - ages[1];
}

static void jobs_have_the_age_that_they_have(void)
{
    int pool = deferred_pool("lease.ages");
    submit(pool, ENOUGH);
    age_difference(pool, 0.1);
    submit(pool, ENOUGH);
    double difference = age_difference(pool, 0.1), later = age_difference(pool, 0.3);
    CHECK(difference > 0.08); /* each age is right to some 10 ms */
    CHECK(later - difference < 0.02 && difference - later < 0.02);
    run_deferred(pool, 2 * ENOUGH);
}

static void note_queued(const fj_trace_event *event, void *queued)
{
    if (event->kind == FJ_TRACE_QUEUED)
        add(queued, 1);
}

static void a_trace_is_told_of_what_comes_after_it(void)
{
    int pool = deferred_pool("lease.trace");
    long queued = 0;
    submit(pool, ENOUGH);
    CHECK_EQ(fj_trace_set(note_queued, &queued), 1);
    submit(pool, 10);
    CHECK_EQ(get(&queued), 10);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    submit(pool, ENOUGH);
    CHECK_EQ(get(&queued), 10);
    run_deferred(pool, 2 * ENOUGH + 10);
}

static void a_pool_without_threads_runs_in_the_submitter_at_once(void)
{
    int pool = deferred_pool("lease.inline");
    submit(pool, ENOUGH);
    CHECK_EQ(fj_pool_set_concurrency(pool, 0), 1);
    submit(pool, 10);
    CHECK_EQ(get(&s_ran), 10);
    CHECK_EQ(fj_pool_set_concurrency(pool, 1), 1);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), ENOUGH + 10);
}

static void *submit_one(void *id)
{
    set(id, thread_id());
    CHECK_EQ(fj_call(s_pool, count_call, NULL), 1);
    set(id, 0);
    return NULL;
}

static void a_backlog_holds_from_when_it_is_set(void)
{
    long id = -1; /* of the submitter; 0: it is over */
    s_pool = deferred_pool("lease.backlog");
    submit(s_pool, ENOUGH);
    CHECK_EQ(ec_thread_pool_set_backlog(s_pool, 1), 1);
    pthread_t thread = start_thread(submit_one, &id);
    POLL(get(&id) == 0 || (get(&id) > 0 && thread_sleeps(get(&id))));
    CHECK(get(&id) != 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(s_pool), ENOUGH);
    ec_thread_pool_defer_spawn(s_pool, 0);
    JOIN(thread);
    await_empty(s_pool);
    CHECK_EQ(get(&s_ran), ENOUGH + 1);
}

/* ---- while everything changes ---- */

static long s_traced;

static void *look_around(void *unused)
{
    for (int i = 0; get(&s_stop) == 0; i++) {
        long listed = 0;
        CHECK_EQ(fj_pool_set_concurrency(s_pool, 1 + i % 3), 1);
        CHECK(ec_thread_pool_get_queue_size(s_pool) >= 0);
        ec_thread_pool_defer_spawn(s_pool, i % 7 == 0);
        if (i % 16 == 0)
            CHECK(fj_pool_list_jobs(s_pool, count_queued, &listed) >= 0);
        switch (i % 64) {
        case 11:
            CHECK_EQ(fj_trace_set(note_queued, &s_traced), 1);
            CHECK_EQ(fj_trace_set(NULL, NULL), 1);
            break;
        case 27: {
            ec_async_job none;
            CHECK_EQ(fj_cancel_job(&none), 0);
            break;
        }
        case 43:
            CHECK_EQ(fj_pool_set_concurrency(s_pool, 0), 1);
            break;
        case 59:
            CHECK_EQ(fj_pool_set_order(s_pool, FJ_ORDER_RELAXED), 1);
            CHECK_EQ(fj_pool_set_order(s_pool, FJ_ORDER_FIFO), 1);
        }
        usleep(200);
    }
    ec_thread_pool_defer_spawn(s_pool, 0);
    return unused;
}

static void no_job_is_lost_while_the_pool_changes(void)
{
    long jobs = many(1000000);
    s_pool = new_pool("lease.change", 2);
    set(&s_ran, 0);
    set(&s_stop, 0);
    pthread_t thread = start_thread(look_around, NULL);
    for (long i = 0; i < jobs; i++) {
        if (i % 2 == 0)
            CHECK_EQ(fj_call(s_pool, count_call, NULL), 1);
        else
            QUEUE(new_job(s_pool, count_job, NULL));
    }
    set(&s_stop, 1);
    JOIN(thread);
    await_empty(s_pool);
    CHECK_EQ(get(&s_ran), jobs);
    CHECK_EQ(stats_of(s_pool).invocations, jobs);
}

static long s_taken;

/* Until it is refused; but the shutdown runs what comes meanwhile, too, so there is an end to that. */
static void *submit_to_the_end(void *unused)
{
    while (get(&s_taken) < many(2000000)) {
        if (fj_call(s_pool, count_call, NULL) != 1) {
            CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
            break;
        }
        add(&s_taken, 1);
    }
    return unused;
}

static void the_shutdown_runs_all_that_was_taken(void)
{
    s_pool = new_pool("lease.shutdown", 2);
    set(&s_ran, 0);
    pthread_t thread = start_thread(submit_to_the_end, NULL);
    POLL(get(&s_ran) > many(100000));
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    JOIN(thread);
    CHECK_EQ(get(&s_ran), get(&s_taken));
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
    RUN(what_was_submitted_is_seen_at_once);
    RUN(jobs_have_the_age_that_they_have);
    RUN(a_trace_is_told_of_what_comes_after_it);
    RUN(a_pool_without_threads_runs_in_the_submitter_at_once);
    RUN(a_backlog_holds_from_when_it_is_set);
    RUN(no_job_is_lost_while_the_pool_changes);
    RUN(the_shutdown_runs_all_that_was_taken);
    return check_report();
}
