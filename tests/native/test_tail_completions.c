/*
 * test_tail_completions.c - every kind of completion by a tail, and exactly one of them, whatever the race.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tail.h"

#include <sched.h>

/* ---- every completion ---- */

static void in_scheduler(ec_async_job *job, void *closure)
{
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    traced_completion(job, closure);
}

static void a_tail_delivers_to_the_scheduler_thread(void)
{
    struct traced t;
    traced_init(&t, ECTP_CLASS_CPU, 1);
    t.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    t.job.r.cb.func = in_scheduler;
    QUEUE(&t.job);
    ec_async_complete_tail(&t.job);
    AWAIT(&s_done);
    CHECK_EQ(get(&t.completions), 1);
    CHECK(!pthread_equal(t.completion, pthread_self()));
}

static void a_tail_posts_the_semaphore(void)
{
    ec_async_job job;
    for (int i = 0; i < many(10000); i++) {
        job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done);
        job.skip_completion = 1;
        QUEUE(&job);
        ec_async_complete_tail(&job);
        AWAIT(&s_done);
    }
    CHECK_EQ(semaphore_value(&s_done), 0);
}

static long live_jobs(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage), 1);
    return (long)usage.objects;
}

static void a_tail_frees_by_memtype(void)
{
    static const int completions[] = {ECTP_COMPLETE_NONE, ECTP_COMPLETE_SEMAPHORE, ECTP_COMPLETE_SYNC};
    int pool = new_pool("tail.frees", 2);
    int rounds = many(300);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        CHECK_OR_RETURN(job != NULL);
        job_with_semaphore(job, pool, do_nothing, NULL, &s_done);
        memcpy(&job->completion, &completions[i % 3], sizeof(int));
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        job->skip_completion = 1;
        QUEUE(job);
        if (i % 2 == 0) {
            await_returned(pool, (unsigned long long)i + 1);
            CHECK_EQ(live_jobs(), 1);
        }
        ec_async_complete_tail(job);
        if (completions[i % 3] == ECTP_COMPLETE_SEMAPHORE) {
            AWAIT(&s_done);
        }
        POLL(live_jobs() == 0);
    }
}

static void a_job_without_completion_or_memtype_needs_no_tail(void)
{
    ec_async_job job; /* a tail is allowed, and does nothing, also much later */
    job_init(&job, ECTP_CLASS_CPU, post, &s_done);
    job.skip_completion = 1;
    for (int i = 0; i < 1000; i++) {
        QUEUE(&job);
        AWAIT(&s_done);
        ec_async_complete_tail(&job);
    }
}

static void requeue_from_tail(ec_async_job *job, void *closure)
{
    long *left = closure;
    if (--*left == 0) {
        sem_post(&s_done);
    } else {
        QUEUE(job);
        ec_async_complete_tail(
            job); /* before, while or after its next run; perhaps from inside this very tail */
    }
}

static void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

/* A completion that queues the job again and completes that: the rendezvous starts afresh each time. The
 * recursion is as deep as the luck of the races, so the job goes round not too often at once. */
static void the_completion_may_start_all_over(void)
{
    for (int i = 0; i < many(200); i++) {
        long left = 20;
        ec_async_job job;
        job_with_callback(&job, ECTP_CLASS_CPU, pass_on, NULL, requeue_from_tail, &left);
        job.skip_completion = 1;
        QUEUE(&job);
        ec_async_complete_tail(&job);
        AWAIT(&s_done);
        CHECK_EQ(left, 0);
    }
}

/* ---- exactly one completion, whatever the race ---- */

enum { RACERS = 4 };

struct racer {
    ec_async_job job;
    pthread_t thread;
    unsigned random;
    long started, worker_over, completions, early;
    int rounds;
    sem_t completed;
};

static void race_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct racer *r = closure;
    add(&r->started, 1);
    for (unsigned i = r->random % 256; i > 0; i--) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* some time, more or less */
    }
    add(&r->worker_over, 1);
}

static void race_completion(ec_async_job *job, void *closure)
{
    (void)job;
    struct racer *r = closure;
    long completions = add(&r->completions, 1);
    if (get(&r->worker_over) != completions) {
        add(&r->early, 1);
    }
    sem_post(&r->completed);
}

static void *race(void *closure)
{
    struct racer *r = closure;
    for (int i = 0; i < r->rounds; i++) {
        r->random = r->random * 1103515245 + 12345;
        job_with_callback(&r->job, i % 2 == 0 ? ECTP_CLASS_CPU : ECTP_CLASS_IO, race_worker, r,
                          race_completion, r);
        r->job.skip_completion = 1;
        QUEUE(&r->job);
        switch (r->random >> 16 & 3) {
        case 0: /* at once: before the worker, or as it starts */
            break;
        case 1: /* as it starts */
            while (get(&r->started) <= i) {
                sched_yield();
            }
            break;
        case 2: /* as it returns */
            while (get(&r->worker_over) <= i) {
                sched_yield();
            }
            break;
        default:
            for (unsigned spin = r->random >> 20; spin > 0; spin--) {
                __atomic_signal_fence(__ATOMIC_SEQ_CST);
            }
        }
        ec_async_complete_tail(&r->job);
        AWAIT(&r->completed);
        if (get(&r->completions) != i + 1) {
            break;
        }
    }
    return NULL;
}

static void a_hundred_thousand_races_have_one_completion_each(void)
{
    static struct racer racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i].random = (unsigned)i * 7919 + 1;
        racers[i].rounds = many(25000);
        new_semaphore(&racers[i].completed, 0);
        racers[i].thread = start_thread(race, &racers[i]);
    }
    for (int i = 0; i < RACERS; i++) {
        long seen; /* however long it takes, as long as it goes on */
        while ((seen = get(&racers[i].completions)) < racers[i].rounds) {
            POLL(get(&racers[i].completions) != seen);
        }
        JOIN(racers[i].thread);
        CHECK_EQ(racers[i].completions, racers[i].rounds);
        CHECK_EQ(racers[i].early, 0);
        CHECK_EQ(semaphore_value(&racers[i].completed), 0);
    }
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(a_tail_delivers_to_the_scheduler_thread);
    RUN(a_tail_posts_the_semaphore);
    RUN(a_tail_frees_by_memtype);
    RUN(a_job_without_completion_or_memtype_needs_no_tail);
    RUN(the_completion_may_start_all_over);
    RUN(a_hundred_thousand_races_have_one_completion_each);
    return check_report();
}
