/*
 * test_jobs_threads.c - in which thread a job and its completion run: SYNC, the classes that run in the
 * caller, CALLBACK_SCHED.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "jobs.h"

/* ---- SYNC and the classes that run in the caller ---- */

struct where {
    pthread_t worker, completion;
    int runs;
};

static void note_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *w = closure;
    w->worker = pthread_self();
    w->runs++;
}

static void note_completion(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *w = closure;
    w->completion = pthread_self();
    w->runs += 10;
}

static void sync_is_over_when_the_call_returns(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_UNLINK, ECTP_CLASS_CLOSE,
                                  ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 4; i++) {
        struct where where = {0};
        ec_async_job job;
        job_init(&job, classes[i], note_worker, &where);
        job.completion = ECTP_COMPLETE_SYNC;
        CHECK(QUEUE(&job));
        CHECK_EQ(where.runs, 1);
        CHECK(pthread_equal(where.worker, pthread_self()));
    }
}

static void run_sync_in_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *where = closure;
    ec_async_job inner;
    job_init(&inner, ECTP_CLASS_CPU, note_worker, where);
    inner.completion = ECTP_COMPLETE_SYNC;
    CHECK(QUEUE(&inner));
    CHECK_EQ(where->runs, 1);
    CHECK(pthread_equal(where->worker, pthread_self()));
}

static void sync_works_inside_a_worker(void)
{
    struct where where = {0};
    ec_async_job job;
    CHECK_OR_RETURN(QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, run_sync_in_worker, &where, &s_done)));
    AWAIT(&s_done);
}

static void short_lived_and_close_run_in_the_caller(void)
{
    static const int classes[] = {ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    for (int i = 0; i < 2; i++) {
        struct where where = {0};
        ec_async_job job;
        CHECK(QUEUE(job_with_callback(&job, classes[i], note_worker, &where, note_completion, &where)));
        CHECK_EQ(where.runs, 11);
        CHECK(pthread_equal(where.worker, pthread_self()));
        CHECK(pthread_equal(where.completion, pthread_self()));

        CHECK(QUEUE(job_with_semaphore(&job, classes[i], do_nothing, NULL, &s_done)));
        CHECK_EQ(semaphore_value(&s_done), 1); /* posted before the call returned */
        AWAIT(&s_done);
    }
    CHECK_EQ(threads_named("Close"), 0);
}

static void queue_next_level(ec_async_job *job, void *closure)
{
    (void)job;
    long *levels = closure;
    if (--*levels > 0) {
        ec_async_job inner;
        job_init(&inner, ECTP_CLASS_SHORT_LIVED, queue_next_level, levels);
        CHECK(QUEUE(&inner));
    }
}

static void short_lived_jobs_nest(void)
{
    long levels = 100;
    ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, queue_next_level, &levels);
    CHECK(QUEUE(&job));
    CHECK_EQ(levels, 0);
}

/* ---- CALLBACK_SCHED ---- */

enum { ORDERED = 20000 };
static int s_order[ORDERED];
static int s_delivered;
static pthread_t s_scheduler;

static void in_scheduler(ec_async_job *job, void *number)
{
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    if (s_delivered == 0) {
        s_scheduler = pthread_self();
    }
    CHECK(pthread_equal(s_scheduler, pthread_self())); /* always the same */
    s_order[s_delivered++] = (int)(size_t)number;      /* without a lock: one thread */
    free(job);
    sem_post(&s_done);
}

static void not_in_scheduler(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK_EQ(fj_is_scheduler_thread(), 0);
}

static void callback_sched_runs_in_one_thread_in_order(void)
{
    int rounds = many(ORDERED);
    int pool = new_pool("jobs.ordered", 1); /* one worker: it finishes jobs in their order */
    rounds = rounds > ORDERED ? ORDERED : rounds;
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_with_callback(job, pool, not_in_scheduler, NULL, in_scheduler, (void *)(size_t)i);
        job->completion = ECTP_COMPLETE_CALLBACK_SCHED;
        CHECK_OR_RETURN(QUEUE(job));
    }
    AWAIT_TIMES(&s_done, rounds);
    int in_order = 1;
    for (int i = 0; i < rounds; i++) {
        in_order = in_order && s_order[i] == i;
    }
    CHECK(in_order);
    CHECK(!pthread_equal(s_scheduler, pthread_self()));
}

static void requeue_in_scheduler(ec_async_job *job, void *closure)
{
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    requeue(job, closure);
}

static void callback_sched_may_queue_the_job_again(void)
{
    struct rounds r = {.left = many(5000)};
    job_with_callback(&r.job, ECTP_CLASS_CPU, pass_on, NULL, requeue_in_scheduler, &r);
    r.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK_OR_RETURN(QUEUE(&r.job));
    AWAIT(&s_done);
}

static void sync_in_scheduler(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *where = closure;
    ec_async_job inner;
    job_with_callback(&inner, ECTP_CLASS_SHORT_LIVED, note_worker, where, note_completion, where);
    CHECK(QUEUE(&inner));
    CHECK_EQ(where->runs, 11);
    CHECK(pthread_equal(where->worker, pthread_self()));
    sem_post(&s_done);
}

static void callback_sched_may_run_short_lived_jobs(void)
{
    struct where where = {0};
    ec_async_job job;
    job_with_callback(&job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL, sync_in_scheduler, &where);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK(QUEUE(&job));
    AWAIT(&s_done);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(sync_is_over_when_the_call_returns);
    RUN(sync_works_inside_a_worker);
    RUN(short_lived_and_close_run_in_the_caller);
    RUN(short_lived_jobs_nest);
    RUN(callback_sched_runs_in_one_thread_in_order);
    RUN(callback_sched_may_queue_the_job_again);
    RUN(callback_sched_may_run_short_lived_jobs);
    return check_report();
}
