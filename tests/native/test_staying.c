/*
 * test_staying.c - descriptors that are called so often that they stay armed (docs/protocols.md#dispatch), in
 * a scheduler with a thread of its own: what a callback does to such a descriptor is not missed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "harness.h"

enum { BUSY = 200 };

static ec_scheduler_inst *s_loop;

struct peer {
    int ends[2]; /* the Event's, the test's */
    long calls;
    long mask; /* of the last call */
    long over;
    int (*then)(struct peer *peer, Event *event); /* in place of an answer, once `acts` is set */
    long acts;
    int copy;
    long other; /* a descriptor, or -1 */
};

static int answer(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct peer *peer = closure;
    (void)now;
    set(&peer->mask, eventtype);
    int again = E_READ;
    if (get(&peer->acts)) {
        again = peer->then(peer, event);
    } else {
        char byte;
        CHECK_EQ(eventtype, E_READ);
        CHECK_EQ(event_read(event, &byte, 1, NULL), 1);
        CHECK_EQ(event_write(event, &byte, 1, NULL), 1);
    }
    add(&peer->calls, 1);
    set(&peer->over, again == 0); /* who sees that it is over sees this call counted */
    return again;
}

static void exchange(int fd)
{
    char byte = 'x';
    CHECK_EQ(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
    CHECK_EQ(recv(fd, &byte, 1, 0), 1);
}

/* A descriptor that has been called again and again. */
static void begin(struct peer *peer, int (*then)(struct peer *, Event *))
{
    *peer = (struct peer){.then = then, .copy = -1, .other = -1};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer->ends), 0);
    Event *event = build_fd_event(peer->ends[0], E_READ, E_AGGRESSIVE_NONE, answer, peer);
    CHECK_EQ(fj_scheduler_schedule(s_loop, event), 1);
    for (int i = 0; i < BUSY; i++) {
        exchange(peer->ends[1]);
    }
    POLL(get(&peer->calls) == BUSY);
    set(&peer->acts, 1);
}

static unsigned long long iterations(void)
{
    fj_scheduler_stats stats = {.struct_size = sizeof stats};
    CHECK_EQ(fj_scheduler_stats_get(s_loop, &stats), 1);
    return stats.iterations;
}

static int rests(void)
{
    unsigned long long before = iterations();
    pause_ms(100);
    return iterations() - before < 20;
}

static int no_descriptor_of_its_own(void)
{
    fj_scheduler_stats stats = {.struct_size = sizeof stats};
    CHECK_EQ(fj_scheduler_stats_get(s_loop, &stats), 1);
    return stats.fds == 0;
}

static int close_and_end(struct peer *peer, Event *event)
{
    (void)peer;
    close(event->fd);
    return 0;
}

/* What a child process would hold is reported for ever to who cannot take it out of the set. */
static void the_copy_of_a_closed_descriptor_is_not_reported(void)
{
    static struct peer peer; /* a callback may be about to end when the test has */
    begin(&peer, close_and_end);
    peer.copy = dup(peer.ends[0]);
    CHECK_EQ(send(peer.ends[1], "more", 4, 0), 4); /* nobody reads it */
    POLL(get(&peer.over));
    POLL(rests());
    CHECK_EQ(get(&peer.calls), BUSY + 1);
    static struct peer next; /* the others are still watched */
    begin(&next, close_and_end);
    CHECK_EQ(send(next.ends[1], "x", 1, 0), 1);
    POLL(get(&next.over));
    close(peer.copy);
    close(peer.ends[1]);
    close(next.ends[1]);
}

static int become_other(struct peer *peer, Event *event)
{
    int other = (int)get(&peer->other);
    if (other >= 0) {
        CHECK_EQ(dup2(other, event->fd), event->fd);
        close(other);
        set(&peer->other, -1);
        return E_READ;
    }
    char byte;
    CHECK_EQ(event_read(event, &byte, 1, NULL), 1);
    CHECK_EQ(byte, 'o');
    close(event->fd);
    return 0;
}

static void a_descriptor_that_becomes_another_is_watched(void)
{
    static struct peer peers[5];
    for (int i = 0; i < 5; i++) {
        struct peer *peer = &peers[i];
        int other[2];
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
        begin(peer, become_other);
        set(&peer->other, other[0]);
        CHECK_EQ(send(peer->ends[1], "x", 1, 0), 1);
        POLL(get(&peer->calls) > BUSY);
        CHECK_EQ(send(other[1], "o", 1, 0), 1);
        POLL(get(&peer->over));
        close(peer->ends[1]);
        close(other[1]);
    }
}

static int read_or_not(struct peer *peer, Event *event)
{
    char byte;
    if (get(&peer->other) >= 0) {
        return become_other(peer, event);
    }
    if (event_read(event, &byte, 1, NULL) != 1) {
        CHECK_EQ(errno, EAGAIN);
        return E_READ;
    }
    close(event->fd);
    return 0;
}

/* The same while the old one lives on, readable: its reports come under the other's name, for a while. */
static void one_that_becomes_another_loses_its_old_self(void)
{
    static struct peer peer; /* a callback may be about to end when the test has */
    int other[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
    begin(&peer, read_or_not);
    set(&peer.other, other[0]);
    peer.copy = dup(peer.ends[0]);
    CHECK_EQ(send(peer.ends[1], "x", 1, 0), 1);
    POLL(get(&peer.calls) > BUSY);
    POLL(rests());
    CHECK_EQ(get(&peer.over), 0);
    CHECK_EQ(send(other[1], "o", 1, 0), 1);
    POLL(get(&peer.over));
    close(peer.copy);
    close(peer.ends[1]);
    close(other[1]);
}

static int close_and_go_on(struct peer *peer, Event *event)
{
    if (get(&peer->mask) != E_EXCEPTION) {
        close(event->fd);
    }
    return E_READ;
}

static void a_closed_descriptor_ends_its_event(void)
{
    static struct peer peer; /* a callback may be about to end when the test has */
    begin(&peer, close_and_go_on);
    CHECK_EQ(send(peer.ends[1], "x", 1, 0), 1);
    POLL(get(&peer.mask) == E_EXCEPTION);
    POLL(no_descriptor_of_its_own());
    close(peer.ends[1]);
}

static int wait_to_write(struct peer *peer, Event *event)
{
    if (get(&peer->mask) == E_READ) {
        return E_WRITE; /* although there is more to read */
    }
    close(event->fd);
    return 0;
}

static void one_that_stays_may_wait_for_something_else(void)
{
    static struct peer peer; /* a callback may be about to end when the test has */
    begin(&peer, wait_to_write);
    CHECK_EQ(send(peer.ends[1], "x", 1, 0), 1);
    POLL(get(&peer.over));
    CHECK_EQ(get(&peer.mask), E_WRITE);
    close(peer.ends[1]);
}

static void one_that_rests_is_called_again(void)
{
    static struct peer peer; /* a callback may be about to end when the test has */
    begin(&peer, close_and_end);
    set(&peer.acts, 0);
    for (int i = 0; i < 10; i++) {
        POLL(rests()); /* it is armed for one report again */
        exchange(peer.ends[1]);
    }
    POLL(get(&peer.calls) == BUSY + 10);
    set(&peer.acts, 1);
    CHECK_EQ(send(peer.ends[1], "x", 1, 0), 1);
    POLL(get(&peer.over));
    close(peer.ends[1]);
}

int main(void)
{
    s_loop = fj_scheduler_create("staying", FJ_SCHEDULER_THREAD);
    if (!CHECK(s_loop != NULL)) {
        fprintf(stderr, "%s\n", fj_last_error());
        return 1;
    }
    RUN(the_copy_of_a_closed_descriptor_is_not_reported);
    RUN(a_descriptor_that_becomes_another_is_watched);
    RUN(one_that_becomes_another_loses_its_old_self);
    RUN(a_closed_descriptor_ends_its_event);
    RUN(one_that_stays_may_wait_for_something_else);
    RUN(one_that_rests_is_called_again);
    POLL(no_descriptor_of_its_own());
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
    return check_report();
}
