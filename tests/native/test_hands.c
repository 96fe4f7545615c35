/*
 * test_hands.c - a worker of an ordinary pool that takes many jobs at once: they run in their order, and
 * whoever looks for one of them, stops the pool or waits behind a long one comes by them.
 *
 * The long job stands so far back in a deep queue that the worker has jobs in its hand when it comes to it.
 * Nothing here depends on that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

#include "harness.h"

enum { JOBS = 1000, LONG = 200, KINDS = 5 };

static ec_async_job s_jobs[JOBS];
static long s_ran;
static struct gate s_gate;

static void count_job(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static void await_empty(int pool)
{
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

/* Queues all jobs while the pool is deferred, the long one among them, and lets the worker come to it. */
static void come_to_the_long_one(int pool)
{
    s_gate = (struct gate)GATE_CLOSED;
    set(&s_ran, 0);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < JOBS; i++) {
        job_init(&s_jobs[i], pool, i == LONG ? stand_at_gate : count_job, &s_gate);
        QUEUE(&s_jobs[i]);
    }
    ec_thread_pool_defer_spawn(pool, 0);
    GATE_AWAIT(&s_gate, 1);
}

/* ---- order ---- */

static int s_order_pool;
static long s_next, s_completed;

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
    comes_next((intptr_t)closure);
    if (job->completion == ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0)
        free(job); /* which its worker may do */
}

static void completed(ec_async_job *job, void *closure)
{
    (void)job;
    CHECK_EQ(get(&s_next), (intptr_t)closure + 1); /* after its worker and before the next job */
    add(&s_completed, 1);
}

static ec_async_job *numbered(intptr_t number, sem_t *posted)
{
    int kind = (int)(number % KINDS);
    ec_async_job *job = kind == 1 ? malloc(sizeof(*job)) : ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    job_init(job, s_order_pool, numbered_job, (void *)number);
    job->free_on_completion_memtype = kind == 1 ? 0 : MEMTYPE_EC_ASYNC_JOB;
    if (kind == 2) {
        job->completion = ECTP_COMPLETE_CALLBACK;
        job->r.cb.func = completed;
        job->r.cb.closure = (void *)number;
    } else if (kind == 3) {
        job->completion = ECTP_COMPLETE_SEMAPHORE;
        job->r.sema = posted;
    }
    return job;
}

/* Calls, and jobs with all that the C layer runs itself and with what it leaves to the engine. */
static void one_worker_keeps_the_order_of_all_kinds(void)
{
    sem_t posted;
    long jobs = many(100000) / KINDS * KINDS;
    new_semaphore(&posted, 0);
    s_order_pool = new_pool("hands.order", 1);
    for (long i = 0; i < jobs; i++) {
        if (i % KINDS == 0)
            CHECK_EQ(fj_call(s_order_pool, numbered_call, (void *)i), 1);
        else
            QUEUE(numbered(i, &posted));
    }
    await_empty(s_order_pool);
    CHECK_EQ(get(&s_next), jobs);
    CHECK_EQ(get(&s_completed), jobs / KINDS);
    CHECK_EQ(semaphore_value(&posted), jobs / KINDS);
    CHECK_EQ(stats_of(s_order_pool).invocations, jobs);
    sem_destroy(&posted);
}

/* ---- behind a long job ---- */

static void another_worker_runs_what_is_behind_a_long_job(void)
{
    int pool = new_pool("hands.long", 2);
    for (int round = 0; round < many(100); round++) {
        come_to_the_long_one(pool);
        POLL(get(&s_ran) == JOBS - 1); /* all others: the gate is closed still */
        gate_open(&s_gate);
        await_empty(pool);
    }
}

static void a_job_behind_a_long_one_can_be_cancelled(void)
{
    int pool = new_pool("hands.cancel", 1);
    come_to_the_long_one(pool);
    CHECK_EQ(get(&s_ran), LONG);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS - LONG - 1);
    for (int i = LONG + 1; i < LONG + 100; i += 2)
        CHECK_EQ(fj_cancel_job(&s_jobs[i]), 1);
    CHECK_EQ(fj_cancel_job(&s_jobs[LONG - 1]), 0);
    CHECK_EQ(fj_cancel_job(&s_jobs[LONG]), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS - LONG - 1 - 50);
    gate_open(&s_gate);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), JOBS - 1 - 50);
}

static int has_address(const fj_queued_job *job, void *next)
{
    const ec_async_job **expected = next;
    CHECK(job->job == *expected);
    ++*expected;
    return 0;
}

static void a_listing_shows_what_is_behind_a_long_job(void)
{
    int pool = new_pool("hands.list", 1);
    const ec_async_job *next = &s_jobs[LONG + 1];
    come_to_the_long_one(pool);
    CHECK_EQ(fj_pool_list_jobs(pool, has_address, &next), JOBS - LONG - 1);
    gate_open(&s_gate);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), JOBS - 1);
}

static void figures_show_the_job_that_runs(void)
{
    int pool = new_pool("hands.kinds", 1);
    come_to_the_long_one(pool);
    fj_job_kind kinds[4];
    int count = fj_pool_job_kinds(pool, kinds, 4), running = 0, queued = 0;
    for (int i = 0; i < count && i < 4; i++) {
        running += kinds[i].job_num_running;
        queued += kinds[i].job_num_queued;
        CHECK(kinds[i].line > 0);
    }
    CHECK_EQ(running, 1);
    CHECK_EQ(queued, JOBS - LONG - 1);
    fj_pool_stats stats = stats_of(pool);
    CHECK_EQ(stats.invocations, LONG);
    gate_open(&s_gate);
    await_empty(pool);
}

static void a_deferred_pool_starts_nothing_behind_a_long_job(void)
{
    int pool = new_pool("hands.defer", 1);
    come_to_the_long_one(pool);
    ec_thread_pool_defer_spawn(pool, 1);
    gate_open(&s_gate);
    POLL(stats_of(pool).invocations == LONG + 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS - LONG - 1);
    CHECK_EQ(get(&s_ran), LONG);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&s_ran), JOBS - 1);
}

static void note_start(const fj_trace_event *event, void *started)
{
    if (event->kind == FJ_TRACE_STARTED)
        add(started, 1);
}

static void a_trace_is_told_of_what_is_behind_a_long_job(void)
{
    int pool = new_pool("hands.trace", 1);
    long started = 0;
    come_to_the_long_one(pool);
    CHECK_EQ(fj_trace_set(note_start, &started), 1);
    gate_open(&s_gate);
    await_empty(pool);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(get(&started), JOBS - LONG - 1);
}

/* ---- jobs that are not simple ---- */

static sem_t s_slots;

/* Takes its slot itself and puts it back: nobody holds more than there are. */
static void with_slot(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK_EQ(semaphore_value(&s_slots), 0);
    add(&s_ran, 1);
}

static void ends_its_thread(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
    pthread_exit(NULL);
}

static void later(ec_async_job *job, void *closure)
{
    (void)closure;
    add(&s_ran, 1);
    job->skip_completion = 1; /* the tail completes it, and so counts what it frees */
    ec_async_complete_tail(job);
}

static void jobs_of_all_sorts_run_once(void)
{
    int pool = new_pool("hands.sorts", 2);
    int jobs = many(20000);
    sem_t posted;
    set(&s_ran, 0);
    new_semaphore(&s_slots, 1);
    new_semaphore(&posted, 0);
    int tails = 0;
    for (int i = 0; i < jobs; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        job_init(job, pool, count_job, NULL);
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        if (i % 97 == 3) {
            job->worker = with_slot;
            job->concurrency = &s_slots;
        } else if (i % 997 == 5) {
            job->worker = ends_its_thread;
            job->completion = ECTP_COMPLETE_NONE;
            job->free_on_completion_memtype = 0; /* nobody completes it */
        } else if (i % 11 == 7) {
            job->worker = later;
            job->completion = ECTP_COMPLETE_SEMAPHORE;
            job->r.sema = &posted;
            tails++;
        }
        QUEUE(job);
    }
    await_empty(pool);
    CHECK_EQ(get(&s_ran), jobs);
    CHECK_EQ(semaphore_value(&posted), tails);
    CHECK_EQ(stats_of(pool).invocations, jobs);
    sem_destroy(&posted);
    sem_destroy(&s_slots);
}

/* ---- while the pool changes ---- */

static struct {
    int pool;
    long stop;
} s_changing;

static int ignore(const fj_queued_job *job, void *closure)
{
    (void)job;
    (void)closure;
    return 0;
}

static void *change_the_pool(void *unused)
{
    for (int i = 0; get(&s_changing.stop) == 0; i++) {
        int pool = s_changing.pool;
        CHECK_EQ(fj_pool_set_order(pool, i % 2 == 0 ? FJ_ORDER_RELAXED : FJ_ORDER_FIFO), 1);
        CHECK_EQ(fj_pool_set_concurrency(pool, 1 + i % 3), 1);
        if (i % 5 == 0) {
            ec_thread_pool_defer_spawn(pool, 1);
            ec_thread_pool_defer_spawn(pool, 0);
        }
        CHECK(fj_pool_list_jobs(pool, ignore, NULL) >= 0);
    }
    return unused;
}

static void count_call(void *unused)
{
    (void)unused;
    add(&s_ran, 1);
}

static void no_job_is_lost_while_the_pool_changes(void)
{
    long jobs = many(300000);
    s_changing.pool = new_pool("hands.change", 2);
    set(&s_changing.stop, 0);
    set(&s_ran, 0);
    pthread_t thread = start_thread(change_the_pool, NULL);
    for (long i = 0; i < jobs; i++) {
        if (i % 2 == 0) {
            CHECK_EQ(fj_call(s_changing.pool, count_call, NULL), 1);
        } else {
            ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
            job_init(job, s_changing.pool, count_job, NULL);
            job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
            QUEUE(job);
        }
    }
    set(&s_changing.stop, 1);
    JOIN(thread);
    await_empty(s_changing.pool);
    CHECK_EQ(get(&s_ran), jobs);
}

int main(void)
{
    RUN(one_worker_keeps_the_order_of_all_kinds);
    RUN(another_worker_runs_what_is_behind_a_long_job);
    RUN(a_job_behind_a_long_one_can_be_cancelled);
    RUN(a_listing_shows_what_is_behind_a_long_job);
    RUN(figures_show_the_job_that_runs);
    RUN(a_deferred_pool_starts_nothing_behind_a_long_job);
    RUN(a_trace_is_told_of_what_is_behind_a_long_job);
    RUN(jobs_of_all_sorts_run_once);
    RUN(no_job_is_lost_while_the_pool_changes);
    return check_report();
}
