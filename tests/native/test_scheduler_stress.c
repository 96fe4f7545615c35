/*
 * test_scheduler_stress.c - many threads at one scheduler, and many schedulers that come and go.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/socket.h>

#include "schedulers.h"

enum { STORM_THREADS = 4, STORM_PAIRS = 8 };

struct storm {
    ec_scheduler_inst *inst;
    int events; /* a thread */
    long dispatched, timed, cleared, failed, sent, received;
    int pairs[STORM_PAIRS][2];
};

static int storm_dispatched(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct storm *s = closure;
    (void)event;
    (void)now;
    if (eventtype == E_EXCEPTION) {
        add(&s->failed, 1);
    } else {
        add(&s->dispatched, 1);
    }
    return 0;
}

static int storm_timed(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct storm *s = closure;
    (void)event;
    (void)now;
    CHECK_EQ(eventtype, E_TIMEOUT);
    add(&s->timed, 1);
    return 0;
}

/* Arms a timer and clears it, as a time-out of a connection. */
static int storm_clears(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct storm *s = closure;
    (void)event;
    (void)eventtype;
    (void)now;
    Event *timer = build_event_from_now_f(0.001, -1, storm_timed, s);
    if (CHECK_EQ(schedule_event(timer), 1) && CHECK_EQ(clear_timed_event(timer), 1)) {
        add(&s->cleared, 1);
    }
    return 0;
}

static int storm_reads(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct storm *s = closure;
    char bytes[64];
    int need = 0, done;
    (void)eventtype;
    (void)now;
    while ((done = event_read(event, bytes, sizeof(bytes), &need)) > 0) {
        add(&s->received, done);
    }
    return done < 0 && errno == EAGAIN ? need : 0;
}

static void *storm_thread(void *closure)
{
    struct storm *s = closure;
    unsigned seed = (unsigned)thread_id();
    for (int i = 0; i < s->events; i++) {
        int what = rand_r(&seed) % 4;
        Event *event = build_event_from_now_f(what == 1 ? (rand_r(&seed) % 5) / 1000.0 : 1000, -1,
                                              what == 0   ? storm_dispatched
                                              : what == 1 ? storm_timed
                                                          : storm_clears,
                                              s);
        if (what == 1) {
            CHECK_EQ(fj_scheduler_schedule(s->inst, event), 1);
        } else {
            CHECK_EQ(fj_scheduler_dispatch(s->inst, event, E_ASYNC), 1);
        }
        int *pair = s->pairs[rand_r(&seed) % STORM_PAIRS];
        if (send(pair[1], "x", 1, MSG_DONTWAIT) == 1) {
            add(&s->sent, 1);
        }
        if (i % 64 == 0) {
            fj_scheduler_ping(s->inst);
            figures_of(s->inst);
        }
    }
    return NULL;
}

static void weather(ec_scheduler_inst *inst)
{
    static struct storm s;
    memset(&s, 0, sizeof(s));
    s.inst = inst;
    s.events = many(20000);
    pthread_t threads[STORM_THREADS];
    long before = live_events();
    for (int i = 0; i < STORM_PAIRS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s.pairs[i]), 0);
        Event *event = build_fd_event(s.pairs[i][0], E_READ, i % 4, storm_reads, &s);
        CHECK_EQ(fj_scheduler_schedule(inst, event), 1);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        threads[i] = start_thread(storm_thread, &s);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        JOIN(threads[i]);
    }
    long all = (long)STORM_THREADS * s.events;
    POLL(get(&s.dispatched) + get(&s.timed) + get(&s.cleared) == all && get(&s.received) == get(&s.sent));
    CHECK_EQ(get(&s.failed), 0);
    for (int i = 0; i < STORM_PAIRS; i++) {
        shutdown(s.pairs[i][1], SHUT_WR); /* the readers end, and their Events */
    }
    POLL(live_events() == before);
    for (int i = 0; i < STORM_PAIRS; i++) {
        close(s.pairs[i][0]);
        close(s.pairs[i][1]);
    }
}

static void many_threads_at_the_master(void)
{
    weather(fj_scheduler_master());
}

static ec_scheduler_inst *s_host;

static void *drive(void *closure)
{
    if (!CHECK_EQ(fj_scheduler_run(s_host), 1)) {
        fprintf(stderr, "fj_scheduler_run: %s\n", fj_last_error());
    }
    return closure;
}

static void many_threads_at_a_hosts_scheduler(void)
{
    s_host = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    pthread_t driver = start_thread(drive, NULL);
    weather(s_host);
    fj_scheduler_stop(s_host);
    JOIN(driver);
    CHECK_EQ(fj_scheduler_destroy(s_host), 1);
}

static void *create_and_destroy(void *closure)
{
    for (int i = 0; i < many(100); i++) {
        long ran = 0;
        ec_async_job job;
        ec_scheduler_inst *inst = new_scheduler("sched-brief", i % 2);
        job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, count_delivery, &ran);
        job.completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
        job.r.cb.inst = inst;
        QUEUE(&job);
        CHECK_EQ(fj_scheduler_schedule(inst, build_event_from_now_f(1000, -1, count_it, &ran)), 1);
        CHECK_EQ(fj_scheduler_destroy(inst), 1); /* the job may be queued, run, or be on its way */
        POLL(get(&ran) == 1);
    }
    return closure;
}

static void schedulers_come_and_go(void)
{
    pthread_t threads[3];
    long before = live_events();
    for (int i = 0; i < 3; i++) {
        threads[i] = start_thread(create_and_destroy, NULL);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
    }
    CHECK_EQ(live_events(), before);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(many_threads_at_the_master)                                                                            \
    X(many_threads_at_a_hosts_scheduler)                                                                     \
    X(schedulers_come_and_go)
EVERY_SCENARIO(SCHEDULER)

int main(void)
{
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
