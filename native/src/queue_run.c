/*
 * queue_run.c - a queue's job as it runs: how the engine calls it, and what it may ask and say.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frames.h"
#include "guard.h"

static _Thread_local fj_run *current
    __attribute__((tls_model("initial-exec"))); /* one word, which fits where dlopen has to put it */

/* ---- for the engine ---- */

struct started {
    fj_run *run;
    void *frames; /* of the engine, below the job */
};

static void run_work(void *argument)
{
    fj_run *run = ((struct started *)argument)->run;
    run->code = run->work->run(run, run->state);
}

/* The job ends its thread. Its frames are gone and those of the engine below them are still there, so the
 * engine can be called once more in this thread. It may have been called by the job, too, and that call may
 * have called what ended the thread: of these frames the engine must not know any more. */
static void thread_ended(void *argument)
{
    struct started *started = argument;
    fj_frames_set(started->frames);
    current = NULL;
    fj_queues.run_thread_ended(started->run);
}

void fj_host_run_job(fj_run *run)
{
    struct started started = {run, fj_frames_note()};
    current = run;
    pthread_cleanup_push(thread_ended, &started);
    fj_run_below(run_work, &started);
    pthread_cleanup_pop(0);
    current = NULL;
}

int fj_host_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

/* ---- inside a job ---- */

static int runs(const fj_run *run, const char *function)
{
    if (run != NULL && run->work != NULL)
        return 1;
    fj_set_error(FJ_EINVAL, run == NULL ? "%s: the run is NULL" : "%s: the job is over", function);
    return 0;
}

fj_job_id fj_run_id(const fj_run *run)
{
    if (!runs(run, "fj_run_id"))
        return fj_job_named(NULL);
    return run->number >= 0 ? fj_job_number(run->number) : fj_job_named(run->id_text);
}

const char *fj_run_queue_name(const fj_run *run)
{
    return runs(run, "fj_run_queue_name") && fj_enter() ? fj_queues.run_queue_name(run) : NULL;
}

int fj_run_attempt(const fj_run *run)
{
    return runs(run, "fj_run_attempt") ? run->attempt : 0;
}

int fj_run_is_cancelled(const fj_run *run)
{
    if (!runs(run, "fj_run_is_cancelled"))
        return 0;
    /* Acquire: what the canceller did before is seen by whoever sees this. */
    if (!__atomic_load_n(&run->cancelled, __ATOMIC_ACQUIRE))
        return 0;
    if (fj_host_is_sanitized())
        fj_host_taken((void *)(uintptr_t)run);
    return 1;
}

void *fj_run_thread_state(const fj_run *run)
{
    return runs(run, "fj_run_thread_state") ? run->thread_state : NULL;
}

int fj_run_set_result(fj_run *run, const void *bytes, size_t size)
{
    struct fj_kept *result;
    if (!runs(run, "fj_run_set_result") || !fj_enter())
        return 0;
    if (bytes == NULL && size > 0) {
        fj_set_error(FJ_EINVAL, "fj_run_set_result: the bytes are NULL");
        return 0;
    }
    result = fj_host_kept_new(run->work, run->state, bytes != NULL ? bytes : "", size);
    if (result == NULL) {
        fj_set_error(FJ_ENOMEM, "fj_run_set_result: no memory for a result of %zu bytes", size);
        return 0;
    }
    /* Exchanged, because a job may have several threads. */
    fj_host_kept_free(__atomic_exchange_n(&run->result, result, __ATOMIC_ACQ_REL));
    return 1;
}

int fj_run_report(fj_run *run, const char *progress)
{
    return runs(run, "fj_run_report") && fj_enter() ? fj_queues.run_report(run, progress) : 0;
}

int fj_run_write(fj_run *run, const void *bytes, size_t size)
{
    return runs(run, "fj_run_write") && fj_enter() ? fj_queues.run_write(run, bytes, size) : 0;
}

fj_run *fj_run_current(void)
{
    return current;
}
