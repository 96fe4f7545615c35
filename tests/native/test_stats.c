/*
 * test_stats.c - figures: fj_pool_stats and their reset.
 *
 * A job is counted after its completion, so a program that has just been told of the last completion may read
 * one less a worker: the tests wait for the count, and then it must stay what it is.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static sem_t s_done;

static unsigned long long invocations(int pool)
{
    return stats_of(pool).invocations;
}

static void an_unused_pool_has_zeros(void)
{
    int pool = new_pool("stats.unused", 7);
    fj_pool_stats stats = stats_of(pool);
    CHECK_EQ(stats.struct_size, sizeof(stats));
    CHECK_STR(stats.name, "stats.unused");
    CHECK_EQ(stats.job_class, pool);
    CHECK_EQ(stats.concurrency, 7);
    CHECK_EQ(stats.invocations, 0);
    CHECK(stats.avg_concurrency == 0);
    CHECK(stats.saturation == 0);
    CHECK(stats.avg_wallclock_time_per_op == 0);
    CHECK_EQ(stats.queue_sz, 0);
    CHECK_EQ(stats.num_threads, 0);
    CHECK_EQ(stats.num_active_threads, 0);
    CHECK_EQ(stats.num_inactive_threads, 0);
    CHECK(stats_of(pool).name == stats.name); /* for the life of the process: the same each time */
}

struct batch {
    int pool, jobs;
};

static void *queue_batch(void *closure)
{
    struct batch *batch = closure;
    for (int i = 0; i < batch->jobs; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        job_with_semaphore(job, batch->pool, do_nothing, NULL, &s_done);
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        if (i % 50 == 0) {
            job->completion = ECTP_COMPLETE_SYNC; /* counted for the pool too */
            QUEUE(job);
            sem_post(&s_done);
        } else {
            QUEUE(job);
        }
    }
    return NULL;
}

static void every_job_is_counted_once(void)
{
    enum { THREADS = 3 };
    struct batch batch = {new_pool("stats.count", 3), many(20000)};
    int rounds = 3;
    for (int round = 0; round < rounds; round++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = start_thread(queue_batch, &batch);
        }
        for (int i = 0; i < THREADS; i++) {
            JOIN(threads[i]);
        }
        AWAIT_TIMES(&s_done, THREADS * batch.jobs);
        unsigned long long expected =
            (unsigned long long)THREADS * (unsigned)batch.jobs * (unsigned)(round + 1);
        POLL(invocations(batch.pool) >= expected);
        CHECK_EQ(invocations(batch.pool), expected);
        if (round == 1) { /* threads that are gone are still counted */
            ec_thread_pool_auto_shrink(batch.pool);
            POLL(stats_of(batch.pool).num_threads == 0);
            CHECK_EQ(invocations(batch.pool), expected);
        }
    }
}

static void jobs_in_the_caller_are_counted(void)
{
    unsigned long long before = invocations(ECTP_CLASS_CLOSE);
    ec_async_job job;
    for (int i = 0; i < 100; i++) {
        job_init(&job, ECTP_CLASS_CLOSE, do_nothing, NULL);
        QUEUE(&job);
    }
    CHECK_EQ(invocations(ECTP_CLASS_CLOSE), before + 100);
    CHECK_EQ(stats_of(ECTP_CLASS_CLOSE).num_threads, 0);
    CHECK(stats_of(ECTP_CLASS_CLOSE).saturation == 0); /* of a limit of 0 */
}

static void threads_and_queue_are_as_they_are(void)
{
    enum { WORKERS = 5, WAITING = 20 };
    int pool = new_pool("stats.busy", WORKERS);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[WORKERS + WAITING];
    for (int i = 0; i < WORKERS + WAITING; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done));
    }
    GATE_AWAIT(&gate, WORKERS);
    fj_pool_stats stats = stats_of(pool);
    CHECK_EQ(stats.num_threads, WORKERS);
    CHECK_EQ(stats.num_active_threads, WORKERS);
    CHECK_EQ(stats.num_inactive_threads, 0);
    CHECK_EQ(stats.queue_sz, WAITING);
    CHECK_EQ(stats.invocations, 0); /* none is over */
    gate_open(&gate);
    AWAIT_TIMES(&s_done, WORKERS + WAITING);
    POLL(stats_of(pool).num_active_threads == 0);
    stats = stats_of(pool);
    CHECK_EQ(stats.num_threads, WORKERS);
    CHECK_EQ(stats.num_inactive_threads, WORKERS);
    CHECK_EQ(stats.queue_sz, 0);
}

static void take_20_ms(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    pause_ms(20);
}

static void times_are_about_right(void)
{
    enum { JOBS = 25 };
    int pool = new_pool("stats.times", 2);
    ec_async_job jobs[JOBS];
    CHECK_EQ(fj_pool_stats_reset(pool), 1);
    double start = seconds_now();
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, take_20_ms, NULL, &s_done));
    }
    AWAIT_TIMES(&s_done, JOBS);
    POLL(invocations(pool) == JOBS && stats_of(pool).num_active_threads == 0);
    double elapsed = seconds_now() - start;
    fj_pool_stats stats = stats_of(pool);
    /* At least what the jobs slept, at most what two threads could have been busy. */
    CHECK(stats.avg_wallclock_time_per_op >= 0.019);
    CHECK(stats.avg_wallclock_time_per_op <= 2 * elapsed / JOBS + 0.001);
    CHECK(stats.avg_concurrency > 0.05 && stats.avg_concurrency <= 2.05);
    CHECK(stats.saturation > 2.5 && stats.saturation <= 102.5);
    double ratio = stats.saturation / (100 * stats.avg_concurrency / 2);
    CHECK(ratio > 0.999 && ratio < 1.001);
}

static void a_job_that_still_runs_counts_as_busy(void)
{
    int pool = new_pool("stats.running", 2);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[2];
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done));
    }
    GATE_AWAIT(&gate, 2);
    CHECK_EQ(fj_pool_stats_reset(pool), 1);
    pause_ms(30); /* time for the figures to be of */
    fj_pool_stats stats = stats_of(pool);
    CHECK_EQ(stats.invocations, 0);
    CHECK(stats.avg_concurrency > 1.9 && stats.avg_concurrency < 2.1);
    CHECK(stats.saturation > 95 && stats.saturation < 105);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 2);
}

static void a_reset_starts_from_zero(void)
{
    int pool = new_pool("stats.reset", 2);
    ec_async_job job;
    for (int i = 0; i < 10; i++) {
        QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
        AWAIT(&s_done);
    }
    POLL(invocations(pool) == 10);
    CHECK_EQ(fj_pool_stats_reset(pool), 1);
    CHECK_EQ(invocations(pool), 0);
    CHECK(stats_of(pool).avg_wallclock_time_per_op == 0);
    CHECK(stats_of(pool).num_threads > 0); /* what is now is not reset */
    for (int i = 0; i < 7; i++) {
        QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
        AWAIT(&s_done);
    }
    POLL(invocations(pool) == 7);
    CHECK_EQ(fj_pool_stats_reset(ECTP_CLASS_CLOSE), 1);
    CHECK_EQ(invocations(ECTP_CLASS_CLOSE), 0);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(an_unused_pool_has_zeros);
    RUN(every_job_is_counted_once);
    RUN(jobs_in_the_caller_are_counted);
    RUN(threads_and_queue_are_as_they_are);
    RUN(times_are_about_right);
    RUN(a_job_that_still_runs_counts_as_busy);
    RUN(a_reset_starts_from_zero);
    return check_report();
}
