/*
 * test_inspect_report.c - what the engine tells of itself: statistics by name, reports, trace and log.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/resource.h>

#include "inspect.h"

/* ---- reports ---- */

static char *s_text;

static int report_has(const char *part)
{
    return s_text != NULL && strstr(s_text, part) != NULL;
}

static int report(int of_queue, int argument, int limit)
{
    size_t length = 0;
    free(s_text);
    s_text = NULL;
    FILE *out = open_memstream(&s_text, &length);
    int result = of_queue ? fj_report_queue(out, argument, limit) : fj_report_stats(out, argument);
    fclose(out);
    return result;
}

static void statistics_by_name_and_all(void)
{
    int pool = new_pool("inspect.byname", 3);
    fj_pool_stats stats = {.struct_size = sizeof(stats)};
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    POLL(stats_of(pool).invocations == 1);
    CHECK_EQ(fj_pool_stats_get_by_name("INSPECT.byname", &stats), 1);
    CHECK_EQ(stats.job_class, pool);
    CHECK_EQ(stats.invocations, 1);
    CHECK_EQ(fj_pool_stats_get_by_name("inspect.nobody", &stats), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_pool_stats_reset_by_name("inspect.BYNAME"), 1);
    CHECK_EQ(stats_of(pool).invocations, 0);
    CHECK_EQ(fj_pool_stats_reset_by_name(NULL), 0);
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    POLL(stats_of(pool).invocations == 1);
    CHECK_EQ(fj_pool_stats_reset(FJ_ALL_POOLS), 1);
    CHECK_EQ(stats_of(pool).invocations, 0);
}

static void a_report_of_the_statistics(void)
{
    int busy = new_pool("inspect.busy", 7);
    new_pool("inspect.idle", 7);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[9];
    for (int i = 0; i < 9; i++) {
        job_with_semaphore(&jobs[i], busy, stand_at_gate, &gate, &s_done);
        queue_from(&jobs[i], "report.c", 77);
    }
    GATE_AWAIT(&gate, 7);
    CHECK_EQ(report(0, 0, 0), 1);
    CHECK(report_has("Invocations") && report_has("inspect.busy") && report_has("inspect.idle"));
    CHECK(report_has("(inactive)") && !report_has("report.c"));
    CHECK_EQ(report(0, FJ_REPORT_BUSY_ONLY | FJ_REPORT_KINDS, 0), 1);
    CHECK(report_has("inspect.busy") && !report_has("inspect.idle") && !report_has("(inactive)"));
    CHECK(report_has("report.c:77  queued 2, running 7"));
    CHECK_EQ(report(0, 64, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_report_stats(NULL, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        setvbuf(full, NULL, _IONBF, 0);
        CHECK_EQ(fj_report_stats(full, 0), 0);
        CHECK_EQ(fj_last_error_code(), FJ_EIO);
        fclose(full);
    }
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 9);
}

static void a_report_of_a_queue(void)
{
    int pool = new_pool("inspect.queue", 1);
    ec_async_job jobs[5];
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 5; i++) {
        job_with_semaphore(&jobs[i], pool, i == 0 ? a_worker_with_a_name : do_nothing, NULL, &s_done);
        queue_from(&jobs[i], "queue.c", i);
    }
    CHECK_EQ(report(1, pool, 0), 1);
    CHECK(report_has("inspect.queue: 5 waiting"));
    CHECK(report_has("a_worker_with_a_name (queue.c:0)") && report_has("queue.c:4"));
    CHECK(!report_has("more"));
    CHECK_EQ(report(1, pool, 2), 1);
    CHECK(report_has("queue.c:1") && !report_has("queue.c:2") && report_has("and 3 more"));
    CHECK_EQ(report(1, pool, -1), 0);
    CHECK_EQ(report(1, -9, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_report_queue(NULL, pool, 0), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 5);
    free(s_text);
    s_text = NULL;
}

/* ---- trace ---- */

struct trace {
    int pool;
    long kinds[5];
    long wrong, after_removal, removed;
    long last[16]; /* by line: the kind told last, + 1 */
};

static void tell(const fj_trace_event *event, void *closure)
{
    struct trace *trace = closure;
    if (event->job_class != trace->pool) {
        return;
    }
    add(&trace->kinds[event->kind], 1);
    add(&trace->after_removal, get(&trace->removed));
    int ordered =
        event->struct_size == sizeof(*event) && strcmp(event->file, "trace.c") == 0 && event->line < 16;
    if (ordered) {
        long before = get(&trace->last[event->line]);
        ordered = before == (event->kind == FJ_TRACE_DROPPED ? 1 : (long)event->kind);
        set(&trace->last[event->line], (long)event->kind + 1);
    }
    add(&trace->wrong, !ordered);
}

static void nothing_more(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    sem_post(&s_done);
}

static void a_trace_is_told_of_each_step(void)
{
    struct trace trace = {.pool = new_pool("inspect.trace", 2)};
    ec_async_job jobs[8];
    CHECK_EQ(fj_trace_set(tell, &trace), 1);
    ec_thread_pool_defer_spawn(trace.pool, 1);
    for (int i = 0; i < 8; i++) {
        switch (i % 4) {
        case 0:
            job_with_semaphore(&jobs[i], trace.pool, do_nothing, NULL, &s_done);
            break;
        case 1:
            job_with_callback(&jobs[i], trace.pool, pass_on, NULL, nothing_more, NULL);
            break;
        case 2:
            job_init(&jobs[i], trace.pool, nothing_more, NULL);
            break;
        default:
            job_with_callback(&jobs[i], trace.pool, pass_on, NULL, nothing_more, NULL);
            jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        }
        queue_from(&jobs[i], "trace.c", i);
    }
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_QUEUED]), 8);
    CHECK_EQ(fj_cancel_job(&jobs[7]), 1);
    ec_thread_pool_defer_spawn(trace.pool, 0);
    AWAIT_TIMES(&s_done, 7);
    CHECK_EQ(fj_pool_wait_empty(trace.pool, WAIT_SECONDS * 1000), 1);
    POLL(get(&trace.kinds[FJ_TRACE_COMPLETED]) == 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_STARTED]), 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_FINISHED]), 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_DROPPED]), 1);
    CHECK_EQ(get(&trace.wrong), 0);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    job_init(&jobs[0], trace.pool, nothing_more, NULL);
    QUEUE(&jobs[0]);
    AWAIT(&s_done);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_QUEUED]), 8);
}

static void *keep_busy(void *closure)
{
    struct load *load = closure;
    while (!get(&load->stop)) {
        ec_async_job *job = malloc(sizeof(*job));
        job_init(job, load->pool, free_job, load);
        add(&load->queued, 1);
        queue_from(job, "trace.c", 0);
        if (get(&load->queued) - get(&load->freed) > 1000) {
            pause_ms(1);
        }
    }
    return NULL;
}

static void tell_of_removal(const fj_trace_event *event, void *closure)
{
    struct trace *trace = closure;
    (void)event;
    add(&trace->kinds[0], 1);
    add(&trace->after_removal, get(&trace->removed));
}

static void reset_from_trace(const fj_trace_event *event, void *closure)
{
    if (event->job_class != ECTP_CLASS_SHORT_LIVED) {
        return; /* a worker that is not yet done with a job of before */
    }
    *(long *)closure += fj_trace_set(NULL, NULL) == 0 && fj_last_error_code() == FJ_EDEADLK;
}

static void a_removed_trace_is_not_called_any_more(void)
{
    struct load load = {.pool = new_pool("inspect.removal", 2)};
    struct trace trace;
    memset(&trace, 0, sizeof(trace));
    pthread_t thread = start_thread(keep_busy, &load);
    for (int i = 0; i < many(500) || get(&trace.kinds[0]) < 100; i++) {
        set(&trace.removed, 0);
        CHECK_EQ(fj_trace_set(tell_of_removal, &trace), 1);
        if (i % 8 == 0) {
            pause_ms(1);
        }
        CHECK_EQ(fj_trace_set(NULL, NULL), 1);
        set(&trace.removed, 1);
    }
    set(&load.stop, 1);
    JOIN(thread);
    POLL(get(&load.freed) == get(&load.queued));
    CHECK_EQ(get(&trace.after_removal), 0);

    long refused = 0;
    ec_async_job job;
    CHECK_EQ(fj_trace_set(reset_from_trace, &refused), 1);
    job_init(&job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL);
    QUEUE(&job);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(refused, 4); /* queued, started, finished, completed */
}

/* ---- log ---- */

static long s_logged, s_log_refused;
static char s_log[512];

static void log_to_memory(int level, const char *text, void *closure)
{
    (void)closure;
    snprintf(s_log, sizeof(s_log), "%d %s", level, text);
    s_log_refused += fj_log_set(NULL, NULL) == 0 && fj_last_error_code() == FJ_EDEADLK;
    add(&s_logged, 1);
}

/* A thread with a stack of 2 GB cannot be had in 1 GB of addresses: that is told, once; and the job runs when
 * it can. */
static UNUSED void a_thread_that_cannot_be_started_is_logged(void)
{
    ec_async_job jobs[3];
    struct rlimit before, limit;
    CHECK_EQ(fj_log_set(log_to_memory, NULL), 1);
    int pool = new_pool("inspect.log", 1);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 0x7ff00000), 1);
    CHECK_EQ(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)(status_kb("VmSize") + 1024 * 1024) * 1024;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    for (int i = 0; i < 3; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(get(&s_logged), 1);
    CHECK(strstr(s_log, "inspect.log") != NULL && s_log[0] == '0' + FJ_LOG_ERROR);
    CHECK_EQ(s_log_refused, 1);
    CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 0), 1);
    ec_thread_pool_defer_spawn(pool, 0); /* looks again */
    AWAIT_TIMES(&s_done, 3);
    CHECK_EQ(fj_log_set(NULL, NULL), 1);
    CHECK_EQ(get(&s_logged), 1);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(statistics_by_name_and_all);
    RUN(a_report_of_the_statistics);
    RUN(a_report_of_a_queue);
    RUN(a_trace_is_told_of_each_step);
    RUN(a_removed_trace_is_not_called_any_more);
#if !defined(THREAD_SANITIZER) && !defined(ADDRESS_SANITIZER)
    RUN(a_thread_that_cannot_be_started_is_logged);
#endif
    return check_report();
}
