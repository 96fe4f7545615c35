/*
 * test_pools_concurrency.c - how many jobs of a pool run at once, and a limit that changes meanwhile.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pools.h"

static void as_many_jobs_run_at_once_as_allowed_and_no_more(void)
{
    static const int limits[] = {1, 2, 3, 8, 40};
    for (int l = 0; l < 5; l++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.limit.%d", limits[l]);
        int pool = new_pool(name, limits[l]);
        enum { JOBS = 200 };
        static ec_async_job jobs[JOBS];
        struct crowd crowd = CROWD(limits[l]);
        for (int i = 0; i < JOBS; i++) {
            QUEUE(job_with_semaphore(&jobs[i], pool, join_crowd, &crowd, &s_done));
        }
        GATE_AWAIT(&crowd.gate, limits[l]);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS - limits[l]);
        CHECK_EQ(stats_of(pool).num_active_threads, limits[l]);
        CHECK_EQ(stats_of(pool).num_threads, limits[l]);
        gate_open(&crowd.gate);
        AWAIT_TIMES(&s_done, JOBS);
        CHECK_EQ(get(&crowd.most), limits[l]);
        CHECK_EQ(get(&crowd.over), 0);
    }
}

static void growing_takes_effect_at_once(void)
{
    enum { JOBS = 40 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("pools.grow", 2);
    struct crowd crowd = CROWD(2);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, join_crowd, &crowd, &s_done));
    }
    GATE_AWAIT(&crowd.gate, 2);
    for (int limit = 3; limit <= 30; limit += 3) {
        set(&crowd.limit, limit);
        CHECK_EQ(fj_pool_set_concurrency(pool, limit), 1);
        GATE_AWAIT(&crowd.gate, limit); /* although no job ends and none is queued */
        CHECK_EQ(stats_of(pool).concurrency, limit);
    }
    gate_open(&crowd.gate);
    AWAIT_TIMES(&s_done, JOBS);
    CHECK_EQ(get(&crowd.over), 0);
    CHECK_EQ(get(&crowd.most), 30);
}

static void shrinking_takes_effect_as_jobs_end(void)
{
    enum { JOBS = 30 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("pools.shrink", 6);
    struct crowd crowd = CROWD(6);
    struct held held = {.crowd = &crowd};
    new_semaphore(&held.leave, 0);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stay, &held, &s_done));
    }
    POLL(get(&crowd.started) == 6); /* and have been compared with the limit */
    CHECK_EQ(fj_pool_set_concurrency(pool, 2), 1);
    set(&crowd.limit, 2); /* every job that starts from now on must find at most one other */
    for (int i = 0; i < JOBS; i++) {
        sem_post(&held.leave);
        AWAIT(&s_done);
        if (i < 4) { /* four go and none comes; a job that came too many would be counted in `over` */
            CHECK_EQ(get(&crowd.started), 6);
        }
    }
    CHECK_EQ(get(&crowd.over), 0);
    POLL(stats_of(pool).num_threads <= 2); /* those not needed end */
    sem_destroy(&held.leave);
}

static void note_thread(ec_async_job *job, void *closure)
{
    (void)job;
    *(pthread_t *)closure = pthread_self();
}

static void with_concurrency_0_jobs_run_in_their_submitter(void)
{
    int pool = new_pool("pools.zero", 3);
    struct gate gate = GATE_CLOSED;
    ec_async_job running, queued[5], job;
    pthread_t thread;
    CHECK_EQ(fj_pool_set_concurrency(pool, 1), 1);
    QUEUE(job_with_semaphore(&running, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < 5; i++) {
        QUEUE(job_with_semaphore(&queued[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(fj_pool_set_concurrency(pool, 0), 1);
    QUEUE(job_with_callback(&job, pool, note_thread, &thread, do_nothing, NULL));
    CHECK(pthread_equal(thread, pthread_self()));
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 6); /* what was queued is not forgotten */
    CHECK_EQ(fj_pool_set_concurrency(pool, 2), 1);
    QUEUE(job_with_semaphore(&job, pool, note_thread, &thread, &s_done));
    AWAIT(&s_done);
    CHECK(!pthread_equal(thread, pthread_self()));
}

static void *change_concurrency(void *stop)
{
    int pool = ec_thread_pool_name_to_class("pools.changing");
    for (unsigned i = 1; !get(stop); i = i * 1103515245 + 12345) {
        CHECK_EQ(fj_pool_set_concurrency(pool, (int)(i >> 16) % 9), 1); /* 0 to 8 */
    }
    return NULL;
}

static void nothing_is_lost_while_it_changes(void)
{
    int pool = new_pool("pools.changing", 4);
    long stop = 0;
    int rounds = many(50000);
    pthread_t thread = start_thread(change_concurrency, &stop);
    ec_async_job *jobs = calloc((size_t)rounds, sizeof(*jobs));
    for (int i = 0; i < rounds; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    set(&stop, 1);
    JOIN(thread);
    AWAIT_TIMES(&s_done, rounds); /* also if it has ended at 0 */
    POLL(stats_of(pool).invocations == (unsigned long long)rounds);
    free(jobs);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(as_many_jobs_run_at_once_as_allowed_and_no_more);
    RUN(growing_takes_effect_at_once);
    RUN(shrinking_takes_effect_as_jobs_end);
    RUN(with_concurrency_0_jobs_run_in_their_submitter);
    RUN(nothing_is_lost_while_it_changes);
    return check_report();
}
