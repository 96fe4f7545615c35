/*
 * fastjobs.h - what the original header has no name for: figures, run-time settings and hooks of the pools.
 */
#ifndef FASTJOBS_FASTJOBS_H
#define FASTJOBS_FASTJOBS_H

#include "ec_malloc.h"
#include "ec_thread_pool.h"
#include "fj_base.h"
#include "fj_call.h"
#include "scheduler.h"
#include "sp_async.h"
#include "fj_config.h"
#include "fj_inspect.h"
#include "fj_queue.h"
#include "fj_queue_list.h"

FJ_BEGIN_DECLS

/** A job class that stands for every pool, where a function says so. */
#define FJ_ALL_POOLS (-3)

/** Figures of one pool since it was created or reset. Set struct_size before the call. */
typedef struct fj_pool_stats {
    size_t struct_size; /**< sizeof(fj_pool_stats), set by the caller */
    const char *name;   /**< valid for the life of the process */
    int job_class;
    int concurrency;                  /**< the limit */
    unsigned long long invocations;   /**< jobs run */
    double avg_concurrency;           /**< threads busy, on average since the reset */
    double saturation;                /**< avg_concurrency as a percentage of the limit */
    double avg_wallclock_time_per_op; /**< seconds busy per job */
    int queue_sz;                     /**< jobs waiting */
    int num_threads;
    int num_active_threads;
    int num_inactive_threads;
} fj_pool_stats;

/** 1, or 0 for an unknown class or a struct_size that this version does not know. */
FJ_API int fj_pool_stats_get(int jobclass, fj_pool_stats *stats);
FJ_API int fj_pool_stats_get_by_name(const char *name, fj_pool_stats *stats);

/** From now on the figures are of what comes; what is now (jobs waiting, threads) is not reset. FJ_ALL_POOLS:
 * those of every pool. 1, or 0 for an unknown pool. */
FJ_API int fj_pool_stats_reset(int jobclass);
FJ_API int fj_pool_stats_reset_by_name(const char *name);

/** The jobs of a pool by kind, a kind being the file:line that queued them. Fills up to `capacity` entries
 * and returns how many kinds there are, or -1. Reads no job that a worker could have claimed. */
typedef struct fj_job_kind {
    const char *file; /**< as given to ec_queue_async_job, NULL if none was */
    int line;
    int job_num_queued;
    int job_num_running;
} fj_job_kind;
FJ_API int fj_pool_job_kinds(int jobclass, fj_job_kind *kinds, int capacity);

/** Changes how many jobs run at once. Growing takes effect at once, shrinking as jobs end; with 0 further
 * jobs run in their submitter. 1, or 0 on failure. */
FJ_API int fj_pool_set_concurrency(int jobclass, int concurrency);

/** Idle threads of the pool exit after so many milliseconds, 0: never. 1, or 0 on failure. */
FJ_API int fj_pool_set_idle_timeout(int jobclass, int milliseconds);

/** Whether the pool is deferred, by ec_thread_pool_defer_spawn or a configuration: 1 or 0; -1 on failure. The
 * short-lived class never is. */
FJ_API int fj_pool_is_deferred(int jobclass);

/** In which order the jobs of a pool start. */
typedef enum fj_order {
    FJ_ORDER_FIFO = 0,   /**< as they were submitted, whoever submitted them: what a pool has at first */
    FJ_ORDER_RELAXED = 1 /**< about so: each thread's as it submitted them if the pool has one worker */
} fj_order;

/** Gives up the strict order of a pool, or asks for it again. While many jobs wait in a relaxed pool, calls
 * (fj_call) gather in the threads that make them, and workers claim several jobs at once: a call costs about
 * two thirds. A job may be overtaken by some hundred a worker that came after it, those of its own thread
 * only if there is more than one worker. None waits for another one while a worker is idle. No effect while
 * the pool has a backlog to keep to or a trace is set. For jobs submitted from now on; any thread. 1, or 0 on
 * failure. */
FJ_API int fj_pool_set_order(int jobclass, fj_order order);

/** Called in every worker thread of the pool that starts from now on: after it has started, and before it
 * ends (not if a job ended it with pthread_exit). Either may be NULL. jobclass FJ_ALL_POOLS: every pool that
 * has no hooks of its own, later ones too. A hook must not end its thread. */
typedef void (*fj_worker_hook)(int jobclass, void *closure);
FJ_API int fj_pool_set_worker_hooks(int jobclass, fj_worker_hook on_start, fj_worker_hook on_exit,
                                    void *closure);

FJ_END_DECLS
#endif
