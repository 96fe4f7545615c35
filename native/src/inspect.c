/*
 * inspect.c - listings and reports: what the engine says of pools and jobs, with the names of functions, and
 * as text. Called by the host, in any thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "guard.h"

/* ---- listings ---- */

struct listing {
    fj_queued_job_visitor visitor;
    void *closure;
};

/* The name only if the symbol is the function itself: dladdr gives what comes before it otherwise. */
static const char *name_of(ec_thread_pool_work_func function)
{
    Dl_info found;
    void *address = (void *)(uintptr_t)function;
    return dladdr(address, &found) != 0 && found.dli_saddr == address ? found.dli_sname : NULL;
}

static int show_named(const fj_queued_job *from_engine, void *closure)
{
    struct listing *listing = closure;
    fj_queued_job job = *from_engine;
    char label[512];
    job.function = name_of(job.worker);
    job.label = label;
    if (job.function != NULL)
        job.label = job.function;
    else if (job.file != NULL)
        snprintf(label, sizeof label, "%s:%d", job.file, job.line);
    else
        snprintf(label, sizeof label, "0x%" PRIxPTR, (uintptr_t)job.worker);
    return listing->visitor(&job, listing->closure);
}

long long fj_pool_list_jobs(int jobclass, fj_queued_job_visitor visitor, void *closure)
{
    struct listing listing = {visitor, closure};
    if (visitor == NULL) {
        fj_set_error(FJ_EINVAL, "fj_pool_list_jobs: the visitor is NULL");
        return -1;
    }
    return fj_enter() ? fj_engine.list_jobs(jobclass, show_named, &listing) : -1;
}

/* ---- reports ---- */

/* Begins a report in memory. NULL: the error is set. */
static FILE *begin(FILE *out, const char *function, char **text, size_t *length)
{
    FILE *report;
    if (out == NULL) {
        fj_set_error(FJ_EINVAL, "%s: the stream is NULL", function);
        return NULL;
    }
    report = fj_enter() ? open_memstream(text, length) : NULL;
    if (report == NULL && fj_enter())
        fj_set_error(FJ_ENOMEM, "%s: no memory for the report", function);
    return report;
}

static int end(FILE *out, FILE *report, const char *function, char **text, const size_t *length)
{
    int whole = ferror(report) == 0;
    whole = fclose(report) == 0 && whole;
    if (!whole)
        fj_set_error(FJ_ENOMEM, "%s: no memory for the report", function);
    else if (fwrite(*text, 1, *length, out) != *length) {
        fj_set_error(FJ_EIO, "%s: the stream did not take the report", function);
        whole = 0;
    }
    free(*text);
    return whole;
}

static void print_kinds(FILE *report, int jobclass)
{
    enum { MOST = 64 };
    fj_job_kind kinds[MOST];
    int count = fj_pool_job_kinds(jobclass, kinds, MOST);
    for (int i = 0; i < count && i < MOST; i++)
        fprintf(report, "    %s:%d  queued %d, running %d\n", kinds[i].file != NULL ? kinds[i].file : "?",
                kinds[i].line, kinds[i].job_num_queued, kinds[i].job_num_running);
    if (count > MOST)
        fprintf(report, "    and %d more kinds\n", count - MOST);
}

static void print_pool(FILE *report, const fj_pool_stats *stats, int is_inactive)
{
    fprintf(report, "%-18s %6d %12llu %8.2f %7.1f", stats->name, stats->concurrency, stats->invocations,
            stats->avg_concurrency, stats->saturation);
    if (stats->invocations != 0)
        fprintf(report, " %9.3f ms", stats->avg_wallclock_time_per_op * 1e3);
    else
        fprintf(report, " %12s", "-");
    fprintf(report, " %8d %8d %7d %9d%s\n", stats->queue_sz, stats->num_threads, stats->num_active_threads,
            stats->num_inactive_threads, is_inactive ? "  (inactive)" : "");
}

int fj_report_stats(FILE *out, int options)
{
    char *text = NULL;
    size_t length = 0;
    FILE *report;
    if ((options & ~(FJ_REPORT_BUSY_ONLY | FJ_REPORT_KINDS)) != 0) {
        fj_set_error(FJ_EINVAL, "fj_report_stats: unknown options: 0x%x", (unsigned)options);
        return 0;
    }
    report = begin(out, "fj_report_stats", &text, &length);
    if (report == NULL)
        return 0;
    fprintf(report, "%-18s %6s %12s %8s %7s %12s %8s %8s %7s %9s\n", "Pool", "Limit", "Invocations",
            "Avg conc", "Satur %", "Wall / op", "Queued", "Threads", "Active", "Inactive");
    for (int jobclass = 0, count = ec_thread_pool_count(); jobclass < count; jobclass++) {
        fj_pool_stats stats = {.struct_size = sizeof stats};
        if (!fj_pool_stats_get(jobclass, &stats))
            continue;
        int is_inactive = stats.invocations == 0 && stats.queue_sz == 0 && stats.num_active_threads == 0;
        if (is_inactive && (options & FJ_REPORT_BUSY_ONLY) != 0)
            continue;
        print_pool(report, &stats, is_inactive);
        if ((options & FJ_REPORT_KINDS) != 0)
            print_kinds(report, jobclass);
    }
    return end(out, report, "fj_report_stats", &text, &length);
}

struct queue_report {
    FILE *report;
    int left; /* -1: no limit */
};

static int print_job(const fj_queued_job *job, void *closure)
{
    static const char *const states[] = {"", "  [waits for a slot]", "  [has a slot]"};
    struct queue_report *queue = closure;
    if (queue->left == 0)
        return 1;
    queue->left -= queue->left > 0;
    fprintf(queue->report, "%8lld %10.3f s  %s", job->position, job->age, job->label);
    if (job->function != NULL && job->file != NULL)
        fprintf(queue->report, " (%s:%d)", job->file, job->line);
    fprintf(queue->report, "%s\n", states[job->state]);
    return 0;
}

int fj_report_queue(FILE *out, int jobclass, int limit)
{
    char *text = NULL;
    size_t length = 0;
    struct queue_report queue = {NULL, limit > 0 ? limit : -1};
    const char *name;
    FILE *report;
    if (limit < 0) {
        fj_set_error(FJ_EINVAL, "fj_report_queue: the limit is negative: %d", limit);
        return 0;
    }
    name = fj_pool_name(jobclass);
    if (name == NULL)
        return 0;
    report = begin(out, "fj_report_queue", &text, &length);
    if (report == NULL)
        return 0;
    queue.report = report;
    int size = ec_thread_pool_get_queue_size(jobclass);
    fprintf(report, "%s: %d waiting\n%8s %12s  %s\n", name, size, "#", "Age", "Job");
    long long shown = fj_pool_list_jobs(jobclass, print_job, &queue);
    if (queue.left == 0 && shown > limit && size > limit)
        fprintf(report, "         and %d more\n", size - limit);
    return end(out, report, "fj_report_queue", &text, &length);
}
