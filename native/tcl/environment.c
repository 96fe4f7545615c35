/*
 * environment.c - env in a worker. It is the process's environment, which the main interpreter and other jobs
 * may change meanwhile; so only what a job itself has changed is put back, to what it was before the job's
 * first change.
 */
#include "worker.h"
#include <string.h>

/* Our trace runs before the one that changes the environment, so a new interpreter still shows the old value;
 * and it reads the environment under Tcl's lock. */
static Tcl_Obj *value_before(const char *element)
{
    Tcl_Interp *other = Tcl_CreateInterp();
    Tcl_Obj *value = Tcl_GetVar2Ex(other, "env", element, TCL_GLOBAL_ONLY);
    if (value) {
        value = Tcl_NewStringObj(Tcl_GetString(value), -1);
    }
    Tcl_DeleteInterp(other);
    return value;
}

static int is_noted(const fjt_clean *clean, const char *element)
{
    for (size_t i = 0; i < clean->env_count; i++) {
        if (strcmp(Tcl_GetString(clean->env[i].name), element) == 0) {
            return 1;
        }
    }
    return 0;
}

char *fjt_env_trace(ClientData data, Tcl_Interp *interp, const char *name, const char *element, int flags)
{
    fjt_clean *clean = &((fjt_worker *)data)->clean;
    (void)interp, (void)name;
    if (flags & (TCL_INTERP_DESTROYED | TCL_TRACE_DESTROYED) || !element || clean->restoring ||
        is_noted(clean, element)) {
        return NULL;
    }
    if (clean->env_count == clean->env_room) {
        clean->env_room = clean->env_room ? 2 * clean->env_room : 4;
        clean->env =
            (fjt_env_change *)ckrealloc((char *)clean->env, (unsigned)(clean->env_room * sizeof *clean->env));
    }
    fjt_env_change *change = &clean->env[clean->env_count++];
    change->name = Tcl_NewStringObj(element, -1);
    Tcl_IncrRefCount(change->name);
    change->value = value_before(element);
    if (change->value) {
        Tcl_IncrRefCount(change->value);
    }
    clean->dirty = 1;
    return NULL;
}

static void drop_changes(fjt_clean *clean)
{
    for (size_t i = 0; i < clean->env_count; i++) {
        Tcl_DecrRefCount(clean->env[i].name);
        if (clean->env[i].value) {
            Tcl_DecrRefCount(clean->env[i].value);
        }
    }
    clean->env_count = 0;
}

void fjt_env_restore(fjt_worker *worker)
{
    fjt_clean *clean = &worker->clean;
    clean->restoring = 1;
    for (size_t i = 0; i < clean->env_count; i++) {
        const char *name = Tcl_GetString(clean->env[i].name);
        if (clean->env[i].value) {
            Tcl_SetVar2Ex(worker->interp, "env", name, clean->env[i].value, TCL_GLOBAL_ONLY);
        } else {
            Tcl_UnsetVar2(worker->interp, "env", name, TCL_GLOBAL_ONLY);
        }
    }
    clean->restoring = 0;
    drop_changes(clean);
}

void fjt_env_forget(fjt_worker *worker)
{
    drop_changes(&worker->clean);
    if (worker->clean.env) {
        ckfree((char *)worker->clean.env);
    }
    worker->clean.env = NULL;
    worker->clean.env_room = 0;
}
