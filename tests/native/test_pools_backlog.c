/*
 * test_pools_backlog.c - pools whose backlog is limited: who waits for room, and who never does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pools.h"

struct submitter {
    pthread_t thread;
    int job_class, jobs;
    long accepted, tid;
    sem_t *done;
    ec_async_job *memory;
};

static void *submit(void *closure)
{
    struct submitter *s = closure;
    set(&s->tid, thread_id());
    for (int i = 0; i < s->jobs; i++) {
        QUEUE(job_with_semaphore(&s->memory[i], s->job_class, do_nothing, NULL, s->done));
        add(&s->accepted, 1);
    }
    return NULL;
}

static void a_full_backlog_blocks_the_submitter_exactly_then(void)
{
    static const size_t limits[] = {1, 2, 10, 100};
    for (int l = 0; l < 4; l++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.backlog.%zu", limits[l]);
        int pool = ec_thread_pool_create_module(NULL, name, 1, 0, l % 2 == 0 ? limits[l] : 0);
        if (l % 2 == 1) {
            CHECK_EQ(ec_thread_pool_set_backlog(pool, limits[l]), 1);
        }
        int limit = (int)limits[l];
        ec_async_job blockers[2];
        struct gate gates[2] = {GATE_CLOSED, GATE_CLOSED};
        for (int i = 0; i < 2; i++) {
            QUEUE(job_with_semaphore(&blockers[i], pool, stand_at_gate, &gates[i], &s_done));
            if (i == 0) {
                GATE_AWAIT(&gates[0], 1); /* it runs: the backlog is empty */
            }
        }
        /* One waits; the submitter finds room for limit - 1 more. */
        struct submitter s = {.job_class = pool, .jobs = limit + 5, .done = &s_done};
        s.memory = calloc((size_t)s.jobs, sizeof(ec_async_job));
        s.thread = start_thread(submit, &s);
        POLL(get(&s.accepted) >= limit - 1 && thread_sleeps(get(&s.tid)));
        CHECK_EQ(get(&s.accepted), limit - 1);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), limit);
        gate_open(&gates[0]); /* the second blocker starts: one place, for one job */
        GATE_AWAIT(&gates[1], 1);
        POLL(get(&s.accepted) >= limit && thread_sleeps(get(&s.tid)));
        CHECK_EQ(get(&s.accepted), limit);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), limit);
        gate_open(&gates[1]);
        JOIN(s.thread);
        AWAIT_TIMES(&s_done, s.jobs + 2);
        CHECK_EQ(get(&s.accepted), s.jobs);
        free(s.memory);
    }
}

static void the_backlog_of_unlink_is_100(void)
{
    ec_async_job blockers[6];
    struct gate gate = GATE_CLOSED;
    for (int i = 0; i < 6; i++) {
        QUEUE(job_with_semaphore(&blockers[i], ECTP_CLASS_UNLINK, stand_at_gate, &gate, &s_done));
    }
    GATE_AWAIT(&gate, 6);
    struct submitter s = {.job_class = ECTP_CLASS_UNLINK, .jobs = 150, .done = &s_done};
    s.memory = calloc((size_t)s.jobs, sizeof(ec_async_job));
    s.thread = start_thread(submit, &s);
    POLL(get(&s.accepted) >= 100 && thread_sleeps(get(&s.tid)));
    CHECK_EQ(get(&s.accepted), 100);
    gate_open(&gate);
    JOIN(s.thread);
    AWAIT_TIMES(&s_done, s.jobs + 6);
    free(s.memory);
}

static void many_blocked_submitters_all_come_through(void)
{
    enum { SUBMITTERS = 8 };
    struct submitter submitters[SUBMITTERS];
    int pool = ec_thread_pool_create_module(NULL, "pools.crowded", 2, 0, 3);
    int each = many(5000);
    memset(submitters, 0, sizeof(submitters));
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].job_class = pool;
        submitters[i].jobs = each;
        submitters[i].done = &s_done;
        submitters[i].memory = calloc((size_t)each, sizeof(ec_async_job));
        submitters[i].thread = start_thread(submit, &submitters[i]);
    }
    AWAIT_TIMES(&s_done, SUBMITTERS * each);
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(submitters[i].thread);
        free(submitters[i].memory);
    }
}

enum { OVER = 20 };

struct over_the_limit {
    ec_async_job job, more[OVER];
    int job_class, size_then;
};

static void queue_more(ec_async_job *job, void *closure)
{
    (void)job;
    struct over_the_limit *o = closure;
    for (int i = 0; i < OVER; i++) {
        QUEUE(job_with_semaphore(&o->more[i], o->job_class, do_nothing, NULL, &s_done));
    }
    o->size_then = ec_thread_pool_get_queue_size(o->job_class);
}

static void queue_more_and_post(ec_async_job *job, void *closure)
{
    queue_more(job, closure);
    sem_post(&s_done);
}

static void own_workers_go_over_the_limit(void)
{
    int pool = ec_thread_pool_create_module(NULL, "pools.over", 1, 0, 2);
    struct over_the_limit o = {.job_class = pool};
    QUEUE(job_with_semaphore(&o.job, pool, queue_more, &o, &s_done));
    AWAIT_TIMES(&s_done, OVER + 1);
    CHECK_EQ(o.size_then, OVER);
    QUEUE(job_with_callback(&o.job, pool, do_nothing, NULL, queue_more_and_post,
                            &o)); /* in its completion too */
    AWAIT_TIMES(&s_done, OVER + 1);
    CHECK_EQ(o.size_then, OVER);
}

static void the_scheduler_thread_never_blocks(void)
{
    int pool = ec_thread_pool_create_module(NULL, "pools.over3", 1, 0, 2);
    struct over_the_limit o = {.job_class = pool};
    ec_thread_pool_defer_spawn(pool, 1);
    job_with_callback(&o.job, ECTP_CLASS_CPU, do_nothing, NULL, queue_more_and_post, &o);
    o.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&o.job);
    AWAIT(&s_done); /* it has queued them all, and none has run */
    CHECK_EQ(o.size_then, OVER);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, OVER);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(a_full_backlog_blocks_the_submitter_exactly_then);
    RUN(the_backlog_of_unlink_is_100);
    RUN(many_blocked_submitters_all_come_through);
    RUN(own_workers_go_over_the_limit);
    RUN(the_scheduler_thread_never_blocks);
    return check_report();
}
