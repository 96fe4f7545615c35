/*
 * test_scheduler_drive.c - schedulers as such: the master and others, their threads, and who drives them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "schedulers.h"

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

/* ---- who drives ---- */

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

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(the_master_starts_when_it_is_needed)                                                                   \
    X(the_masters_thread_has_a_number)                                                                       \
    X(an_adopted_master_is_the_hosts)                                                                        \
    X(what_is_no_scheduler_is_refused)                                                                       \
    X(own_threads_have_their_name_and_end)                                                                   \
    X(one_thread_at_a_time_drives)                                                                           \
    X(the_descriptor_tells_when_there_is_something_to_do)                                                    \
    X(without_descriptors_there_is_no_scheduler)
EVERY_SCENARIO(SCHEDULER)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
