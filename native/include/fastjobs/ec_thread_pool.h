/*
 * ec_thread_pool.h - jobs, the pools that run them, and how a job tells that it is done.
 *
 * A program fills in an ec_async_job (on its own, on the stack, or as the first member of a larger struct),
 * hands it over with ec_queue_async_job and gets it back through the job's completion. Between the two calls
 * the job belongs to the pool. docs/c-api.md has the rules of ownership, threads and lifetime.
 */
#ifndef FASTJOBS_EC_THREAD_POOL_H
#define FASTJOBS_EC_THREAD_POOL_H

#include <semaphore.h>
#include <stddef.h>

#include "fj_base.h"

FJ_BEGIN_DECLS

typedef struct ec_thread_pool_job ec_async_job;

/** The work, and the completion: both get the job and a closure. */
typedef void (*ec_thread_pool_work_func)(ec_async_job *job, void *closure);
typedef void (*ec_thread_pool_completion_func)(ec_async_job *job, void *closure);

/** Which pool runs a job. Numbers above the predefined ones come from ec_thread_pool_create_module. */
#define ECTP_CLASS_SHORT_LIVED -1 /**< so short that it runs at once, in the thread that queues it */
#define ECTP_CLASS_CPU 0          /**< mostly computes */
#define ECTP_CLASS_IO 1           /**< mostly waits for I/O */
#define ECTP_CLASS_SWAPOUT 2
#define ECTP_CLASS_SWAPIN 3
#define ECTP_CLASS_CLOSE 4
#define ECTP_CLASS_UNLINK 5
#define ECTP_CLASS_BATCH_UNLINK 6
#define ECTP_CLASS_SPOOL_IN 7
#define ECTP_CLASS_ASYNC_BOUNCE 8
#define ECTP_CLASS_SIEVE_IO 9

struct ec_thread_pool_job {
    struct ec_thread_pool_job *next; /**< the pool's while the job is queued, the caller's otherwise */

    enum _ec_thread_pool_job_completion {
        ECTP_COMPLETE_NONE,               /**< nothing: the job may even be freed by its own worker */
        ECTP_COMPLETE_EVENT,              /**< re-schedule r.e.event on the master scheduler */
        ECTP_COMPLETE_MODULE,             /**< reinstate the validation module r.e.ctx */
        ECTP_COMPLETE_CALLBACK,           /**< call r.cb.func in the worker thread */
        ECTP_COMPLETE_SEMAPHORE,          /**< sem_post(r.sema) */
        ECTP_COMPLETE_SYNC,               /**< the whole job runs in the thread that queues it */
        ECTP_COMPLETE_CALLBACK_SCHED,     /**< call r.cb.func in the master scheduler's thread */
        ECTP_COMPLETE_EVENT_INST,         /**< as EVENT, on r.e.inst */
        ECTP_COMPLETE_CALLBACK_SCHED_INST /**< as CALLBACK_SCHED, on r.cb.inst */
    } completion;

    int job_class;

    /** Optional: the caller's semaphore, initialised to how many such jobs may run at once. A slot is taken
     * before the worker runs and posted after it, before the completion. No thread waits for it, and FIFO
     * does not hold for a job that waits. */
    sem_t *concurrency;

    ec_thread_pool_work_func worker;
    void *closure;

    union _ec_thread_pool_job_r {
        struct _ec_thread_pool_job_r_e {
            Event *event;
            int mask;
            validate_context *ctx;
            ec_scheduler_inst *inst;
        } e;
        struct _ec_thread_pool_job_r_cb {
            ec_thread_pool_completion_func func;
            void *closure;
            ec_scheduler_inst *inst;
        } cb;
        sem_t *sema;
    } r;

    /** Non-zero: ec_free(free_on_completion_memtype, job) after the completion. */
    int free_on_completion_memtype;

    unsigned
        skip_completion : 1; /**< ec_async_complete_tail will complete it; the worker may set or clear this */
    unsigned skip_on_shutdown : 1; /**< discarded without completion if a shutdown finds it queued */
    unsigned _spare_bits : 30;

    const char *file; /**< set by ec_queue_async_job */
    int line;
};

#ifdef __cplusplus
/** In C the modes are global names; in C++ they are members of the job. Sources use both spellings. */
#define FJ_COMPLETION_ALIAS(name)                                                                            \
    static constexpr ec_thread_pool_job::_ec_thread_pool_job_completion name = ec_thread_pool_job::name
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_NONE);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_EVENT);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_MODULE);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_CALLBACK);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_SEMAPHORE);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_SYNC);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_CALLBACK_SCHED);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_EVENT_INST);
FJ_COMPLETION_ALIAS(ECTP_COMPLETE_CALLBACK_SCHED_INST);
#undef FJ_COMPLETION_ALIAS
#endif

/** Queues the job. Returns 1, or 0 (fj_last_error tells why: NULL job or worker, unknown class or completion,
 * after a shutdown) and the job is still the caller's. Any thread. Blocks while the pool's backlog is full,
 * except in that pool's own workers and in a scheduler thread, which go over the limit. */
#define ec_queue_async_job(job) ec_queue_async_job_((job), __FILE__, __LINE__, 0)
FJ_API int ec_queue_async_job_(ec_async_job *job, const char *file, int line, int flags);

/** Queues the jobs in their order, with little more to do for all than for one. Returns how many were queued,
 * the first so many; if fewer than count, fj_last_error tells why, and the others are still the caller's.
 * Their pools may differ; jobs of other threads may come between them. Otherwise as ec_queue_async_job. */
#define ec_queue_async_jobs(jobs, count) ec_queue_async_jobs_((jobs), (count), __FILE__, __LINE__)
FJ_API int ec_queue_async_jobs_(ec_async_job *const *jobs, int count, const char *file, int line);

/** Completes a job whose skip_completion was set, in the calling thread, once: now, or when its worker has
 * returned if it has not yet. Any thread. */
FJ_API void ec_async_complete_tail(ec_async_job *job);

/** The job class of the pool with this name (any case of letters); -1 for "Short_Lived"; -2 if there is none.
 */
FJ_API int ec_thread_pool_name_to_class(const char *name);

/** Creates a pool and returns its job class, or -1. type: its name. stack_size in bytes, 0: the system's
 * default. max_queue_len: 0 unbounded, else a submitter blocks while so many jobs wait. concurrency 0: run in
 * the submitter. */
FJ_API int ec_thread_pool_create_module(generic_module_infrastructure *self, const char *type,
                                        int concurrency, size_t stack_size, size_t max_queue_len);

/** From now on a thread of the pool that finds no more jobs exits. */
FJ_API void ec_thread_pool_auto_shrink(int jobclass);

/** The number of pools. */
FJ_API int ec_thread_pool_count(void);

/** defer 1: jobs pile up and none starts; 0: the pool runs again. */
FJ_API void ec_thread_pool_defer_spawn(int jobclass, int defer);

/** Sets how many jobs may wait, 0: any number. Only before the pool has threads. 1, or 0 on failure. */
FJ_API int ec_thread_pool_set_backlog(int jobclass, size_t backlog);

/** The stack size in bytes of threads started from now on, 0: the system's default. 1, or 0 on failure. */
FJ_API int ec_thread_pool_set_stack_size(int jobclass, size_t size);

/** Jobs that wait in the pool, those that wait for a concurrency semaphore included; -1 if there is no such
 * pool. */
FJ_API int ec_thread_pool_get_queue_size(int jobclass);

/** Runs what is queued, discards what has skip_on_shutdown, stops the threads. 1, or 0 from a pool's worker,
 * or if it has been called before. In the scheduler thread it delivers pending completions meanwhile. */
FJ_API int ec_thread_pool_shutdown(void);

FJ_END_DECLS

#include "sp_async.h"
#endif
