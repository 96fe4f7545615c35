/*
 * test_modes_ends.c - a shutdown while completions are on their way to a scheduler, and a fork.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "modes.h"

/* ---- shutdown with a host's scheduler ---- */

enum { PENDING = 20 };

static void queue_pending(struct callback *callbacks, int completion)
{
    for (int i = 0; i < PENDING; i++) {
        struct callback *c = &callbacks[i];
        job_with_callback(&c->job, ECTP_CLASS_CPU, count, NULL, in_scheduler, c);
        memcpy(&c->job.completion, &completion, sizeof(completion));
        if (completion == ECTP_COMPLETE_CALLBACK_SCHED_INST) {
            c->job.r.cb.inst = s_loop;
        }
        QUEUE(&c->job);
    }
}

/* The host's thread does not run the scheduler any more: the shutdown delivers. */
static void shutdown_in_the_hosts_thread_delivers(void)
{
    static struct callback pending[PENDING], more[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK(fj_scheduler_master() == s_loop);
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    queue_pending(more, ECTP_COMPLETE_CALLBACK_SCHED_INST);
    POLL(get(&s_ran) == 2 * PENDING);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
        CHECK_EQ(more[i].calls, 1);
        CHECK(pthread_equal(pending[i].thread, pthread_self()));
    }
    CHECK_EQ(fj_is_scheduler_thread(), 1); /* the scheduler is the host's and works on */
    struct told told = {0};
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, tell, &told)), 1);
    run_until(&told.calls, 1);
}

static int shut_down_in_callback(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    struct callback *pending = closure;
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
    }
    add(&s_ran, 1000);
    return 0;
}

static void shutdown_in_a_callback_of_the_host(void)
{
    static struct callback pending[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, shut_down_in_callback, pending)), 1);
    double end = seconds_now() + WAIT_SECONDS;
    while (get(&s_ran) < 1000 && seconds_now() < end) {
        fj_scheduler_run_once(s_loop, 100);
    }
    CHECK_EQ(get(&s_ran), 1000 + PENDING);
}

/* An Event of the library's own scheduler ends everything: no job is in flight but those that it has queued.
 */
static void shutdown_in_a_callback_of_the_master(void)
{
    static struct callback pending[PENDING];
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, shut_down_in_callback, pending)), 1);
    POLL(get(&s_ran) == 1000 + PENDING);
}

static int shut_down_when_done(Event *event, int eventtype, void *closure, struct timeval *now)
{
    CHECK_EQ(eventtype, E_ASYNC);
    return shut_down_in_callback(event, eventtype, closure, now);
}

static void shutdown_in_the_event_of_a_job(void)
{
    static struct callback pending[PENDING];
    ec_async_job job;
    Event *event = build_event_from_now_f(1000, -1, shut_down_when_done, pending);
    job_init(&job, ECTP_CLASS_IO, do_nothing, NULL);
    ec_async_wake_event(&job, event, E_ASYNC);
    QUEUE(&job);
    POLL(get(&s_ran) == 1000 + PENDING);
}

static void *shut_down_elsewhere(void *closure)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    fj_scheduler_stop(s_loop);
    return closure;
}

static void shutdown_elsewhere_waits_for_the_host(void)
{
    static struct callback pending[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    pthread_t thread = start_thread(shut_down_elsewhere, NULL);
    CHECK_EQ(fj_scheduler_run(s_loop), 1);
    JOIN(thread);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
        CHECK(pthread_equal(pending[i].thread, pthread_self()));
    }
}

static void *adopt_and_leave(void *closure)
{
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK_EQ(fj_scheduler_run_once(s_loop, 0), 0);
    return closure;
}

/* The thread that drove the scheduler has ended: nobody else can deliver. */
static void shutdown_delivers_for_a_thread_that_has_ended(void)
{
    static struct callback pending[PENDING];
    JOIN(start_thread(adopt_and_leave, NULL));
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
    }
}

static void after_a_shutdown_events_are_refused(void)
{
    int fds[2];
    static struct told told;
    a_socketpair(fds);
    Event *event = waiting_event(fds[0], &told);
    CHECK_EQ(schedule_event(event), 1);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    POLL(fj_scheduler_stats_get(NULL, &stats) && stats.fds == 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    Event *late = build_event_from_now_f(0, -1, tell, &told);
    CHECK_EQ(schedule_event(late), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(schedule_event_and_dispatch(late, E_ASYNC), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    event_free(late);
    CHECK(clear_event_by_fd(fds[0]) == event); /* what never fires can be cleared by who ended it */
    event_free(event);
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    CHECK(fj_scheduler_create(NULL, FJ_SCHEDULER_HOST) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
}

/* ---- fork ---- */

static void in_fork(void)
{
    struct told told = {0};
    Event *event = build_event_from_now_f(0, -1, tell, &told);
    CHECK(event != NULL);
#define EXPECT_FORKED(call, failure)                                                                         \
    CHECK_EQ((long long)(call), (failure));                                                                  \
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED)
    EXPECT_FORKED(schedule_event(event), 0);
    EXPECT_FORKED(schedule_event_and_dispatch(event, E_ASYNC), 0);
    EXPECT_FORKED(fj_scheduler_schedule(s_loop, event), 0);
    EXPECT_FORKED(fj_scheduler_dispatch(s_loop, event, E_ASYNC), 0);
    EXPECT_FORKED(clear_timed_event(event), -1);
    EXPECT_FORKED(fj_scheduler_clear_timed(s_loop, event), -1);
    EXPECT_FORKED((size_t)clear_event_by_fd(0), 0);
    EXPECT_FORKED((size_t)get_event_by_fd(0), 0);
    EXPECT_FORKED((size_t)fj_scheduler_create(NULL, FJ_SCHEDULER_HOST), 0);
    EXPECT_FORKED((size_t)fj_scheduler_master(), 0);
    EXPECT_FORKED(fj_scheduler_run(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_run_once(s_loop, -1), -1);
    EXPECT_FORKED(fj_scheduler_fd(s_loop), -1);
    EXPECT_FORKED(fj_scheduler_stop(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_adopt(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_destroy(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_ping(s_loop), 0);
    EXPECT_FORKED(get_scheduler_pid(), 0);
    EXPECT_FORKED((size_t)fj_validate_context_create(resume, NULL, NULL), 0);
    CHECK_EQ(is_scheduler_thread(), 0);
    ping_scheduler();
    event_free(event);
}

static void a_forked_child_gets_errors(void)
{
    struct told told = {0};
    a_host_scheduler();
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, tell, &told)), 1); /* and the master runs */
    AWAIT(&s_done);
    IN_CHILD(in_fork);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(shutdown_in_the_hosts_thread_delivers)                                                                 \
    X(shutdown_in_a_callback_of_the_host)                                                                    \
    X(shutdown_in_a_callback_of_the_master)                                                                  \
    X(shutdown_in_the_event_of_a_job)                                                                        \
    X(shutdown_elsewhere_waits_for_the_host)                                                                 \
    X(shutdown_delivers_for_a_thread_that_has_ended)                                                         \
    X(after_a_shutdown_events_are_refused)                                                                   \
    X(a_forked_child_gets_errors)
EVERY_SCENARIO(MODE)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_MODE)
    return check_report();
}
