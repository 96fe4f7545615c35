/*
 * test_lease_seen.c - a thread writes to the queue itself, and somebody looks at the pool, changes it or ends
 * it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "lease.h"

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
    RUN(what_was_submitted_is_seen_at_once);
    RUN(jobs_have_the_age_that_they_have);
    RUN(a_trace_is_told_of_what_comes_after_it);
    RUN(a_pool_without_threads_runs_in_the_submitter_at_once);
    RUN(a_backlog_holds_from_when_it_is_set);
    RUN(no_job_is_lost_while_the_pool_changes);
    RUN(the_shutdown_runs_all_that_was_taken);
    return check_report();
}
