/*
 * test_events_timers.c - what a scheduler does with Events of times: their order, clearing, and time-outs of
 * descriptors.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "events.h"

static int differ_clearly(const struct timeval *a, const struct timeval *b)
{
    long long apart = (a->tv_sec - b->tv_sec) * 1000000LL + (a->tv_usec - b->tv_usec);
    return apart >= 5000 || apart <= -5000;
}

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
            if (i % 2 == 0 && !differ_clearly(&triggers[k], &triggers[i]))
                continue; /* a span ends by the steady clock, which is read a little later */
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

int main(void)
{
    create_loop();
    RUN(timers_fire_in_their_order_and_not_early);
    RUN(timers_of_one_moment_fire_in_the_order_of_their_arming);
    RUN(a_timer_can_be_cleared_once);
    RUN(a_timer_cannot_clear_itself);
    RUN(random_timers_and_clears_keep_their_order);
    RUN(a_descriptor_may_have_a_time_out);
    destroy_loop();
    return check_report();
}
