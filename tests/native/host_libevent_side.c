/*
 * host_libevent_side.c - the half that includes libevent's headers and calls libevent's event_free. It
 * includes ours as well, without the names that both have.
 */
#define FJ_NO_UNPREFIXED_NAMES
#include "event.h"

#include "host_libevent.h"

#include <event2/event.h>
#include <stddef.h>

struct side {
    struct event_base *base;
    void (*ready)(void);
    int (*done)(void);
    int ticks;
};

static void on_ready(evutil_socket_t fd, short what, void *closure)
{
    struct side *side = closure;
    (void)fd;
    (void)what;
    side->ready();
    if (side->done() && side->ticks >= 3) {
        event_base_loopbreak(side->base);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *closure)
{
    struct side *side = closure;
    (void)fd;
    (void)what;
    side->ticks++;
    if (side->done() && side->ticks >= 3) {
        event_base_loopbreak(side->base);
    }
}

int libevent_loop(int fd, void (*ready)(void), int (*done)(void))
{
    struct side side = {event_base_new(), ready, done, 0};
    struct timeval each = {0, 1000};
    if (side.base == NULL) {
        return -1;
    }
    struct event *watch = event_new(side.base, fd, EV_READ | EV_PERSIST, on_ready, &side);
    struct event *ticks = event_new(side.base, -1, EV_PERSIST, on_tick, &side);
    if (watch == NULL || ticks == NULL || event_add(watch, NULL) != 0 || event_add(ticks, &each) != 0) {
        return -1;
    }
    event_base_dispatch(side.base);
    event_free(watch); /* which takes it out of the base, as only libevent's does */
    event_free(ticks);
    fj_event_free(NULL); /* ours */
    int left = event_base_get_num_events(side.base, EVENT_BASE_COUNT_ADDED);
    event_base_free(side.base);
    return left == 0 ? side.ticks : -1;
}
