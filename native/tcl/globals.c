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

/* Whoever takes this command away has taken apart what the next job needs. */
static void list_gone(ClientData data, Tcl_Interp *interp, const char *name, const char *new_name, int flags)
{
    (void)interp, (void)name, (void)new_name, (void)flags;
    ((fjt_worker *)data)->broken = 1;
}

/* To call the command's procedure costs less than an evaluation. */
Tcl_Obj *fjt_globals_list(fjt_worker *worker, Tcl_Interp *interp)
{
    fjt_clean *clean = &worker->clean;
    Tcl_Obj *names = NULL;
    int code = clean->list.objProc
                   ? clean->list.objProc(clean->list.objClientData, interp, 1, &clean->list_name)
                   : Tcl_EvalObjv(interp, 1, &clean->list_name, TCL_EVAL_GLOBAL);
    if (code == TCL_OK) {
        names = Tcl_GetObjResult(interp);
        Tcl_IncrRefCount(names);
    }
    Tcl_ResetResult(interp);
    return names;
}

static int is_known(const fjt_worker *worker, Tcl_Obj *name)
{
    return Tcl_FindHashEntry((Tcl_HashTable *)&worker->clean.globals, Tcl_GetString(name)) != NULL;
}

/* Tcl lists the objects that its variables have as their names, in an order that stays while none is added or
 * removed: so a job's are mostly told from the others without looking at any text. */
static void remember_names(fjt_worker *worker, Tcl_Obj *names)
{
    Tcl_Size count;
    Tcl_Obj **words, *kept = Tcl_NewListObj(0, NULL);
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        if (is_known(worker, words[i])) {
            Tcl_ListObjAppendElement(NULL, kept, words[i]);
        }
    }
    Tcl_IncrRefCount(kept);
    if (worker->clean.names) {
        Tcl_DecrRefCount(worker->clean.names);
    }
    worker->clean.names = kept;
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
    static const char command[] = "::tcl::info::globals";
    fjt_clean *clean = &worker->clean;
    Tcl_InitHashTable(&clean->globals, TCL_STRING_KEYS);
    Tcl_CreateNamespace(interp, "::fastjobs::links", NULL, NULL);
    clean->list_name = Tcl_NewStringObj(command, -1);
    Tcl_IncrRefCount(clean->list_name);
    if (!Tcl_GetCommandInfo(interp, command, &clean->list) || clean->list.isNativeObjectProc != 1) {
        clean->list.objProc = NULL;
    }
    Tcl_TraceCommand(interp, command, TCL_TRACE_RENAME | TCL_TRACE_DELETE, list_gone, worker);
    Tcl_Obj *names = fjt_globals_list(worker, interp);
    if (!names) {
        names = Tcl_NewObj();
        Tcl_IncrRefCount(names);
    }
    Tcl_Size count;
    Tcl_Obj **words;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    for (Tcl_Size i = 0; i < count; i++) {
        add_global(worker, interp, words[i]);
    }
    remember_names(worker, names);
    Tcl_DecrRefCount(names);
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
    Tcl_DecrRefCount(worker->clean.names);
    Tcl_DecrRefCount(worker->clean.list_name);
}

/* ---- after a job ---- */

int fjt_globals_same(const fjt_worker *worker, Tcl_Obj *names)
{
    Tcl_Size count, kept_count;
    Tcl_Obj **words, **kept;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    Tcl_ListObjGetElements(NULL, worker->clean.names, &kept_count, &kept);
    return count == kept_count && (count == 0 || memcmp(words, kept, (size_t)count * sizeof *words) == 0);
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
 * there, whether a job has set it or not. */
static void unlink_global(fjt_worker *worker, const char *name)
{
    Tcl_Interp *interp = worker->interp;
    if (Tcl_UpVar2(interp, "#0", "::fastjobs::links::probe", NULL, name, TCL_GLOBAL_ONLY) == TCL_OK) {
        Tcl_Obj *target = Tcl_ObjPrintf("::fastjobs::links::to_%s", name);
        Tcl_IncrRefCount(target);
        Tcl_UpVar2(interp, "#0", Tcl_GetString(target), NULL, name, TCL_GLOBAL_ONLY);
        Tcl_DecrRefCount(target);
        worker->clean.links = 1;
    }
}

/* Whether all that is remembered of the names is still so. */
static int remove_new(fjt_worker *worker, Tcl_Obj *names, int may_link)
{
    Tcl_Size count, kept_count, next = 0;
    Tcl_Obj **words, **kept;
    int found = 0;
    Tcl_ListObjGetElements(NULL, names, &count, &words);
    Tcl_ListObjGetElements(NULL, worker->clean.names, &kept_count, &kept);
    for (Tcl_Size i = 0; i < count; i++) {
        if (next < kept_count && words[i] == kept[next]) {
            next++;
        } else if (is_known(worker, words[i])) {
            found = 1;
        } else if (is_kept(words[i])) {
            add_global(worker, worker->interp, words[i]);
            found = 1;
        } else {
            const char *name = Tcl_GetString(words[i]);
            if (may_link) {
                unlink_global(worker, name);
            }
            Tcl_UnsetVar2(worker->interp, name, NULL, TCL_GLOBAL_ONLY);
        }
    }
    return !found && next == kept_count;
}

int fjt_globals_restore(fjt_worker *worker, Tcl_Obj *names, int may_link)
{
    fjt_clean *clean = &worker->clean;
    Tcl_HashSearch search;
    Tcl_Obj *listed = names ? names : fjt_globals_list(worker, worker->interp);
    if (!listed) {
        return 0;
    }
    clean->restoring = 1;
    int same = remove_new(worker, listed, may_link);
    for (Tcl_HashEntry *entry = clean->dirty ? Tcl_FirstHashEntry(&clean->globals, &search) : NULL; entry;
         entry = Tcl_NextHashEntry(&search)) {
        fjt_global *global = Tcl_GetHashValue(entry);
        if (global->dirty) {
            restore_global(global, worker->interp);
        }
    }
    clean->restoring = clean->dirty = 0;
    if (!names) {
        Tcl_DecrRefCount(listed);
    }
    if (!same) {
        listed = fjt_globals_list(worker, worker->interp);
        if (!listed) {
            return 0;
        }
        remember_names(worker, listed);
        Tcl_DecrRefCount(listed);
    }
    return 1;
}
