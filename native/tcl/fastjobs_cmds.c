/*
 * fastjobs_cmds.c - fastjobs::, what ns_job has no subcommand for: queues with expiry, pause and resume,
 * concurrency; jobs with a delay or retries; groups; a job in detail.
 */
#include "ns_job.h"

static int create_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    return fjt_create_command(data, objc, objv, 1);
}

static int queue_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    return fjt_queue_command(data, objc, objv, 1);
}

static int waitall_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    return fjt_waitall_command(data, objc, objv);
}

/* ---- one queue ---- */

static int change_queue(fjt_interp *data, Tcl_Obj *name, int (*change)(fj_queue *queue, int value), int value)
{
    fjt_from from = FJT_FOUND;
    do {
        fj_queue *queue = fjt_queue(data, name, &from);
        if (!queue) {
            return TCL_ERROR;
        }
        if (change(queue, value)) {
            return TCL_OK;
        }
    } while (fjt_again(data, name, &from, NULL, NULL));
    return fjt_queue_error(data->interp, Tcl_GetString(name), "");
}

static int set_paused(fj_queue *queue, int paused)
{
    return paused ? fj_queue_pause(queue) : fj_queue_resume(queue);
}

static int pause_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::pause", "/queueId/", 1, 1, 1};
    return objc != 2 ? fjt_wrong_args(interp, &syntax) : change_queue(data, objv[1], set_paused, 1);
}

static int resume_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::resume", "/queueId/", 1, 1, 1};
    return objc != 2 ? fjt_wrong_args(interp, &syntax) : change_queue(data, objv[1], set_paused, 0);
}

static int get_info(fjt_interp *data, Tcl_Obj *name, fj_queue_info *info)
{
    fjt_from from = FJT_FOUND;
    info->struct_size = sizeof *info;
    do {
        fj_queue *queue = fjt_queue(data, name, &from);
        if (!queue) {
            return TCL_ERROR;
        }
        if (fj_queue_get_info(queue, info)) {
            return TCL_OK;
        }
    } while (fjt_again(data, name, &from, NULL, NULL));
    return fjt_queue_error(data->interp, Tcl_GetString(name), "");
}

static int concurrency_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::concurrency", "/queueId/ ?/maxthreads[1,MAX]/?", 1, 1, 2};
    fj_queue_info info = {0};
    int value;
    if (objc < 2 || objc > 3) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (objc == 3 && (fjt_count(interp, objv[2], "?maxthreads", 1, &value) != TCL_OK ||
                      change_queue(data, objv[1], fj_queue_set_concurrency, value) != TCL_OK)) {
        return TCL_ERROR;
    }
    if (get_info(data, objv[1], &info) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_SetObjResult(interp, Tcl_NewIntObj(info.concurrency));
    return TCL_OK;
}

static int queueinfo_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::queueinfo", "/queueId/", 1, 1, 1};
    fj_queue_info info = {0};
    if (objc != 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (get_info(data, objv[1], &info) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    fjt_put(list, "name", fjt_name_object(info.name));
    fjt_put(list, "desc", fjt_name_object(info.description));
    fjt_put(list, "maxthreads", Tcl_NewIntObj(info.concurrency));
    fjt_put(list, "scheduled", Tcl_NewWideIntObj(info.scheduled));
    fjt_put(list, "running", Tcl_NewWideIntObj(info.running));
    fjt_put(list, "done", Tcl_NewWideIntObj(info.done));
    fjt_put(list, "paused", Tcl_NewBooleanObj(info.paused));
    fjt_put_text(list, "req", info.deleting ? "delete" : "none");
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

/* ---- one job ---- */

static int show_job(const fj_job_info *job, void *entry)
{
    *(Tcl_Obj **)entry = fjt_job_entry(job, 1);
    return 0;
}

static int jobinfo_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::jobinfo", "/queueId/ /jobId/", 1, 2, 2};
    if (objc != 3) {
        return fjt_wrong_args(interp, &syntax);
    }
    fj_job_id id = fjt_job_id(data, objv[2]);
    fjt_from from = FJT_FOUND;
    do {
        Tcl_Obj *entry = NULL;
        fj_queue *queue = fjt_queue(data, objv[1], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        if (fj_queue_visit_job(queue, id, show_job, &entry) && entry) {
            Tcl_SetObjResult(interp, entry);
            return TCL_OK;
        }
    } while (fjt_again(data, objv[1], &from, &id, objv[2]));
    return fjt_queue_error(interp, Tcl_GetString(objv[1]), Tcl_GetString(objv[2]));
}

void fjt_install_fastjobs(fjt_interp *data)
{
    static const fjt_command commands[] = {
        {"::fastjobs::create", create_cmd},       {"::fastjobs::queue", queue_cmd},
        {"::fastjobs::waitall", waitall_cmd},     {"::fastjobs::pause", pause_cmd},
        {"::fastjobs::resume", resume_cmd},       {"::fastjobs::concurrency", concurrency_cmd},
        {"::fastjobs::queueinfo", queueinfo_cmd}, {"::fastjobs::jobinfo", jobinfo_cmd},
    };
    fjt_add_commands(data, commands, sizeof commands / sizeof *commands);
}
