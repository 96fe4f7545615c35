/*
 * application.c - fastjobs:: for the application: the initial state of workers, the log command, the end.
 */
#include "ns_job.h"

/* Returns what is set, and sets what is given. */
static int setting_cmd(Tcl_Interp *interp, int which, const char *otherwise, int objc, Tcl_Obj *const objv[],
                       const fjt_syntax *syntax)
{
    if (objc > 2) {
        return fjt_wrong_args(interp, syntax);
    }
    if (objc == 2) {
        fjt_set_setting(which, Tcl_GetString(objv[1]));
        return TCL_OK;
    }
    char *value = fjt_setting(which);
    Tcl_SetObjResult(interp, Tcl_NewStringObj(value ? value : otherwise, -1));
    if (value) {
        ckfree(value);
    }
    return TCL_OK;
}

static int init_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::init", "?/script/?", 1, 0, 1};
    (void)data;
    if (objc == 2 && !Tcl_CommandComplete(Tcl_GetString(objv[1]))) {
        return fjt_error(interp, "the script is not complete: a brace, a bracket or a quote is missing");
    }
    return setting_cmd(interp, FJT_INIT, "", objc, objv, &syntax);
}

/* For packages that are to be in the workers too: it comes before the application's script. */
static int prelude_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::Prelude", "?/script/?", 1, 0, 1};
    (void)data;
    return setting_cmd(interp, FJT_PRELUDE, "", objc, objv, &syntax);
}

static int log_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::log", "?/command/?", 1, 0, 1};
    Tcl_Size length;
    (void)data;
    if (objc == 2 && (Tcl_ListObjLength(interp, objv[1], &length) != TCL_OK || length == 0)) {
        return fjt_error(interp, "expected a command prefix but got \"%s\"", Tcl_GetString(objv[1]));
    }
    return setting_cmd(interp, FJT_LOG, "ns_log", objc, objv, &syntax);
}

static int shutdown_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::shutdown", "?-drain /time/?", 1, 0, 0};
    Tcl_Obj *const *args;
    long long drain = 0, discarded;
    int count;
    const fjt_option options[] = {{"-drain", FJT_TIME, &drain, 0}};
    (void)data;
    if (fjt_parse(interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    if (fj_run_current()) {
        return fjt_error(interp, "a job cannot shut down the queues that it runs in");
    }
    if (!fjt_set(interp)) {
        return TCL_ERROR;
    }
    fjt_log_gather(1);
    fjt_close(fjt_milliseconds(drain), &discarded);
    fjt_log_flush(interp);
    fjt_log_gather(0);
    Tcl_SetObjResult(interp, Tcl_NewWideIntObj(discarded));
    return TCL_OK;
}

/* For fastjobs::config: the microseconds of a time value. */
static int time_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::Time", "/time/", 1, 1, 1};
    long long microseconds;
    (void)data;
    if (objc != 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (fjt_time(interp, objv[1], "time", &microseconds) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_SetObjResult(interp, Tcl_NewWideIntObj(microseconds));
    return TCL_OK;
}

void fjt_install_application(fjt_interp *data)
{
    static const fjt_command commands[] = {{"::fastjobs::init", init_cmd},
                                           {"::fastjobs::Prelude", prelude_cmd},
                                           {"::fastjobs::log", log_cmd},
                                           {"::fastjobs::Time", time_cmd},
                                           {"::fastjobs::shutdown", shutdown_cmd}};
    fjt_add_commands(data, commands, sizeof commands / sizeof *commands);
}
