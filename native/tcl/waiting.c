/*
 * waiting.c - what waits: wait, waitany, waitall, ns_sleep. A cancelled job is not held up in any of them.
 */
#include "worker.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int cancelled(Tcl_Interp *interp)
{
    Tcl_SetErrorCode(interp, "ECANCEL", NULL);
    Tcl_SetObjResult(interp, Tcl_NewStringObj("Job cancelled.", -1));
    return FJT_CANCELLED;
}

int fjt_block(Tcl_Interp *interp, fjt_step step, void *what, int timeout_ms)
{
    fjt_worker *worker = fjt_this_worker();
    if (worker && atomic_load(&worker->stopped)) {
        return cancelled(interp);
    }
    int done = step(what, timeout_ms);
    return !done && fj_last_error_code() == FJ_ECANCELED ? cancelled(interp) : done;
}

/* ---- wait ---- */

typedef struct one_wait {
    fj_queue *queue;
    fj_job_id id;
    fj_job_result *result;
} one_wait;

static int wait_step(void *what, int timeout_ms)
{
    one_wait *wait = what;
    return fj_queue_wait(wait->queue, wait->id, timeout_ms, wait->result);
}

static int give_result(Tcl_Interp *interp, fj_job_result *result)
{
    const char *text, *error_code, *error_info;
    size_t length, error_code_length, error_info_length;
    if (fjt_outcome(result->outcome, result->code, result->bytes, result->size, &text, &length, &error_code,
                    &error_code_length, &error_info, &error_info_length) == TCL_OK) {
        Tcl_SetObjResult(interp, Tcl_NewStringObj(text, (Tcl_Size)length));
        return TCL_OK;
    }
    Tcl_Obj *options = Tcl_NewObj();
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-code", -1), Tcl_NewIntObj(TCL_ERROR));
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-level", -1), Tcl_NewIntObj(0));
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-errorcode", -1),
                   Tcl_NewStringObj(error_code, (Tcl_Size)error_code_length));
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-errorinfo", -1),
                   Tcl_NewStringObj(error_info, (Tcl_Size)error_info_length));
    Tcl_SetObjResult(interp, Tcl_NewStringObj(text, (Tcl_Size)length));
    return Tcl_SetReturnOptions(interp, options);
}

int fjt_wait_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job wait", "?-timeout /time/? /queueId/ /jobId/", 2, 2, 2};
    Tcl_Obj *const *args;
    long long timeout = FJT_NO_TIME;
    int count, done;
    fjt_from from = FJT_FOUND;
    const fjt_option options[] = {{"-timeout", FJT_TIME, &timeout, 0}};
    if (fjt_parse(data->interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    fj_job_result result = {0};
    one_wait wait = {NULL, fjt_job_id(data, args[1]), &result};
    do {
        wait.queue = fjt_queue(data, args[0], &from);
        if (!wait.queue) {
            return TCL_ERROR;
        }
        done = fjt_block(data->interp, wait_step, &wait, fjt_milliseconds(timeout));
    } while (done == 0 && fjt_again(data, args[0], &from, &wait.id, args[1]));
    if (done != 1) {
        return done == 0 ? fjt_queue_error(data->interp, Tcl_GetString(args[0]), Tcl_GetString(args[1]))
                         : TCL_ERROR;
    }
    int code = give_result(data->interp, &result);
    fj_job_result_free(&result);
    return code;
}

/* ---- waitany ---- */

static int wait_any_step(void *queue, int timeout_ms)
{
    return fj_queue_wait_any(queue, timeout_ms);
}

int fjt_waitany_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job waitany", "?-timeout /time/? /queueId/", 2, 1, 1};
    Tcl_Obj *const *args;
    long long timeout = FJT_NO_TIME;
    int count, done;
    fjt_from from = FJT_FOUND;
    const fjt_option options[] = {{"-timeout", FJT_TIME, &timeout, 0}};
    if (fjt_parse(data->interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    do {
        fj_queue *queue = fjt_queue(data, args[0], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        done = fjt_block(data->interp, wait_any_step, queue, fjt_milliseconds(timeout));
    } while (done == 0 && fjt_again(data, args[0], &from, NULL, NULL));
    return done == 1   ? TCL_OK
           : done == 0 ? fjt_queue_error(data->interp, Tcl_GetString(args[0]), "")
                       : TCL_ERROR;
}

/* ---- fastjobs::waitall ---- */

typedef struct group_wait {
    fj_queued_id *jobs;
    fj_job_result *results;
    Tcl_Obj **ids; /* as the library takes them */
    size_t count;
} group_wait;

static int wait_all_step(void *what, int timeout_ms)
{
    group_wait *wait = what;
    return fj_queue_wait_all(wait->jobs, wait->count, timeout_ms, wait->results);
}

static Tcl_Obj *group_entry(Tcl_Obj *queue, Tcl_Obj *id, const fj_job_result *result)
{
    Tcl_Obj *entry = Tcl_NewListObj(0, NULL);
    fjt_put(entry, "queue", queue);
    fjt_put(entry, "id", id);
    if (result->outcome == FJ_OUTCOME_NONE) {
        fjt_put_text(entry, "code", "");
        return entry;
    }
    const char *text, *error_code, *error_info;
    size_t length, error_code_length, error_info_length;
    int code = fjt_outcome(result->outcome, result->code, result->bytes, result->size, &text, &length,
                           &error_code, &error_code_length, &error_info, &error_info_length);
    fjt_put_text(entry, "code", fjt_code_name(code));
    fjt_put(entry, "result", Tcl_NewStringObj(text, (Tcl_Size)length));
    if (code != TCL_OK) {
        fjt_put(entry, "errorcode", Tcl_NewStringObj(error_code, (Tcl_Size)error_code_length));
        fjt_put(entry, "errorinfo", Tcl_NewStringObj(error_info, (Tcl_Size)error_info_length));
    }
    return entry;
}

/* Finds the queues. They are referred to for the whole wait: what the interpreter keeps may give one way to
 * another. */
static int open_group(fjt_interp *data, group_wait *wait, Tcl_Obj *const *words)
{
    for (size_t i = 0; i < wait->count; i++) {
        wait->ids[i] = fjt_name(words[2 * i + 1]);
        wait->jobs[i].id = fj_job_named(wait->ids[i] ? Tcl_GetString(wait->ids[i]) : "");
        wait->jobs[i].queue = fjt_find_queue(data->interp, words[2 * i]);
        if (!wait->jobs[i].queue) {
            return TCL_ERROR;
        }
        if (!fj_queue_exists(wait->jobs[i].queue, wait->jobs[i].id)) {
            return fjt_error(data->interp, "no such job: %s", Tcl_GetString(words[2 * i + 1]));
        }
    }
    return TCL_OK;
}

static int wait_for_group(fjt_interp *data, group_wait *wait, Tcl_Obj *const *words, int timeout_ms)
{
    int done = fjt_block(data->interp, wait_all_step, wait, timeout_ms);
    if (done == FJT_CANCELLED) {
        return TCL_ERROR;
    }
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    size_t collected = 0;
    for (size_t i = 0; i < wait->count; i++) {
        collected += wait->results[i].outcome != FJ_OUTCOME_NONE;
        Tcl_ListObjAppendElement(NULL, list, group_entry(words[2 * i], words[2 * i + 1], &wait->results[i]));
    }
    if (!done && !collected && fj_last_error_code() != FJ_ETIMEDOUT) {
        Tcl_DecrRefCount(list);
        return fjt_queue_error(data->interp, "", "");
    }
    Tcl_SetObjResult(data->interp, list);
    return TCL_OK;
}

int fjt_waitall_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::waitall", "?-timeout /time/? {/queueId/ /jobId/ ...}", 1, 1,
                                      1};
    Tcl_Obj *const *args, **words;
    Tcl_Size word_count;
    long long timeout = FJT_NO_TIME;
    int count;
    const fjt_option options[] = {{"-timeout", FJT_TIME, &timeout, 0}};
    if (fjt_parse(data->interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK ||
        Tcl_ListObjGetElements(data->interp, args[0], &word_count, &words) != TCL_OK) {
        return TCL_ERROR;
    }
    if (word_count % 2) {
        return fjt_error(data->interp, "expected a list of queue and job ids but got \"%s\"",
                         Tcl_GetString(args[0]));
    }
    if (word_count == 0) {
        return TCL_OK;
    }
    group_wait wait = {NULL, NULL, NULL, (size_t)word_count / 2};
    wait.jobs = calloc(wait.count, sizeof *wait.jobs);
    wait.results = calloc(wait.count, sizeof *wait.results);
    wait.ids = calloc(wait.count, sizeof *wait.ids);
    int code = fjt_error(data->interp, "out of memory");
    if (wait.jobs && wait.results && wait.ids) {
        Tcl_ResetResult(data->interp);
        code = open_group(data, &wait, words);
        if (code == TCL_OK) {
            code = wait_for_group(data, &wait, words, fjt_milliseconds(timeout));
        }
        for (size_t i = 0; i < wait.count; i++) {
            fj_job_result_free(&wait.results[i]);
            fj_queue_release(wait.jobs[i].queue);
            if (wait.ids[i]) {
                Tcl_DecrRefCount(wait.ids[i]);
            }
        }
    }
    free(wait.jobs);
    free(wait.results);
    free(wait.ids);
    return code;
}

/* ---- ns_sleep ---- */

static void sleep_until(const struct timespec *end)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, end, NULL) == EINTR) {
    }
}

/* In a worker: stop wakes it. The condition keeps time by the monotonic clock. */
static int sleep_in_job(fjt_worker *worker, Tcl_Interp *interp, const struct timespec *end)
{
    int rc = 0;
    pthread_mutex_lock(&worker->lock);
    while (!atomic_load(&worker->stopped) && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&worker->wake, &worker->lock, end);
    }
    pthread_mutex_unlock(&worker->lock);
    if (!atomic_load(&worker->stopped)) {
        return TCL_OK;
    }
    cancelled(interp);
    return TCL_ERROR;
}

int fjt_ns_sleep_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_sleep", "/time/", 1, 1, 1};
    long long microseconds;
    (void)data;
    if (objc != 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (fjt_time(interp, objv[1], "time", &microseconds) != TCL_OK) {
        return TCL_ERROR;
    }
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long long nanoseconds = end.tv_nsec + microseconds % 1000000 * 1000;
    end.tv_sec += microseconds / 1000000 + nanoseconds / 1000000000;
    end.tv_nsec = nanoseconds % 1000000000;
    fjt_worker *worker = fjt_this_worker();
    if (worker) {
        return sleep_in_job(worker, interp, &end);
    }
    sleep_until(&end);
    return TCL_OK;
}
