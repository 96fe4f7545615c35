/*
 * test_events_fds.c - what a scheduler does with Events of descriptors: calls, clearing, and dispatch.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <poll.h>

#include "events.h"

static int is_readable(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

/* ---- descriptors ---- */

static void a_callback_is_called_for_what_it_asked(void)
{
    int fds[2];
    struct script script = {.returns = {E_READ, E_WRITE, E_READ | E_WRITE, 0}};
    long before = live_events();
    a_socketpair(fds);
    Event *event = armed(fds[0], E_READ, &script);
    turn();
    CHECK_EQ(script.calls, 0); /* writable, but it did not ask */
    CHECK(fj_scheduler_get_fd(s_loop, fds[0]) == event);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(fj_scheduler_run_once(s_loop, -1), 1);
    CHECK_EQ(script.calls, 1); /* once an iteration */
    CHECK_EQ(script.seen[0], E_READ);
    CHECK(script.event == event);
    CHECK_EQ(fj_scheduler_run_once(s_loop, -1), 1);
    CHECK_EQ(script.seen[1], E_READ); /* still there: nobody read it */
    CHECK_EQ(fj_scheduler_run_once(s_loop, -1), 1);
    CHECK_EQ(script.seen[2], E_WRITE);
    CHECK_EQ(fj_scheduler_run_once(s_loop, -1), 1);
    CHECK_EQ(script.seen[3], E_READ | E_WRITE);
    turn();
    CHECK_EQ(script.calls, 4);
    CHECK(fj_scheduler_get_fd(s_loop, fds[0]) == NULL);
    CHECK_EQ(live_events(), before);    /* freed by the scheduler */
    CHECK(fcntl(fds[0], F_GETFD) >= 0); /* but not closed */
    close(fds[0]);
    close(fds[1]);
}

static void a_hang_up_is_told_as_what_was_asked_for(void)
{
    int fds[2];
    struct script script = {0};
    a_socketpair(fds);
    armed(fds[0], E_READ | E_WRITE, &script);
    close(fds[1]);
    turn_until(&script.calls, 1);
    CHECK_EQ(script.seen[0], E_READ | E_WRITE);
    close(fds[0]);

    int error_fds[2];
    struct script only_exceptions = {0};
    CHECK_EQ(pipe(error_fds), 0);
    armed(error_fds[1], E_EXCEPTION, &only_exceptions);
    turn();
    CHECK_EQ(only_exceptions.calls, 0);
    close(error_fds[0]);
    turn_until(&only_exceptions.calls, 1);
    CHECK_EQ(only_exceptions.seen[0], E_EXCEPTION);
    close(error_fds[1]);
}

static void read_one_byte(struct script *script)
{
    char byte;
    CHECK_EQ(read(script->fd, &byte, 1), 1);
}

/* Ten bytes and a callback that takes one at a time. */
static int calls_in_one_iteration(int aggressive)
{
    int fds[2];
    struct script script = {.then = read_one_byte};
    a_socketpair(fds);
    script.fd = fds[0];
    for (int i = 0; i < MOST_CALLS; i++) {
        script.returns[i] = E_READ;
    }
    CHECK_EQ(write(fds[1], "0123456789012345678901234567890123456789", 40), 40);
    Event *event = build_fd_event(fds[0], E_READ, aggressive, play, &script);
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    CHECK_EQ(fj_scheduler_run_once(s_loop, -1), 1);
    CHECK(fj_scheduler_clear_fd(s_loop, fds[0]) == event);
    event_free(event);
    close(fds[0]);
    close(fds[1]);
    return script.calls;
}

static void aggressive_callbacks_are_called_in_a_row(void)
{
    CHECK_EQ(calls_in_one_iteration(E_AGGRESSIVE_NONE), 1);
    CHECK_EQ(calls_in_one_iteration(E_AGGRESSIVE_LOW), 4);
    CHECK_EQ(calls_in_one_iteration(E_AGGRESSIVE_MED), 16);
    CHECK_EQ(calls_in_one_iteration(E_AGGRESSIVE_HIGH), 40);
}

static void one_event_at_a_time_has_a_descriptor(void)
{
    int fds[2];
    struct script first = {0}, second = {0};
    a_socketpair(fds);
    Event *event = armed(fds[0], E_READ, &first);
    Event *other = build_fd_event(fds[0], E_WRITE, 0, play, &second);
    CHECK_OR_RETURN(other != NULL);
    CHECK_EQ(fj_scheduler_schedule(s_loop, other), 0);
    EXPECT_ERROR(FJ_EEXIST, "has an Event already");
    CHECK(fj_scheduler_clear_fd(s_loop, fds[0]) == event);
    CHECK(fj_scheduler_clear_fd(s_loop, fds[0]) == NULL);
    CHECK_EQ(fj_scheduler_schedule(s_loop, other), 1); /* the refused one is as it was */
    turn_until(&second.calls, 1);
    CHECK_EQ(first.calls, 0);
    event->mask = E_WRITE;
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1); /* and so is the cleared one */
    event->mask = E_READ;
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1); /* armed anew */
    turn();
    CHECK_EQ(first.calls, 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    turn_until(&first.calls, 1);
    close(fds[0]);
    close(fds[1]);
}

static void clear_own(struct script *script)
{
    CHECK(get_event_by_fd(script->fd) == script->event); /* of the scheduler whose callback this is */
    CHECK(clear_event_by_fd(script->fd) == script->event);
    CHECK(get_event_by_fd(script->fd) == NULL);
    CHECK(clear_event_by_fd(script->fd) == NULL);
}

static void a_callback_may_clear_its_own_event(void)
{
    int fds[2];
    long before = live_events();
    a_socketpair(fds);
    struct script script = {.then = clear_own, .fd = fds[0]};
    armed(fds[0], E_WRITE, &script);
    turn();
    CHECK_EQ(script.calls, 1);
    CHECK_EQ(live_events(), before);
    struct script again = {.then = clear_own, .fd = fds[0], .returns = {E_WRITE, 0}};
    armed(fds[0], E_WRITE, &again); /* cleared, but then it asks for more */
    turn();
    CHECK_EQ(again.calls, 2);
    CHECK_EQ(live_events(), before);
    close(fds[0]);
    close(fds[1]);
}

static void close_other(struct script *script)
{
    if (script->other != NULL) {
        Event *other = clear_event_by_fd(script->fd);
        CHECK(other == script->other);
        event_close(other);
        event_free(other);
    }
}

static void what_an_earlier_callback_cleared_is_not_called(void)
{
    int one[2], two[2];
    a_socketpair(one);
    a_socketpair(two);
    struct script first = {.then = close_other, .fd = two[0]}, second = {.then = close_other, .fd = one[0]};
    first.other = armed(two[0], E_WRITE, &second);
    second.other = armed(one[0], E_WRITE, &first);
    turn(); /* both are ready: whoever is first closes the other */
    CHECK_EQ(first.calls + second.calls, 1);
    close(first.calls ? one[0] : two[0]);
    close(one[1]);
    close(two[1]);
}

static void close_own(struct script *script)
{
    CHECK_EQ(event_close(script->event), 0);
}

/* A copy of the descriptor, as a child process has it, keeps the kernel's end open. */
static void a_closed_descriptor_is_not_reported_any_more(void)
{
    int fds[2];
    a_socketpair(fds);
    int copy = dup(fds[0]);
    struct script script = {.then = close_own};
    armed(fds[0], E_WRITE, &script);
    turn();
    CHECK_EQ(script.calls, 1);
    CHECK_EQ(fj_scheduler_run_once(s_loop, 0), 0);
    CHECK_EQ(is_readable(fj_scheduler_fd(s_loop)), 0);
    int again = dup(fds[1]); /* gets the same number */
    CHECK_EQ(again, fds[0]);
    struct script next = {.then = close_own};
    armed(again, E_WRITE, &next);
    turn();
    CHECK_EQ(next.calls, 1);
    close(copy);
    close(fds[1]);
}

static void bad_events_are_refused(void)
{
    int fds[2];
    struct script script = {0};
    a_socketpair(fds);
    CHECK_EQ(fj_scheduler_schedule(s_loop, NULL), 0);
    EXPECT_ERROR(FJ_EINVAL, "Event is NULL");
    Event event = {.fd = fds[0], .mask = E_READ};
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "callback is NULL");
    event.callback = play;
    event.closure = &script;
    event.mask = 0x100;
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "0x100");
    event.mask = 0;
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "nothing to wait for");
    event.mask = E_READ;
    CHECK_EQ(fj_scheduler_dispatch(s_loop, &event, 0x20), 0);
    EXPECT_ERROR(FJ_EINVAL, "0x20");
    event.fd = -1;
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "descriptor -1 is not open");
    event.fd = 1 << 29;
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "descriptor 536870912 is not open");
    event.fd = open("/proc/self/exe", O_RDONLY);
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "kind that cannot be waited for");
    close(event.fd);
    event.mask = E_TIMEOUT;
    event.trigger.tv_usec = -1;
    CHECK_EQ(fj_scheduler_schedule(s_loop, &event), 0);
    EXPECT_ERROR(FJ_EINVAL, "no time");
    CHECK(fj_scheduler_get_fd(s_loop, -3) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "-3 is no descriptor");
    CHECK_EQ(fj_scheduler_clear_timed(s_loop, NULL), -1);
    EXPECT_ERROR(FJ_EINVAL, "Event is NULL");
    turn();
    CHECK_EQ(script.calls, 0);
    close(fds[0]);
    close(fds[1]);
}

static void an_event_in_use_is_not_freed(void)
{
    int fds[2];
    struct script script = {0};
    long before = live_events();
    a_socketpair(fds);
    Event *event = armed(fds[0], E_READ, &script);
    event_free(event);
    EXPECT_ERROR(FJ_EBUSY, "scheduled");
    Event *copy = ec_malloc(MEMTYPE_EVENT);
    CHECK_OR_RETURN(copy != NULL);
    memcpy(copy, event, sizeof(*event));
    event_post_dup(copy, event);
    event_free(copy);
    CHECK_EQ(live_events(), before + 1);
    CHECK(fj_scheduler_clear_fd(s_loop, fds[0]) == event);
    event_free(event);
    CHECK_EQ(live_events(), before);
    close(fds[0]);
    close(fds[1]);
}

/* ---- dispatch ---- */

static void dispatch_calls_and_arms(void)
{
    int fds[2];
    struct script script = {.returns = {E_READ, 0}};
    a_socketpair(fds);
    Event *event = build_fd_event(fds[0], E_READ, 0, play, &script);
    CHECK_OR_RETURN(event != NULL);
    CHECK_EQ(fj_scheduler_dispatch(s_loop, event, E_ASYNC | E_WRITE), 1);
    CHECK_EQ(script.calls, 0); /* not from within another call */
    CHECK(is_readable(fj_scheduler_fd(s_loop)));
    turn();
    CHECK_EQ(script.calls, 1);
    CHECK_EQ(script.seen[0], E_ASYNC | E_WRITE);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    turn_until(&script.calls, 2);
    CHECK_EQ(script.seen[1], E_READ);

    struct script plain = {0};
    event = build_fd_event(fds[0], E_WRITE, 0, play, &plain);
    CHECK_EQ(fj_scheduler_dispatch(s_loop, event, 0), 1); /* as schedule_event */
    turn_until(&plain.calls, 1);
    CHECK_EQ(plain.seen[0], E_WRITE);
    close(fds[0]);
    close(fds[1]);
}

static void dispatch_can_be_cleared(void)
{
    int fds[2];
    struct script script = {0};
    a_socketpair(fds);
    Event *event = build_fd_event(fds[0], E_READ, 0, play, &script);
    CHECK_EQ(fj_scheduler_dispatch(s_loop, event, E_ASYNC), 1);
    CHECK(fj_scheduler_clear_fd(s_loop, fds[0]) == event);
    turn();
    CHECK_EQ(script.calls, 0);
    event_free(event);
    close(fds[0]);
    close(fds[1]);
}

static void dispatch_a_copy(struct script *script)
{
    if (script->calls > 1) {
        return;
    }
    Event *copy = ec_malloc(MEMTYPE_EVENT);
    if (CHECK(copy != NULL)) {
        memcpy(copy, script->event, sizeof(*copy));
        event_post_dup(copy, script->event);
        script->other = copy;
        CHECK_EQ(fj_schedule_event_and_dispatch(copy, E_ASYNC), 1); /* before the first has ended */
        Event *third = build_fd_event(script->fd, E_READ, 0, play, script);
        CHECK_EQ(schedule_event(third), 0);
        EXPECT_ERROR(FJ_EEXIST, "has an Event already");
        event_free(third);
        CHECK_EQ(schedule_event(script->event), 0);
        EXPECT_ERROR(FJ_EBUSY, "is being called");
        event_free(script->event);
        EXPECT_ERROR(FJ_EBUSY, "being called");
    }
}

static void a_copy_may_be_scheduled_before_the_first_has_ended(void)
{
    int fds[2];
    long before = live_events();
    a_socketpair(fds);
    struct script script = {.then = dispatch_a_copy, .fd = fds[0], .returns = {0, E_WRITE, 0}};
    Event *first = armed(fds[0], E_WRITE, &script);
    turn();
    CHECK_EQ(script.calls, 3);
    CHECK_EQ(script.seen[1], E_ASYNC);
    CHECK(script.other != first && script.event == script.other);
    CHECK_EQ(live_events(), before);

    /* If the first wants to go on, the copy has no place: it is told so, once. */
    struct script both = {.then = dispatch_a_copy, .fd = fds[0], .returns = {E_WRITE, E_WRITE, 0}};
    armed(fds[0], E_WRITE, &both);
    turn();
    CHECK_EQ(both.calls, 3);
    CHECK(both.seen[1] == E_EXCEPTION || both.seen[2] == E_EXCEPTION);
    CHECK_EQ(live_events(), before);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    create_loop();
    RUN(a_callback_is_called_for_what_it_asked);
    RUN(a_hang_up_is_told_as_what_was_asked_for);
    RUN(aggressive_callbacks_are_called_in_a_row);
    RUN(one_event_at_a_time_has_a_descriptor);
    RUN(a_callback_may_clear_its_own_event);
    RUN(what_an_earlier_callback_cleared_is_not_called);
    RUN(a_closed_descriptor_is_not_reported_any_more);
    RUN(bad_events_are_refused);
    RUN(an_event_in_use_is_not_freed);
    RUN(dispatch_calls_and_arms);
    RUN(dispatch_can_be_cleared);
    RUN(a_copy_may_be_scheduled_before_the_first_has_ended);
    destroy_loop();
    return check_report();
}
