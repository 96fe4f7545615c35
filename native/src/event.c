/*
 * event.c - Events as objects: create, duplicate, free, and their descriptor's reading, writing and closing.
 * Nothing here enters the engine, so all of it works in a forked child too.
 */
#define _GNU_SOURCE
#include "../include/fastjobs/event.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../include/fastjobs/ec_malloc.h"
#include "guard.h"

enum {
    WAITABLE = E_READ | E_WRITE | E_EXCEPTION | E_TIMEOUT,
    /* In Event.unused: */
    SPAN = 1,      /* trigger is a span; SchedulerOps reads it */
    NO_SOCKET = 2, /* a hint: the descriptor may have become another since */
    SECOND = 1000000
};

static Event *build(const char *function, int fd, int mask, EventFunc callback, void *closure)
{
    if (callback == NULL) {
        fj_set_error(FJ_EINVAL, "%s: the callback is NULL", function);
        return NULL;
    }
    Event *event = ec_malloc(MEMTYPE_EVENT); /* sets the error */
    if (event == NULL) {
        return NULL;
    }
    memset(event, 0, sizeof *event);
    event->fd = fd;
    event->mask = mask;
    event->callback = callback;
    event->closure = closure;
    return event;
}

Event *fj_build_fd_event(int fd, int mask, int aggressive, EventFunc callback, void *closure)
{
    if (fd < 0) {
        fj_set_error(FJ_EINVAL, "build_fd_event: %d is no descriptor", fd);
        return NULL;
    }
    if (mask == 0 || (mask & ~WAITABLE) != 0) {
        fj_set_error(FJ_EINVAL, "build_fd_event: the mask 0x%x has nothing to wait for, or an unknown bit",
                     (unsigned)mask);
        return NULL;
    }
    if (aggressive < E_AGGRESSIVE_NONE || aggressive > E_AGGRESSIVE_HIGH) {
        fj_set_error(FJ_EINVAL, "build_fd_event: aggressive is %d, not one of E_AGGRESSIVE_*", aggressive);
        return NULL;
    }
    Event *event = build("build_fd_event", fd, mask, callback, closure);
    if (event != NULL) {
        event->aggressive = aggressive;
    }
    return event;
}

static struct timeval after_now(struct timeval span)
{
    struct timeval now;
    struct timeval sum;
    gettimeofday(&now, NULL);
    timeradd(&now, &span, &sum);
    return sum;
}

Event *fj_build_event(struct timeval when, int whence, int fd, EventFunc callback, void *closure)
{
    const time_t most = (time_t)1 << 52; /* so that no sum and no count of microseconds overflows */
    if (whence != E_FROM_EPOCH && whence != E_FROM_NOW) {
        fj_set_error(FJ_EINVAL, "build_event: whence is %d, not E_FROM_EPOCH or E_FROM_NOW", whence);
        return NULL;
    }
    if (when.tv_usec < 0 || when.tv_usec >= SECOND || when.tv_sec < 0 || when.tv_sec > most) {
        fj_set_error(FJ_EINVAL, "build_event: %lld s %lld us is no time", (long long)when.tv_sec,
                     (long long)when.tv_usec);
        return NULL;
    }
    Event *event = build("build_event", fd, E_TIMEOUT, callback, closure);
    if (event != NULL) {
        event->trigger = whence == E_FROM_NOW ? after_now(when) : when;
        event->unused = whence == E_FROM_NOW ? SPAN : 0;
    }
    return event;
}

Event *fj_build_event_from_now_f(double seconds, int fd, EventFunc callback, void *closure)
{
    if (!(seconds >= 0 && seconds < 4e15)) { /* a NaN is neither */
        fj_set_error(FJ_EINVAL, "build_event_from_now_f: %g seconds is no span", seconds);
        return NULL;
    }
    /* Rounded up, so that it is not over early. */
    time_t whole = (time_t)seconds;
    long micro = (long)((seconds - (double)whole) * SECOND);
    micro += (double)micro / SECOND < seconds - (double)whole;
    struct timeval when = {whole + micro / SECOND, micro % SECOND};
    return fj_build_event(when, E_FROM_NOW, fd, callback, closure);
}

void fj_event_post_dup(Event *dst, Event *src)
{
    (void)src; /* dst is its copy; io_data is shared, as the original does */
    if (dst != NULL) {
        memset(&dst->scheduled_thread, 0, sizeof dst->scheduled_thread);
    }
}

void fj_event_free(Event *event)
{
    static const pthread_t none;
    if (event == NULL) {
        return;
    }
    if (memcmp(&event->scheduled_thread, &none, sizeof none) != 0) {
        fj_set_error(FJ_EBUSY,
                     "event_free: the Event %p (descriptor %d) is scheduled or being called: clear it, or "
                     "return 0 from its callback; a memcpy of one needs event_post_dup; it is kept",
                     (void *)event, event->fd);
        return;
    }
    ec_free(MEMTYPE_EVENT, event);
}

int fj_event_close(Event *event)
{
    if (event->io_opset != NULL && event->io_opset->event_close != NULL) {
        return event->io_opset->event_close(event);
    }
    return close(event->fd);
}

/* What an operation that returned `done` has to wait for, in the form of the original. */
static int finish(ssize_t done, int mask, int *needmask)
{
    if (done < 0 && errno == EWOULDBLOCK) {
        errno = EAGAIN;
    }
    if (needmask != NULL) {
        *needmask = mask;
    }
    return (int)done;
}

static bool has_room(int length)
{
    if (length < 0) {
        errno = EINVAL;
    }
    return length >= 0;
}

/* On a socket recv costs less than read. */
static ssize_t receive(Event *event, char *buffer, size_t length)
{
    if ((event->unused & NO_SOCKET) == 0) {
        ssize_t done = recv(event->fd, buffer, length, 0);
        if (done >= 0 || errno != ENOTSOCK) {
            return done;
        }
        event->unused |= NO_SOCKET;
    }
    return read(event->fd, buffer, length);
}

int fj_event_read(Event *event, char *buffer, int length, int *needmask)
{
    if (event->io_opset != NULL && event->io_opset->event_read != NULL) {
        return event->io_opset->event_read(event, buffer, length, needmask);
    }
    ssize_t done = -1;
    if (has_room(length)) {
        do {
            done = receive(event, buffer, (size_t)length);
        } while (done < 0 && errno == EINTR);
    }
    return finish(done, E_READ, needmask);
}

int fj_event_write(Event *event, const char *buffer, int length, int *needmask)
{
    if (event->io_opset != NULL && event->io_opset->event_write != NULL) {
        return event->io_opset->event_write(event, buffer, length, needmask);
    }
    ssize_t done = -1;
    if (has_room(length)) {
        do {
            done = send(event->fd, buffer, (size_t)length, MSG_NOSIGNAL);
            if (done < 0 && errno == ENOTSOCK) {
                done = write(event->fd, buffer, (size_t)length);
            }
        } while (done < 0 && errno == EINTR);
    }
    return finish(done, E_WRITE, needmask);
}
