/*
 * test_slots_waiting.c - jobs that wait for a slot: no worker waits with them, they count in the backlog, and
 * a slot that the caller posts is noticed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "slots.h"

static void a_slot_that_the_caller_posts_is_noticed(void)
{
    struct kind kind;
    ec_async_job job;
    int late = 0;
    kind_init(&kind, 0, 1);
    for (int i = 0; i < many(50); i++) {
        QUEUE(with_slot(&job, ECTP_CLASS_CPU, run_shortly, &kind));
        POLL(ec_thread_pool_get_queue_size(ECTP_CLASS_CPU) == 1);
        CHECK_EQ(semaphore_value(&s_done), 0);
        double posted = seconds_now();
        sem_post(&kind.slots);
        AWAIT(&s_done);
        late += seconds_now() - posted > 1;        /* 5 ms on a machine that has time */
        CHECK_EQ(semaphore_value(&kind.slots), 1); /* given back */
        CHECK_EQ(sem_trywait(&kind.slots), 0);
    }
    CHECK(late < many(50) / 2); /* a machine that is busy may come late now and then */
    CHECK_EQ(get(&kind.runs), many(50));
    sem_destroy(&kind.slots);
}

static void a_thousand_semaphores_have_waiting_jobs(void)
{
    enum { SEMAPHORES = 1000 };
    static sem_t slots[SEMAPHORES];
    static ec_async_job jobs[2 * SEMAPHORES];
    int pool = new_pool("slots.thousand", 4);
    ec_async_job other;
    for (int i = 0; i < SEMAPHORES; i++) {
        new_semaphore(&slots[i], 0);
        for (int k = 0; k < 2; k++) {
            ec_async_job *job = job_with_semaphore(&jobs[2 * i + k], pool, do_nothing, NULL, &s_done);
            job->concurrency = &slots[i];
            QUEUE(job);
        }
    }
    QUEUE(job_with_semaphore(&other, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done); /* behind all of them, and alone */
    CHECK_EQ(semaphore_value(&s_done), 0);
    /* another worker may be on its way with the last one that it took */
    POLL(ec_thread_pool_get_queue_size(pool) == 2 * SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++) {
        sem_post(&slots[i]); /* one slot for two jobs */
    }
    AWAIT_TIMES(&s_done, 2 * SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++) {
        CHECK_EQ(semaphore_value(&slots[i]), 1);
        sem_destroy(&slots[i]);
    }
}

static void a_posted_slot_counts_while_no_worker_is_free(void)
{
    int pool = new_pool("slots.busy", 1);
    struct kind kind;
    struct gate gate = GATE_CLOSED;
    ec_async_job waiting, running;
    kind_init(&kind, 0, 1);
    QUEUE(with_slot(&waiting, pool, run_shortly, &kind));
    QUEUE(
        job_with_semaphore(&running, pool, stand_at_gate, &gate, &s_done)); /* overtakes the one that waits */
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    sem_post(&kind.slots);
    POLL(semaphore_value(&kind.slots) ==
         0); /* it has been taken for the job, which must wait for the worker */
    fj_job_kind kinds[4];
    POLL(fj_pool_job_kinds(pool, kinds, 4) == 2); /* between the two queues it is in none */
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    expect_all_slots_back(&kind, 1);
}

enum { BACKLOG = 5 };

struct full {
    struct kind kind;
    ec_async_job starter, waiting[BACKLOG], last, late;
    int pool;
    long tid, accepted;
};

/* A pool's own worker goes over the backlog. */
static void fill_backlog(ec_async_job *job, void *closure)
{
    (void)job;
    struct full *full = closure;
    for (int i = 0; i < BACKLOG; i++) {
        QUEUE(with_slot(&full->waiting[i], full->pool, run_shortly, &full->kind));
    }
    QUEUE(job_with_semaphore(&full->last, full->pool, do_nothing, NULL, &s_done));
}

static void *submit_one(void *closure)
{
    struct full *full = closure;
    set(&full->tid, thread_id());
    QUEUE(job_with_semaphore(&full->late, full->pool, do_nothing, NULL, &s_done));
    set(&full->accepted, 1);
    return NULL;
}

static void waiting_jobs_count_in_the_backlog(void)
{
    struct full full = {.pool = ec_thread_pool_create_module(NULL, "slots.backlog", 1, 0, BACKLOG)};
    kind_init(&full.kind, 0, 1);
    job_init(&full.starter, full.pool, fill_backlog, &full);
    QUEUE(&full.starter);
    AWAIT(&s_done); /* the last one has run: the others have been looked at, and wait for a slot */
    CHECK_EQ(ec_thread_pool_get_queue_size(full.pool), BACKLOG);
    pthread_t thread = start_thread(submit_one, &full); /* it needs no slot, but there is no room for it */
    POLL(get(&full.accepted) || (get(&full.tid) != 0 && thread_sleeps(get(&full.tid))));
    CHECK_EQ(get(&full.accepted), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(full.pool), BACKLOG);
    sem_post(&full.kind.slots);
    AWAIT_TIMES(&s_done, BACKLOG + 1);
    JOIN(thread);
    CHECK_EQ(get(&full.accepted), 1);
    expect_all_slots_back(&full.kind, 1);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(a_slot_that_the_caller_posts_is_noticed);
    RUN(a_thousand_semaphores_have_waiting_jobs);
    RUN(a_posted_slot_counts_while_no_worker_is_free);
    RUN(waiting_jobs_count_in_the_backlog);
    return check_report();
}
