/*
 * cancel.c - cancelling a script that runs, from any thread.
 *
 * fjt_cancel_stop only marks an asynchronous handler; the rest happens in the worker's thread, between two
 * commands of the script. There Tcl_CancelEval unwinds it past any catch. But Tcl takes that back when an
 * evaluation returns to level 0, and when a coroutine ends it may take its caller for that; a catch around
 * the coroutine would go on then. A limit of time, which no catch survives either, stays until it is changed,
 * so there is that too, in each of the interpreters below.
 *
 * The library ends no job before fjt_cancel_stop has returned, and calls fjt_after_job when the job has
 * ended: what a late cancel has set is reset there, and hits no later job.
 */
#include "worker.h"
#include <time.h>

#if TCL_MAJOR_VERSION == 8 && !defined(Tcl_GetChild)
#define Tcl_GetChild Tcl_GetSlave
#endif
#if TCL_MAJOR_VERSION == 8 && !defined(Tcl_GetParent)
#define Tcl_GetParent Tcl_GetMaster
#endif

static void set_limit(Tcl_Interp *interp, long seconds_from_now)
{
    Tcl_Time end;
    Tcl_GetTime(&end);
    end.sec += seconds_from_now;
    Tcl_LimitSetTime(interp, &end);
    Tcl_LimitSetGranularity(interp, TCL_LIMIT_TIME, 1);
    Tcl_LimitTypeSet(interp, TCL_LIMIT_TIME);
}

void fjt_limit(Tcl_Interp *interp, long seconds)
{
    set_limit(interp, seconds >= 0 ? seconds : 0);
    if (seconds < 0) { /* setting it has also made Tcl forget that the one before was exceeded */
        Tcl_LimitTypeReset(interp, TCL_LIMIT_TIME);
    }
}

/* The names of the interpreters below; NULL: they cannot be had. The interpreter's result is changed. */
static Tcl_Obj *children_of(Tcl_Interp *interp)
{
    if (Tcl_EvalEx(interp, "::interp children", -1, TCL_EVAL_GLOBAL) != TCL_OK && /* before Tcl 8.7: */
        Tcl_EvalEx(interp, "::interp slaves", -1, TCL_EVAL_GLOBAL) != TCL_OK) {
        return NULL;
    }
    Tcl_Obj *names = Tcl_GetObjResult(interp);
    Tcl_IncrRefCount(names);
    return names;
}

int fjt_has_children(Tcl_Interp *interp)
{
    Tcl_Size count = 1;
    Tcl_Obj *names = children_of(interp);
    if (names) {
        Tcl_ListObjLength(NULL, names, &count);
        Tcl_DecrRefCount(names);
    }
    return count > 0;
}

/* Those below go with the worker's interpreter after the job, so their limits need not be taken back. */
static void end_time(Tcl_Interp *interp)
{
    Tcl_Size count = 0;
    Tcl_Obj **words, *names = children_of(interp);
    if (names) {
        Tcl_ListObjGetElements(NULL, names, &count, &words);
        for (Tcl_Size i = 0; i < count; i++) {
            Tcl_Interp *child = Tcl_GetChild(interp, Tcl_GetString(words[i]));
            if (child) {
                end_time(child);
            }
        }
        Tcl_DecrRefCount(names);
    }
    fjt_limit(interp, 0);
}

void fjt_cancel_hold(fjt_worker *worker, int code)
{
    Tcl_InterpState state = Tcl_SaveInterpState(worker->interp, code);
    end_time(worker->interp);
    Tcl_RestoreInterpState(worker->interp, state);
}

/* While Tcl creates an interpreter it evaluates something in it, and the one above has an entry for it with
 * nothing in it, over which both `interp children` with what follows and a cancel would stumble. It has no
 * parent yet. */
static int is_complete(fjt_worker *worker, Tcl_Interp *interp)
{
    while (interp && interp != worker->interp) {
        interp = Tcl_GetParent(interp);
        if (!interp) {
            return 0;
        }
    }
    return 1; /* NULL: from the event loop, which nobody enters there */
}

/* Asks again and again until the moment is a good one: creating an interpreter takes a millisecond. */
static void *ask_again(void *data)
{
    fjt_worker *worker = data;
    const struct timespec pause = {0, 1000000};
    while (atomic_load(&worker->deferred)) {
        nanosleep(&pause, NULL);
        Tcl_AsyncMark(worker->holds);
    }
    return NULL;
}

static void defer(fjt_worker *worker)
{
    if (!worker->has_asker) {
        atomic_store(&worker->deferred, 1);
        worker->has_asker = pthread_create(&worker->asker, NULL, ask_again, worker) == 0;
    }
}

static void end_asker(fjt_worker *worker)
{
    if (worker->has_asker) {
        atomic_store(&worker->deferred, 0);
        pthread_join(worker->asker, NULL);
        worker->has_asker = 0;
    }
}

/* In the worker's thread, between two commands of the script. */
static int hold_cancel(ClientData data, Tcl_Interp *interp, int code)
{
    fjt_worker *worker = data;
    if (!worker->run || !worker->interp || Tcl_InterpDeleted(worker->interp)) {
        return code;
    }
    if (!is_complete(worker, interp)) {
        defer(worker);
        return code;
    }
    end_asker(worker);
    fjt_cancel_hold(worker, code);
    Tcl_CancelEval(worker->interp, NULL, NULL, TCL_CANCEL_UNWIND); /* is noticed next */
    return code;
}

/* ---- for the worker ---- */

void fjt_cancel_begin(fjt_worker *worker)
{
    worker->holds = Tcl_AsyncCreate(hold_cancel, worker);
}

void fjt_cancel_abandon(fjt_worker *worker)
{
    end_asker(worker);
}

void fjt_cancel_finish(fjt_worker *worker)
{
    end_asker(worker);
    Tcl_AsyncDelete(worker->holds);
}

void fjt_cancel_stop(fj_run *run, void *state)
{
    fjt_worker *worker = fj_run_thread_state(run);
    (void)state;
    if (!worker) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->stopped, 1);
    Tcl_AsyncMark(worker->holds);
    pthread_cond_broadcast(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

int fjt_cancel_end(fjt_worker *worker)
{
    Tcl_Interp *interp = worker->interp;
    end_asker(worker);
    fjt_limit(interp, -1);
    /* An evaluation of compiled code notices a cancel when it starts, and resets it when it ends. One that
     * was noticed before is reset already. */
    if (Tcl_AsyncReady()) {
        Tcl_Obj *nothing = Tcl_NewObj();
        Tcl_IncrRefCount(nothing);
        Tcl_EvalObjEx(interp, nothing, TCL_EVAL_GLOBAL);
        Tcl_DecrRefCount(nothing);
    }
    return Tcl_Canceled(interp, 0) == TCL_OK;
}
