/*
 * events.h - what the tests of Events share: callbacks with a script, and a scheduler that this thread
 * drives, so that each step is the test's.
 */
#ifndef FASTJOBS_TESTS_EVENTS_H
#define FASTJOBS_TESTS_EVENTS_H

#include "event.h"

#include <sys/socket.h>

#include "harness.h"

enum { MOST_CALLS = 64 };

/* What a callback is told and shall do. */
struct script {
    int calls;
    int seen[MOST_CALLS];    /* eventtype of each call */
    int returns[MOST_CALLS]; /* what it returns */
    struct timeval now;
    Event *event;
    void (*then)(struct script *script); /* does something in the callback */
    int fd;
    Event *other;
    int order;
};

static ec_scheduler_inst *s_loop;
static int s_order;

static inline int play(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct script *script = closure;
    int call = script->calls++;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK(pthread_equal(event->scheduled_thread, pthread_self()));
    script->event = event;
    script->now = *now;
    script->order = ++s_order;
    if (call >= MOST_CALLS) {
        CHECK(!"a callback is called again and again");
        exit(1);
    }
    script->seen[call] = eventtype;
    if (script->then != NULL) {
        script->then(script);
    }
    return script->returns[call];
}

static inline void a_socketpair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        perror("socketpair");
        exit(1);
    }
}

static inline long live_events(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &usage), 1);
    CHECK_EQ(usage.size, sizeof(Event));
    return (long)usage.objects;
}

static inline Event *armed(int fd, int mask, struct script *script)
{
    Event *event = build_fd_event(fd, mask, E_AGGRESSIVE_NONE, play, script);
    if (!CHECK(event != NULL) || !CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1)) {
        fprintf(stderr, "%s\n", fj_last_error());
        exit(1);
    }
    return event;
}

/* Iterations until there is nothing to do. */
static inline void turn(void)
{
    for (int i = 0; fj_scheduler_run_once(s_loop, 0) == 1; i++) {
        if (i == 100) {
            CHECK(!"the scheduler finds work again and again");
            exit(1);
        }
    }
}

static inline void turn_until(const int *calls, int wanted)
{
    double end = seconds_now() + WAIT_SECONDS;
    while (*calls < wanted) {
        if (fj_scheduler_run_once(s_loop, 100) < 0 || seconds_now() > end) {
            wait_failed(__FILE__, __LINE__, "a callback");
        }
    }
}

#define EXPECT_ERROR(code, part)                                                                             \
    do {                                                                                                     \
        CHECK_EQ(fj_last_error_code(), (code));                                                              \
        if (strstr(fj_last_error(), (part)) == NULL) {                                                       \
            CHECK_STR(fj_last_error(), (part));                                                              \
        }                                                                                                    \
    } while (0)

static inline void create_loop(void)
{
    s_loop = fj_scheduler_create("events", FJ_SCHEDULER_HOST);
    if (s_loop == NULL) {
        fprintf(stderr, "%s\n", fj_last_error());
        exit(1);
    }
}

static inline void destroy_loop(void)
{
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
    CHECK_EQ(live_events(), 0);
}

#endif
