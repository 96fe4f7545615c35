/*
 * clean.c - what a job leaves in its worker's interpreter is gone before the next one: global variables,
 * channels, scripts that `after` would still run. Procs, namespaces with their variables, and child
 * interpreters stay.
 *
 * That a job left nothing is found out without looking at it all: the initial globals are traced, so if none
 * was touched and there are as many globals as before, they are the same ones.
 */
#include "worker.h"
#include <string.h>

/* Cleaning may run scripts of the job: traces, reflected channels. They get so many seconds. */
enum { SCRIPT_SECONDS = 5 };

/* ---- channels ---- */

static Tcl_Obj *channel_names(Tcl_Interp *interp)
{
    Tcl_GetChannelNames(interp);
    Tcl_Obj *names = Tcl_GetObjResult(interp);
    Tcl_IncrRefCount(names);
    Tcl_ResetResult(interp);
    return names;
}

static int same_names(Tcl_Obj *some, Tcl_Obj *others)
{
    Tcl_Size count, other_count;
    Tcl_Obj **words, **other_words;
    Tcl_ListObjGetElements(NULL, some, &count, &words);
    Tcl_ListObjGetElements(NULL, others, &other_count, &other_words);
    if (count != other_count) {
        return 0;
    }
    for (Tcl_Size i = 0; i < count; i++) { /* the order stays as long as the set does */
        if (strcmp(Tcl_GetString(words[i]), Tcl_GetString(other_words[i])) != 0) {
            return 0;
        }
    }
    return 1;
}

static int holds(Tcl_Obj *names, const char *name)
{
    Tcl_Size count;
    Tcl_Obj **words;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        if (strcmp(Tcl_GetString(words[i]), name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void close_channels(fjt_worker *worker, Tcl_Obj *names)
{
    Tcl_Size count;
    Tcl_Obj **words;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        const char *name = Tcl_GetString(words[i]);
        Tcl_Channel channel =
            holds(worker->clean.channels, name) ? NULL : Tcl_GetChannel(worker->interp, name, NULL);
        if (channel) {
            Tcl_UnregisterChannel(worker->interp, channel);
        }
    }
}

/* ---- after ---- */

static int note_after(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    fjt_worker *worker = data;
    worker->clean.used_after = 1;
    return worker->clean.after.objProc(worker->clean.after.objClientData, interp, objc, objv);
}

/* `after` itself, and what it did in the initial state counts as the state's. */
static void watch_after(fjt_worker *worker, Tcl_Interp *interp)
{
    Tcl_CmdInfo info;
    worker->clean.used_after = 0;
    if (Tcl_GetCommandInfo(interp, "::after", &info) && info.isNativeObjectProc == 1) {
        worker->clean.after = info;
        info.objProc = note_after;
        info.objClientData = worker;
        worker->clean.wraps_after = Tcl_SetCommandInfo(interp, "::after", &info);
    }
}

static const char cancel_after[] = "::foreach ::fastjobs::id [::after info] { ::after cancel $::fastjobs::id "
                                   "}; ::unset -nocomplain ::fastjobs::id";

/* ---- all of it ---- */

void fjt_clean_begin(fjt_worker *worker, Tcl_Interp *interp)
{
    memset(&worker->clean, 0, sizeof worker->clean);
    watch_after(worker, interp);
    worker->clean.channels = channel_names(interp);
    fjt_globals_begin(worker, interp);
}

void fjt_clean_end(fjt_worker *worker, Tcl_Interp *interp)
{
    fjt_globals_end(worker, interp);
    fjt_env_forget(worker);
    Tcl_DecrRefCount(worker->clean.channels);
    worker->clean.channels = NULL;
}

static int restore(fjt_worker *worker, Tcl_Obj *channels)
{
    Tcl_Interp *interp = worker->interp;
    int ok = 1;
    fjt_limit(interp, SCRIPT_SECONDS);
    if (worker->clean.used_after || !worker->clean.wraps_after) {
        ok = Tcl_EvalEx(interp, cancel_after, -1, TCL_EVAL_GLOBAL) == TCL_OK;
        worker->clean.used_after = 0;
    }
    close_channels(worker, channels);
    fjt_env_restore(worker);
    ok = fjt_globals_restore(worker) && ok && !Tcl_LimitExceeded(interp) && !worker->broken;
    fjt_limit(interp, -1);
    Tcl_ResetResult(interp);
    return ok;
}

int fjt_clean_run(fjt_worker *worker)
{
    fjt_clean *clean = &worker->clean;
    Tcl_Obj *channels = channel_names(worker->interp);
    int ok = 1;
    if (clean->used_after || !clean->wraps_after || clean->dirty || clean->links ||
        !same_names(channels, clean->channels) || fjt_globals_count(worker) != clean->global_count) {
        ok = restore(worker, channels) && !clean->env_lost;
    }
    Tcl_DecrRefCount(channels);
    return ok;
}
