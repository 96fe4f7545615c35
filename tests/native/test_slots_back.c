/*
 * test_slots_back.c - a slot comes back: when it does, however the job ends, and a semaphore that is
 * destroyed then.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "slots.h"

/* ---- short lives: a semaphore in the same memory as the one before ---- */

static void a_semaphore_may_be_destroyed_after_its_last_job(void)
{
    enum { JOBS = 6 };
    for (int round = 0; round < many(3000); round++) {
        struct kind kind;
        ec_async_job jobs[JOBS];
        kind_init(&kind, (unsigned)round % 2 + 1, 1);
        for (int i = 0; i < JOBS; i++) {
            QUEUE(with_slot(&jobs[i], round % 3 == 0 ? ECTP_CLASS_IO : ECTP_CLASS_CPU, run_shortly, &kind));
        }
        AWAIT_TIMES(&s_done, JOBS);
        expect_all_slots_back(&kind, round % 2 + 1);
    }
}

/* ---- other completions ---- */

static void check_slot_is_back(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    CHECK(semaphore_value(&kind->slots) >= 1); /* one job, one slot: posted after the worker, before this */
    sem_post(&s_done);
}

static void the_slot_is_back_before_the_completion(void)
{
    struct kind kind;
    ec_async_job job;
    kind_init(&kind, 1, 1);
    for (int i = 0; i < 200; i++) {
        job_with_callback(&job, ECTP_CLASS_CPU, run_shortly, &kind, check_slot_is_back, &kind);
        job.concurrency = &kind.slots;
        job.completion = i % 2 == 0 ? ECTP_COMPLETE_CALLBACK : ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&job);
        AWAIT(&s_done);
    }
    expect_all_slots_back(&kind, 1);
}

static void free_own_job(ec_async_job *job, void *closure)
{
    memset(job, 0xdd, sizeof(*job));
    free(job);
    add(&((struct kind *)closure)->runs, 1);
}

static void a_job_freed_by_its_worker_gives_its_slot_back(void)
{
    struct kind kind;
    int count = many(5000);
    kind_init(&kind, 2, 1);
    for (int i = 0; i < count; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_init(job, ECTP_CLASS_CPU, free_own_job, &kind);
        job->concurrency = &kind.slots;
        QUEUE(job);
    }
    POLL(get(&kind.runs) == count);
    POLL(semaphore_value(&kind.slots) == 2); /* there is no signal for the post of the last one */
}

static void a_tail_does_not_keep_the_slot(void)
{
    struct kind kind;
    ec_async_job job;
    kind_init(&kind, 1, 1);
    with_slot(&job, ECTP_CLASS_CPU, run_shortly, &kind);
    job.skip_completion = 1;
    QUEUE(&job);
    POLL(get(&kind.runs) == 1 && semaphore_value(&kind.slots) == 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    ec_async_complete_tail(&job);
    AWAIT(&s_done);
    sem_destroy(&kind.slots);
}

static void end_thread(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    pthread_exit(NULL);
}

static void a_job_that_ends_its_thread_gives_its_slot_back(void)
{
    enum { PAIRS = 20 };
    struct kind kind;
    ec_async_job kills[PAIRS], jobs[PAIRS];
    kind_init(&kind, 1, 1);
    for (int i = 0; i < PAIRS; i++) {
        job_init(&kills[i], ECTP_CLASS_CPU, end_thread, NULL);
        kills[i].concurrency = &kind.slots;
        QUEUE(&kills[i]);
        QUEUE(with_slot(&jobs[i], ECTP_CLASS_CPU, run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, PAIRS);
    CHECK_EQ(get(&kind.runs), PAIRS);
    POLL(semaphore_value(&kind.slots) == 1); /* the last one to end may be one that ends its thread */
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(a_semaphore_may_be_destroyed_after_its_last_job);
    RUN(the_slot_is_back_before_the_completion);
    RUN(a_job_freed_by_its_worker_gives_its_slot_back);
    RUN(a_tail_does_not_keep_the_slot);
    RUN(a_job_that_ends_its_thread_gives_its_slot_back);
    return check_report();
}
