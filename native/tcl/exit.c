/*
 * exit.c - `exit` in a job ends the job, not the process; its worker gets a new interpreter. And the end of
 * the process.
 *
 * In a worker's interpreter `exit` is a command of our own, which ends the script as a cancel does. Other
 * interpreters in the thread (those that a job has created) have Tcl's, which ends up in our exit procedure:
 * it may not return, so it ends the thread, and leaves behind what the interpreters there hold.
 */
#include "worker.h"
#include <stdio.h>

int fjt_exit_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"exit", "?returnCode?", 1, 0, 1};
    fjt_worker *worker = ((fjt_interp *)data)->worker;
    int status = 0;
    if (objc > 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (objc == 2 && Tcl_GetIntFromObj(interp, objv[1], &status) != TCL_OK) {
        return TCL_ERROR;
    }
    worker->exited = 1;
    worker->exit_status = status;
    fjt_cancel_hold(worker, TCL_OK);
    Tcl_CancelEval(interp, NULL, NULL, TCL_CANCEL_UNWIND);
    return fjt_error(interp, "exit");
}

static Tcl_ExitProc *exit_before;

static void in_worker(fjt_worker *worker, int status)
{
    char code[64], message[64];
    snprintf(code, sizeof code, "FASTJOBS EXIT %d", status);
    snprintf(message, sizeof message, "the job called exit %d", status);
    if (worker->run) {
        fjt_set_failure(worker->run, message, code, message);
    }
    worker->abandoned = 1;
    pthread_exit(NULL);
}

#if TCL_MAJOR_VERSION > 8
static TCL_NORETURN1 void exit_proc(void *status)
#else
static void exit_proc(ClientData status)
#endif
{
    fjt_worker *worker = fjt_this_worker();
    if (worker) {
        in_worker(worker, (int)(intptr_t)status);
    }
    fjt_end_for_exit();
    Tcl_SetExitProc(exit_before); /* as if we had never been asked */
    Tcl_Exit((int)(intptr_t)status);
}

/* For whoever ends Tcl without Tcl_Exit. */
static void exit_handler(ClientData unused)
{
    (void)unused;
    fjt_end_for_exit();
}

void fjt_exit_install(void)
{
    Tcl_CreateExitHandler(exit_handler, NULL);
    exit_before = Tcl_SetExitProc(exit_proc);
}
