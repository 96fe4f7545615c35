/*
 * test_events_objects.c - Events as objects: how they are built, and how they read, write and close, without
 * a scheduler.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>

#include "events.h"

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

int main(void)
{
    RUN(events_are_built_as_asked);
    RUN(what_cannot_be_built_is_said);
    RUN(an_event_reads_writes_and_closes_its_descriptor);
    RUN(an_opset_takes_the_place_of_the_descriptor);
    CHECK_EQ(live_events(), 0);
    return check_report();
}
