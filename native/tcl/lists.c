/*
 * lists.c - ns_job: the listings, and configure.
 */
#include "ns_job.h"
#include <stdio.h>
#include <string.h>

void fjt_put(Tcl_Obj *list, const char *name, Tcl_Obj *value)
{
    Tcl_ListObjAppendElement(NULL, list, Tcl_NewStringObj(name, -1));
    Tcl_ListObjAppendElement(NULL, list, value);
}

void fjt_put_text(Tcl_Obj *list, const char *name, const char *value)
{
    fjt_put(list, name, Tcl_NewStringObj(value, -1));
}

/* ---- what came of a job ---- */

const char *fjt_code_name(int code)
{
    static const char *const names[] = {"TCL_OK", "TCL_ERROR", "TCL_RETURN", "TCL_BREAK", "TCL_CONTINUE"};
    return code >= 0 && code < 5 ? names[code] : "TCL_ERROR";
}

static const char stopped[] = "The specified queue is being deleted or the system is stopping.";
static const char cancelled[] = "Job cancelled.";
static const char ended[] = "the job ended its thread";

int fjt_outcome(enum fj_outcome outcome, int code, const void *bytes, size_t size, const char **text,
                size_t *length, const char **error_code, size_t *error_code_length, const char **error_info,
                size_t *error_info_length)
{
    if (outcome == FJ_OUTCOME_COMPLETED) {
        *text = bytes ? bytes : "";
        *length = bytes ? size : 0;
        return TCL_OK;
    }
    if (outcome == FJ_OUTCOME_FAILED && bytes) {
        *text = fjt_part(bytes, size, FJT_RESULT, length);
        *error_code = fjt_part(bytes, size, FJT_ERRORCODE, error_code_length);
        *error_info = fjt_part(bytes, size, FJT_ERRORINFO, error_info_length);
        return code == FJ_CODE_THREAD_ENDED ? TCL_ERROR : code;
    }
    *text = outcome == FJ_OUTCOME_CANCELLED ? cancelled : outcome == FJ_OUTCOME_DISCARDED ? stopped : ended;
    *error_code = outcome == FJ_OUTCOME_CANCELLED ? "ECANCEL" : "NONE";
    *error_info = *text;
    *length = *error_info_length = strlen(*text);
    *error_code_length = strlen(*error_code);
    return TCL_ERROR;
}

/* ---- jobs ---- */

static int list_queue(fjt_interp *data, Tcl_Obj *name, fj_job_visitor visitor)
{
    fjt_from from = FJT_FOUND;
    do {
        fj_queue *queue = fjt_queue(data, name, &from);
        if (!queue) {
            return TCL_ERROR;
        }
        Tcl_Obj *list = Tcl_NewListObj(0, NULL);
        fj_queue_info info = {.struct_size = sizeof info};
        if (fj_queue_get_info(queue, &info) && fj_queue_list_jobs(queue, visitor, list) >= 0) {
            Tcl_SetObjResult(data->interp, list);
            return TCL_OK;
        }
        Tcl_DecrRefCount(list);
    } while (fjt_again(data, name, &from, NULL, NULL));
    return fjt_queue_error(data->interp, Tcl_GetString(name), "");
}

static int add_id(const fj_job_info *job, void *list)
{
    Tcl_ListObjAppendElement(NULL, list, fjt_name_object(job->id_text));
    return 0;
}

static int add_entry(const fj_job_info *job, void *list)
{
    Tcl_ListObjAppendElement(NULL, list, fjt_job_entry(job, 0));
    return 0;
}

Tcl_Obj *fjt_job_entry(const fj_job_info *job, int extended)
{
    static const char *const phases[] = {"scheduled", "running", "done"};
    const fjt_script *script = job->state;
    const char *text = "", *error_code, *error_info;
    size_t length = 0, error_code_length, error_info_length;
    int code = TCL_OK;
    char thread[32];
    if (job->phase == FJ_JOB_DONE) {
        code = fjt_outcome(job->outcome, job->code, job->bytes, job->size, &text, &length, &error_code,
                           &error_code_length, &error_info, &error_info_length);
    }
    snprintf(thread, sizeof thread, "%lx", job->thread);
    Tcl_Obj *entry = Tcl_NewListObj(0, NULL);
    fjt_put(entry, "id", fjt_name_object(job->id_text));
    fjt_put_text(entry, "state", phases[job->phase]);
    fjt_put(entry, "results", Tcl_NewStringObj(text, (Tcl_Size)length));
    fjt_put(entry, "script", Tcl_NewStringObj(script->bytes, (Tcl_Size)script->size));
    fjt_put_text(entry, "code", fjt_code_name(code));
    fjt_put_text(entry, "type", job->detached ? "detached" : "nondetached");
    fjt_put_text(entry, "req", job->waited_for ? "wait" : "none");
    fjt_put_text(entry, "thread", thread);
    fjt_put(entry, "time", Tcl_NewDoubleObj(job->seconds * 1000));
    fjt_put(entry, "starttime", Tcl_NewWideIntObj((Tcl_WideInt)job->start_time));
    fjt_put(entry, "endtime", Tcl_NewWideIntObj((Tcl_WideInt)job->end_time));
    if (extended) {
        fjt_put(entry, "attempt", Tcl_NewIntObj(job->attempt));
        fjt_put(entry, "delayed", Tcl_NewBooleanObj(job->delayed));
        fjt_put_text(entry, "progress", job->progress ? job->progress : "");
    }
    return entry;
}

int fjt_jobs_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job jobs", "/queueId/", 2, 1, 1};
    return objc != 3 ? fjt_wrong_args(data->interp, &syntax) : list_queue(data, objv[2], add_id);
}

int fjt_joblist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job joblist", "/queueId/", 2, 1, 1};
    return objc != 3 ? fjt_wrong_args(data->interp, &syntax) : list_queue(data, objv[2], add_entry);
}

/* ---- queues ---- */

static int add_name(const fj_queue_info *queue, void *list)
{
    Tcl_ListObjAppendElement(NULL, list, fjt_name_object(queue->name));
    return 0;
}

static int add_queue(const fj_queue_info *queue, void *list)
{
    Tcl_Obj *entry = Tcl_NewListObj(0, NULL);
    fjt_put(entry, "name", fjt_name_object(queue->name));
    fjt_put(entry, "desc", fjt_name_object(queue->description));
    fjt_put(entry, "maxthreads", Tcl_NewIntObj(queue->concurrency));
    fjt_put(entry, "numrunning", Tcl_NewWideIntObj(queue->running));
    fjt_put_text(entry, "req", queue->deleting ? "delete" : "none");
    Tcl_ListObjAppendElement(NULL, list, entry);
    return 0;
}

static int list_set(fjt_interp *data, int objc, const fjt_syntax *syntax, fj_queue_visitor visitor)
{
    if (objc != 2) {
        return fjt_wrong_args(data->interp, syntax);
    }
    fj_queue_set *set = fjt_set(data->interp);
    if (!set) {
        return TCL_ERROR;
    }
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    if (fj_queue_set_list(set, visitor, list) < 0) {
        Tcl_DecrRefCount(list);
        return fjt_queue_error(data->interp, "", "");
    }
    Tcl_SetObjResult(data->interp, list);
    return TCL_OK;
}

int fjt_queues_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job queues", "", 2, 0, 0};
    (void)objv;
    return list_set(data, objc, &syntax, add_name);
}

int fjt_queuelist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job queuelist", "", 2, 0, 0};
    (void)objv;
    return list_set(data, objc, &syntax, add_queue);
}

int fjt_threadlist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job threadlist", "", 2, 0, 0};
    fj_queue_threads threads = {.struct_size = sizeof threads};
    (void)objv;
    if (objc != 2) {
        return fjt_wrong_args(data->interp, &syntax);
    }
    fj_queue_set *set = fjt_set(data->interp);
    if (!set) {
        return TCL_ERROR;
    }
    if (!fj_queue_set_threads(set, &threads)) {
        return fjt_queue_error(data->interp, "", "");
    }
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    fjt_put(list, "maxthreads", Tcl_NewWideIntObj(threads.max_threads));
    fjt_put(list, "numthreads", Tcl_NewIntObj(threads.threads));
    fjt_put(list, "numidle", Tcl_NewIntObj(threads.idle_threads));
    fjt_put_text(list, "req", threads.stopping ? "stop" : "none");
    Tcl_SetObjResult(data->interp, list);
    return TCL_OK;
}

/* ---- configure ---- */

static Tcl_Obj *time_object(long long milliseconds)
{
    if (milliseconds < 0) {
        milliseconds = 0; /* none */
    }
    char text[40];
    snprintf(text, sizeof text, "%lld.%06lld", milliseconds / 1000, milliseconds % 1000 * 1000);
    return Tcl_NewStringObj(text, -1);
}

int fjt_configure_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {
        "ns_job configure", "?-jobsperthread /integer[0,MAX]/? ?-logminduration /time/? ?-timeout /time/?", 2,
        0, 0};
    Tcl_Obj *const *args;
    int jobs = -1, count;
    long long log_min = FJT_NO_TIME, timeout = FJT_NO_TIME;
    const fjt_option options[] = {{"-jobsperthread", FJT_COUNT, &jobs, 0},
                                  {"-logminduration", FJT_TIME, &log_min, 0},
                                  {"-timeout", FJT_TIME, &timeout, 0}};
    if (fjt_parse(data->interp, &syntax, objc, objv, options, 3, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    fj_queue_set *set = fjt_set(data->interp);
    if (!set) {
        return TCL_ERROR;
    }
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* two changes at once lose neither */
    fj_queue_settings settings = {.struct_size = sizeof settings};
    pthread_mutex_lock(&lock);
    int ok = fj_queue_set_settings(set, &settings);
    if (ok && (jobs >= 0 || log_min >= 0 || timeout >= 0)) {
        settings.jobs_per_thread = jobs >= 0 ? jobs : settings.jobs_per_thread;
        settings.log_min_ms = log_min >= 0 ? fjt_milliseconds(log_min) : settings.log_min_ms;
        /* 0 is no time-out */
        settings.idle_ms = timeout > 0 ? fjt_milliseconds(timeout) : timeout == 0 ? -1 : settings.idle_ms;
        ok = fj_queue_set_configure(set, &settings);
    }
    pthread_mutex_unlock(&lock);
    if (!ok) {
        return fjt_queue_error(data->interp, "", "");
    }
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    fjt_put(list, "jobsperthread", Tcl_NewWideIntObj(settings.jobs_per_thread));
    fjt_put(list, "timeout", time_object(settings.idle_ms));
    fjt_put(list, "logminduration", time_object(settings.log_min_ms));
    Tcl_SetObjResult(data->interp, list);
    return TCL_OK;
}
