/*
 * globals.c - the global variables of a worker's initial state: traced, so that it is known which a job has
 * touched, and restored. The caches of Tcl's library (auto_index and the like) are left as they are, since
 * the procs that they tell of stay too; env is environment.c's.
 */
#include "worker.h"
#include <string.h>

enum { WATCHED = TCL_TRACE_WRITES | TCL_TRACE_UNSETS | TCL_GLOBAL_ONLY };

static int is_env(Tcl_Obj *name)
{
    return strcmp(Tcl_GetString(name), "env") == 0;
}

static int is_kept(Tcl_Obj *name)
{
    const char *text = Tcl_GetString(name);
    return is_env(name) || (strncmp(text, "auto_", 5) == 0 && strcmp(text, "auto_path") != 0);
}

static char *note_change(ClientData data, Tcl_Interp *interp, const char *name, const char *element,
                         int flags)
{
    fjt_global *global = data;
    fjt_clean *clean = &global->worker->clean;
    (void)interp, (void)name;
    if (flags & TCL_INTERP_DESTROYED) {
        return NULL;
    }
    if (flags & TCL_TRACE_DESTROYED) {
        global->traced = 0;
        clean->env_lost |= !clean->restoring && is_env(global->name);
    }
    if (!clean->restoring && (!global->keep || (flags & TCL_TRACE_UNSETS && !element))) {
        global->dirty = clean->dirty = 1;
    }
    return NULL;
}

static void trace_global(fjt_global *global, Tcl_Interp *interp)
{
    if (!global->traced) {
        Tcl_TraceVar2(interp, Tcl_GetString(global->name), NULL, WATCHED, note_change, global);
        global->traced = 1;
    }
}

/* The command is looked up once, and its name is one that no job has a reason to change. */
static Tcl_Obj *list_globals(fjt_worker *worker, Tcl_Interp *interp)
{
    Tcl_Obj *names = NULL;
    if (Tcl_EvalObjv(interp, 1, &worker->clean.global_names, TCL_EVAL_GLOBAL) == TCL_OK) {
        names = Tcl_GetObjResult(interp);
        Tcl_IncrRefCount(names);
    }
    Tcl_ResetResult(interp);
    return names;
}

/* ---- the initial state ---- */

static void keep_value(fjt_global *global, Tcl_Interp *interp)
{
    Tcl_Obj *name = global->name;
    Tcl_Obj *array_get[] = {Tcl_NewStringObj("::array", -1), Tcl_NewStringObj("get", -1), name};
    global->value = Tcl_ObjGetVar2(interp, name, NULL, TCL_GLOBAL_ONLY);
    Tcl_IncrRefCount(array_get[0]);
    Tcl_IncrRefCount(array_get[1]);
    if (global->value) {
        Tcl_IncrRefCount(global->value);
    } else if (Tcl_EvalObjv(interp, 3, array_get, TCL_EVAL_GLOBAL) == TCL_OK) {
        global->array = Tcl_GetObjResult(interp);
        Tcl_IncrRefCount(global->array);
    }
    Tcl_DecrRefCount(array_get[0]);
    Tcl_DecrRefCount(array_get[1]);
    Tcl_ResetResult(interp);
}

static fjt_global *add_global(fjt_worker *worker, Tcl_Interp *interp, Tcl_Obj *name)
{
    int is_new;
    Tcl_HashEntry *entry = Tcl_CreateHashEntry(&worker->clean.globals, Tcl_GetString(name), &is_new);
    fjt_global *global = (fjt_global *)ckalloc(sizeof *global);
    memset(global, 0, sizeof *global);
    global->worker = worker;
    global->name = name;
    Tcl_IncrRefCount(name);
    global->keep = is_kept(name);
    if (!global->keep) {
        keep_value(global, interp);
    }
    trace_global(global, interp);
    if (is_env(name)) { /* after the core's own trace was set, so before it in effect */
        Tcl_TraceVar2(interp, "env", NULL, WATCHED, fjt_env_trace, worker);
    }
    Tcl_SetHashValue(entry, global);
    return global;
}

void fjt_globals_begin(fjt_worker *worker, Tcl_Interp *interp)
{
    Tcl_Size count = 0;
    Tcl_Obj **words;
    Tcl_InitHashTable(&worker->clean.globals, TCL_STRING_KEYS);
    Tcl_CreateNamespace(interp, "::fastjobs::links", NULL, NULL);
    worker->clean.global_names = Tcl_NewStringObj("::tcl::info::globals", -1);
    Tcl_IncrRefCount(worker->clean.global_names);
    Tcl_Obj *names = list_globals(worker, interp);
    if (names && Tcl_ListObjGetElements(NULL, names, &count, &words) == TCL_OK) {
        for (Tcl_Size i = 0; i < count; i++) {
            add_global(worker, interp, words[i]);
        }
    }
    if (names) {
        Tcl_DecrRefCount(names);
    }
    worker->clean.global_count = count;
}

void fjt_globals_end(fjt_worker *worker, Tcl_Interp *interp)
{
    Tcl_HashSearch search;
    for (Tcl_HashEntry *entry = Tcl_FirstHashEntry(&worker->clean.globals, &search); entry;
         entry = Tcl_NextHashEntry(&search)) {
        fjt_global *global = Tcl_GetHashValue(entry);
        if (!Tcl_InterpDeleted(interp)) {
            Tcl_UntraceVar2(interp, Tcl_GetString(global->name), NULL, WATCHED, note_change, global);
            if (is_env(global->name)) {
                Tcl_UntraceVar2(interp, "env", NULL, WATCHED, fjt_env_trace, worker);
            }
        }
        Tcl_Obj *held[] = {global->name, global->value, global->array};
        for (int i = 0; i < 3; i++) {
            if (held[i]) {
                Tcl_DecrRefCount(held[i]);
            }
        }
        ckfree((char *)global);
    }
    Tcl_DeleteHashTable(&worker->clean.globals);
    Tcl_DecrRefCount(worker->clean.global_names);
}

/* ---- after a job ---- */

Tcl_Size fjt_globals_count(fjt_worker *worker)
{
    Tcl_Size count = -1;
    Tcl_Obj *names = list_globals(worker, worker->interp);
    if (names) {
        Tcl_ListObjLength(NULL, names, &count);
        Tcl_DecrRefCount(names);
    }
    return count;
}

static void restore_global(fjt_global *global, Tcl_Interp *interp)
{
    const char *name = Tcl_GetString(global->name);
    global->dirty = 0;
    if (global->value) {
        if (!Tcl_ObjSetVar2(interp, global->name, NULL, global->value, TCL_GLOBAL_ONLY)) { /* an array now */
            Tcl_UnsetVar2(interp, name, NULL, TCL_GLOBAL_ONLY);
            Tcl_ObjSetVar2(interp, global->name, NULL, global->value, TCL_GLOBAL_ONLY);
        }
    } else if (global->array) {
        Tcl_Obj *array_set[] = {Tcl_NewStringObj("::array", -1), Tcl_NewStringObj("set", -1), global->name,
                                global->array};
        Tcl_IncrRefCount(array_set[0]);
        Tcl_IncrRefCount(array_set[1]);
        Tcl_UnsetVar2(interp, name, NULL, TCL_GLOBAL_ONLY);
        Tcl_EvalObjv(interp, 4, array_set, TCL_EVAL_GLOBAL);
        Tcl_DecrRefCount(array_set[0]);
        Tcl_DecrRefCount(array_set[1]);
    }
    trace_global(global, interp);
}

/* A link to another variable (upvar) cannot be removed, and to unset it would unset what it leads to. It is
 * made to lead to a variable of no use to anybody, which only this name has. From then on the name is always
 * there, so that counting the globals does not tell whether a job has set it. */
static void unset_global(fjt_worker *worker, const char *name)
{
    Tcl_Interp *interp = worker->interp;
    if (Tcl_UpVar2(interp, "#0", "::fastjobs::links::probe", NULL, name, TCL_GLOBAL_ONLY) == TCL_OK) {
        Tcl_Obj *target = Tcl_ObjPrintf("::fastjobs::links::to_%s", name);
        Tcl_IncrRefCount(target);
        Tcl_UpVar2(interp, "#0", Tcl_GetString(target), NULL, name, TCL_GLOBAL_ONLY);
        Tcl_DecrRefCount(target);
        worker->clean.links = 1;
    }
    Tcl_UnsetVar2(interp, name, NULL, TCL_GLOBAL_ONLY);
}

static void remove_new(fjt_worker *worker, Tcl_Obj *names)
{
    Tcl_Size count;
    Tcl_Obj **words;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        if (Tcl_FindHashEntry(&worker->clean.globals, Tcl_GetString(words[i]))) {
            continue;
        }
        if (is_kept(words[i])) {
            add_global(worker, worker->interp, words[i]);
        } else {
            unset_global(worker, Tcl_GetString(words[i]));
        }
    }
}

int fjt_globals_restore(fjt_worker *worker)
{
    fjt_clean *clean = &worker->clean;
    Tcl_HashSearch search;
    clean->restoring = 1;
    Tcl_Obj *names = list_globals(worker, worker->interp);
    if (names) {
        remove_new(worker, names);
        Tcl_DecrRefCount(names);
    }
    for (Tcl_HashEntry *entry = clean->dirty ? Tcl_FirstHashEntry(&clean->globals, &search) : NULL; entry;
         entry = Tcl_NextHashEntry(&search)) {
        fjt_global *global = Tcl_GetHashValue(entry);
        if (global->dirty) {
            restore_global(global, worker->interp);
        }
    }
    clean->restoring = clean->dirty = 0;
    clean->global_count = fjt_globals_count(worker);
    return clean->global_count >= 0;
}
