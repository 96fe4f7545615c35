/*
 * test_events.c - Events as objects, and what a scheduler does with them: descriptors, times, clearing. In a
 * scheduler that this thread drives, so that each step is the test's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event.h"

#include <fcntl.h>
#include <poll.h>
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

static int play(Event *event, int eventtype, void *closure, struct timeval *now)
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

static void a_socketpair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        perror("socketpair");
        exit(1);
    }
}

static long live_events(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &usage), 1);
    CHECK_EQ(usage.size, sizeof(Event));
    return (long)usage.objects;
}

static Event *armed(int fd, int mask, struct script *script)
{
    Event *event = build_fd_event(fd, mask, E_AGGRESSIVE_NONE, play, script);
    if (!CHECK(event != NULL) || !CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1)) {
        fprintf(stderr, "%s\n", fj_last_error());
        exit(1);
    }
    return event;
}

/* Iterations until there is nothing to do. */
static void turn(void)
{
    for (int i = 0; fj_scheduler_run_once(s_loop, 0) == 1; i++) {
        if (i == 100) {
            CHECK(!"the scheduler finds work again and again");
            exit(1);
        }
    }
}

static void turn_until(const int *calls, int wanted)
{
    double end = seconds_now() + WAIT_SECONDS;
    while (*calls < wanted) {
        if (fj_scheduler_run_once(s_loop, 100) < 0 || seconds_now() > end) {
            wait_failed(__FILE__, __LINE__, "a callback");
        }
    }
}

static int is_readable(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

#define EXPECT_ERROR(code, part)                                                                             \
    do {                                                                                                     \
        CHECK_EQ(fj_last_error_code(), (code));                                                              \
        if (strstr(fj_last_error(), (part)) == NULL) {                                                       \
            CHECK_STR(fj_last_error(), (part));                                                              \
        }                                                                                                    \
    } while (0)

/* ---- objects ---- */

static void events_are_built_as_asked(void)
{
    int closure;
    long before = live_events();
    Event *event = build_fd_event(7, E_READ | E_EXCEPTION, E_AGGRESSIVE_MED, play, &closure);
    CHECK_OR_RETURN(event != NULL);
    CHECK_EQ(event->fd, 7);
    CHECK_EQ(event->mask, E_READ | E_EXCEPTION);
    CHECK_EQ(event->aggressive, E_AGGRESSIVE_MED);
    CHECK(event->callback == play && event->closure == &closure);
    CHECK(event->io_opset == NULL && event->io_data == NULL);
    CHECK_EQ(live_events(), before + 1);
    event_free(event);
    CHECK_EQ(live_events(), before);

    struct timeval when = {1234567, 89};
    event = build_event_from_epoch(when, -1, play, &closure);
    CHECK_OR_RETURN(event != NULL);
    CHECK_EQ(event->trigger.tv_sec, 1234567);
    CHECK_EQ(event->trigger.tv_usec, 89);
    CHECK_EQ(event->mask, E_TIMEOUT);
    CHECK_EQ(event->fd, -1);
    event_free(event);

    struct timeval before_build, after_build, span = {100, 999999};
    gettimeofday(&before_build, NULL);
    event = build_event_from_now(span, 3, play, &closure);
    gettimeofday(&after_build, NULL);
    CHECK_OR_RETURN(event != NULL);
    timeradd(&before_build, &span, &before_build);
    timeradd(&after_build, &span, &after_build);
    CHECK(!timercmp(&event->trigger, &before_build, <) && !timercmp(&event->trigger, &after_build, >));
    CHECK_EQ(event->fd, 3);
    event_free(event);

    span = (struct timeval){2, 500000};
    gettimeofday(&before_build, NULL);
    event = build_event_from_now_f(2.5, -1, play, &closure);
    CHECK_OR_RETURN(event != NULL);
    timeradd(&before_build, &span, &before_build);
    CHECK(!timercmp(&event->trigger, &before_build, <));
    event_free(event);
    event_free(NULL);
    CHECK_EQ(live_events(), before);
}

static void what_cannot_be_built_is_said(void)
{
    struct timeval when = {1, 0};
    CHECK(build_fd_event(-1, E_READ, 0, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "-1 is no descriptor");
    CHECK(build_fd_event(0, 0, 0, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "mask 0x0");
    CHECK(build_fd_event(0, 0x20, 0, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "mask 0x20");
    CHECK(build_fd_event(0, E_READ, 4, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "aggressive is 4");
    CHECK(build_fd_event(0, E_READ, 0, NULL, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "callback");
    CHECK(build_event(when, 2, -1, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "whence is 2");
    CHECK(build_event(when, E_FROM_NOW, -1, NULL, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "callback");
    when.tv_usec = 1000000;
    CHECK(build_event(when, E_FROM_NOW, -1, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "1000000 us is no time");
    when = (struct timeval){-1, 0};
    CHECK(build_event(when, E_FROM_EPOCH, -1, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "no time");
    CHECK(build_event_from_now_f(-0.5, -1, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "-0.5 seconds");
    CHECK(build_event_from_now_f(1e30, -1, play, NULL) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "1e+30 seconds");
}

static void an_event_reads_writes_and_closes_its_descriptor(void)
{
    int fds[2];
    a_socketpair(fds);
    Event *event = build_fd_event(fds[0], E_READ, 0, play, NULL);
    CHECK_OR_RETURN(event != NULL);
    char text[16] = "";
    int need = 0;
    CHECK_EQ(event_read(event, text, sizeof(text), &need), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(need, E_READ);
    need = 0;
    CHECK_EQ(event_write(event, "hello", 5, &need), 5);
    CHECK_EQ(need, E_WRITE);
    CHECK_EQ(read(fds[1], text, sizeof(text)), 5);
    CHECK(memcmp(text, "hello", 5) == 0);
    CHECK_EQ(write(fds[1], "world!", 6), 6);
    CHECK_EQ(event_read(event, text, sizeof(text), &need), 6);
    CHECK(memcmp(text, "world!", 6) == 0);
    CHECK_EQ(need, E_READ);
    static char block[65536];
    int written;
    for (written = 0; (written = event_write(event, block, sizeof(block), &need)) > 0;) {
    }
    CHECK_EQ(written, -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(need, E_WRITE);
    CHECK_EQ(event_read(event, text, -1, &need), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(event_write(event, text, -1, NULL), -1);
    CHECK_EQ(errno, EINVAL);
    close(fds[1]);
    CHECK_EQ(event_write(event, "x", 1, &need), -1); /* and no SIGPIPE */
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(event_close(event), 0);
    CHECK_EQ(fcntl(fds[0], F_GETFD), -1);
    event_free(event);

    CHECK_EQ(pipe(fds), 0); /* no socket */
    event = build_fd_event(fds[1], E_WRITE, 0, play, NULL);
    CHECK_OR_RETURN(event != NULL);
    CHECK_EQ(event_write(event, "pipe", 4, &need), 4);
    CHECK_EQ(read(fds[0], text, sizeof(text)), 4);
    CHECK_EQ(event_close(event), 0);
    close(fds[0]);
    event_free(event);
}

static int other_read(Event *event, char *buffer, int length, int *needmask)
{
    *needmask = E_WRITE; /* as TLS may */
    memset(buffer, 'r', (size_t)length);
    return length + (int)(size_t)event->io_data;
}

static int other_write(Event *event, const char *buffer, int length, int *needmask)
{
    *needmask = E_READ;
    return buffer[0] + length + (int)(size_t)event->io_data;
}

static int other_close(Event *event)
{
    return 40 + (int)(size_t)event->io_data;
}

static void an_opset_takes_the_place_of_the_descriptor(void)
{
    event_io_opset ops = {.event_read = other_read, .event_write = other_write, .event_close = other_close};
    Event event = {.io_opset = &ops, .io_data = (void *)2, .fd = -1};
    char text[4];
    int need = 0;
    CHECK_EQ(event_read(&event, text, 4, &need), 6);
    CHECK(memcmp(text, "rrrr", 4) == 0);
    CHECK_EQ(need, E_WRITE);
    CHECK_EQ(event_write(&event, "a", 1, &need), 'a' + 3);
    CHECK_EQ(need, E_READ);
    CHECK_EQ(event_close(&event), 42);
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

/* ---- time ---- */

static void timers_fire_in_their_order_and_not_early(void)
{
    enum { TIMERS = 40 };
    static struct script scripts[TIMERS];
    static const int milliseconds[] = {30, 0, 10, 20, 10};
    memset(scripts, 0, sizeof(scripts));
    int done = 0;
    double start = seconds_now();
    struct timeval triggers[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
        int ms = milliseconds[i % 5];
        struct timeval span = {0, ms * 1000}, now;
        Event *event;
        if (i % 2 == 0) {
            event = build_event_from_now(span, -1, play, &scripts[i]);
        } else {
            gettimeofday(&now, NULL);
            timeradd(&now, &span, &span);
            event = build_event_from_epoch(span, -1, play, &scripts[i]);
        }
        triggers[i] = event->trigger;
        CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    }
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    CHECK_EQ(fj_scheduler_stats_get(s_loop, &stats), 1);
    CHECK_EQ(stats.timers, TIMERS);
    while (done < TIMERS) {
        CHECK_EQ(fj_scheduler_run_once(s_loop, WAIT_SECONDS * 1000) >= 0, 1);
        done = 0;
        for (int i = 0; i < TIMERS; i++) {
            done += scripts[i].calls;
        }
    }
    CHECK(seconds_now() - start >= 0.030);
    for (int i = 0; i < TIMERS; i++) {
        CHECK_EQ(scripts[i].calls, 1);
        CHECK_EQ(scripts[i].seen[0], E_TIMEOUT);
        CHECK(!timercmp(&scripts[i].now, &triggers[i], <));
        for (int k = i % 2; k < i; k += 2) { /* of one clock: in the order of their times */
            CHECK_EQ(scripts[k].order < scripts[i].order, !timercmp(&triggers[k], &triggers[i], >));
        }
    }
}

static void timers_of_one_moment_fire_in_the_order_of_their_arming(void)
{
    enum { TIMERS = 500 };
    static struct script scripts[TIMERS];
    memset(scripts, 0, sizeof(scripts));
    struct timeval past = {1, 0};
    for (int i = 0; i < TIMERS; i++) {
        CHECK_EQ(fj_scheduler_schedule(s_loop, build_event_from_epoch(past, -1, play, &scripts[i])), 1);
    }
    turn();
    for (int i = 0; i < TIMERS; i++) {
        CHECK_EQ(scripts[i].calls, 1);
        CHECK(i == 0 || scripts[i - 1].order < scripts[i].order);
    }
}

static void a_timer_can_be_cleared_once(void)
{
    struct script script = {0}, later = {0};
    long before = live_events();
    Event *event = build_event_from_now_f(0.001, -1, play, &script);
    CHECK_EQ(fj_scheduler_clear_timed(s_loop, event), 0); /* not armed: ours */
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    CHECK_EQ(fj_scheduler_clear_timed(s_loop, event), 1); /* armed: freed */
    CHECK_EQ(live_events(), before);
    CHECK_EQ(fj_scheduler_schedule(s_loop, build_event_from_now_f(0.01, -1, play, &later)), 1);
    turn_until(&later.calls, 1);
    CHECK_EQ(script.calls, 0);
    CHECK_EQ(live_events(), before);
}

static void clear_own_timer(struct script *script)
{
    CHECK_EQ(clear_timed_event(script->event), 0); /* it is not armed any more */
    event_free(script->event);                     /* as the original's idiom goes on; the scheduler's yet */
    EXPECT_ERROR(FJ_EBUSY, "being called");
}

static void a_timer_cannot_clear_itself(void)
{
    struct script script = {.then = clear_own_timer};
    long before = live_events();
    CHECK_EQ(fj_scheduler_schedule(s_loop, build_event_from_now_f(0, -1, play, &script)), 1);
    turn_until(&script.calls, 1);
    CHECK_EQ(live_events(), before);
}

static void random_timers_and_clears_keep_their_order(void)
{
    enum { TIMERS = 3000 };
    static struct script scripts[TIMERS];
    static Event *events[TIMERS];
    static struct timeval triggers[TIMERS];
    memset(scripts, 0, sizeof(scripts));
    unsigned seed = 12345;
    struct timeval now;
    gettimeofday(&now, NULL);
    now.tv_sec -= 10;
    for (int i = 0; i < TIMERS; i++) {
        triggers[i] = (struct timeval){now.tv_sec, rand_r(&seed) % 1000000};
        events[i] = build_event_from_epoch(triggers[i], -1, play, &scripts[i]);
        CHECK_EQ(fj_scheduler_schedule(s_loop, events[i]), 1);
        int k = rand_r(&seed) % (i + 1);
        if (events[k] != NULL && rand_r(&seed) % 3 == 0) {
            CHECK_EQ(fj_scheduler_clear_timed(s_loop, events[k]), 1);
            events[k] = NULL;
        }
    }
    turn();
    int *by_order = calloc(TIMERS + 1, sizeof(int));
    int fired = 0;
    int base = s_order;
    for (int i = 0; i < TIMERS; i++) {
        CHECK_EQ(scripts[i].calls, events[i] != NULL);
        fired += scripts[i].calls;
        base = scripts[i].calls && scripts[i].order < base ? scripts[i].order : base;
    }
    for (int i = 0; i < TIMERS; i++) {
        if (scripts[i].calls) {
            by_order[scripts[i].order - base] = i;
        }
    }
    for (int i = 1; i < fired; i++) {
        CHECK(!timercmp(&triggers[by_order[i]], &triggers[by_order[i - 1]], <));
    }
    free(by_order);
}

static void a_descriptor_may_have_a_time_out(void)
{
    int fds[2];
    struct script script = {.returns = {0}};
    a_socketpair(fds);
    Event *event = build_fd_event(fds[0], E_READ | E_TIMEOUT, 0, play, &script);
    gettimeofday(&event->trigger, NULL);
    event->trigger.tv_sec += 3600;
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    turn_until(&script.calls, 1);
    CHECK_EQ(script.seen[0], E_READ);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    CHECK_EQ(fj_scheduler_stats_get(s_loop, &stats), 1);
    CHECK_EQ(stats.timers, 0); /* with the Event its time-out has gone */
    CHECK_EQ(stats.fds, 0);
    char byte;
    CHECK_EQ(read(fds[0], &byte, 1), 1);
    struct script late = {0};
    event = build_fd_event(fds[0], E_READ | E_TIMEOUT, 0, play, &late);
    gettimeofday(&event->trigger, NULL);
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    turn_until(&late.calls, 1);
    CHECK_EQ(late.seen[0], E_TIMEOUT);
    CHECK(fj_scheduler_get_fd(s_loop, fds[0]) == NULL);
    close(fds[0]);
    close(fds[1]);
}

/* ---- */

int main(void)
{
    RUN(events_are_built_as_asked);
    RUN(what_cannot_be_built_is_said);
    RUN(an_event_reads_writes_and_closes_its_descriptor);
    RUN(an_opset_takes_the_place_of_the_descriptor);
    s_loop = fj_scheduler_create("events", FJ_SCHEDULER_HOST);
    if (s_loop == NULL) {
        fprintf(stderr, "%s\n", fj_last_error());
        return 1;
    }
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
    RUN(timers_fire_in_their_order_and_not_early);
    RUN(timers_of_one_moment_fire_in_the_order_of_their_arming);
    RUN(a_timer_can_be_cleared_once);
    RUN(a_timer_cannot_clear_itself);
    RUN(random_timers_and_clears_keep_their_order);
    RUN(a_descriptor_may_have_a_time_out);
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
    CHECK_EQ(live_events(), 0);
    return check_report();
}
