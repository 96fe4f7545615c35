/*
 * clean.c - what a job leaves in its worker's interpreter is gone before the next one: global variables,
 * channels, scripts that `after` would still run. Procs, namespaces with their variables, and child
 * interpreters stay.
 *
 * Most jobs leave nothing, or a few global variables; that is found out without looking at it all. The
 * initial globals are traced, and the commands that can leave worse are watched.
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

/* Where Tcl, 8 and 9, keeps the channels of an interpreter, by name. To look there costs a tenth of a
 * listing. A standard channel has a name of its own there. */
static Tcl_HashTable *channel_table(Tcl_Interp *interp)
{
    return Tcl_GetAssocData(interp, "tclIO", NULL);
}

static int same_channels(const fjt_clean *clean, Tcl_Interp *interp)
{
    Tcl_HashTable *table = channel_table(interp);
    Tcl_HashSearch search;
    Tcl_Size count, i = 0;
    Tcl_Obj **keys;
    if (!table || !clean->channel_keys) {
        return 0;
    }
    Tcl_ListObjGetElements(NULL, clean->channel_keys, &count, &keys);
    if ((Tcl_Size)table->numEntries != count) {
        return 0;
    }
    for (Tcl_HashEntry *entry = Tcl_FirstHashEntry(table, &search); entry && i < count;
         entry = Tcl_NextHashEntry(&search), i++) { /* the order stays as long as the set does */
        if (strcmp(Tcl_GetHashKey(table, entry), Tcl_GetString(keys[i])) != 0) {
            return 0;
        }
    }
    return i == count;
}

static void forget_channel_keys(fjt_clean *clean)
{
    if (clean->channel_keys) {
        Tcl_DecrRefCount(clean->channel_keys);
        clean->channel_keys = NULL;
    }
}

static void remember_channel_keys(fjt_clean *clean, Tcl_Interp *interp)
{
    Tcl_HashTable *table = channel_table(interp);
    Tcl_HashSearch search;
    forget_channel_keys(clean);
    if (table) {
        clean->channel_keys = Tcl_NewListObj(0, NULL);
        Tcl_IncrRefCount(clean->channel_keys);
        for (Tcl_HashEntry *entry = Tcl_FirstHashEntry(table, &search); entry;
             entry = Tcl_NextHashEntry(&search)) {
            Tcl_ListObjAppendElement(NULL, clean->channel_keys,
                                     Tcl_NewStringObj(Tcl_GetHashKey(table, entry), -1));
        }
    }
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

static void close_channels(fjt_worker *worker)
{
    Tcl_Size count;
    Tcl_Obj **words, *names = channel_names(worker->interp);
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        const char *name = Tcl_GetString(words[i]);
        Tcl_Channel channel =
            holds(worker->clean.channels, name) ? NULL : Tcl_GetChannel(worker->interp, name, NULL);
        if (channel) {
            Tcl_UnregisterChannel(worker->interp, channel);
        }
    }
    Tcl_DecrRefCount(names);
    remember_channel_keys(&worker->clean, worker->interp);
}

static const char cancel_after[] = "::foreach ::fastjobs::id [::after info] { ::after cancel $::fastjobs::id "
                                   "}; ::unset -nocomplain ::fastjobs::id";

/* ---- all of it ---- */

void fjt_clean_watch(fjt_worker *worker, Tcl_Interp *interp)
{
    memset(&worker->clean, 0, sizeof worker->clean);
    fjt_watch_begin(worker, interp);
}

void fjt_clean_begin(fjt_worker *worker, Tcl_Interp *interp)
{
    fjt_clean *clean = &worker->clean;
    clean->channels = channel_names(interp);
    remember_channel_keys(clean, interp);
    fjt_globals_begin(worker, interp);
    /* What `after` is to do, and links, count as the initial state's. */
    fjt_watch_reset(worker, FJT_AFTER);
    fjt_watch_reset(worker, FJT_UPVAR);
    fjt_watch_reset(worker, FJT_NAMESPACE_UPVAR);
}

void fjt_clean_end(fjt_worker *worker, Tcl_Interp *interp)
{
    fjt_globals_end(worker, interp);
    fjt_env_forget(worker);
    forget_channel_keys(&worker->clean);
    Tcl_DecrRefCount(worker->clean.channels);
    worker->clean.channels = NULL;
}

/* `globals` are those that the job has left. */
static int restore(fjt_worker *worker, Tcl_Obj *globals, int after, int channels)
{
    Tcl_Interp *interp = worker->interp;
    int may_run_scripts =
        after || channels || fjt_watch_used(worker, FJT_TRACE) || fjt_watch_used(worker, FJT_LOAD);
    int may_link = worker->clean.links || fjt_watch_used(worker, FJT_UPVAR) ||
                   fjt_watch_used(worker, FJT_NAMESPACE_UPVAR) || fjt_watch_used(worker, FJT_LOAD);
    int ok = 1;
    fjt_watch_reset(worker, FJT_UPVAR); /* before any script: what that does counts for the next time */
    fjt_watch_reset(worker, FJT_NAMESPACE_UPVAR);
    if (may_run_scripts) {
        fjt_limit(interp, SCRIPT_SECONDS);
    }
    if (after) {
        ok = Tcl_EvalEx(interp, cancel_after, -1, TCL_EVAL_GLOBAL) == TCL_OK;
        fjt_watch_reset(worker, FJT_AFTER);
    }
    if (channels) {
        close_channels(worker);
    }
    fjt_env_restore(worker);
    ok = fjt_globals_restore(worker, after || channels ? NULL : globals, may_link) && ok;
    if (may_run_scripts) {
        ok = ok && !Tcl_LimitExceeded(interp);
        fjt_limit(interp, -1);
    }
    Tcl_ResetResult(interp);
    return ok && !worker->broken;
}

int fjt_clean_run(fjt_worker *worker)
{
    fjt_clean *clean = &worker->clean;
    int after = fjt_watch_used(worker, FJT_AFTER), channels = !same_channels(clean, worker->interp);
    int ok = 1;
    Tcl_Obj *globals = fjt_globals_list(worker, worker->interp);
    if (!globals) {
        return 0;
    }
    if (after || channels || clean->dirty || !fjt_globals_same(worker, globals)) {
        ok = restore(worker, globals, after, channels) && !clean->env_lost;
    }
    Tcl_DecrRefCount(globals);
    return ok;
}
