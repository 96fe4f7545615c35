/*
 * host_loop.h - a program with an event loop of its own, whichever: what the tests in a plain epoll loop, in
 * libuv and in libevent have in common. The scheduler is the host's and the master; the host's loop watches
 * its descriptor and calls work_arrived() when it is readable, until all_done().
 *
 * The work: clients that each send lines through a socket, a connection that suspends itself for each line
 * while a job looks at it, and jobs that complete by callback and by Event. All callbacks run in the host's
 * thread.
 */
#ifndef FASTJOBS_TESTS_HOST_LOOP_H
#define FASTJOBS_TESTS_HOST_LOOP_H

#include "event.h"

#include <sys/socket.h>

#include "harness.h"

enum { CLIENTS = 20, LINES = 25, CALLBACK_JOBS = 200 };

static ec_scheduler_inst *host_scheduler;
static pthread_t host_thread;
static int host_lines, host_closed, host_callbacks, host_ticks;

struct host_connection {
    ec_async_job job;
    char line[32];
    int length;
    long sum; /* what the job found */
};

static ec_async_job host_jobs[CALLBACK_JOBS];
static struct host_connection host_connections[CLIENTS];

static void host_check_thread(void)
{
    CHECK(pthread_equal(pthread_self(), host_thread));
    CHECK_EQ(is_scheduler_thread(), 1);
}

static void host_sum(ec_async_job *job, void *closure)
{
    struct host_connection *c = closure;
    (void)job;
    c->sum = 0;
    for (int i = 0; i < c->length; i++) {
        c->sum += c->line[i];
    }
}

static int host_serve(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct host_connection *c = closure;
    int need = 0;
    (void)now;
    host_check_thread();
    if (eventtype & E_ASYNC) { /* the job is done: answer */
        long sum = 0;
        for (int i = 0; i < c->length; i++) {
            sum += c->line[i];
        }
        CHECK_EQ(c->sum, sum);
        CHECK_EQ(event_write(event, c->line, c->length, &need), c->length);
        host_lines++;
        return E_READ;
    }
    c->length = event_read(event, c->line, (int)sizeof(c->line), &need);
    if (c->length < 0 && errno == EAGAIN) {
        return need;
    }
    if (c->length <= 0) {
        event_close(event);
        host_closed++;
        return 0;
    }
    Event *copy = ec_malloc(MEMTYPE_EVENT);
    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, event, sizeof(*event));
    event_post_dup(copy, event);
    job_init(&c->job, ECTP_CLASS_CPU, host_sum, c);
    ec_async_wake_event(&c->job, copy, E_ASYNC);
    QUEUE(&c->job);
    return 0;
}

static void host_callback(ec_async_job *job, void *closure)
{
    (void)job;
    host_check_thread();
    *(int *)closure += 1;
}

static int host_tick(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)closure;
    (void)now;
    host_check_thread();
    CHECK_EQ(eventtype, E_TIMEOUT);
    if (++host_ticks < 10) {
        CHECK_EQ(schedule_event(build_event_from_now_f(0.001, -1, host_tick, NULL)), 1);
    }
    return 0;
}

static void *host_client(void *closure)
{
    int fd = *(int *)closure;
    for (int i = 0; i < LINES; i++) {
        char line[32];
        char answer[32];
        int length = snprintf(line, sizeof(line), "line %d of %d\n", i, fd);
        CHECK_EQ(send(fd, line, (size_t)length, 0), length);
        CHECK_EQ(recv(fd, answer, sizeof(answer), 0), length);
        CHECK(memcmp(line, answer, (size_t)length) == 0);
    }
    close(fd);
    return NULL;
}

static int host_fds[CLIENTS][2];
static pthread_t host_clients[CLIENTS];

/* Returns the descriptor to watch. */
static int host_start(void)
{
    host_thread = pthread_self();
    host_scheduler = fj_scheduler_create(NULL, FJ_SCHEDULER_HOST);
    if (!CHECK(host_scheduler != NULL) || !CHECK_EQ(fj_scheduler_adopt(host_scheduler), 1)) {
        exit(1);
    }
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, host_fds[i]), 0);
        fcntl(host_fds[i][0], F_SETFL, O_NONBLOCK);
        CHECK_EQ(schedule_event(build_fd_event(host_fds[i][0], E_READ, 0, host_serve, &host_connections[i])),
                 1);
        host_clients[i] = start_thread(host_client, &host_fds[i][1]);
    }
    for (int i = 0; i < CALLBACK_JOBS; i++) {
        job_with_callback(&host_jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, host_callback, &host_callbacks);
        host_jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&host_jobs[i]);
    }
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, host_tick, NULL)), 1);
    return fj_scheduler_fd(host_scheduler);
}

static void work_arrived(void)
{
    CHECK(fj_scheduler_run_once(host_scheduler, 0) >= 0);
}

static int all_done(void)
{
    return host_closed == CLIENTS && host_callbacks == CALLBACK_JOBS && host_ticks == 10;
}

static void host_end(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        JOIN(host_clients[i]);
    }
    CHECK_EQ(host_lines, CLIENTS * LINES);
    CHECK_EQ(threads_named("scheduler"), 0);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &usage), 1);
    CHECK_EQ(usage.objects, 0);
}

#endif
