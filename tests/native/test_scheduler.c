/*
 * test_scheduler.c - schedulers as such: their threads, who drives them, wakes, recurrent functions,
 * callbacks that end their thread, and many threads at once. Scenarios that need a master of their own have a
 * child process each.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "harness.h"

static sem_t s_done;

static fj_scheduler_stats figures_of(ec_scheduler_inst *inst)
{
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    CHECK_EQ(fj_scheduler_stats_get(inst, &stats), 1);
    return stats;
}

static void expect_error(int code, const char *part, int line)
{
    check_numbers(fj_last_error_code(), code, __FILE__, line, "the error");
    if (strstr(fj_last_error(), part) == NULL) {
        check_strings(fj_last_error(), part, __FILE__, line, "the error's text");
    }
}
#define EXPECT_ERROR(code, part) expect_error((code), (part), __LINE__)

static ec_scheduler_inst *new_scheduler(const char *name, int kind)
{
    ec_scheduler_inst *inst = fj_scheduler_create(name, kind);
    if (inst == NULL) {
        fprintf(stderr, "%s\n", fj_last_error());
        exit(1);
    }
    return inst;
}

/* Posts what its closure is. */
static int post_it(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    sem_post(closure);
    return 0;
}

static int count_it(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    add(closure, 1);
    return 0;
}

static Event *soon(EventFunc callback, void *closure)
{
    Event *event = build_event_from_now_f(0, -1, callback, closure);
    if (event == NULL) {
        exit(1);
    }
    return event;
}

static long live_events(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &usage), 1);
    return (long)usage.objects;
}

/* ---- instances ---- */

static void the_master_starts_when_it_is_needed(void)
{
    CHECK_EQ(threads_named("scheduler"), 0);
    ping_scheduler(); /* nothing to ping */
    CHECK_EQ(clear_event_by_fd(0) == NULL, 1);
    EXPECT_ERROR(FJ_ETHREAD, "only the scheduler's thread");
    CHECK(get_event_by_fd(0) == NULL);
    EXPECT_ERROR(FJ_ETHREAD, "only the scheduler's thread");
    Event *event = soon(post_it, &s_done);
    CHECK_EQ(clear_timed_event(event), -1);
    EXPECT_ERROR(FJ_ETHREAD, "only the scheduler's thread");
    CHECK_EQ(figures_of(NULL).iterations, 0);
    CHECK_EQ(threads_named("scheduler"), 0);
    CHECK_EQ(schedule_event(event), 1);
    AWAIT(&s_done);
    CHECK_EQ(threads_named("scheduler"), 1);
    CHECK(figures_of(NULL).iterations > 0);
    CHECK_EQ(figures_of(NULL).callbacks, 1);
    CHECK_EQ(figures_of(NULL).posts, 1);
    CHECK_EQ(clear_timed_event(event), -1); /* from the wrong thread */
    CHECK_EQ(is_scheduler_thread(), 0);

    ec_scheduler_inst *host = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    CHECK_EQ(fj_scheduler_adopt(host), 0);
    EXPECT_ERROR(FJ_EBUSY, "own scheduler thread has started");
    CHECK_EQ(fj_scheduler_destroy(fj_scheduler_master()), 0);
    EXPECT_ERROR(FJ_EBUSY, "master");
    CHECK_EQ(fj_scheduler_destroy(host), 1);
}

static int note_thread(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    *(long *)closure = thread_id();
    CHECK_EQ(is_scheduler_thread(), 1);
    sem_post(&s_done);
    return 0;
}

static void the_masters_thread_has_a_number(void)
{
    long id = 0;
    pid_t pid = get_scheduler_pid();
    CHECK(pid > 0 && pid != getpid());
    CHECK_EQ(schedule_event(soon(note_thread, &id)), 1);
    AWAIT(&s_done);
    CHECK_EQ(id, pid);
    CHECK_EQ(get_scheduler_pid(), pid);
}

static void an_adopted_master_is_the_hosts(void)
{
    long count = 0;
    ec_scheduler_inst *host = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    ec_scheduler_inst *other = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    CHECK_EQ(fj_scheduler_adopt(host), 1);
    CHECK(fj_scheduler_master() == host);
    CHECK_EQ(get_scheduler_pid(), getpid());
    CHECK_EQ(fj_scheduler_adopt(other), 0);
    EXPECT_ERROR(FJ_EBUSY, "adopted before");
    CHECK_EQ(fj_scheduler_adopt(host), 0);
    CHECK_EQ(is_scheduler_thread(), 1); /* between two iterations too */
    CHECK_EQ(schedule_event(soon(count_it, &count)), 1);
    while (get(&count) == 0) {
        CHECK(fj_scheduler_run_once(host, 1000) >= 0);
    }
    CHECK_EQ(threads_named("scheduler"), 0);
}

static void what_is_no_scheduler_is_refused(void)
{
    ec_scheduler_inst *gone = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    ec_scheduler_inst *threaded = new_scheduler("sched-own", FJ_SCHEDULER_THREAD);
    CHECK_EQ(fj_scheduler_destroy(gone), 1);
    long local = 0;
    ec_scheduler_inst *bad[] = {NULL, gone, (ec_scheduler_inst *)&local,
                                (ec_scheduler_inst *)(size_t)0x7fffffff0};
    Event *event = soon(count_it, &local);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    for (int i = 0; i < 4; i++) {
        const char *why = i == 0 ? "is NULL" : "no such scheduler";
#define REFUSED(call, failure)                                                                               \
    do {                                                                                                     \
        CHECK_EQ((long long)(call), (failure));                                                              \
        EXPECT_ERROR(FJ_EINVAL, why);                                                                        \
    } while (0)
        REFUSED(fj_scheduler_schedule(bad[i], event), 0);
        REFUSED(fj_scheduler_dispatch(bad[i], event, E_ASYNC), 0);
        REFUSED((size_t)fj_scheduler_clear_fd(bad[i], 0), 0);
        REFUSED((size_t)fj_scheduler_get_fd(bad[i], 0), 0);
        REFUSED(fj_scheduler_clear_timed(bad[i], event), -1);
        REFUSED(fj_scheduler_ping(bad[i]), 0);
        REFUSED(fj_scheduler_recur(bad[i], (RecurFunc)(void (*)(void))abort, NULL), 0);
        REFUSED(fj_scheduler_adopt(bad[i]), 0);
        REFUSED(fj_scheduler_run(bad[i]), 0);
        REFUSED(fj_scheduler_run_once(bad[i], 0), -1);
        REFUSED(fj_scheduler_stop(bad[i]), 0);
        REFUSED(fj_scheduler_fd(bad[i]), -1);
        REFUSED(fj_scheduler_destroy(bad[i]), 0);
        if (i > 0) {
            REFUSED(fj_scheduler_stats_get(bad[i], &stats), 0);
        }
    }
    CHECK_EQ(fj_scheduler_adopt(threaded), 0);
    EXPECT_ERROR(FJ_EINVAL, "thread of its own");
    CHECK_EQ(fj_scheduler_run(threaded), 0);
    EXPECT_ERROR(FJ_EINVAL, "thread of its own");
    CHECK_EQ(fj_scheduler_run_once(threaded, 0), -1);
    CHECK_EQ(fj_scheduler_stop(threaded), 0);
    CHECK_EQ(fj_scheduler_fd(threaded), -1);
    CHECK(fj_scheduler_create(NULL, 2) == NULL);
    EXPECT_ERROR(FJ_EINVAL, "2 is no kind");
    CHECK_EQ(fj_scheduler_stats_get(threaded, NULL), 0);
    EXPECT_ERROR(FJ_EINVAL, "NULL");
    stats.struct_size--;
    CHECK_EQ(fj_scheduler_stats_get(threaded, &stats), 0);
    EXPECT_ERROR(FJ_EINVAL, "struct_size");
    ec_scheduler_inst *host = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    CHECK_EQ(fj_scheduler_run_once(host, -2), -1);
    EXPECT_ERROR(FJ_EINVAL, "-2 ms");
    CHECK_EQ(fj_scheduler_recur(host, NULL, NULL), 0);
    EXPECT_ERROR(FJ_EINVAL, "function is NULL");
    CHECK_EQ(fj_scheduler_destroy(threaded), 1);
    CHECK_EQ(fj_scheduler_destroy(host), 1);
    event_free(event);
}

static void own_threads_have_their_name_and_end(void)
{
    ec_scheduler_inst *inst = new_scheduler("sched-named", FJ_SCHEDULER_THREAD);
    CHECK_EQ(fj_scheduler_schedule(inst, soon(post_it, &s_done)), 1);
    AWAIT(&s_done);
    CHECK_EQ(threads_named("sched-named"), 1);
    long never = 0;
    CHECK_EQ(fj_scheduler_schedule(inst, build_event_from_now_f(1000, -1, count_it, &never)), 1);
    POLL(figures_of(inst).timers == 1);
    long before = live_events();
    CHECK_EQ(fj_scheduler_destroy(inst), 1);
    CHECK_EQ(live_events(), before - 1); /* freed, and not called */
    CHECK_EQ(get(&never), 0);
    POLL(threads_named("sched-named") == 0);
}

/* ---- who drives ---- */

struct driving {
    ec_scheduler_inst *inst;
    int ran;
};

static int try_to_drive(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct driving *d = closure;
    (void)event;
    (void)eventtype;
    (void)now;
    CHECK_EQ(fj_scheduler_run_once(d->inst, 0), -1);
    EXPECT_ERROR(FJ_EDEADLK, "callback");
    CHECK_EQ(fj_scheduler_run(d->inst), 0);
    CHECK_EQ(fj_scheduler_destroy(d->inst), 0);
    EXPECT_ERROR(FJ_EDEADLK, "callback");
    CHECK_EQ(fj_scheduler_stop(d->inst), 1);
    d->ran++;
    return 0;
}

static void try_to_drive_in_job(ec_async_job *job, void *closure)
{
    (void)job;
    CHECK_EQ(fj_scheduler_run_once(closure, 0), -1);
    EXPECT_ERROR(FJ_EDEADLK, "in a job");
    CHECK_EQ(fj_scheduler_destroy(closure), 0);
    EXPECT_ERROR(FJ_EDEADLK, "in a job");
}

static void *try_to_drive_elsewhere(void *closure)
{
    struct driving *d = closure;
    CHECK_EQ(fj_scheduler_run_once(d->inst, 0), -1);
    EXPECT_ERROR(FJ_EBUSY, "another thread drives");
    CHECK_EQ(fj_scheduler_destroy(d->inst), 0);
    EXPECT_ERROR(FJ_EBUSY, "another thread drives");
    CHECK(fj_scheduler_clear_fd(d->inst, 0) == NULL);
    EXPECT_ERROR(FJ_ETHREAD, "only the scheduler's thread");
    CHECK_EQ(is_scheduler_thread(), 0);
    CHECK_EQ(fj_scheduler_stop(d->inst), 1);
    return NULL;
}

static int let_another_try(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    JOIN(start_thread(try_to_drive_elsewhere, closure));
    return 0;
}

static void one_thread_at_a_time_drives(void)
{
    struct driving d = {.inst = new_scheduler(NULL, FJ_SCHEDULER_HOST)};
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(try_to_drive, &d)), 1);
    CHECK_EQ(fj_scheduler_run(d.inst), 1);
    CHECK_EQ(d.ran, 1);
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(let_another_try, &d)), 1);
    CHECK_EQ(fj_scheduler_run(d.inst), 1);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, try_to_drive_in_job, d.inst, &s_done));
    AWAIT(&s_done);
    job_init(&job, ECTP_CLASS_SHORT_LIVED, try_to_drive_in_job, d.inst);
    QUEUE(&job);
    CHECK_EQ(fj_scheduler_stop(d.inst), 1);
    CHECK_EQ(fj_scheduler_run(d.inst), 1); /* was stopped before: returns at once */
    CHECK_EQ(fj_scheduler_destroy(d.inst), 1);
}

static int is_readable(int fd, int timeout)
{
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, timeout) == 1;
}

static void *schedule_elsewhere(void *closure)
{
    struct driving *d = closure;
    CHECK_EQ(fj_scheduler_schedule(d->inst, soon(post_it, &s_done)), 1);
    return NULL;
}

static void the_descriptor_tells_when_there_is_something_to_do(void)
{
    struct driving d = {.inst = new_scheduler(NULL, FJ_SCHEDULER_HOST)};
    int fd = fj_scheduler_fd(d.inst);
    CHECK(fd >= 0);
    CHECK_EQ(is_readable(fd, 0), 0);
    CHECK_EQ(fj_scheduler_run_once(d.inst, 0), 0);
    CHECK_EQ(fj_scheduler_run_once(d.inst, 1), 0); /* the time-out */

    JOIN(start_thread(schedule_elsewhere, &d)); /* a post */
    CHECK_EQ(is_readable(fd, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(is_readable(fd, 0), 1); /* until it is done */
    while (semaphore_value(&s_done) == 0) {
        CHECK_EQ(is_readable(fd, WAIT_SECONDS * 1000), 1);
        CHECK(fj_scheduler_run_once(d.inst, 0) >= 0);
    }
    AWAIT(&s_done);

    double start = seconds_now();
    CHECK_EQ(fj_scheduler_schedule(d.inst, build_event_from_now_f(0.02, -1, post_it, &s_done)),
             1); /* a time */
    while (fj_scheduler_run_once(d.inst, 0) == 0) {
        CHECK_EQ(is_readable(fd, WAIT_SECONDS * 1000), 1);
    }
    CHECK(seconds_now() - start >= 0.02);
    AWAIT(&s_done);

    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    Event *event = build_fd_event(fds[0], E_READ, 0, post_it, &s_done);
    CHECK_EQ(fj_scheduler_schedule(d.inst, event), 1); /* a descriptor */
    while (fj_scheduler_run_once(d.inst, 0) == 1) {
    }
    CHECK_EQ(is_readable(fd, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(is_readable(fd, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_scheduler_run_once(d.inst, 0), 1);
    AWAIT(&s_done);
    CHECK_EQ(is_readable(fd, 0), 0);
    CHECK_EQ(fj_scheduler_ping(d.inst), 1);
    CHECK_EQ(is_readable(fd, 0), 1);
    CHECK_EQ(fj_scheduler_run_once(d.inst, 0), 0); /* nothing but the ping */
    CHECK_EQ(is_readable(fd, 0), 0);
    CHECK_EQ(fj_scheduler_destroy(d.inst), 1);
    close(fds[0]);
    close(fds[1]);
}

/* ---- recurrent functions, pings ---- */

static int count_iterations(void *closure, struct timeval *now)
{
    CHECK(now->tv_sec > 0);
    CHECK_EQ(is_scheduler_thread(), 1);
    add(closure, 1);
    return 1;
}

static void recurrent_functions_run_once_an_iteration(void)
{
    long count = 0, other = 0;
    ec_scheduler_inst *inst = new_scheduler(NULL, FJ_SCHEDULER_HOST);
    CHECK_EQ(fj_scheduler_recur(inst, count_iterations, &count), 1);
    CHECK_EQ(fj_scheduler_recur(inst, count_iterations, &other), 1);
    while (fj_scheduler_run_once(inst, 0) != 0) {
    }
    long before = get(&count);
    unsigned long long iterations = figures_of(inst).iterations;
    for (int i = 1; i <= 5; i++) {
        CHECK_EQ(fj_scheduler_ping(inst), 1);
        fj_scheduler_run_once(inst, -1);
        CHECK_EQ(get(&count), before + i);
        CHECK_EQ(get(&other), get(&count));
        CHECK_EQ(figures_of(inst).iterations, iterations + (unsigned)i);
    }
    CHECK_EQ(fj_scheduler_destroy(inst), 1);
}

static void the_master_has_recurrent_functions_too(void)
{
    long count = 0;
    scheduler_recurrent_func_add(count_iterations, &count);
    POLL(get(&count) >= 1); /* of itself */
    long before = get(&count);
    ping_scheduler();
    POLL(get(&count) > before);
}

/* ---- wakes ---- */

struct busy {
    struct gate gate;
    long delivered;
};

static int stand_in_callback(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    GATE_PASS(closure);
    return 0;
}

static void count_delivery(ec_async_job *job, void *closure)
{
    (void)job;
    add(closure, 1);
}

static void a_thousand_completions_cost_one_wake(void)
{
    enum { JOBS = 1000 };
    static ec_async_job jobs[JOBS];
    static struct busy busy = {.gate = GATE_CLOSED};
    CHECK_EQ(schedule_event(soon(stand_in_callback, &busy.gate)), 1);
    GATE_AWAIT(&busy.gate, 1);
    unsigned long long before = figures_of(NULL).wakes;
    unsigned long long posts = figures_of(NULL).posts;
    for (int i = 0; i < JOBS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, count_delivery, &busy.delivered);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&jobs[i]);
    }
    POLL(stats_of(ECTP_CLASS_CPU).invocations >= JOBS);
    CHECK_EQ(figures_of(NULL).wakes, before + 1); /* of a thousand posts */
    gate_open(&busy.gate);
    POLL(get(&busy.delivered) == JOBS);
    CHECK_EQ(figures_of(NULL).wakes, before + 1);
    POLL(figures_of(NULL).posts == posts + JOBS);
}

static void an_idle_scheduler_takes_no_time(void)
{
    CHECK_EQ(schedule_event(soon(post_it, &s_done)), 1);
    CHECK_EQ(schedule_event(build_event_from_now_f(1000, -1, post_it, &s_done)), 1);
    AWAIT(&s_done);
    POLL(figures_of(NULL).timers == 1 && thread_sleeps(get_scheduler_pid()));
    unsigned long long iterations = figures_of(NULL).iterations;
    pause_ms(300);
    CHECK_EQ(figures_of(NULL).iterations, iterations); /* it was not even woken */
}

/* ---- callbacks that end their thread ---- */

static int end_thread(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    sem_post(closure);
    pthread_exit(NULL);
}

static int recur_and_end_thread(void *closure, struct timeval *now)
{
    (void)now;
    sem_post(closure);
    pthread_exit(NULL);
}

static void end_thread_in_completion(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(closure);
    pthread_exit(NULL);
}

static void a_thread_that_a_callback_ends_is_replaced(void)
{
    enum { EVENTS = 30 };
    int fds[EVENTS][2];
    long before = live_events();
    ec_scheduler_inst *inst = new_scheduler("sched-mortal", FJ_SCHEDULER_THREAD);
    /* All ready in one batch: what the first leaves undone the next thread does. */
    static struct gate gate = GATE_CLOSED;
    CHECK_EQ(fj_scheduler_schedule(inst, soon(stand_in_callback, &gate)), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < EVENTS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        EventFunc callback = i % 2 == 0 ? end_thread : post_it;
        CHECK_EQ(fj_scheduler_schedule(inst, build_fd_event(fds[i][0], E_WRITE, 0, callback, &s_done)), 1);
        CHECK_EQ(fj_scheduler_schedule(inst, soon(i % 3 == 0 ? end_thread : post_it, &s_done)), 1);
        Event *posted = build_event_from_now_f(1000, -1, i % 5 == 0 ? end_thread : post_it, &s_done);
        CHECK_EQ(fj_scheduler_dispatch(inst, posted, E_ASYNC), 1);
    }
    CHECK_EQ(fj_scheduler_recur(inst, recur_and_end_thread, &s_done), 1);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 3 * EVENTS + 1);
    POLL(live_events() == before);
    ec_async_job jobs[10];
    for (int i = 0; i < 10; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, end_thread_in_completion, &s_done);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
        jobs[i].r.cb.inst = inst;
        QUEUE(&jobs[i]);
    }
    AWAIT_TIMES(&s_done, 10);
    CHECK_EQ(fj_scheduler_schedule(inst, soon(post_it, &s_done)), 1);
    AWAIT(&s_done);
    CHECK_EQ(semaphore_value(&s_done), 0); /* the recurrent function that ended its thread is gone */
    CHECK_EQ(fj_scheduler_destroy(inst), 1);
    for (int i = 0; i < EVENTS; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void *drive_until_the_end(void *closure)
{
    struct driving *d = closure;
    fj_scheduler_run(d->inst);
    CHECK(!"the thread has not ended in the callback");
    return NULL;
}

static void the_hosts_thread_may_end_in_a_callback(void)
{
    struct driving d = {.inst = new_scheduler(NULL, FJ_SCHEDULER_HOST)};
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(end_thread, &s_done)), 1);
    JOIN(start_thread(drive_until_the_end, &d));
    AWAIT(&s_done);
    /* The library hears of it a moment later; then any thread may go on. */
    POLL(fj_scheduler_run_once(d.inst, 0) >= 0);
    CHECK_EQ(fj_scheduler_schedule(d.inst, soon(post_it, &s_done)), 1);
    while (semaphore_value(&s_done) == 0) {
        CHECK(fj_scheduler_run_once(d.inst, 100) >= 0);
    }
    AWAIT(&s_done);
    CHECK_EQ(fj_scheduler_destroy(d.inst), 1);
}

/* ---- many at once ---- */

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

static void without_descriptors_there_is_no_scheduler(void)
{
    struct rlimit limit;
    ec_thread_pool_count(); /* the engine needs some to start */
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(0);
    close(next);
    limit.rlim_cur = (rlim_t)next + 2; /* not enough for one */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(fj_scheduler_create(NULL, FJ_SCHEDULER_HOST) == NULL);
    EXPECT_ERROR(FJ_ENOMEM, "no descriptor");
    ec_async_job job;
    long ran = 0;
    job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, count_delivery, &ran);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK_EQ(ec_queue_async_job(&job), 0);
    EXPECT_ERROR(FJ_ENOMEM, "no descriptor");
    limit.rlim_cur = (rlim_t)next + 20;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    QUEUE(&job); /* what was opened was closed again */
    POLL(get(&ran) == 1);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(the_master_starts_when_it_is_needed)                                                                   \
    X(the_masters_thread_has_a_number)                                                                       \
    X(an_adopted_master_is_the_hosts)                                                                        \
    X(what_is_no_scheduler_is_refused)                                                                       \
    X(own_threads_have_their_name_and_end)                                                                   \
    X(one_thread_at_a_time_drives)                                                                           \
    X(the_descriptor_tells_when_there_is_something_to_do)                                                    \
    X(recurrent_functions_run_once_an_iteration)                                                             \
    X(the_master_has_recurrent_functions_too)                                                                \
    X(a_thousand_completions_cost_one_wake)                                                                  \
    X(an_idle_scheduler_takes_no_time)                                                                       \
    X(a_thread_that_a_callback_ends_is_replaced)                                                             \
    X(the_hosts_thread_may_end_in_a_callback)                                                                \
    X(many_threads_at_the_master)                                                                            \
    X(many_threads_at_a_hosts_scheduler)                                                                     \
    X(schedulers_come_and_go)                                                                                \
    X(without_descriptors_there_is_no_scheduler)
#define SCHEDULER(scenario)                                                                                  \
    static void scheduler_##scenario(void)                                                                   \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
EVERY_SCENARIO(SCHEDULER)

int main(void)
{
    new_semaphore(&s_done, 0);
#define RUN_SCENARIO(scenario) RUN(scheduler_##scenario);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
