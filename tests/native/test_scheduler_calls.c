/*
 * test_scheduler_calls.c - what a scheduler calls and when it wakes: recurrent functions, completions,
 * callbacks that end their thread.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/socket.h>

#include "schedulers.h"

/* ---- recurrent functions, pings ---- */

static int count_iterations(void *closure, struct timeval *now)
{
    CHECK(now->tv_sec > 0);
    CHECK_EQ(is_scheduler_thread(), 1);
    add(closure, 1);
    return 1;
}

static void recurrent_functions_run_once_an_iteration(void)
{
    long count = 0, other = 0;
    ec_scheduler_inst *inst = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    CHECK_EQ(fj_scheduler_recur(inst, count_iterations, &count), 1);
    CHECK_EQ(fj_scheduler_recur(inst, count_iterations, &other), 1);
    while (fj_scheduler_run_once(inst, 0) != 0) {
    }
    long before = get(&count);
    unsigned long long iterations = figures_of(inst).iterations;
    for (int i = 1; i <= 5; i++) {
        CHECK_EQ(fj_scheduler_ping(inst), 1);
        fj_scheduler_run_once(inst, -1);
        CHECK_EQ(get(&count), before + i);
        CHECK_EQ(get(&other), get(&count));
        CHECK_EQ(figures_of(inst).iterations, iterations + (unsigned)i);
    }
    CHECK_EQ(fj_scheduler_destroy(inst), 1);
}

static void the_master_has_recurrent_functions_too(void)
{
    long count = 0;
    scheduler_recurrent_func_add(count_iterations, &count);
    POLL(get(&count) >= 1); /* of itself */
    long before = get(&count);
    ping_scheduler();
    POLL(get(&count) > before);
}

/* ---- wakes ---- */

struct busy {
    struct gate gate;
    long delivered;
};

static void a_thousand_completions_cost_one_wake(void)
{
    enum { JOBS = 1000 };
    static ec_async_job jobs[JOBS];
    static struct busy busy = {.gate = GATE_CLOSED};
    CHECK_EQ(schedule_event(soon(stand_in_callback, &busy.gate)), 1);
    GATE_AWAIT(&busy.gate, 1);
    unsigned long long before = figures_of(NULL).wakes;
    unsigned long long posts = figures_of(NULL).posts;
    for (int i = 0; i < JOBS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, count_delivery, &busy.delivered);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&jobs[i]);
    }
    POLL(stats_of(ECTP_CLASS_CPU).invocations >= JOBS);
    CHECK_EQ(figures_of(NULL).wakes, before + 1); /* of a thousand posts */
    gate_open(&busy.gate);
    POLL(get(&busy.delivered) == JOBS);
    CHECK_EQ(figures_of(NULL).wakes, before + 1);
    POLL(figures_of(NULL).posts == posts + JOBS);
}

static void an_idle_scheduler_takes_no_time(void)
{
    CHECK_EQ(schedule_event(soon(post_it, &s_done)), 1);
    CHECK_EQ(schedule_event(build_event_from_now_f(1000, -1, post_it, &s_done)), 1);
    AWAIT(&s_done);
    POLL(figures_of(NULL).timers == 1 && thread_sleeps(get_scheduler_pid()));
    unsigned long long iterations = figures_of(NULL).iterations;
    pause_ms(300);
    CHECK_EQ(figures_of(NULL).iterations, iterations); /* it was not even woken */
}

/* ---- callbacks that end their thread ---- */

static int end_thread(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    sem_post(closure);
    pthread_exit(NULL);
}

static int recur_and_end_thread(void *closure, struct timeval *now)
{
    (void)now;
    sem_post(closure);
    pthread_exit(NULL);
}

static void end_thread_in_completion(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(closure);
    pthread_exit(NULL);
}

static void a_thread_that_a_callback_ends_is_replaced(void)
{
    enum { EVENTS = 30 };
    int fds[EVENTS][2];
    long before = live_events();
    ec_scheduler_inst *inst = new_scheduler("sched-mortal", FJ_SCHEDULER_THREAD);
    /* All ready in one batch: what the first leaves undone the next thread does. */
    static struct gate gate = GATE_CLOSED;
    CHECK_EQ(fj_scheduler_schedule(inst, soon(stand_in_callback, &gate)), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < EVENTS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        EventFunc callback = i % 2 == 0 ? end_thread : post_it;
        CHECK_EQ(fj_scheduler_schedule(inst, build_fd_event(fds[i][0], E_WRITE, 0, callback, &s_done)), 1);
        CHECK_EQ(fj_scheduler_schedule(inst, soon(i % 3 == 0 ? end_thread : post_it, &s_done)), 1);
        Event *posted = build_event_from_now_f(1000, -1, i % 5 == 0 ? end_thread : post_it, &s_done);
        CHECK_EQ(fj_scheduler_dispatch(inst, posted, E_ASYNC), 1);
    }
    CHECK_EQ(fj_scheduler_recur(inst, recur_and_end_thread, &s_done), 1);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 3 * EVENTS + 1);
    POLL(live_events() == before);
    ec_async_job jobs[10];
    for (int i = 0; i < 10; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, end_thread_in_completion, &s_done);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
        jobs[i].r.cb.inst = inst;
        QUEUE(&jobs[i]);
    }
    AWAIT_TIMES(&s_done, 10);
    CHECK_EQ(fj_scheduler_schedule(inst, soon(post_it, &s_done)), 1);
    AWAIT(&s_done);
    CHECK_EQ(semaphore_value(&s_done), 0); /* the recurrent function that ended its thread is gone */
    CHECK_EQ(fj_scheduler_destroy(inst), 1);
    for (int i = 0; i < EVENTS; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void *drive_until_the_end(void *closure)
{
    struct driving *d = closure;
    fj_scheduler_run(d->inst);
    CHECK(!"the thread has not ended in the callback");
    return NULL;
}

static void the_hosts_thread_may_end_in_a_callback(void)
{
    struct driving d = {.inst = new_scheduler(NULL, FJ_SCHEDULER_HOST)};
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(end_thread, &s_done)), 1);
    JOIN(start_thread(drive_until_the_end, &d));
    AWAIT(&s_done);
    /* The library hears of it a moment later; then any thread may go on. */
    POLL(fj_scheduler_run_once(d.inst, 0) >= 0);
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(post_it, &s_done)), 1);
    while (semaphore_value(&s_done) == 0) {
        CHECK(fj_scheduler_run_once(d.inst, 100) >= 0);
    }
    AWAIT(&s_done);
    CHECK_EQ(fj_scheduler_destroy(d.inst), 1);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(recurrent_functions_run_once_an_iteration)                                                             \
    X(the_master_has_recurrent_functions_too)                                                                \
    X(a_thousand_completions_cost_one_wake)                                                                  \
    X(an_idle_scheduler_takes_no_time)                                                                       \
    X(a_thread_that_a_callback_ends_is_replaced)                                                             \
    X(the_hosts_thread_may_end_in_a_callback)
EVERY_SCENARIO(SCHEDULER)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
