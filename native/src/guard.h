/*
 * guard.h - the C layer of libfastjobs: what stands between an exported function and the engine.
 *
 * Every export enters through fj_enter(), which starts the engine's runtime on first use as a good guest
 * would, and refuses to go on in a child process forked from one where it was running. Then it calls the
 * engine through fj_engine, a table that the engine fills in at its start. The engine calls back into the
 * fj_host_* functions.
 */
#ifndef FASTJOBS_GUARD_H
#define FASTJOBS_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "../include/fastjobs/fastjobs.h"
#include "queue_calls.h"
#include "scheduler_calls.h"
#include "../include/fastjobs/io_wrapper.h"

/* What is kept with a read job; ReadJobs.cs has the same fields in the same order. */
enum { FJ_READ_FRESH, FJ_READ_RUNS, FJ_READ_ENDED };
struct fj_read_state {
    int descriptor; /* or -1 */
    int phase;      /* written by the engine */
    int cancelled;  /* the engine's */
};

/* The entry points of the engine. interop/FastJobs.Interop/EngineCalls.cs has the same fields in the same
 * order. */
struct fj_engine_calls {
    int (*queue)(ec_async_job *job, const char *file, int line);
    void (*complete_tail)(ec_async_job *job);
    int (*name_to_class)(const char *name);
    int (*create)(const char *name, int concurrency, size_t stack_size, size_t backlog);
    int (*count)(void);
    int (*set_auto_shrink)(int jobclass);
    int (*set_deferred)(int jobclass, int deferred);
    int (*set_backlog)(int jobclass, size_t backlog);
    int (*set_stack_size)(int jobclass, size_t size);
    int (*set_concurrency)(int jobclass, int concurrency);
    int (*set_idle_timeout)(int jobclass, int milliseconds);
    int (*is_deferred)(int jobclass);
    int (*set_order)(int jobclass, int order);
    int (*set_hooks)(int jobclass, fj_worker_hook on_start, fj_worker_hook on_exit, void *closure);
    int (*queue_size)(int jobclass);
    int (*stats)(int jobclass, fj_pool_stats *stats);
    int (*stats_reset)(int jobclass);
    int (*job_kinds)(int jobclass, fj_job_kind *kinds, int capacity);
    int (*shutdown)(void);
    void (*worker_killed)(size_t worker);
    int (*config_load_file)(const char *path, fj_config_callback report, void *closure);
    int (*config_load_string)(const char *text, const char *name, fj_config_callback report, void *closure);
    int (*config_reload)(fj_config_callback report, void *closure);
    void (*read_run)(io_job *job, struct fj_read_state *state);
    int (*read_cancel)(struct fj_read_state *state);
    const char *(*pool_name)(int jobclass);
    long long (*list_jobs)(int jobclass, fj_queued_job_visitor visitor, void *closure);
    int (*cancel_job)(ec_async_job *job);
    int (*wait_empty)(int jobclass, int timeout_ms);
    int (*set_trace)(fj_trace_func function, void *closure);
    int (*call)(int jobclass, fj_call_func function, void *closure); /* -1: it has to be made a job */
    /* how many of the first were queued, 0: failed, -1: the first has to be made a job */
    int (*call_each)(int jobclass, fj_call_func function, void *const *closures, int count);
    int (*queue_all)(ec_async_job *const *jobs, int count, const char *file, int line);
    int (*outbox_put)(int at); /* see outbox.h */
    int (*lease_has_taken)(int at);
    int (*lease_go_on)(void);
};

/* The engine's one entry point that is known by name; not exported. Fills in the tables. */
void fj_managed_start(struct fj_engine_calls *calls, struct fj_scheduler_calls *schedulers,
                      struct fj_queue_calls *queues);

extern struct fj_engine_calls fj_engine;

enum fj_state { FJ_COLD, FJ_READY, FJ_FORKED };
extern _Atomic int fj_state;

bool fj_enter_slowly(void);

/* True: the engine runs and may be called. False: the error is set. */
static inline bool fj_enter(void)
{
    return __builtin_expect(atomic_load_explicit(&fj_state, memory_order_acquire) == FJ_READY, 1) ||
           fj_enter_slowly();
}

/* FASTJOBS_CHECK, for jobs and for memory: whether it is set to anything but nothing and 0. */
int fj_host_check_wanted(void);
/* The worker of calls that were made jobs. */
ec_thread_pool_work_func fj_host_call_worker(void);
/* Whether the program runs under ThreadSanitizer. */
int fj_host_is_sanitized(void);
void fj_host_given(void *address);
void fj_host_taken(void *address);
/* Tells the host's log function, if there is one. */
void fj_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the calling thread's last error. */
void fj_set_error(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
