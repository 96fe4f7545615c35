/*
 * queue_calls.h - the entry points of the engine that named queues have, and what the C layer and the engine
 * share of their jobs. interop/FastJobs.Interop/Queues has the same fields in the same order: QueueCalls.cs,
 * RunState.cs, Kept.cs.
 */
#ifndef FASTJOBS_QUEUE_CALLS_H
#define FASTJOBS_QUEUE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "../include/fastjobs/fj_queue.h"
#include "../include/fastjobs/fj_queue_list.h"

/* What stays of a job as long as somebody can see it, if it is more than its work and its state: a result or
 * a code that is not 0, or listings that show it now. */
struct fj_kept {
    int references; /* and a bit of queue_kept.c's */
    int code;
    const fj_work *work;
    void *state;
    const void *bytes; /* in this block, behind the struct, or in `more` */
    size_t size;
    struct fj_kept *more; /* holds the bytes, because this block was there before them */
};

/* What a result's `reserved` and a collected job are: the address of its fj_work, or of its fj_kept with
 * this bit. */
#define FJ_IS_KEPT ((uintptr_t)2)

/* A worker's thread, and the job that it runs; idle if `work` is NULL. */
struct fj_run {
    void *worker; /* the engine's */
    void *thread_state;
    const fj_work *work;
    void *state;
    struct fj_kept *kept;   /* the engine's: what listings hold of it */
    struct fj_kept *result; /* what the job has set; exchanged, and taken by the engine */
    long long number;       /* negative: the job has an id of its own */
    const char *id_text;    /* that one */
    int attempt;
    int cancelled; /* atomic */
    int code;
    int thread; /* the kernel's id */
};

struct fj_queue_calls {
    fj_queue_set *(*set_create)(const fj_queue_set_options *options);
    long long (*set_close)(fj_queue_set *set, int timeout_ms);
    void (*set_free)(fj_queue_set *set);
    int (*set_configure)(fj_queue_set *set, const fj_queue_settings *settings);
    int (*set_settings)(fj_queue_set *set, fj_queue_settings *settings);
    int (*set_new_id)(fj_queue_set *set, char *buffer, size_t size);
    long long (*set_list)(fj_queue_set *set, fj_queue_visitor visitor, void *closure);
    int (*set_threads)(fj_queue_set *set, fj_queue_threads *threads);
    fj_queue *(*create)(fj_queue_set *set, const fj_queue_options *options);
    fj_queue *(*find)(fj_queue_set *set, const char *name);
    void (*release)(fj_queue *queue);
    int (*delete_queue)(fj_queue *queue);
    int (*set_concurrency)(fj_queue *queue, int concurrency);
    int (*set_paused)(fj_queue *queue, int paused);
    int (*get_info)(fj_queue *queue, fj_queue_info *info);
    int (*add)(fj_queue *queue, const fj_work *work, void *state, const fj_job_options *options,
               fj_job_id *id);
    int (*wait)(fj_queue *queue, fj_job_id id, int timeout_ms, fj_job_result *result);
    int (*wait_any)(fj_queue *queue, int timeout_ms);
    int (*wait_all)(const fj_queued_id *jobs, size_t count, int timeout_ms, fj_job_result *results);
    int (*on_done)(fj_queue *queue, fj_job_id id, fj_job_done done, void *closure);
    int (*cancel)(fj_queue *queue, fj_job_id id);
    int (*exists)(fj_queue *queue, fj_job_id id);
    long long (*list_jobs)(fj_queue *queue, fj_job_visitor visitor, void *closure);
    int (*visit_job)(fj_queue *queue, fj_job_id id, fj_job_visitor visitor, void *closure);
    fj_queue_feed *(*feed_open)(fj_queue *queue);
    int (*feed_next)(fj_queue_feed *feed, int timeout_ms, fj_job_id *id);
    void (*feed_close)(fj_queue_feed *feed);
    fj_job_output *(*output_open)(fj_queue *queue, fj_job_id id);
    long long (*output_read)(fj_job_output *output, void *buffer, size_t size, int timeout_ms);
    void (*output_close)(fj_job_output *output);
    const char *(*run_queue_name)(const fj_run *run);
    int (*run_report)(fj_run *run, const char *progress);
    int (*run_write)(fj_run *run, const void *bytes, size_t size);
    void (*run_thread_ended)(fj_run *run);
};

extern struct fj_queue_calls fj_queues;

/* Called before there is a job. */
void fj_host_kept_start(void);
/* One with a copy of the bytes, which may be NULL, and a 0 byte behind. One reference. NULL: no memory. */
struct fj_kept *fj_host_kept_new(const fj_work *work, void *state, const void *bytes, size_t size);
void fj_host_kept_free(struct fj_kept *kept);    /* without regard to references; NULL: nothing */
bool fj_host_kept_is_last(struct fj_kept *kept); /* after one reference less */

/* Lets go of a job that was collected, or of one hold of it: the last one gives its state back. */
void fj_host_let_go(uintptr_t held, void *state);

#endif
