/*
 * queue_cmds.c - ns_job: the subcommands that delete queues, queue and cancel jobs.
 */
#include "ns_job.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- delete ---- */

static int delete_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job delete", "/queueId/", 2, 1, 1};
    fjt_from from = FJT_FOUND;
    if (objc != 3) {
        return fjt_wrong_args(data->interp, &syntax);
    }
    do {
        fj_queue *queue = fjt_queue(data, objv[2], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        if (fj_queue_delete(queue)) {
            fjt_forget(data, objv[2]);
            return TCL_OK;
        }
    } while (fjt_again(data, objv[2], &from, NULL, NULL));
    return fjt_queue_error(data->interp, Tcl_GetString(objv[2]), "");
}

/* ---- queue ---- */

/* The text of a number's id, without what printf costs. */
static Tcl_Obj *id_object(fj_job_id id)
{
    char text[32], *at = text + sizeof text;
    if (id.number < 0) {
        return fjt_name_object(id.text);
    }
    long long left = id.number;
    do {
        *--at = (char)('0' + left % 10);
    } while (left /= 10);
    at -= 3;
    memcpy(at, "job", 3);
    return Tcl_NewStringObj(at, (Tcl_Size)(text + sizeof text - at));
}

int fjt_queue_job(fjt_interp *data, Tcl_Obj *queue_name, Tcl_Obj *script, const fj_job_options *options)
{
    Tcl_Size size;
    const char *bytes = Tcl_GetStringFromObj(script, &size);
    fjt_script *state = malloc(sizeof *state + (size_t)size + 1);
    if (!state) {
        return fjt_error(data->interp, "out of memory");
    }
    state->size = (uint32_t)size;
    memcpy(state->bytes, bytes, (size_t)size + 1);
    fjt_from from = FJT_FOUND;
    do {
        fj_job_id id;
        fj_queue *queue = fjt_queue(data, queue_name, &from);
        if (!queue) {
            free(state);
            return TCL_ERROR;
        }
        if (fj_queue_add(queue, &fjt_work, state, options, &id)) {
            Tcl_SetObjResult(data->interp, id_object(id));
            return TCL_OK;
        }
    } while (fjt_again(data, queue_name, &from, NULL, NULL));
    free(state);
    if (fj_last_error_code() == FJ_EEXIST) {
        Tcl_Obj *id = fjt_name_object(options->id);
        fjt_error(data->interp, "Job %s already exists", Tcl_GetString(id));
        Tcl_DecrRefCount(id);
        return TCL_ERROR;
    }
    return fjt_queue_error(data->interp, Tcl_GetString(queue_name), "");
}

int fjt_queue_command(fjt_interp *data, int objc, Tcl_Obj *const objv[], int extended)
{
    static const fjt_syntax plain = {"ns_job queue",
                                     "?-detached? ?-head? ?-jobid /value/? /queueId/ /script/", 2, 2, 2};
    static const fjt_syntax more = {"fastjobs::queue",
                                    "?-attempts /integer[1,MAX]/? ?-delay /time/? ?-detached? ?-expire "
                                    "/time/? ?-factor /number/? ?-head? "
                                    "?-jobid /value/? ?-retry /time/? ?-retrymax /time/? /queueId/ /script/",
                                    1, 2, 2};
    if (!extended && objc == 4) {
        return fjt_queue_job(data, objv[2], objv[3], NULL);
    }
    fj_job_options job = {.struct_size = sizeof job};
    Tcl_Obj *id = NULL, *const * args;
    long long delay = 0, expire = 0, retry = 0, retry_max = 0;
    int count;
    const fjt_option options[] = {
        {"-detached", FJT_FLAG, &job.detached, 0},
        {"-head", FJT_FLAG, &job.head, 0},
        {"-jobid", FJT_STRING, &id, 0},
        {"-attempts", FJT_COUNT, &job.max_attempts, 1},
        {"-delay", FJT_TIME, &delay, 0},
        {"-expire", FJT_TIME, &expire, 0},
        {"-factor", FJT_NUMBER, &job.retry_factor, 0},
        {"-retry", FJT_TIME, &retry, 0},
        {"-retrymax", FJT_TIME, &retry_max, 0},
    };
    if (fjt_parse(data->interp, extended ? &more : &plain, objc, objv, options, extended ? COUNT(options) : 3,
                  &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    if (id) {
        job.id = fjt_named_id(data, id).text;
        if (fjt_check_name(data->interp, data->id, "-jobid") != TCL_OK) {
            return TCL_ERROR;
        }
    }
    job.delay_ms = fjt_milliseconds(delay);
    job.expire_ms = fjt_milliseconds(expire);
    job.retry_ms = fjt_milliseconds(retry);
    job.retry_max_ms = fjt_milliseconds(retry_max);
    return fjt_queue_job(data, args[0], args[1], &job);
}

/* ---- cancel, exists ---- */

static int cancel_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job cancel", "/queueId/ /jobId/", 2, 2, 2};
    if (objc != 4) {
        return fjt_wrong_args(data->interp, &syntax);
    }
    fj_job_id id = fjt_job_id(data, objv[3]);
    fjt_from from = FJT_FOUND;
    do {
        fj_queue *queue = fjt_queue(data, objv[2], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        int running = fj_queue_cancel(queue, id);
        if (running >= 0) {
            Tcl_SetObjResult(data->interp, Tcl_NewBooleanObj(running));
            return TCL_OK;
        }
    } while (fjt_again(data, objv[2], &from, &id, objv[3]));
    if (fj_last_error_code() == FJ_EWAITED) {
        return fjt_error(data->interp, "can't cancel job \"%s\", someone is waiting on it",
                         Tcl_GetString(objv[3]));
    }
    return fjt_queue_error(data->interp, Tcl_GetString(objv[2]), Tcl_GetString(objv[3]));
}

static int exists_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job exists", "/queueId/ /jobId/", 2, 2, 2};
    if (objc != 4) {
        return fjt_wrong_args(data->interp, &syntax);
    }
    fjt_from from = FJT_FOUND;
    int there, again;
    do { /* a queue that is gone has no job, and does not say why: its successor may have it */
        fj_queue *queue = fjt_queue(data, objv[2], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        there = fj_queue_exists(queue, fjt_named_id(data, objv[3]));
        again = !there && from == FJT_KEPT;
        if (again) {
            fjt_forget(data, objv[2]);
            from = FJT_AGAIN;
        }
    } while (again);
    Tcl_SetObjResult(data->interp, Tcl_NewBooleanObj(there));
    return TCL_OK;
}

/* ---- genid ---- */

static int genid_command(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_job genid", "", 2, 0, 0};
    char id[100];
    (void)objv;
    if (objc != 2) {
        return fjt_wrong_args(data->interp, &syntax);
    }
    fj_queue_set *set = fjt_set(data->interp);
    if (!set) {
        return TCL_ERROR;
    }
    if (!fj_queue_set_new_id(set, id, sizeof id)) {
        return fjt_queue_error(data->interp, "", "");
    }
    Tcl_SetObjResult(data->interp, Tcl_NewStringObj(id, -1));
    return TCL_OK;
}

/* ---- ns_job ---- */

static int plain_create(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    return fjt_create_command(data, objc, objv, 0);
}

static int plain_queue(fjt_interp *data, int objc, Tcl_Obj *const objv[])
{
    return fjt_queue_command(data, objc, objv, 0);
}

static const struct subcommand {
    const char *name;
    int (*run)(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
} subcommands[] = {{"cancel", cancel_command},
                   {"configure", fjt_configure_command},
                   {"create", plain_create},
                   {"delete", delete_command},
                   {"exists", exists_command},
                   {"genid", genid_command},
                   {"joblist", fjt_joblist_command},
                   {"jobs", fjt_jobs_command},
                   {"queue", plain_queue},
                   {"queuelist", fjt_queuelist_command},
                   {"queues", fjt_queues_command},
                   {"threadlist", fjt_threadlist_command},
                   {"wait", fjt_wait_command},
                   {"waitany", fjt_waitany_command},
                   {NULL, NULL}};

int fjt_ns_job_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax none = {
        "ns_job cancel|configure|create|delete|exists|genid|joblist|jobs|queue|queuelist|"
        "queues|threadlist|wait|waitany",
        "?/arg .../", 1, 1, 1};
    int index;
    if (objc < 2) {
        return fjt_wrong_args(interp, &none);
    }
    if (Tcl_GetIndexFromObjStruct(interp, objv[1], subcommands, sizeof *subcommands, "subcommand", TCL_EXACT,
                                  &index) != TCL_OK) {
        Tcl_SetObjResult(interp, Tcl_ObjPrintf("ns_job: %s", Tcl_GetString(Tcl_GetObjResult(interp))));
        return TCL_ERROR;
    }
    return subcommands[index].run(data, objc, objv);
}
