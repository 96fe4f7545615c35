/*
 * queue.c - the exported functions of fj_queue.h and fj_queue_list.h that are about sets, queues and jobs:
 * enter, call the engine, return what it says. The argument checks are the engine's. What needs no engine,
 * ids as text and results that are given back, is done here.
 */
#include <stdio.h>
#include <string.h>

#include "guard.h"

struct fj_queue_calls fj_queues;

/* ---- sets ---- */

fj_queue_set *fj_queue_set_create(const fj_queue_set_options *options)
{
    if (!fj_enter())
        return NULL;
    fj_host_kept_start();
    return fj_queues.set_create(options);
}

long long fj_queue_set_close(fj_queue_set *set, int timeout_ms)
{
    return fj_enter() ? fj_queues.set_close(set, timeout_ms) : -1;
}

void fj_queue_set_free(fj_queue_set *set)
{
    if (set != NULL && fj_enter())
        fj_queues.set_free(set);
}

int fj_queue_set_configure(fj_queue_set *set, const fj_queue_settings *settings)
{
    return fj_enter() ? fj_queues.set_configure(set, settings) : 0;
}

int fj_queue_set_settings(fj_queue_set *set, fj_queue_settings *settings)
{
    return fj_enter() ? fj_queues.set_settings(set, settings) : 0;
}

int fj_queue_set_new_id(fj_queue_set *set, char *buffer, size_t size)
{
    return fj_enter() ? fj_queues.set_new_id(set, buffer, size) : 0;
}

long long fj_queue_set_list(fj_queue_set *set, fj_queue_visitor visitor, void *closure)
{
    return fj_enter() ? fj_queues.set_list(set, visitor, closure) : -1;
}

int fj_queue_set_threads(fj_queue_set *set, fj_queue_threads *threads)
{
    return fj_enter() ? fj_queues.set_threads(set, threads) : 0;
}

/* ---- queues ---- */

fj_queue *fj_queue_create(fj_queue_set *set, const fj_queue_options *options)
{
    return fj_enter() ? fj_queues.create(set, options) : NULL;
}

fj_queue *fj_queue_find(fj_queue_set *set, const char *name)
{
    return fj_enter() ? fj_queues.find(set, name) : NULL;
}

void fj_queue_release(fj_queue *queue)
{
    if (queue != NULL && fj_enter())
        fj_queues.release(queue);
}

int fj_queue_delete(fj_queue *queue)
{
    return fj_enter() ? fj_queues.delete_queue(queue) : 0;
}

int fj_queue_set_concurrency(fj_queue *queue, int concurrency)
{
    return fj_enter() ? fj_queues.set_concurrency(queue, concurrency) : 0;
}

int fj_queue_pause(fj_queue *queue)
{
    return fj_enter() ? fj_queues.set_paused(queue, 1) : 0;
}

int fj_queue_resume(fj_queue *queue)
{
    return fj_enter() ? fj_queues.set_paused(queue, 0) : 0;
}

int fj_queue_get_info(fj_queue *queue, fj_queue_info *info)
{
    return fj_enter() ? fj_queues.get_info(queue, info) : 0;
}

/* ---- jobs ---- */

int fj_queue_add(fj_queue *queue, const fj_work *work, void *state, const fj_job_options *options,
                 fj_job_id *id)
{
    return fj_enter() ? fj_queues.add(queue, work, state, options, id) : 0;
}

int fj_queue_wait(fj_queue *queue, fj_job_id id, int timeout_ms, fj_job_result *result)
{
    return fj_enter() ? fj_queues.wait(queue, id, timeout_ms, result) : 0;
}

int fj_queue_wait_any(fj_queue *queue, int timeout_ms)
{
    return fj_enter() ? fj_queues.wait_any(queue, timeout_ms) : 0;
}

int fj_queue_wait_all(const fj_queued_id *jobs, size_t count, int timeout_ms, fj_job_result *results)
{
    return fj_enter() ? fj_queues.wait_all(jobs, count, timeout_ms, results) : 0;
}

int fj_queue_on_done(fj_queue *queue, fj_job_id id, fj_job_done done, void *closure)
{
    return fj_enter() ? fj_queues.on_done(queue, id, done, closure) : 0;
}

int fj_queue_cancel(fj_queue *queue, fj_job_id id)
{
    return fj_enter() ? fj_queues.cancel(queue, id) : -1;
}

int fj_queue_exists(fj_queue *queue, fj_job_id id)
{
    return fj_enter() ? fj_queues.exists(queue, id) : 0;
}

long long fj_queue_list_jobs(fj_queue *queue, fj_job_visitor visitor, void *closure)
{
    return fj_enter() ? fj_queues.list_jobs(queue, visitor, closure) : -1;
}

int fj_queue_visit_job(fj_queue *queue, fj_job_id id, fj_job_visitor visitor, void *closure)
{
    return fj_enter() ? fj_queues.visit_job(queue, id, visitor, closure) : 0;
}

size_t fj_job_id_text(fj_job_id id, char *buffer, size_t size)
{
    int length;
    if (buffer == NULL)
        size = 0;
    if (id.number >= 0)
        length = snprintf(buffer, size, "job%lld", id.number);
    else
        length = snprintf(buffer, size, "%s", id.text != NULL ? id.text : "");
    return length < 0 ? 0 : (size_t)length;
}

/* ---- results ---- */

void fj_host_let_go(uintptr_t held, void *state)
{
    const fj_work *work;
    if ((held & FJ_IS_KEPT) != 0) {
        struct fj_kept *kept = (struct fj_kept *)(held & ~FJ_IS_KEPT);
        if (!fj_host_kept_is_last(kept))
            return;
        work = kept->work;
        state = kept->state;
        fj_host_kept_free(kept->more);
        fj_host_kept_free(kept);
    } else {
        work = (const fj_work *)held;
    }
    if (work->release == NULL)
        return;
    if (fj_host_is_sanitized())
        fj_host_taken(state != NULL ? state : (void *)(uintptr_t)work); /* as Sanitizer.JobOf */
    work->release(state);
}

void fj_job_result_free(fj_job_result *result)
{
    fj_job_result held;
    if (result == NULL || result->reserved == NULL)
        return;
    held = *result;
    memset(result, 0, sizeof *result);
    if (held.state != NULL && fj_host_is_sanitized())
        fj_host_given(held.state); /* whoever releases it, perhaps a listing that still shows it */
    fj_host_let_go((uintptr_t)held.reserved, held.state);
}

/* ---- what finishes, what a job writes ---- */

fj_queue_feed *fj_queue_feed_open(fj_queue *queue)
{
    return fj_enter() ? fj_queues.feed_open(queue) : NULL;
}

int fj_queue_feed_next(fj_queue_feed *feed, int timeout_ms, fj_job_id *id)
{
    return fj_enter() ? fj_queues.feed_next(feed, timeout_ms, id) : 0;
}

void fj_queue_feed_close(fj_queue_feed *feed)
{
    if (feed != NULL && fj_enter())
        fj_queues.feed_close(feed);
}

fj_job_output *fj_queue_output(fj_queue *queue, fj_job_id id)
{
    return fj_enter() ? fj_queues.output_open(queue, id) : NULL;
}

long long fj_job_output_read(fj_job_output *output, void *buffer, size_t size, int timeout_ms)
{
    return fj_enter() ? fj_queues.output_read(output, buffer, size, timeout_ms) : -1;
}

void fj_job_output_close(fj_job_output *output)
{
    if (output != NULL && fj_enter())
        fj_queues.output_close(output);
}
