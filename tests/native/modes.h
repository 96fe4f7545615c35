/*
 * modes.h - what the tests of the completions that go through a scheduler share. Each scenario has a child
 * process of its own, because a process has one master.
 */
#ifndef FASTJOBS_TESTS_MODES_H
#define FASTJOBS_TESTS_MODES_H

#include "event.h"

#include <sys/socket.h>

#include "harness.h"

static sem_t s_done;
static long s_ran;
static ec_scheduler_inst *s_loop;

static inline void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

/* What an Event's callback is told. */
struct told {
    int calls;
    int mask;
    int returns;
    pthread_t thread;
    Event *event;
};

static inline int tell(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct told *told = closure;
    comes_after(told); /* what came before the write that it is told of */
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK(now->tv_sec > 0);
    told->calls++;
    told->mask = eventtype;
    told->thread = pthread_self();
    told->event = event;
    int returns = told->returns;
    told->returns = 0;
    sem_post(&s_done);
    return returns;
}

static inline Event *waiting_event(int fd, struct told *told)
{
    Event *event = build_fd_event(fd, E_READ, 0, tell, told);
    if (event == NULL) {
        exit(1);
    }
    return event;
}

static inline void a_socketpair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        exit(1);
    }
}

static inline long live(int memtype)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return (long)usage.objects;
}

static inline void a_host_scheduler(void)
{
    s_loop = fj_scheduler_create(NULL, FJ_SCHEDULER_HOST);
    if (s_loop == NULL) {
        exit(1);
    }
}

static inline void run_until(const int *calls, int wanted)
{
    double end = seconds_now() + WAIT_SECONDS;
    while (*calls < wanted) {
        if (fj_scheduler_run_once(s_loop, 100) < 0 || seconds_now() > end) {
            wait_failed(__FILE__, __LINE__, "a completion in the host's scheduler");
        }
    }
}

static inline void poll_events_are_gone(void)
{
    POLL(live(MEMTYPE_EVENT) == 0); /* the callback has been called; then its Event is freed */
}

/* A job that is called back in a scheduler. */
struct callback {
    ec_async_job job;
    int calls;
    pthread_t thread;
};

static inline void in_scheduler(ec_async_job *job, void *closure)
{
    struct callback *callback = closure;
    CHECK(job == &callback->job);
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    callback->calls++;
    callback->thread = pthread_self();
    sem_post(&s_done);
}

/* A job of a suspended validation. */
struct module {
    validate_context *ctx;
    ec_async_job job;
    int resumed;
    int requeues;
    pthread_t thread;
};

static inline void resume(validate_context *ctx, ec_async_job *job, void *closure)
{
    struct module *module = closure;
    CHECK(ctx == module->ctx && job == &module->job);
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK_EQ(fj_validate_context_is_suspended(ctx), 0);
    module->resumed++;
    module->thread = pthread_self();
    if (module->requeues-- > 0) {
        CHECK_EQ(ec_queue_async_job(job), 1);
    } else {
        sem_post(&s_done);
    }
}

#define MODE(scenario)                                                                                       \
    static void mode_##scenario(void)                                                                        \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
#define RUN_MODE(scenario) RUN(mode_##scenario);

#endif
