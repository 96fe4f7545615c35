/*
 * fj_queue.h - named job queues: their jobs have ids, and what comes of a job is kept until somebody collects
 * it. Included by fastjobs.h.
 *
 * A set of queues shares its worker threads; each queue has a limit of its own, and so many of its jobs run
 * at once. Everything may be called from any thread, also from a job. A call costs the same however deep its
 * queue or another one is; a listing costs what it lists. Times are milliseconds; a time-out that is negative
 * is none. A call that fails returns 0, -1 or NULL as its comment says, and fj_last_error() tells why:
 * FJ_ENOQUEUE, FJ_ENOJOB, FJ_EEXIST, FJ_EWAITED, FJ_EDETACHED, FJ_EREFUSED, FJ_ETIMEDOUT, FJ_EINVAL.
 *
 * A call that blocks in a job (a wait, fj_queue_feed_next, fj_job_output_read) ends with FJ_ECANCELED when
 * that job is cancelled; if the job is in none then, its next one does. Only one: those after it block as
 * ever, so that a job can wait for what it has begun.
 */
#ifndef FASTJOBS_FJ_QUEUE_H
#define FASTJOBS_FJ_QUEUE_H

#include "fj_base.h"

FJ_BEGIN_DECLS

typedef struct fj_queue_set fj_queue_set; /**< queues that share worker threads, hooks and settings */
typedef struct fj_queue fj_queue;         /**< a reference to a queue; ends with fj_queue_release */
typedef struct fj_run fj_run;             /**< a job as it runs; valid until its work returns */

/* ---- jobs ---- */

/** Names a job of a queue: by the number that it got, or by text, which is "job7" for number 7, or the id
 * that it was queued with. A number is never given twice in a queue. */
typedef struct fj_job_id {
    long long number; /**< negative: the text counts */
    const char *text;
} fj_job_id;

static inline fj_job_id fj_job_number(long long number)
{
    fj_job_id id = {number, NULL};
    return id;
}

static inline fj_job_id fj_job_named(const char *text)
{
    fj_job_id id = {-1, text};
    return id;
}

/** Writes the id as text, at most `size` bytes with the final 0; returns its length without it. */
FJ_API size_t fj_job_id_text(fj_job_id id, char *buffer, size_t size);

/** What the jobs of one kind do. It is not copied: it stays as it is while there are such jobs. */
typedef struct fj_work {
    size_t struct_size; /**< sizeof(fj_work) */
    const char *name;   /**< for listings and the log; may be NULL */
    /** The job, in a worker's thread. Returns 0: completed; anything else: failed, with that code. */
    int (*run)(fj_run *run, void *state);
    /** The running job was cancelled: makes it return soon; may be NULL. Called in the thread that cancels;
     * the job does not end before this returns. It may come before `run` is called, which has to ask
     * fj_run_is_cancelled for that. Must not wait for the job. */
    void (*stop)(fj_run *run, void *state);
    /** Nobody can see the job any more: gives the state back; may be NULL. Called once for each job that was
     * queued, in any thread, which it must not end, under no lock; last, whatever became of the job. */
    void (*release)(void *state);
} fj_work;

enum fj_job_phase { FJ_JOB_SCHEDULED = 0, FJ_JOB_RUNNING = 1, FJ_JOB_DONE = 2 };

enum fj_outcome {
    FJ_OUTCOME_NONE = 0,      /**< it has not ended */
    FJ_OUTCOME_COMPLETED = 1, /**< it returned 0 */
    FJ_OUTCOME_FAILED = 2,    /**< it returned another code; or it ended its thread: FJ_CODE_THREAD_ENDED */
    FJ_OUTCOME_CANCELLED = 3, /**< before it ran, or while it did */
    FJ_OUTCOME_DISCARDED = 4  /**< its set was closed before it ran */
};
#define FJ_CODE_THREAD_ENDED (-1000000)

/** How a job is queued. With nothing but struct_size set it is queued as with no options. */
typedef struct fj_job_options {
    size_t struct_size; /**< sizeof(fj_job_options) */
    const char *id;     /**< an id of its own, in UTF-8; NULL or "": the next number */
    int detached;       /**< nobody collects it: it disappears when it ends; a failure is logged */
    int head;           /**< it runs before all that wait, the last such job first */
    int delay_ms;       /**< it does not start before; then it is behind those that wait */
    int expire_ms;    /**< so long after its end it disappears uncollected; 0: as its queue says; -1: never */
    int max_attempts; /**< how often it is tried in all, if it fails; 0 is 1 */
    int retry_ms;     /**< the pause after its first failure */
    double retry_factor; /**< by what the pause grows from one failure to the next; 0 is 2 */
    int retry_max_ms;    /**< no pause is longer; 0 is an hour */
} fj_job_options;

/** Queues a job. options and id may be NULL. 1; or 0, and the state stays the caller's (`release` is not
 * called). An id of its own is the caller's text in *id. */
FJ_API int fj_queue_add(fj_queue *queue, const fj_work *work, void *state, const fj_job_options *options,
                        fj_job_id *id);

/** What came of a job. */
typedef struct fj_job_result {
    enum fj_outcome outcome;
    int code;          /**< what its work returned */
    const void *bytes; /**< its result, followed by a 0 byte; NULL: it set none */
    size_t size;
    void *state;    /**< that it was queued with */
    void *reserved; /**< the library's */
} fj_job_result;

/** Gives back what a wait has collected: the bytes are gone then, and the state is released. Does nothing for
 * a result of zeros, and leaves such a one. */
FJ_API void fj_job_result_free(fj_job_result *result);

/** Waits for a job's end and collects it: the job is gone then. At most one waits for a job. 1: *result holds
 * what came of it, to be freed (result may be NULL); a job that failed or was cancelled is no failure of the
 * wait. 0: not so (FJ_ETIMEDOUT: it can be waited for again). A job that waits for another one of its own
 * queue lends it its place, so they do not wait for each other. */
FJ_API int fj_queue_wait(fj_queue *queue, fj_job_id id, int timeout_ms, fj_job_result *result);

/** Waits until some job of the queue is done and not collected, or none is left; collects nothing. 1, or 0.
 */
FJ_API int fj_queue_wait_any(fj_queue *queue, int timeout_ms);

/** Waits for all of the jobs and collects them into `results`, in their order. 1; or 0: some are missing, and
 * have the outcome FJ_OUTCOME_NONE. `results` starts as zeros; what it holds already is not waited for, so a
 * wait that timed out can be repeated. */
typedef struct fj_queued_id {
    fj_queue *queue;
    fj_job_id id;
} fj_queued_id;
FJ_API int fj_queue_wait_all(const fj_queued_id *jobs, size_t count, int timeout_ms, fj_job_result *results);

/** Collects a job when it ends, without a thread that waits: `done` is called then, in the thread in which it
 * ended, or at once if it is done already; *result is `done`'s to free. 1, or 0 and it is not called. */
typedef void (*fj_job_done)(fj_job_result *result, void *closure);
FJ_API int fj_queue_on_done(fj_queue *queue, fj_job_id id, fj_job_done done, void *closure);

/** Cancels a job. 1: it runs, is told to stop, and ends as cancelled whatever it returns. 0: it waited, and
 * is done now and never starts; or it was done, and stays so. -1: no such job, or somebody waits for it. */
FJ_API int fj_queue_cancel(fj_queue *queue, fj_job_id id);

/** 1: there is such a job: scheduled, running, or done and not collected. 0: none. */
FJ_API int fj_queue_exists(fj_queue *queue, fj_job_id id);

/* ---- inside a job ---- */

FJ_API fj_job_id fj_run_id(const fj_run *run);
FJ_API const char *fj_run_queue_name(const fj_run *run);
FJ_API int fj_run_attempt(const fj_run *run);      /**< from 1 */
FJ_API int fj_run_is_cancelled(const fj_run *run); /**< or its set has no more time; in any thread */
/** What on_thread_start returned in this thread. */
FJ_API void *fj_run_thread_state(const fj_run *run);
/** Sets the job's result; the bytes are copied. The last one counts. 1, or 0. */
FJ_API int fj_run_set_result(fj_run *run, const void *bytes, size_t size);
/** Says how far it is, for listings; the text is copied. 1, or 0. */
FJ_API int fj_run_report(fj_run *run, const char *progress);
/** Writes to the job's output, see fj_queue_output. Never waits for a reader. 1, or 0. */
FJ_API int fj_run_write(fj_run *run, const void *bytes, size_t size);
/** The run of the calling thread's job; NULL: the thread runs none of a queue. */
FJ_API fj_run *fj_run_current(void);

/* ---- queues ---- */

typedef struct fj_queue_options {
    size_t struct_size;      /**< sizeof(fj_queue_options) */
    const char *name;        /**< unique in its set; UTF-8, or any other bytes: they come back as they were */
    const char *description; /**< NULL is "" */
    int concurrency;         /**< how many of its jobs run at once; 0 is 4 */
    int expire_ms;           /**< so long after their end jobs disappear uncollected; 0 or less: never */
} fj_queue_options;

/** Makes a queue; it has no thread of its own. NULL: FJ_EEXIST, FJ_EREFUSED (the set is being closed). */
FJ_API fj_queue *fj_queue_create(fj_queue_set *set, const fj_queue_options *options);
/** A reference to the queue of this name. NULL: FJ_ENOQUEUE. */
FJ_API fj_queue *fj_queue_find(fj_queue_set *set, const char *name);
/** Ends a reference; the queue and its jobs stay. NULL is ignored. */
FJ_API void fj_queue_release(fj_queue *queue);
/** The queue takes no more jobs, runs those it has, and is gone when the last of them is collected. 1, or 0.
 */
FJ_API int fj_queue_delete(fj_queue *queue);
FJ_API int fj_queue_set_concurrency(fj_queue *queue, int concurrency); /**< 1, or 0 */
FJ_API int
fj_queue_pause(fj_queue *queue); /**< no job starts until resumed, or until the set is drained; 1, or 0 */
FJ_API int fj_queue_resume(fj_queue *queue); /**< 1, or 0 */

/* ---- sets ---- */

typedef struct fj_queue_settings {
    size_t struct_size;        /**< sizeof(fj_queue_settings) */
    long long jobs_per_thread; /**< a worker's thread ends after so many, and another one takes its place; 0:
                                  never */
    long long idle_ms;         /**< a worker without a job ends after this; -1: never; at first 300000 */
    long long log_min_ms;      /**< jobs that take as long are logged; -1: none; at first 1000 */
} fj_queue_settings;

enum fj_queue_event_kind {
    FJ_QUEUE_SLOW = 0,      /**< a job took log_min_ms or longer */
    FJ_QUEUE_FAILED = 1,    /**< a detached job failed */
    FJ_QUEUE_DISCARDED = 2, /**< the set was closed before the job ran */
    FJ_QUEUE_EXPIRED = 3    /**< a finished job expired: nobody collected it */
};

/** What nobody is told otherwise. Pointers are valid in the call. */
typedef struct fj_queue_event {
    size_t struct_size; /**< sizeof(fj_queue_event) of the library */
    enum fj_queue_event_kind kind;
    const char *queue;
    fj_job_id id;
    const char *id_text;
    const fj_work *work;
    void *state;
    int code;          /**< FJ_QUEUE_FAILED: what its work returned */
    const void *bytes; /**< FJ_QUEUE_FAILED: its result, or NULL */
    size_t size;
    double seconds;   /**< how long it ran */
    const char *text; /**< one line that says all this */
} fj_queue_event;

typedef struct fj_queue_set_options {
    size_t struct_size;                /**< sizeof(fj_queue_set_options) */
    const char *name;                  /**< of its threads, up to 11 bytes; NULL is "queue" */
    const fj_queue_settings *settings; /**< NULL: those at first */
    /** First in a worker's thread; what it returns is fj_run_thread_state. May be NULL, as the next three. */
    void *(*on_thread_start)(void *closure);
    /** After each job in its thread, to clean up for the next one; its waiter was told already. Must not wait
     * for jobs of the set: the next one may be bound to the thread. */
    void (*after_job)(void *thread_state, void *closure);
    /** Last in a worker's thread (also if a job ended it with pthread_exit). */
    void (*on_thread_exit)(void *thread_state, void *closure);
    void (*log)(const fj_queue_event *event, void *closure); /**< NULL: to fj_log_set's function */
    void *closure;
} fj_queue_set_options;

/** Makes a set without queues and threads; options may be NULL. NULL on failure. */
FJ_API fj_queue_set *fj_queue_set_create(const fj_queue_set_options *options);

/** Takes no more jobs, runs those it has, paused ones too, for at most so long; then those that wait are
 * discarded, each with an entry in the log, and those that run are cancelled; waits until its threads have
 * ended (not for one that calls this) and returns how many were discarded, or -1. Whoever waits gets what
 * came of the job, or FJ_EREFUSED. Its queues can be asked and their results collected until
 * fj_queue_set_free. */
FJ_API long long fj_queue_set_close(fj_queue_set *set, int timeout_ms);
/** Closes it without waiting, and frees it: it and its queues must not be used any more, but their
 * references are to be released. NULL is ignored. */
FJ_API void fj_queue_set_free(fj_queue_set *set);

FJ_API int fj_queue_set_configure(fj_queue_set *set, const fj_queue_settings *settings); /**< 1, or 0 */
FJ_API int fj_queue_set_settings(fj_queue_set *set, fj_queue_settings *settings);        /**< 1, or 0 */
/** An id that no queue has and that is never given again, `queue_id_<counter>_<seconds>`. 1, or 0. */
FJ_API int fj_queue_set_new_id(fj_queue_set *set, char *buffer, size_t size);

FJ_END_DECLS
#endif
