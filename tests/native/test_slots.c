/*
 * test_slots.c - concurrency semaphores: the caller says how many jobs of a kind may run at once, and no
 * worker waits.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "slots.h"

static void never_more_than_slots_run_at_once(void)
{
    static const int slots[] = {1, 2, 3, 7};
    int pool = new_pool("slots.limit", 8);
    for (int s = 0; s < 4; s++) {
        int count = many(20000);
        struct kind kind;
        kind_init(&kind, (unsigned)slots[s], 1);
        ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
        for (int i = 0; i < count; i++) {
            QUEUE(with_slot(&jobs[i], pool, run_shortly, &kind));
        }
        AWAIT_TIMES(&s_done, count);
        CHECK_EQ(get(&kind.runs), count);
        CHECK(get(&kind.most) <= slots[s]);
        expect_all_slots_back(&kind, slots[s]);
        free(jobs);
    }
}

static void all_slots_are_used(void)
{
    enum { JOBS = 20, SLOTS = 3 };
    int pool = new_pool("slots.used", 8);
    struct kind kind;
    ec_async_job jobs[JOBS];
    kind_init(&kind, SLOTS, 0);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_with_slot, &kind));
    }
    GATE_AWAIT(&kind.gate, SLOTS);
    /* a worker that wakes late takes one more to its place of waiting */
    POLL(ec_thread_pool_get_queue_size(pool) == JOBS - SLOTS);
    POLL(stats_of(pool).queue_sz == JOBS - SLOTS);
    POLL(stats_of(pool).num_active_threads == SLOTS); /* no worker waits for a slot */
    CHECK_EQ(semaphore_value(&kind.slots), 0);
    gate_open(&kind.gate);
    AWAIT_TIMES(&s_done, JOBS);
    CHECK_EQ(get(&kind.most), SLOTS);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    expect_all_slots_back(&kind, SLOTS);
}

static void a_hundred_thousand_waiting_jobs_leave_the_other_workers_free(void)
{
    int count = many(100000);
    int pool = new_pool("slots.crowd", 4);
    struct kind kind;
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    ec_async_job other;
    sem_t other_done;
    new_semaphore(&other_done, 0);
    kind_init(&kind, 2, 0);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_with_slot, &kind));
    }
    GATE_AWAIT(&kind.gate, 2);
    struct gate both = GATE_CLOSED; /* two workers are free for other jobs, both at once */
    ec_async_job pair[2];
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&pair[i], pool, stand_at_gate, &both, &other_done));
    }
    GATE_AWAIT(&both, 2);
    CHECK_EQ(gate_inside(&kind.gate), 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), count - 2);
    gate_open(&both);
    AWAIT_TIMES(&other_done, 2);
    gate_open(&kind.gate);
    for (int i = 0; i < 100; i++) { /* and others pass while the crowd is worked off */
        QUEUE(job_with_semaphore(&other, pool, do_nothing, NULL, &other_done));
        AWAIT(&other_done);
    }
    AWAIT_TIMES(&s_done, count);
    CHECK_EQ(get(&kind.runs), count);
    CHECK_EQ(get(&kind.most), 2);
    expect_all_slots_back(&kind, 2);
    sem_destroy(&other_done);
    free(jobs);
}

static void kinds_do_not_disturb_each_other(void)
{
    int count = many(5000);
    struct kind kinds[3];
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    for (int k = 0; k < 3; k++) {
        kind_init(&kinds[k], (unsigned)k + 1, 1);
    }
    int pool = new_pool("slots.kinds", 4);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_shortly, &kinds[i % 3]));
    }
    AWAIT_TIMES(&s_done, count);
    long runs = 0;
    for (int k = 0; k < 3; k++) {
        runs += get(&kinds[k].runs);
        CHECK(get(&kinds[k].most) <= k + 1);
        expect_all_slots_back(&kinds[k], k + 1);
    }
    CHECK_EQ(runs, count);
    free(jobs);
}

static void a_slot_goes_from_pool_to_pool(void)
{
    enum { POOLS = 4 };
    int count = many(20000);
    int pools[POOLS];
    struct kind kind;
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    for (int i = 0; i < POOLS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "slots.pool%d", i);
        pools[i] = new_pool(name, i + 1);
    }
    kind_init(&kind, 1, 1);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pools[i % POOLS], run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, count);
    CHECK_EQ(get(&kind.most), 1);
    CHECK_EQ(get(&kind.runs), count);
    expect_all_slots_back(&kind, 1);
    for (int i = 0; i < POOLS; i++) {
        CHECK_EQ(ec_thread_pool_get_queue_size(pools[i]), 0);
    }
    free(jobs);
}

static void sync_jobs_take_a_slot_in_their_submitter(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    struct kind kind;
    kind_init(&kind, 1, 1);
    for (int i = 0; i < 3; i++) {
        ec_async_job job;
        job_init(&job, classes[i], run_shortly, &kind);
        job.completion = ECTP_COMPLETE_SYNC;
        job.concurrency = &kind.slots;
        QUEUE(&job);
        CHECK_EQ(get(&kind.runs), i + 1);
        CHECK_EQ(semaphore_value(&kind.slots), 1);
    }
    expect_all_slots_back(&kind, 1);
}

static void *sync_in_thread(void *closure)
{
    struct kind *kind = closure;
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, run_shortly, kind);
    job.completion = ECTP_COMPLETE_SYNC;
    job.concurrency = &kind->slots;
    for (int i = 0; i < 50; i++) {
        QUEUE(&job);
    }
    return NULL;
}

static void sync_jobs_and_workers_share_the_slots(void)
{
    enum { THREADS = 3 };
    int count = many(2000);
    struct kind kind;
    pthread_t threads[THREADS];
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    kind_init(&kind, 2, 1);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(sync_in_thread, &kind);
    }
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], ECTP_CLASS_CPU, run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, count);
    for (int i = 0; i < THREADS; i++) {
        JOIN(threads[i]);
    }
    CHECK_EQ(get(&kind.runs), count + THREADS * 50);
    CHECK(get(&kind.most) <= 2);
    expect_all_slots_back(&kind, 2);
    free(jobs);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(never_more_than_slots_run_at_once);
    RUN(all_slots_are_used);
    RUN(a_hundred_thousand_waiting_jobs_leave_the_other_workers_free);
    RUN(kinds_do_not_disturb_each_other);
    RUN(a_slot_goes_from_pool_to_pool);
    RUN(sync_jobs_take_a_slot_in_their_submitter);
    RUN(sync_jobs_and_workers_share_the_slots);
    return check_report();
}
