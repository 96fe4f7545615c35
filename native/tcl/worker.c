/*
 * worker.c - a worker's thread: its interpreter from the initial state on, the jobs in it, and their
 * cancellation.
 *
 * The interpreter belongs to its thread. Another thread touches it only in stop_job, under the worker's lock,
 * which also guards the moments when it is replaced. The library ends no job before its stop_job has
 * returned, and calls fjt_after_job when the job has ended: what a late cancel has set is reset there, and
 * hits no later job.
 */
#include "worker.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Thread_local fjt_worker *this_worker;

fjt_worker *fjt_this_worker(void)
{
    return this_worker;
}

/* The process is ending and could not wait any longer: what Tcl needs is being taken apart. */
static void stay_out_of_tcl(void)
{
    while (atomic_load(&fjt_exiting)) {
        pause();
    }
}

/* ---- the interpreter ---- */

static int evaluate_setting(Tcl_Interp *interp, int which)
{
    char *script = fjt_setting(which);
    int code = script ? Tcl_EvalEx(interp, script, -1, TCL_EVAL_GLOBAL) : TCL_OK;
    if (script) {
        ckfree(script);
    }
    return code;
}

/* It loads Thread, and is known to have no traces of variables and no links. */
static int evaluate_prelude(fjt_worker *worker, Tcl_Interp *interp)
{
    int code = evaluate_setting(interp, FJT_PRELUDE);
    fjt_watch_reset(worker, FJT_LOAD);
    return code;
}

static char *init_error(Tcl_Interp *interp)
{
    const char *info = Tcl_GetVar2(interp, "errorInfo", NULL, TCL_GLOBAL_ONLY);
    Tcl_Obj *text = Tcl_NewStringObj("the initial state of the worker failed: ", -1);
    Tcl_AppendToObj(text, info ? info : Tcl_GetString(Tcl_GetObjResult(interp)), -1);
    Tcl_IncrRefCount(text);
    char *copy = strdup(Tcl_GetString(text));
    Tcl_DecrRefCount(text);
    return copy;
}

static void make_interpreter(fjt_worker *worker)
{
    worker->generation =
        fjt_init_generation(); /* before the scripts are read: a later change is not missed */
    worker->broken = worker->exited = 0;
    if (atomic_load(&fjt_ending)) {
        return;
    }
    Tcl_Interp *interp = Tcl_CreateInterp();
    Tcl_Preserve(interp); /* so that it can be asked whether a job has deleted it */
    fjt_clean_watch(worker, interp);
    if (Tcl_Init(interp) != TCL_OK || fjt_install(interp, worker) != TCL_OK ||
        evaluate_prelude(worker, interp) != TCL_OK || evaluate_setting(interp, FJT_INIT) != TCL_OK) {
        worker->init_error = init_error(interp);
        fjt_log_add("Error",
                    worker->init_error ? worker->init_error : "the initial state of the worker failed");
        fjt_log_flush(interp);
    }
    Tcl_ResetResult(interp);
    fjt_clean_begin(worker, interp);
    worker->interp = interp;
}

static void drop_interpreter(fjt_worker *worker)
{
    Tcl_Interp *interp = worker->interp;
    worker->interp = NULL;
    free(worker->init_error);
    worker->init_error = NULL;
    if (!interp) {
        return;
    }
    fjt_scripts_drop(worker);
    fjt_clean_end(worker, interp);
    if (!Tcl_InterpDeleted(interp)) {
        Tcl_DeleteInterp(interp);
    }
    Tcl_Release(interp);
}

static void renew_interpreter(fjt_worker *worker)
{
    drop_interpreter(worker);
    make_interpreter(worker);
}

/* ---- the thread ---- */

void *fjt_thread_start(void *closure)
{
    (void)closure;
    fjt_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        return NULL;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    this_worker = worker;
    fjt_log_gather(1);
    fjt_cancel_begin(worker); /* before the interpreter: its handler is asked after ours */
    make_interpreter(worker);
    return worker;
}

void fjt_thread_exit(void *thread_state, void *closure)
{
    fjt_worker *worker = thread_state;
    (void)closure;
    stay_out_of_tcl();
    fjt_log_flush(NULL);
    if (!worker) {
        return;
    }
    this_worker = NULL;
    if (worker->abandoned) {
        fjt_cancel_abandon(worker);
        return; /* its interpreter is in the middle of a script for ever: what it holds cannot be given back
                 */
    }
    drop_interpreter(worker);
    fjt_cancel_finish(worker);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
    Tcl_FinalizeThread();
}

/* ---- a job ---- */

static int run_job(fj_run *run, void *state)
{
    fjt_worker *worker = fj_run_thread_state(run);
    if (!worker) {
        fjt_set_failure(run, "out of memory", "NONE", "out of memory");
        return TCL_ERROR;
    }
    if (worker->generation != fjt_init_generation()) {
        renew_interpreter(worker);
    }
    if (worker->init_error || !worker->interp) {
        const char *why = worker->init_error ? worker->init_error : "the process ends";
        fjt_set_failure(run, why, "NONE", why);
        return TCL_ERROR;
    }
    /* A stop that came before, perhaps while the last job was cleaned up, has been forgotten; a later one is
     * not. */
    if (fj_run_is_cancelled(run)) {
        return TCL_ERROR;
    }
    worker->run = run;
    int code = fjt_evaluate(worker, state);
    worker->run = NULL;
    stay_out_of_tcl();
    return code;
}

const fj_work fjt_work = {.struct_size = sizeof(fj_work),
                          .name = "ns_job",
                          .run = run_job,
                          .stop = fjt_cancel_stop,
                          .release = free};

/* ---- after a job ---- */

/* No `finally` of a job that was unwound has run. */
static void tidy_up_for_job(Tcl_Interp *interp)
{
    if (Tcl_FindCommand(interp, "::ns_job::compat::Unwound", NULL, TCL_GLOBAL_ONLY)) {
        Tcl_EvalEx(interp, "::ns_job::compat::Unwound", -1, TCL_EVAL_GLOBAL);
    }
}

void fjt_after_job(void *thread_state, void *closure)
{
    fjt_worker *worker = thread_state;
    (void)closure;
    stay_out_of_tcl();
    if (!worker) {
        return;
    }
    Tcl_Interp *interp = worker->interp;
    int unwound = atomic_load(&worker->stopped) || worker->exited;
    int whole =
        interp && !Tcl_InterpDeleted(interp) && !worker->broken && (!unwound || fjt_cancel_end(worker));
    atomic_store(&worker->stopped, 0);
    if (whole && unwound) {
        tidy_up_for_job(interp);
        /* A cancel marks all interpreters below, those too that evaluate nothing, for their next evaluation.
         */
        whole = !worker->exited && !fjt_has_children(interp);
    }
    fjt_log_flush(whole ? interp : NULL);
    if (!whole || !fjt_clean_run(worker)) {
        renew_interpreter(worker);
    }
}
