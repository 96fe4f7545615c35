/*
 * inside_cmds.c - fastjobs:: for a job that runs: who it is, its progress, its output.
 */
#include "ns_job.h"

static fj_run *own_run(Tcl_Interp *interp, const char *command)
{
    fj_run *run = fj_run_current();
    if (!run) {
        fjt_error(interp, "%s is for jobs: none runs here", command);
    }
    return run;
}

static int self_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::self", "", 1, 0, 0};
    (void)data, (void)objv;
    if (objc != 1) {
        return fjt_wrong_args(interp, &syntax);
    }
    fj_run *run = own_run(interp, "fastjobs::self");
    if (!run) {
        return TCL_ERROR;
    }
    fj_job_id id = fj_run_id(run);
    size_t length = fj_job_id_text(id, NULL, 0);
    char *text = ckalloc((unsigned)length + 1);
    fj_job_id_text(id, text, length + 1);
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    fjt_put(list, "queue", fjt_name_object(fj_run_queue_name(run)));
    fjt_put(list, "id", fjt_name_object(text));
    fjt_put(list, "attempt", Tcl_NewIntObj(fj_run_attempt(run)));
    ckfree(text);
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

static int progress_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::progress", "/text/", 1, 1, 1};
    (void)data;
    if (objc != 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    fj_run *run = own_run(interp, "fastjobs::progress");
    if (!run) {
        return TCL_ERROR;
    }
    return fj_run_report(run, Tcl_GetString(objv[1])) ? TCL_OK : fjt_error(interp, "%s", fj_last_error());
}

static int write_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::write", "?-nonewline? /text/", 1, 1, 1};
    Tcl_Obj *const *args;
    int no_newline = 0, count;
    const fjt_option options[] = {{"-nonewline", FJT_FLAG, &no_newline, 0}};
    (void)data;
    if (fjt_parse(interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    fj_run *run = own_run(interp, "fastjobs::write");
    if (!run) {
        return TCL_ERROR;
    }
    Tcl_Obj *text = args[0];
    if (!no_newline) { /* one piece, so that a reader gets whole lines */
        text = Tcl_DuplicateObj(text);
        Tcl_AppendToObj(text, "\n", 1);
    }
    Tcl_IncrRefCount(text);
    Tcl_DString bytes;
    Tcl_Size size;
    const char *utf = Tcl_GetStringFromObj(text, &size);
    Tcl_Encoding encoding = Tcl_GetEncoding(NULL, "utf-8"); /* not what Tcl has inside: U+0000, surrogates */
    Tcl_UtfToExternalDString(encoding, utf, size, &bytes);
    int ok = fj_run_write(run, Tcl_DStringValue(&bytes), (size_t)Tcl_DStringLength(&bytes));
    Tcl_FreeEncoding(encoding);
    Tcl_DStringFree(&bytes);
    Tcl_DecrRefCount(text);
    return ok ? TCL_OK : fjt_error(interp, "%s", fj_last_error());
}

void fjt_install_inside(fjt_interp *data)
{
    static const fjt_command commands[] = {
        {"::fastjobs::self", self_cmd},
        {"::fastjobs::progress", progress_cmd},
        {"::fastjobs::write", write_cmd},
    };
    fjt_add_commands(data, commands, sizeof commands / sizeof *commands);
}
