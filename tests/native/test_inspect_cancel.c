/*
 * test_inspect_cancel.c - jobs that are cancelled: fj_cancel_job; and waiting for an empty pool:
 * fj_pool_wait_empty.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "inspect.h"

/* ---- cancel ---- */

static void a_queued_job_can_be_cancelled(void)
{
    int pool = new_pool("inspect.cancel", 1);
    ec_async_job jobs[4];
    long ran = 0;
    CHECK_EQ(fj_cancel_job(NULL), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 4; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, &ran, &s_done));
    }
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    memset(&jobs[1], 0xdd, sizeof(jobs[1])); /* it is ours */
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 3);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    struct seen seen = list(pool);
    CHECK_EQ(seen.count, 3);
    CHECK(seen.jobs[0].job == &jobs[0] && seen.jobs[1].job == &jobs[2]);
    fj_job_kind kinds[8];
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 8), 1);
    CHECK_EQ(kinds[0].job_num_queued, 3);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    POLL(stats_of(pool).invocations == 3);
    CHECK_EQ(fj_cancel_job(&jobs[0]), 0);                                 /* over */
    QUEUE(job_with_semaphore(&jobs[1], pool, do_nothing, &ran, &s_done)); /* and again */
    AWAIT(&s_done);
}

static void a_running_job_cannot_be_cancelled(void)
{
    int pool = new_pool("inspect.running", 1);
    struct gate gate = GATE_CLOSED;
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(fj_cancel_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    gate_open(&gate);
    AWAIT(&s_done);
}

static void a_job_behind_a_semaphore_can_be_cancelled(void)
{
    int pool = new_pool("inspect.behind", 1);
    sem_t slots;
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[6], blocker;
    new_semaphore(&slots, 0);
    for (int i = 0; i < 6; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        jobs[i].concurrency = &slots;
        QUEUE(&jobs[i]);
    }
    POLL(all_wait_for_slots(pool, 6));
    CHECK_EQ(fj_cancel_job(&jobs[0]), 1); /* the first, one in the middle, the last */
    CHECK_EQ(fj_cancel_job(&jobs[3]), 1);
    CHECK_EQ(fj_cancel_job(&jobs[5]), 1);
    CHECK_EQ(fj_cancel_job(&jobs[3]), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 3);
    CHECK_EQ(list(pool).count, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, 20), 0); /* they wait still */

    /* One that has got a slot and no worker: its slot goes to the next. */
    QUEUE(job_with_semaphore(&blocker, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    sem_post(&slots);
    POLL(list(pool).jobs[0].state == FJ_JOB_HAS_SLOT);
    CHECK(list(pool).jobs[0].job == &jobs[1]);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    POLL(list(pool).jobs[0].state == FJ_JOB_HAS_SLOT && list(pool).jobs[0].job == &jobs[2]);
    CHECK_EQ(list(pool).count, 2);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 3); /* the blocker, and one after the other with the one slot */
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&slots), 1);
    POLL(stats_of(pool).invocations == 3);
}

struct blocked {
    int pool;
    ec_async_job job;
    long queued;
};

static void *queue_blocked(void *closure)
{
    struct blocked *blocked = closure;
    QUEUE(job_with_semaphore(&blocked->job, blocked->pool, do_nothing, NULL, &s_done));
    set(&blocked->queued, 1);
    return NULL;
}

static void a_cancel_makes_room_in_the_backlog(void)
{
    struct blocked blocked = {.pool = ec_thread_pool_create_module(NULL, "inspect.room", 1, 0, 2)};
    ec_async_job jobs[2];
    ec_thread_pool_defer_spawn(blocked.pool, 1);
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&jobs[i], blocked.pool, do_nothing, NULL, &s_done));
    }
    pthread_t thread = start_thread(queue_blocked, &blocked);
    pause_ms(20);
    CHECK_EQ(get(&blocked.queued), 0);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    JOIN(thread);
    CHECK_EQ(get(&blocked.queued), 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(blocked.pool), 2);
    ec_thread_pool_defer_spawn(blocked.pool, 0);
    AWAIT_TIMES(&s_done, 2);
}

static void never_resumed(validate_context *context, ec_async_job *job, void *closure)
{
    (void)context;
    (void)job;
    (void)closure;
    CHECK(!"the context of a cancelled job is not resumed");
}

static void count_kinds(const fj_trace_event *event, void *closure)
{
    long *kinds = closure;
    kinds[event->kind]++; /* by this test's thread alone: nothing runs */
}

static void a_cancelled_job_gives_its_context_up(void)
{
    long kinds[FJ_TRACE_DROPPED + 1] = {0};
    ec_async_job job = {.job_class = new_pool("inspect.module", 1), .worker = do_nothing};
    ec_async_job second = job;
    CHECK_EQ(fj_trace_set(count_kinds, kinds), 1);
    validate_context *context = fj_validate_context_create(never_resumed, NULL, NULL);
    ec_thread_pool_defer_spawn(job.job_class, 1);
    ec_async_wake_validation_module(&job, context);
    QUEUE(&job);
    CHECK_EQ(fj_validate_context_is_suspended(context), 1);
    ec_async_wake_validation_module(&second, context);
    CHECK_EQ(ec_queue_async_job(&second), 0); /* and the context stays the first one's */
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    CHECK_EQ(fj_validate_context_is_suspended(context), 1);
    CHECK_EQ(kinds[FJ_TRACE_DROPPED], 1);
    CHECK_EQ(fj_cancel_job(&job), 1);
    CHECK_EQ(kinds[FJ_TRACE_DROPPED], kinds[FJ_TRACE_QUEUED]);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(fj_validate_context_is_suspended(context), 0);
    CHECK_EQ(fj_validate_context_destroy(context), 1);
    ec_thread_pool_defer_spawn(job.job_class, 0);
}

static void a_shutdown_does_not_wait_for_cancelled_jobs(void)
{
    static ec_async_job jobs[100];
    sem_t slots;
    int pool = new_pool("inspect.shutdown", 2);
    new_semaphore(&slots, 0);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 100; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        jobs[i].concurrency = i % 2 == 0 ? &slots : NULL;
        QUEUE(&jobs[i]);
    }
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(fj_cancel_job(&jobs[i]), 1);
    }
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 25);
    for (int i = 50; i < 100; i += 2) {
        while (!fj_cancel_job(&jobs[i])) { /* on its way from the queue to the semaphore */
            pause_ms(1);
        }
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 0);
}

/* ---- under load ---- */

/* Cancels whatever it sees waiting: the address, which may be gone by then. What is taken back it frees. Only
 * one thread queues, and waits meanwhile, so an address is not used again between the two. */
static int remember(const fj_queued_job *job, void *closure)
{
    struct load *load = closure;
    load->recent[job->position % 32] = job->job;
    return 0;
}

static void cancels_under_load_end_each_job_once(void)
{
    struct load load = {.pool = new_pool("inspect.cancels", 3)};
    new_semaphore(&load.slots, 2);
    long cancels = 0;
    for (int round = 0; round < many(1000) || cancels < 100; round++) {
        for (int i = 0; i < 50; i++) {
            ec_async_job *job = malloc(sizeof(*job));
            job_init(job, load.pool, free_job, &load);
            if (i % 2 == 0) {
                job_with_callback(job, load.pool, pass_on, NULL, free_job, &load);
            }
            job->concurrency = i % 3 == 0 ? &load.slots : NULL;
            queue_from(job, "load.c", 0);
            load.queued++;
        }
        memset(load.recent, 0, sizeof(load.recent));
        fj_pool_list_jobs(load.pool, remember, &load);
        for (int i = 0; i < 32; i++) {
            if (load.recent[i] != NULL && fj_cancel_job(load.recent[i])) {
                memset(load.recent[i], 0xdd, sizeof(*load.recent[i]));
                free(load.recent[i]);
                cancels++;
            }
        }
        if (round % 10 == 0) {
            CHECK_EQ(fj_pool_wait_empty(load.pool, WAIT_SECONDS * 1000), 1);
            CHECK_EQ(get(&load.freed) + cancels, load.queued);
            CHECK_EQ(ec_thread_pool_get_queue_size(load.pool), 0);
        }
    }
    CHECK_EQ(fj_pool_wait_empty(load.pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&load.freed) + cancels, load.queued);
    CHECK_EQ(semaphore_value(&load.slots), 2);
    POLL(stats_of(load.pool).invocations == (unsigned long long)(load.queued - cancels));
}

/* ---- waiting for an empty pool ---- */

static void wait_in_job(ec_async_job *job, void *closure)
{
    *(long *)closure = fj_pool_wait_empty(job->job_class, -1) == 0 && fj_last_error_code() == FJ_EDEADLK;
}

static void an_empty_pool_is_waited_for(void)
{
    int pool = new_pool("inspect.empty", 2);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[10];
    CHECK_EQ(fj_pool_wait_empty(pool, 0), 1);
    for (int i = 0; i < 10; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done));
    }
    double start = seconds_now();
    CHECK_EQ(fj_pool_wait_empty(pool, 30), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ETIMEDOUT);
    CHECK(seconds_now() - start >= 0.029);
    gate_open(&gate);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&s_done), 10);
    AWAIT_TIMES(&s_done, 10);
    CHECK_EQ(fj_pool_wait_empty(-9, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);

    long refused = 0;
    QUEUE(job_with_semaphore(&jobs[0], pool, wait_in_job, &refused, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(refused, 1);
}

static void waits_for_an_empty_pool_are_not_lost(void)
{
    int pool = new_pool("inspect.waits", 2);
    ec_async_job jobs[3];
    for (int i = 0; i < many(3000); i++) {
        for (int j = 0; j < 3; j++) {
            QUEUE(job_with_semaphore(&jobs[j], pool, do_nothing, NULL, &s_done));
        }
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        CHECK_EQ(semaphore_value(&s_done), 3);
        AWAIT_TIMES(&s_done, 3);
    }
}

int main(void)
{
    new_semaphore(&s_done, 0);
    IN_CHILD(a_shutdown_does_not_wait_for_cancelled_jobs);
    printf("ok     a_shutdown_does_not_wait_for_cancelled_jobs\n");
    RUN(a_queued_job_can_be_cancelled);
    RUN(a_running_job_cannot_be_cancelled);
    RUN(a_job_behind_a_semaphore_can_be_cancelled);
    RUN(a_cancelled_job_gives_its_context_up);
    RUN(a_cancel_makes_room_in_the_backlog);
    RUN(cancels_under_load_end_each_job_once);
    RUN(an_empty_pool_is_waited_for);
    RUN(waits_for_an_empty_pool_are_not_lost);
    return check_report();
}
