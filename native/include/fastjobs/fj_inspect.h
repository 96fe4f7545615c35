/*
 * fj_inspect.h - seeing inside: what waits and what runs, reports as text, a trace of jobs, a log; and taking
 * a job back, or waiting until a pool is empty. Included by fastjobs.h.
 */
#ifndef FASTJOBS_FJ_INSPECT_H
#define FASTJOBS_FJ_INSPECT_H

#include <stdio.h>

#include "ec_thread_pool.h"
#include "fj_base.h"

FJ_BEGIN_DECLS

/* ---- pools ---- */

/** The name of the pool with this job class, valid for the life of the process; NULL if there is none. Job
 * classes are 0 .. ec_thread_pool_count() - 1, and a pool is never removed. */
FJ_API const char *fj_pool_name(int jobclass);

/** Waits until there is a moment at which no job of the pool waits or runs; in milliseconds, negative: as
 * long as it takes. 1, or 0 with FJ_ETIMEDOUT. Jobs behind a concurrency semaphore wait; cancelled ones do
 * not. A deferred pool is not started. Completions that go on in a scheduler thread are not waited for. From
 * one of the pool's own jobs, or from a job that runs in the thread that queued it, it fails with FJ_EDEADLK.
 */
FJ_API int fj_pool_wait_empty(int jobclass, int timeout_ms);

/* ---- the jobs that wait ---- */

enum fj_job_state {
    FJ_JOB_QUEUED = 0,         /**< in the queue */
    FJ_JOB_WAITS_FOR_SLOT = 1, /**< has been taken from the queue, and waits for its concurrency semaphore */
    FJ_JOB_HAS_SLOT = 2        /**< has got a slot of its semaphore, and runs before all that are queued */
};

/** A job that waits, as a listing saw it. All pointers but `job` are valid in the visitor; `function`, and
 * `file` as far as the submitter's text is, for longer. */
typedef struct fj_queued_job {
    size_t struct_size; /**< sizeof(fj_queued_job) of the library: later fields are there if it says so */
    long long position; /**< in the listing, from 1 */
    enum fj_job_state state; /**< why it waits */
    ec_async_job *job; /**< its address: it may have run and be gone by now, so do not follow it; of a call
                            (fj_call) NULL */
    ec_thread_pool_work_func worker; /**< of a call its function, an fj_call_func */
    const char *function; /**< the worker's name, NULL if it has no dynamic symbol (static; no -rdynamic) */
    const char *file;     /**< who queued it, as given to ec_queue_async_job; may be NULL */
    int line;
    double age;        /**< seconds since it was queued, to about 10 ms */
    const char *label; /**< for people: the function, else file:line, else the address */
} fj_queued_job;

/** A non-zero result ends the listing. It is called without a lock, so it may call any function, and take its
 * time; it must not throw nor end its thread. */
typedef int (*fj_queued_job_visitor)(const fj_queued_job *job, void *closure);

/** Shows the jobs that wait in the pool: those that have a slot, then the queue, oldest first, then those
 * that wait for a slot. Returns how many it showed, or -1. A visitor and not an array, because a queue has
 * any length and its jobs come and go: nothing has to be allocated for it, and it can be left early.
 *
 * A job is read only while no worker can claim it: the pool's claims pause for 64 jobs at a time, some
 * microseconds, and the visitor is called afterwards. Jobs that come or go meanwhile may be missing. */
FJ_API long long fj_pool_list_jobs(int jobclass, fj_queued_job_visitor visitor, void *closure);

/** Takes back a job that still waits in some pool. 1: it will not run and not complete; it is the caller's
 * again, whatever its free_on_completion_memtype says; it counts as finished, and its place in the backlog is
 * free. 0 (FJ_EBUSY): a worker has taken it already, or it was never queued; if it has a concurrency
 * semaphore, or its pool is relaxed or was deferred just now, it may be on its way from one place of waiting
 * to the next, and the call can be repeated.
 *
 * The address is compared with those that wait and followed only if it is found, so the job may be over and
 * freed; but if its memory may have been used for another job by now, that one is cancelled. Costs a look at
 * every job that waits in every pool. */
FJ_API int fj_cancel_job(ec_async_job *job);

/* ---- reports as text ---- */

/** What the console of the original prints as `threads stats`: a line a pool with its concurrency, its
 * invocations, average concurrency, saturation, wall clock time an operation, jobs that wait, and threads in
 * all, active and inactive. Pools that did nothing since the reset and have nothing to do are marked. 1, or 0
 * if the stream does not take the text. The text is written by one call, so reports do not mix. */
enum fj_report_options {
    FJ_REPORT_BUSY_ONLY = 1, /**< without the pools that would be marked */
    FJ_REPORT_KINDS = 2      /**< below each pool its jobs by kind, see fj_pool_job_kinds */
};
FJ_API int fj_report_stats(FILE *out, int options);

/** What it prints as `threads NAME queue`: the jobs that wait in a pool, each with its place, its age, its
 * function and who queued it. At most `limit` of them (0: all); then how many more there are. */
FJ_API int fj_report_queue(FILE *out, int jobclass, int limit);

/* ---- trace ---- */

enum fj_trace_kind {
    FJ_TRACE_QUEUED = 0,   /**< is about to be queued: in the submitter, before any worker can have it */
    FJ_TRACE_STARTED = 1,  /**< its worker is about to be called: in that thread */
    FJ_TRACE_FINISHED = 2, /**< its worker has returned */
    FJ_TRACE_COMPLETED =
        3,               /**< its completion comes next, in this thread; with ECTP_COMPLETE_NONE, at once */
    FJ_TRACE_DROPPED = 4 /**< it will not run: refused after all, cancelled, or discarded by a shutdown */
};

typedef struct fj_trace_event {
    size_t struct_size; /**< sizeof(fj_trace_event) of the library */
    enum fj_trace_kind kind;
    int job_class;
    const ec_async_job *job;         /**< its address: after FINISHED it may be gone or queued again */
    ec_thread_pool_work_func worker; /**< of a call (fj_call) its function, an fj_call_func */
    const char *file;
    int line;
} fj_trace_event;

typedef void (*fj_trace_func)(const fj_trace_event *event, void *closure);

/** Installs a function that is told of every job in every pool, in the thread in which it happens; NULL
 * removes it. While there is none a job pays for one test of a word that it loads anyway. When this returns
 * the function before is not running any more and will not be called. Jobs that are under way when the
 * function is installed or removed are told of in part. It must be quick, must not end its thread, throw, nor
 * call fj_trace_set (0, FJ_EDEADLK). 1, or 0. */
FJ_API int fj_trace_set(fj_trace_func function, void *closure);

/* ---- log ---- */

enum fj_log_level {
    FJ_LOG_ERROR = 0,  /**< something was not done, and no caller is there to be told */
    FJ_LOG_WARNING = 1 /**< something is done worse than it was asked for */
};

/** text: one line, in UTF-8, valid in the call. */
typedef void (*fj_log_func)(int level, const char *text, void *closure);

/** The function that is told of errors that no call can return: a worker thread that cannot be started, with
 * what that means. NULL: nobody, as at the start. When this returns the function before is not running any
 * more. It is called in any thread, without a lock of the library; it must not end that, and not call
 * fj_log_set (0, FJ_EDEADLK). Starts no engine. 1, or 0. */
FJ_API int fj_log_set(fj_log_func function, void *closure);

FJ_END_DECLS
#endif
