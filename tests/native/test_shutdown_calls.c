/*
 * test_shutdown_calls.c - calls around the end: who may call ec_thread_pool_shutdown, and against submitters.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "shutdown.h"

/* ---- who may call it ---- */

static void shut_down_here(ec_async_job *job, void *completes)
{
    (void)job;
    CHECK_EQ(ec_thread_pool_shutdown(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EDEADLK);
    add(&s_ran, 1);
    if (completes != NULL) {
        sem_post(completes);
    }
}

static void fails_in_a_worker(void)
{
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, shut_down_here, NULL, &s_done));
    AWAIT(&s_done);
    QUEUE(job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, shut_down_here, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 2);
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done)); /* and all goes on */
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

/* The job in whose worker it is called is in flight: waiting for it is waiting for oneself. */
static void fails_in_a_job_that_runs_in_its_submitter(void)
{
    ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, shut_down_here, NULL);
    QUEUE(&job);
    job_init(&job, ECTP_CLASS_CLOSE, shut_down_here, NULL);
    QUEUE(&job);
    job_init(&job, ECTP_CLASS_CPU, shut_down_here, NULL);
    job.completion = ECTP_COMPLETE_SYNC;
    QUEUE(&job);
    CHECK_EQ(get(&s_ran), 3);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

enum { PENDING = 50 };

struct in_scheduler {
    ec_async_job job;
    ec_async_job pending[PENDING];
    sem_t queued; /* all pending jobs have run, and their completions wait for the scheduler thread */
    pthread_t scheduler;
    long delivered;
};

static void deliver(ec_async_job *job, void *closure)
{
    (void)job;
    struct in_scheduler *s = closure;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK(pthread_equal(s->scheduler, pthread_self()));
    s->delivered++;
}

static void worker_posts_queued(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(&((struct in_scheduler *)closure)->queued);
}

static void shut_down_in_scheduler(ec_async_job *job, void *closure)
{
    struct in_scheduler *s = closure;
    s->scheduler = pthread_self();
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    for (int i = 0; i < PENDING; i++) {
        job_with_callback(&s->pending[i], ECTP_CLASS_CPU, worker_posts_queued, s, deliver, s);
        s->pending[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&s->pending[i]);
    }
    AWAIT_TIMES(&s->queued, PENDING / 2);
    CHECK_EQ(s->delivered, 0); /* they wait for this thread */
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(s->delivered, PENDING);
    CHECK_EQ(ec_queue_async_job(job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    sem_post(&s_done);
}

static void shut_down_by_completion_of(int job_class)
{
    static struct in_scheduler s;
    new_semaphore(&s.queued, 0);
    job_with_callback(&s.job, job_class, do_nothing, NULL, shut_down_in_scheduler, &s);
    s.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&s.job);
    AWAIT(&s_done);
    expect_all_ended();
}

static void works_in_the_scheduler_thread(void)
{
    shut_down_by_completion_of(ECTP_CLASS_CPU);
}

/* The completion of a SHORT_LIVED job comes through the scheduler thread too, and may end everything. */
static void works_in_the_scheduler_thread_for_a_short_lived_job(void)
{
    shut_down_by_completion_of(ECTP_CLASS_SHORT_LIVED);
}

static void *shut_down_in_thread(void *result)
{
    *(int *)result = ec_thread_pool_shutdown();
    return NULL;
}

static void succeeds_once_of_many_calls_at_once(void)
{
    enum { CALLERS = 8 };
    int results[CALLERS] = {0};
    pthread_t threads[CALLERS];
    for (int i = 0; i < 200; i++) {
        QUEUE(allocated(ECTP_CLASS_CPU, count, NULL));
    }
    for (int i = 0; i < CALLERS; i++) {
        threads[i] = start_thread(shut_down_in_thread, &results[i]);
    }
    int successes = 0;
    for (int i = 0; i < CALLERS; i++) {
        JOIN(threads[i]);
        successes += results[i];
    }
    CHECK_EQ(successes, 1);
    CHECK_EQ(get(&s_ran), 200);
    expect_all_ended();
}

/* ---- against submitters ---- */

static void *submit_until_refused(void *closure)
{
    long *accepted = closure;
    while (1) {
        ec_async_job *job = allocated((int)(*accepted % 2), count, NULL);
        if (!ec_queue_async_job(job)) {
            CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
            ec_free(MEMTYPE_EC_ASYNC_JOB, job); /* still the caller's */
            return NULL;
        }
        ++*accepted;
    }
}

static void runs_exactly_what_was_accepted(void)
{
    enum { SUBMITTERS = 4 };
    long accepted[SUBMITTERS] = {0};
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        threads[i] = start_thread(submit_until_refused, &accepted[i]);
    }
    POLL(get(&s_ran) > 1000);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    long sum = 0;
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(threads[i]);
        sum += accepted[i];
    }
    CHECK_EQ(get(&s_ran), sum);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static int s_backlogged;

static void *submit_backlogged(void *closure)
{
    long *accepted = closure;
    for (int i = 0; i < 20; i++) {
        ec_async_job *job = allocated(s_backlogged, count, NULL);
        if (!ec_queue_async_job(job)) {
            CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
            ec_free(MEMTYPE_EC_ASYNC_JOB, job);
        } else {
            ++*accepted;
        }
    }
    return NULL;
}

static void lets_blocked_submitters_go(void)
{
    enum { SUBMITTERS = 4 };
    long accepted[SUBMITTERS] = {0};
    pthread_t threads[SUBMITTERS];
    s_backlogged = ec_thread_pool_create_module(NULL, "test-backlog", 1, 0, 2);
    ec_thread_pool_defer_spawn(s_backlogged, 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        threads[i] = start_thread(submit_backlogged, &accepted[i]);
    }
    POLL(ec_thread_pool_get_queue_size(s_backlogged) == 2);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    long sum = 0;
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(threads[i]);
        sum += accepted[i];
    }
    CHECK_EQ(get(&s_ran), sum);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(fails_in_a_worker)                                                                                     \
    X(fails_in_a_job_that_runs_in_its_submitter)                                                             \
    X(works_in_the_scheduler_thread)                                                                         \
    X(works_in_the_scheduler_thread_for_a_short_lived_job)                                                   \
    X(succeeds_once_of_many_calls_at_once)                                                                   \
    X(runs_exactly_what_was_accepted)                                                                        \
    X(lets_blocked_submitters_go)
EVERY_SCENARIO(SHUTDOWN)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
