/*
 * test_modes.c - the completions EVENT and CALLBACK_SCHED_INST, in schedulers of the library's and of the
 * host's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "modes.h"

/* ---- EVENT ---- */

static void wake_event_sets_the_completion(void)
{
    ec_async_job job;
    Event event;
    memset(&job, 0xff, sizeof(job));
    ec_async_wake_event(&job, &event, E_READ | E_WRITE);
    CHECK_EQ(job.completion, ECTP_COMPLETE_EVENT);
    CHECK(job.r.e.event == &event && job.r.e.ctx == NULL && job.r.e.inst == NULL);
    CHECK_EQ(job.r.e.mask, E_READ | E_WRITE);
    ec_async_wake_validation_module(&job, (validate_context *)&job);
    CHECK_EQ(job.completion, ECTP_COMPLETE_MODULE);
    CHECK(job.r.e.ctx == (validate_context *)&job && job.r.e.event == NULL);
    ec_async_wake_event(NULL, &event, 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    ec_async_wake_validation_module(NULL, NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
}

static void event_goes_to_the_master(void)
{
    int fds[2];
    struct told told = {.returns = E_READ};
    ec_async_job job;
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), E_READ | E_WRITE);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 1); /* after the worker */
    CHECK_EQ(told.mask, E_READ | E_WRITE);
    CHECK(!pthread_equal(told.thread, pthread_self()));
    comes_before(&told);
    CHECK_EQ(write(fds[1], "x", 1), 1); /* armed by what the callback returned */
    AWAIT(&s_done);
    CHECK_EQ(told.calls, 2);
    CHECK_EQ(told.mask, E_READ);
    poll_events_are_gone();
    close(fds[0]);
    close(fds[1]);
}

static void event_with_no_mask_is_armed_only(void)
{
    int fds[2];
    struct told told = {0};
    ec_async_job job;
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), 0);
    QUEUE(&job);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    POLL(fj_scheduler_stats_get(NULL, &stats) && stats.fds == 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    AWAIT(&s_done);
    CHECK_EQ(told.calls, 1);
    CHECK_EQ(told.mask, E_READ);
    poll_events_are_gone();
}

static void event_frees_the_job_afterwards(void)
{
    int fds[2];
    struct told told = {0};
    a_socketpair(fds);
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    CHECK_OR_RETURN(job != NULL);
    job_init(job, ECTP_CLASS_CPU, do_nothing, NULL);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    ec_async_wake_event(job, waiting_event(fds[0], &told), E_ASYNC);
    QUEUE(job);
    AWAIT(&s_done);
    POLL(live(MEMTYPE_EC_ASYNC_JOB) == 0);
    poll_events_are_gone();
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
}

static void event_inst_goes_to_its_scheduler(void)
{
    int fds[2];
    struct told told = {.returns = E_WRITE};
    ec_async_job job;
    a_host_scheduler();
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    job.completion = ECTP_COMPLETE_EVENT_INST;
    job.r.e.event = waiting_event(fds[0], &told);
    job.r.e.mask = E_ASYNC;
    job.r.e.inst = s_loop;
    QUEUE(&job);
    run_until(&told.calls, 2);
    CHECK_EQ(told.mask, E_WRITE);
    CHECK(pthread_equal(told.thread, pthread_self()));
    CHECK_EQ(live(MEMTYPE_EVENT), 0);

    ec_scheduler_inst *threaded = fj_scheduler_create("modes-own", FJ_SCHEDULER_THREAD);
    struct told there = {0};
    job.r.e.event = waiting_event(fds[0], &there);
    job.r.e.inst = threaded;
    AWAIT_TIMES(&s_done, 2);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK(!pthread_equal(there.thread, pthread_self()));
    CHECK_EQ(threads_named("modes-own"), 1);
    CHECK_EQ(threads_named("scheduler"), 0); /* nothing needed the master */
    CHECK_EQ(fj_scheduler_destroy(threaded), 1);
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
}

/* A worker that decides where to go on. */
static void wake_from_worker(ec_async_job *job, void *event)
{
    ec_async_wake_event(job, event, E_ASYNC);
}

static void a_worker_may_choose_its_event(void)
{
    int fds[2];
    struct told told = {0};
    ec_async_job job;
    a_socketpair(fds);
    job_with_callback(&job, ECTP_CLASS_CPU, wake_from_worker, waiting_event(fds[0], &told), count, NULL);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(told.mask, E_ASYNC);
    CHECK_EQ(get(&s_ran), 0);
}

/* ---- the suspended connection ---- */

struct connection {
    ec_async_job job;
    int job_class;
    int steps;
    int clears; /* before it queues its job, as some sources do */
    int seen[8];
};

static int suspend(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct connection *connection = closure;
    (void)now;
    connection->seen[connection->steps++] = eventtype;
    if (connection->steps % 2 == 0) {
        sem_post(&s_done);
        return connection->steps == 4 ? 0 : E_WRITE;
    }
    Event *copy = ec_malloc(MEMTYPE_EVENT);
    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, event, sizeof(*event));
    event_post_dup(copy, event);
    if (connection->clears) {
        CHECK(clear_event_by_fd(event->fd) == event);
    }
    job_init(&connection->job, connection->job_class, count, NULL);
    ec_async_wake_event(&connection->job, copy, E_READ | E_WRITE);
    CHECK_EQ(ec_queue_async_job(&connection->job), 1); /* it may have completed before this returns */
    return 0;
}

static void a_suspended_connection_goes_on(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE, ECTP_CLASS_IO};
    for (int round = 0; round < many(200); round++) {
        int fds[2];
        static struct connection connection;
        memset(&connection, 0, sizeof(connection));
        connection.job_class = classes[round % 4];
        connection.clears = round / 4 % 2;
        a_socketpair(fds);
        CHECK_EQ(schedule_event(build_fd_event(fds[0], E_WRITE, 0, suspend, &connection)), 1);
        AWAIT_TIMES(&s_done, 2);
        CHECK_EQ(connection.steps, 4);
        CHECK_EQ(connection.seen[0], E_WRITE);
        CHECK_EQ(connection.seen[1], E_READ | E_WRITE);
        CHECK_EQ(connection.seen[2], E_WRITE);
        poll_events_are_gone();
        close(fds[0]);
        close(fds[1]);
    }
}

/* ---- CALLBACK_SCHED_INST ---- */

static void callback_sched_inst_calls_there(void)
{
    struct callback c = {.calls = 0};
    a_host_scheduler();
    job_with_callback(&c.job, ECTP_CLASS_CPU, count, NULL, in_scheduler, &c);
    c.job.completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
    c.job.r.cb.inst = s_loop;
    QUEUE(&c.job);
    run_until(&c.calls, 1);
    CHECK(pthread_equal(c.thread, pthread_self()));
    c.job.r.cb.inst = fj_scheduler_master(); /* the master is an instance as well */
    CHECK(c.job.r.cb.inst != NULL && c.job.r.cb.inst != s_loop);
    CHECK(fj_scheduler_master() == c.job.r.cb.inst);
    AWAIT(&s_done);
    QUEUE(&c.job);
    AWAIT(&s_done);
    CHECK_EQ(c.calls, 2);
    CHECK(!pthread_equal(c.thread, pthread_self()));
}

static int note(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct told *told = closure;
    (void)now;
    told->event = event;
    told->mask = eventtype;
    told->calls++;
    return E_READ; /* to no avail */
}

static void a_tail_may_come_after_its_scheduler_has_gone(void)
{
    int fds[2];
    static struct told told;
    a_host_scheduler();
    a_socketpair(fds);
    ec_async_job jobs[2];
    job_with_callback(&jobs[0], ECTP_CLASS_SHORT_LIVED, do_nothing, NULL, count, NULL);
    jobs[0].completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
    jobs[0].r.cb.inst = s_loop;
    job_init(&jobs[1], ECTP_CLASS_SHORT_LIVED, do_nothing, NULL);
    jobs[1].completion = ECTP_COMPLETE_EVENT_INST;
    jobs[1].r.e.event = build_event_from_now_f(1000, -1, note, &told);
    jobs[1].r.e.mask = E_ASYNC;
    jobs[1].r.e.inst = s_loop;
    jobs[0].skip_completion = jobs[1].skip_completion = 1;
    QUEUE(&jobs[0]);
    QUEUE(&jobs[1]);
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
    ec_async_complete_tail(&jobs[0]);
    CHECK_EQ(get(&s_ran), 1); /* in this thread */
    ec_async_complete_tail(&jobs[1]);
    CHECK_EQ(told.calls, 1);
    CHECK_EQ(told.mask, E_EXCEPTION); /* no scheduler takes it: it ends here */
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(wake_event_sets_the_completion)                                                                        \
    X(event_goes_to_the_master)                                                                              \
    X(event_with_no_mask_is_armed_only)                                                                      \
    X(event_frees_the_job_afterwards)                                                                        \
    X(event_inst_goes_to_its_scheduler)                                                                      \
    X(a_worker_may_choose_its_event)                                                                         \
    X(a_suspended_connection_goes_on)                                                                        \
    X(callback_sched_inst_calls_there)                                                                       \
    X(a_tail_may_come_after_its_scheduler_has_gone)
EVERY_SCENARIO(MODE)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_MODE)
    return check_report();
}
