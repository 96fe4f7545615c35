/*
 * fj_queue_list.h - looking at named queues: their jobs, their figures, what finishes, what a job writes.
 * Included by fastjobs.h.
 */
#ifndef FASTJOBS_FJ_QUEUE_LIST_H
#define FASTJOBS_FJ_QUEUE_LIST_H

#include "fj_queue.h"

FJ_BEGIN_DECLS

/** A job at one moment. All pointers are valid in the visitor; so are the state and the result, even if the
 * job is collected meanwhile. */
typedef struct fj_job_info {
    size_t struct_size; /**< sizeof(fj_job_info) of the library: later fields are there if it says so */
    fj_job_id id;
    const char *id_text;
    enum fj_job_phase phase;
    enum fj_outcome outcome;
    int code;          /**< FJ_JOB_DONE: what its work returned */
    const void *bytes; /**< FJ_JOB_DONE: its result, or NULL */
    size_t size;
    const fj_work *work;
    void *state;
    int detached;
    int waited_for;       /**< somebody waits for it */
    int delayed;          /**< it waits for its time: a delay, or the pause before it is tried again */
    int attempt;          /**< from 1 */
    const char *progress; /**< what it last said, or NULL */
    unsigned long thread; /**< FJ_JOB_RUNNING: the kernel's id of its thread; else 0 */
    double seconds;    /**< since it was queued; since it started, once it runs; how long it ran, once done */
    double start_time; /**< when it was queued, or started once it has; seconds since 1970 */
    double end_time;   /**< FJ_JOB_DONE: when; else 0 */
} fj_job_info;

/** A non-zero result ends the listing. Called under no lock. */
typedef int (*fj_job_visitor)(const fj_job_info *job, void *closure);

/** Shows the queue's jobs in the order of queueing; returns how many, or -1. Each is seen whole, but not all
 * at the same moment: a long queue is gone through piece by piece, so that it is not held up. */
FJ_API long long fj_queue_list_jobs(fj_queue *queue, fj_job_visitor visitor, void *closure);
/** Shows one job. 1, or 0. */
FJ_API int fj_queue_visit_job(fj_queue *queue, fj_job_id id, fj_job_visitor visitor, void *closure);

typedef struct fj_queue_info {
    size_t struct_size; /**< sizeof(fj_queue_info); set by the caller of fj_queue_get_info */
    const char *name;   /**< valid in the visitor, or as long as the reference */
    const char *description;
    int concurrency;
    long long scheduled; /**< jobs that wait, for a worker or for their time */
    long long running;
    long long done; /**< and not collected */
    int paused;
    int deleting; /**< takes no more jobs, and is gone once those it has are collected */
} fj_queue_info;

typedef int (*fj_queue_visitor)(const fj_queue_info *queue, void *closure);

/** Shows the queues in the order in which they were created; returns how many, or -1. */
FJ_API long long fj_queue_set_list(fj_queue_set *set, fj_queue_visitor visitor, void *closure);
FJ_API int fj_queue_get_info(fj_queue *queue, fj_queue_info *info); /**< 1, or 0 */

typedef struct fj_queue_threads {
    size_t struct_size;    /**< sizeof(fj_queue_threads), set by the caller */
    long long max_threads; /**< the sum of the queues' limits */
    int threads;
    int idle_threads; /**< those without a job */
    int stopping;     /**< the set is being closed */
} fj_queue_threads;
FJ_API int fj_queue_set_threads(fj_queue_set *set, fj_queue_threads *threads); /**< 1, or 0 */

/* ---- what finishes ---- */

typedef struct fj_queue_feed fj_queue_feed;

/** Tells of every job that is done and not collected, those there are and those that come, until the queue
 * is gone. NULL on failure. One thread at a time asks. */
FJ_API fj_queue_feed *fj_queue_feed_open(fj_queue *queue);
/** 1: *id is the next one (text valid until the next call); 0: the time is over, or (FJ_ENOQUEUE) no more
 * come. */
FJ_API int fj_queue_feed_next(fj_queue_feed *feed, int timeout_ms, fj_job_id *id);
FJ_API void fj_queue_feed_close(fj_queue_feed *feed);

/* ---- what a job writes ---- */

typedef struct fj_job_output fj_job_output;

/** What a job that waits or runs writes with fj_run_write, as it comes; can be read on after the job was
 * collected. One reader for a job. NULL on failure. */
FJ_API fj_job_output *fj_queue_output(fj_queue *queue, fj_job_id id);
/** Waits for bytes and takes at most `size` of them. How many; 0: the job has ended and all is read; -1
 * (FJ_ETIMEDOUT). */
FJ_API long long fj_job_output_read(fj_job_output *output, void *buffer, size_t size, int timeout_ms);
FJ_API void fj_job_output_close(fj_job_output *output);

FJ_END_DECLS
#endif
