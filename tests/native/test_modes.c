/*
 * test_modes.c - the completions that go through a scheduler: EVENT, MODULE and the _INST modes, in
 * schedulers of the library's and of the host's; and shutdowns of a host that drives its own. Each scenario
 * has a child process of its own, because a process has one master.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event.h"

#include <sys/socket.h>

#include "harness.h"

static sem_t s_done;
static long s_ran;
static ec_scheduler_inst *s_loop;

static void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

/* What an Event's callback is told. */
struct told {
    int calls;
    int mask;
    int returns;
    pthread_t thread;
    Event *event;
};

static int tell(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct told *told = closure;
    comes_after(told); /* what came before the write that it is told of */
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK(now->tv_sec > 0);
    told->calls++;
    told->mask = eventtype;
    told->thread = pthread_self();
    told->event = event;
    int returns = told->returns;
    told->returns = 0;
    sem_post(&s_done);
    return returns;
}

static Event *waiting_event(int fd, struct told *told)
{
    Event *event = build_fd_event(fd, E_READ, 0, tell, told);
    if (event == NULL) {
        exit(1);
    }
    return event;
}

static void a_socketpair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        exit(1);
    }
}

static long live(int memtype)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return (long)usage.objects;
}

static void a_host_scheduler(void)
{
    s_loop = fj_scheduler_create(NULL, FJ_SCHEDULER_HOST);
    if (s_loop == NULL) {
        exit(1);
    }
}

static void run_until(const int *calls, int wanted)
{
    double end = seconds_now() + WAIT_SECONDS;
    while (*calls < wanted) {
        if (fj_scheduler_run_once(s_loop, 100) < 0 || seconds_now() > end) {
            wait_failed(__FILE__, __LINE__, "a completion in the host's scheduler");
        }
    }
}

static void poll_events_are_gone(void)
{
    POLL(live(MEMTYPE_EVENT) == 0); /* the callback has been called; then its Event is freed */
}

/* ---- EVENT ---- */

static void wake_event_sets_the_completion(void)
{
    ec_async_job job;
    Event event;
    memset(&job, 0xff, sizeof(job));
    ec_async_wake_event(&job, &event, E_READ | E_WRITE);
    CHECK_EQ(job.completion, ECTP_COMPLETE_EVENT);
    CHECK(job.r.e.event == &event && job.r.e.ctx == NULL && job.r.e.inst == NULL);
    CHECK_EQ(job.r.e.mask, E_READ | E_WRITE);
    ec_async_wake_validation_module(&job, (validate_context *)&job);
    CHECK_EQ(job.completion, ECTP_COMPLETE_MODULE);
    CHECK(job.r.e.ctx == (validate_context *)&job && job.r.e.event == NULL);
    ec_async_wake_event(NULL, &event, 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    ec_async_wake_validation_module(NULL, NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
}

static void event_goes_to_the_master(void)
{
    int fds[2];
    struct told told = {.returns = E_READ};
    ec_async_job job;
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), E_READ | E_WRITE);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 1); /* after the worker */
    CHECK_EQ(told.mask, E_READ | E_WRITE);
    CHECK(!pthread_equal(told.thread, pthread_self()));
    comes_before(&told);
    CHECK_EQ(write(fds[1], "x", 1), 1); /* armed by what the callback returned */
    AWAIT(&s_done);
    CHECK_EQ(told.calls, 2);
    CHECK_EQ(told.mask, E_READ);
    poll_events_are_gone();
    close(fds[0]);
    close(fds[1]);
}

static void event_with_no_mask_is_armed_only(void)
{
    int fds[2];
    struct told told = {0};
    ec_async_job job;
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), 0);
    QUEUE(&job);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    POLL(fj_scheduler_stats_get(NULL, &stats) && stats.fds == 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    AWAIT(&s_done);
    CHECK_EQ(told.calls, 1);
    CHECK_EQ(told.mask, E_READ);
    poll_events_are_gone();
}

static void event_frees_the_job_afterwards(void)
{
    int fds[2];
    struct told told = {0};
    a_socketpair(fds);
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    CHECK_OR_RETURN(job != NULL);
    job_init(job, ECTP_CLASS_CPU, do_nothing, NULL);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    ec_async_wake_event(job, waiting_event(fds[0], &told), E_ASYNC);
    QUEUE(job);
    AWAIT(&s_done);
    POLL(live(MEMTYPE_EC_ASYNC_JOB) == 0);
    poll_events_are_gone();
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
}

static void event_inst_goes_to_its_scheduler(void)
{
    int fds[2];
    struct told told = {.returns = E_WRITE};
    ec_async_job job;
    a_host_scheduler();
    a_socketpair(fds);
    job_init(&job, ECTP_CLASS_CPU, count, NULL);
    job.completion = ECTP_COMPLETE_EVENT_INST;
    job.r.e.event = waiting_event(fds[0], &told);
    job.r.e.mask = E_ASYNC;
    job.r.e.inst = s_loop;
    QUEUE(&job);
    run_until(&told.calls, 2);
    CHECK_EQ(told.mask, E_WRITE);
    CHECK(pthread_equal(told.thread, pthread_self()));
    CHECK_EQ(live(MEMTYPE_EVENT), 0);

    ec_scheduler_inst *threaded = fj_scheduler_create("modes-own", FJ_SCHEDULER_THREAD);
    struct told there = {0};
    job.r.e.event = waiting_event(fds[0], &there);
    job.r.e.inst = threaded;
    AWAIT_TIMES(&s_done, 2);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK(!pthread_equal(there.thread, pthread_self()));
    CHECK_EQ(threads_named("modes-own"), 1);
    CHECK_EQ(threads_named("scheduler"), 0); /* nothing needed the master */
    CHECK_EQ(fj_scheduler_destroy(threaded), 1);
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
}

/* A worker that decides where to go on. */
static void wake_from_worker(ec_async_job *job, void *event)
{
    ec_async_wake_event(job, event, E_ASYNC);
}

static void a_worker_may_choose_its_event(void)
{
    int fds[2];
    struct told told = {0};
    ec_async_job job;
    a_socketpair(fds);
    job_with_callback(&job, ECTP_CLASS_CPU, wake_from_worker, waiting_event(fds[0], &told), count, NULL);
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(told.mask, E_ASYNC);
    CHECK_EQ(get(&s_ran), 0);
}

/* ---- the suspended connection ---- */

struct connection {
    ec_async_job job;
    int job_class;
    int steps;
    int clears; /* before it queues its job, as some sources do */
    int seen[8];
};

static int suspend(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct connection *connection = closure;
    (void)now;
    connection->seen[connection->steps++] = eventtype;
    if (connection->steps % 2 == 0) {
        sem_post(&s_done);
        return connection->steps == 4 ? 0 : E_WRITE;
    }
    Event *copy = ec_malloc(MEMTYPE_EVENT);
    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, event, sizeof(*event));
    event_post_dup(copy, event);
    if (connection->clears) {
        CHECK(clear_event_by_fd(event->fd) == event);
    }
    job_init(&connection->job, connection->job_class, count, NULL);
    ec_async_wake_event(&connection->job, copy, E_READ | E_WRITE);
    CHECK_EQ(ec_queue_async_job(&connection->job), 1); /* it may have completed before this returns */
    return 0;
}

static void a_suspended_connection_goes_on(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE, ECTP_CLASS_IO};
    for (int round = 0; round < many(200); round++) {
        int fds[2];
        static struct connection connection;
        memset(&connection, 0, sizeof(connection));
        connection.job_class = classes[round % 4];
        connection.clears = round / 4 % 2;
        a_socketpair(fds);
        CHECK_EQ(schedule_event(build_fd_event(fds[0], E_WRITE, 0, suspend, &connection)), 1);
        AWAIT_TIMES(&s_done, 2);
        CHECK_EQ(connection.steps, 4);
        CHECK_EQ(connection.seen[0], E_WRITE);
        CHECK_EQ(connection.seen[1], E_READ | E_WRITE);
        CHECK_EQ(connection.seen[2], E_WRITE);
        poll_events_are_gone();
        close(fds[0]);
        close(fds[1]);
    }
}

/* ---- CALLBACK_SCHED_INST ---- */

struct callback {
    ec_async_job job;
    int calls;
    pthread_t thread;
};

static void in_scheduler(ec_async_job *job, void *closure)
{
    struct callback *callback = closure;
    CHECK(job == &callback->job);
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    callback->calls++;
    callback->thread = pthread_self();
    sem_post(&s_done);
}

static void callback_sched_inst_calls_there(void)
{
    struct callback c = {.calls = 0};
    a_host_scheduler();
    job_with_callback(&c.job, ECTP_CLASS_CPU, count, NULL, in_scheduler, &c);
    c.job.completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
    c.job.r.cb.inst = s_loop;
    QUEUE(&c.job);
    run_until(&c.calls, 1);
    CHECK(pthread_equal(c.thread, pthread_self()));
    c.job.r.cb.inst = fj_scheduler_master(); /* the master is an instance as well */
    CHECK(c.job.r.cb.inst != NULL && c.job.r.cb.inst != s_loop);
    CHECK(fj_scheduler_master() == c.job.r.cb.inst);
    AWAIT(&s_done);
    QUEUE(&c.job);
    AWAIT(&s_done);
    CHECK_EQ(c.calls, 2);
    CHECK(!pthread_equal(c.thread, pthread_self()));
}

static int note(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct told *told = closure;
    (void)now;
    told->event = event;
    told->mask = eventtype;
    told->calls++;
    return E_READ; /* to no avail */
}

static void a_tail_may_come_after_its_scheduler_has_gone(void)
{
    int fds[2];
    static struct told told;
    a_host_scheduler();
    a_socketpair(fds);
    ec_async_job jobs[2];
    job_with_callback(&jobs[0], ECTP_CLASS_SHORT_LIVED, do_nothing, NULL, count, NULL);
    jobs[0].completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
    jobs[0].r.cb.inst = s_loop;
    job_init(&jobs[1], ECTP_CLASS_SHORT_LIVED, do_nothing, NULL);
    jobs[1].completion = ECTP_COMPLETE_EVENT_INST;
    jobs[1].r.e.event = build_event_from_now_f(1000, -1, note, &told);
    jobs[1].r.e.mask = E_ASYNC;
    jobs[1].r.e.inst = s_loop;
    jobs[0].skip_completion = jobs[1].skip_completion = 1;
    QUEUE(&jobs[0]);
    QUEUE(&jobs[1]);
    CHECK_EQ(fj_scheduler_destroy(s_loop), 1);
    ec_async_complete_tail(&jobs[0]);
    CHECK_EQ(get(&s_ran), 1); /* in this thread */
    ec_async_complete_tail(&jobs[1]);
    CHECK_EQ(told.calls, 1);
    CHECK_EQ(told.mask, E_EXCEPTION); /* no scheduler takes it: it ends here */
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
}

/* ---- MODULE ---- */

struct module {
    validate_context *ctx;
    ec_async_job job;
    int resumed;
    int requeues;
    pthread_t thread;
};

static void resume(validate_context *ctx, ec_async_job *job, void *closure)
{
    struct module *module = closure;
    CHECK(ctx == module->ctx && job == &module->job);
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK_EQ(fj_validate_context_is_suspended(ctx), 0);
    module->resumed++;
    module->thread = pthread_self();
    if (module->requeues-- > 0) {
        CHECK_EQ(ec_queue_async_job(job), 1);
    } else {
        sem_post(&s_done);
    }
}

static void module_suspends_and_resumes(void)
{
    struct module module = {.requeues = 3};
    struct gate gate = GATE_CLOSED;
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    CHECK_OR_RETURN(module.ctx != NULL);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
    job_init(&module.job, ECTP_CLASS_CPU, stand_at_gate, &gate);
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 1);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    ec_async_job other;
    job_init(&other, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_validation_module(&other, module.ctx);
    CHECK_EQ(ec_queue_async_job(&other), 0); /* one job at a time */
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    CHECK(strstr(fj_last_error(), "suspended") != NULL);
    gate_open(&gate);
    AWAIT(&s_done);
    CHECK_EQ(module.resumed, 4);
    CHECK(!pthread_equal(module.thread, pthread_self()));
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 1);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), -1);
    CHECK(fj_validate_context_create(NULL, NULL, NULL) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK(fj_validate_context_create(resume, NULL, (ec_scheduler_inst *)&other) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
}

static void module_resumes_in_its_scheduler(void)
{
    struct module module = {0};
    a_host_scheduler();
    module.ctx = fj_validate_context_create(resume, &module, s_loop);
    job_init(&module.job, ECTP_CLASS_CPU, do_nothing, NULL);
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    run_until(&module.resumed, 1);
    CHECK(pthread_equal(module.thread, pthread_self()));
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 1);
}

static void open_the_gate(ec_async_job *job, void *gate)
{
    (void)job;
    gate_open(gate);
}

static void a_refused_or_discarded_job_leaves_its_module(void)
{
    struct module module = {0};
    struct gate gate = GATE_CLOSED;
    int pool = new_pool("modes.one", 1);
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    ec_async_job blocker;
    job_init(&blocker, pool, stand_at_gate, &gate);
    QUEUE(&blocker);
    GATE_AWAIT(&gate, 1);
    job_init(&module.job, pool, count, NULL);
    module.job.skip_on_shutdown = 1;
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    /* Only the shutdown starts the deferred pool, whose job opens the gate. */
    int deferred = new_pool("modes.deferred", 1);
    ec_thread_pool_defer_spawn(deferred, 1);
    ec_async_job opener;
    job_init(&opener, deferred, open_the_gate, &gate);
    QUEUE(&opener);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(module.resumed, 0);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
    module.job.skip_on_shutdown = 0;
    CHECK_EQ(ec_queue_async_job(&module.job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
}

static void checks_know_these_modes_too(void)
{
    setenv("FASTJOBS_CHECK", "1", 1);
    struct module module = {.requeues = 1};
    struct gate gate = GATE_CLOSED;
    int fds[2];
    struct told told = {0};
    a_socketpair(fds);
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, stand_at_gate, &gate);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), E_ASYNC);
    QUEUE(&job);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    gate_open(&gate);
    AWAIT(&s_done);
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    job_init(&module.job, ECTP_CLASS_CPU, do_nothing, NULL);
    ec_async_wake_validation_module(&module.job, module.ctx);
    ec_async_job other = module.job;
    QUEUE(&module.job);
    AWAIT(&s_done);
    module.requeues = 0;
    module.job = other;
    QUEUE(&module.job); /* the refused and the completed are both the caller's again */
    AWAIT(&s_done);
}

/* ---- shutdown with a host's scheduler ---- */

enum { PENDING = 20 };

static void queue_pending(struct callback *callbacks, int completion)
{
    for (int i = 0; i < PENDING; i++) {
        struct callback *c = &callbacks[i];
        job_with_callback(&c->job, ECTP_CLASS_CPU, count, NULL, in_scheduler, c);
        memcpy(&c->job.completion, &completion, sizeof(completion));
        if (completion == ECTP_COMPLETE_CALLBACK_SCHED_INST) {
            c->job.r.cb.inst = s_loop;
        }
        QUEUE(&c->job);
    }
}

/* The host's thread does not run the scheduler any more: the shutdown delivers. */
static void shutdown_in_the_hosts_thread_delivers(void)
{
    static struct callback pending[PENDING], more[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK(fj_scheduler_master() == s_loop);
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    queue_pending(more, ECTP_COMPLETE_CALLBACK_SCHED_INST);
    POLL(get(&s_ran) == 2 * PENDING);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
        CHECK_EQ(more[i].calls, 1);
        CHECK(pthread_equal(pending[i].thread, pthread_self()));
    }
    CHECK_EQ(fj_is_scheduler_thread(), 1); /* the scheduler is the host's and works on */
    struct told told = {0};
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, tell, &told)), 1);
    run_until(&told.calls, 1);
}

static int shut_down_in_callback(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    struct callback *pending = closure;
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
    }
    add(&s_ran, 1000);
    return 0;
}

static void shutdown_in_a_callback_of_the_host(void)
{
    static struct callback pending[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, shut_down_in_callback, pending)), 1);
    double end = seconds_now() + WAIT_SECONDS;
    while (get(&s_ran) < 1000 && seconds_now() < end) {
        fj_scheduler_run_once(s_loop, 100);
    }
    CHECK_EQ(get(&s_ran), 1000 + PENDING);
}

/* An Event of the library's own scheduler ends everything: no job is in flight but those that it has queued.
 */
static void shutdown_in_a_callback_of_the_master(void)
{
    static struct callback pending[PENDING];
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, shut_down_in_callback, pending)), 1);
    POLL(get(&s_ran) == 1000 + PENDING);
}

static int shut_down_when_done(Event *event, int eventtype, void *closure, struct timeval *now)
{
    CHECK_EQ(eventtype, E_ASYNC);
    return shut_down_in_callback(event, eventtype, closure, now);
}

static void shutdown_in_the_event_of_a_job(void)
{
    static struct callback pending[PENDING];
    ec_async_job job;
    Event *event = build_event_from_now_f(1000, -1, shut_down_when_done, pending);
    job_init(&job, ECTP_CLASS_IO, do_nothing, NULL);
    ec_async_wake_event(&job, event, E_ASYNC);
    QUEUE(&job);
    POLL(get(&s_ran) == 1000 + PENDING);
}

static void *shut_down_elsewhere(void *closure)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    fj_scheduler_stop(s_loop);
    return closure;
}

static void shutdown_elsewhere_waits_for_the_host(void)
{
    static struct callback pending[PENDING];
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    pthread_t thread = start_thread(shut_down_elsewhere, NULL);
    CHECK_EQ(fj_scheduler_run(s_loop), 1);
    JOIN(thread);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
        CHECK(pthread_equal(pending[i].thread, pthread_self()));
    }
}

static void *adopt_and_leave(void *closure)
{
    a_host_scheduler();
    CHECK_EQ(fj_scheduler_adopt(s_loop), 1);
    CHECK_EQ(fj_scheduler_run_once(s_loop, 0), 0);
    return closure;
}

/* The thread that drove the scheduler has ended: nobody else can deliver. */
static void shutdown_delivers_for_a_thread_that_has_ended(void)
{
    static struct callback pending[PENDING];
    JOIN(start_thread(adopt_and_leave, NULL));
    queue_pending(pending, ECTP_COMPLETE_CALLBACK_SCHED);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    for (int i = 0; i < PENDING; i++) {
        CHECK_EQ(pending[i].calls, 1);
    }
}

static void after_a_shutdown_events_are_refused(void)
{
    int fds[2];
    static struct told told;
    a_socketpair(fds);
    Event *event = waiting_event(fds[0], &told);
    CHECK_EQ(schedule_event(event), 1);
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    POLL(fj_scheduler_stats_get(NULL, &stats) && stats.fds == 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    Event *late = build_event_from_now_f(0, -1, tell, &told);
    CHECK_EQ(schedule_event(late), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(schedule_event_and_dispatch(late, E_ASYNC), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    event_free(late);
    CHECK(clear_event_by_fd(fds[0]) == event); /* what never fires can be cleared by who ended it */
    event_free(event);
    CHECK_EQ(live(MEMTYPE_EVENT), 0);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    CHECK(fj_scheduler_create(NULL, FJ_SCHEDULER_HOST) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
}

/* ---- fork ---- */

static void in_fork(void)
{
    struct told told = {0};
    Event *event = build_event_from_now_f(0, -1, tell, &told);
    CHECK(event != NULL);
#define EXPECT_FORKED(call, failure)                                                                         \
    CHECK_EQ((long long)(call), (failure));                                                                  \
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED)
    EXPECT_FORKED(schedule_event(event), 0);
    EXPECT_FORKED(schedule_event_and_dispatch(event, E_ASYNC), 0);
    EXPECT_FORKED(fj_scheduler_schedule(s_loop, event), 0);
    EXPECT_FORKED(fj_scheduler_dispatch(s_loop, event, E_ASYNC), 0);
    EXPECT_FORKED(clear_timed_event(event), -1);
    EXPECT_FORKED(fj_scheduler_clear_timed(s_loop, event), -1);
    EXPECT_FORKED((size_t)clear_event_by_fd(0), 0);
    EXPECT_FORKED((size_t)get_event_by_fd(0), 0);
    EXPECT_FORKED((size_t)fj_scheduler_create(NULL, FJ_SCHEDULER_HOST), 0);
    EXPECT_FORKED((size_t)fj_scheduler_master(), 0);
    EXPECT_FORKED(fj_scheduler_run(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_run_once(s_loop, -1), -1);
    EXPECT_FORKED(fj_scheduler_fd(s_loop), -1);
    EXPECT_FORKED(fj_scheduler_stop(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_adopt(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_destroy(s_loop), 0);
    EXPECT_FORKED(fj_scheduler_ping(s_loop), 0);
    EXPECT_FORKED(get_scheduler_pid(), 0);
    EXPECT_FORKED((size_t)fj_validate_context_create(resume, NULL, NULL), 0);
    CHECK_EQ(is_scheduler_thread(), 0);
    ping_scheduler();
    event_free(event);
}

static void a_forked_child_gets_errors(void)
{
    struct told told = {0};
    a_host_scheduler();
    CHECK_EQ(schedule_event(build_event_from_now_f(0, -1, tell, &told)), 1); /* and the master runs */
    AWAIT(&s_done);
    IN_CHILD(in_fork);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(wake_event_sets_the_completion)                                                                        \
    X(event_goes_to_the_master)                                                                              \
    X(event_with_no_mask_is_armed_only)                                                                      \
    X(event_frees_the_job_afterwards)                                                                        \
    X(event_inst_goes_to_its_scheduler)                                                                      \
    X(a_worker_may_choose_its_event)                                                                         \
    X(a_suspended_connection_goes_on)                                                                        \
    X(callback_sched_inst_calls_there)                                                                       \
    X(a_tail_may_come_after_its_scheduler_has_gone)                                                          \
    X(module_suspends_and_resumes)                                                                           \
    X(module_resumes_in_its_scheduler)                                                                       \
    X(a_refused_or_discarded_job_leaves_its_module)                                                          \
    X(checks_know_these_modes_too)                                                                           \
    X(shutdown_in_the_hosts_thread_delivers)                                                                 \
    X(shutdown_in_a_callback_of_the_host)                                                                    \
    X(shutdown_in_a_callback_of_the_master)                                                                  \
    X(shutdown_in_the_event_of_a_job)                                                                        \
    X(shutdown_elsewhere_waits_for_the_host)                                                                 \
    X(shutdown_delivers_for_a_thread_that_has_ended)                                                         \
    X(after_a_shutdown_events_are_refused)                                                                   \
    X(a_forked_child_gets_errors)
#define MODE(scenario)                                                                                       \
    static void mode_##scenario(void)                                                                        \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
EVERY_SCENARIO(MODE)

int main(void)
{
    new_semaphore(&s_done, 0);
#define RUN_SCENARIO(scenario) RUN(mode_##scenario);
    EVERY_SCENARIO(RUN_SCENARIO)
    return check_report();
}
