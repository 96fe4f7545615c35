/*
 * package.c - the package in an interpreter, and what the process has once: the set of queues, and the
 * settings from which workers make their initial state.
 */
#include "worker.h"
#include <string.h>

#ifndef NS_JOB_VERSION
#define NS_JOB_VERSION "0"
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the next three */
static fj_queue_set *set;
static char *settings[FJT_SETTINGS];
static int installed;
static atomic_uint generation;

/* ---- the set ---- */

fj_queue_set *fjt_set(Tcl_Interp *interp)
{
    pthread_mutex_lock(&lock);
    if (!set) {
        static const fj_queue_set_options options = {.struct_size = sizeof options,
                                                     .name = "ns_job",
                                                     .on_thread_start = fjt_thread_start,
                                                     .after_job = fjt_after_job,
                                                     .on_thread_exit = fjt_thread_exit,
                                                     .log = fjt_log_event};
        set = fj_queue_set_create(&options);
        if (!set) {
            fjt_error(interp, "%s", fj_last_error());
        }
    }
    fj_queue_set *result = set;
    pthread_mutex_unlock(&lock);
    return result;
}

fj_queue_set *fjt_set_or_null(void)
{
    pthread_mutex_lock(&lock);
    fj_queue_set *result = set;
    pthread_mutex_unlock(&lock);
    return result;
}

/* ---- settings ---- */

unsigned fjt_init_generation(void)
{
    /* Acquire, with fjt_set_setting: who sees a generation sees its scripts. */
    return atomic_load_explicit(&generation, memory_order_acquire);
}

char *fjt_setting(int which)
{
    pthread_mutex_lock(&lock);
    char *copy = NULL;
    if (settings[which]) {
        size_t size = strlen(settings[which]) + 1;
        copy = memcpy(ckalloc((unsigned)size), settings[which], size);
    }
    pthread_mutex_unlock(&lock);
    return copy;
}

void fjt_set_setting(int which, const char *value)
{
    size_t size = strlen(value) + 1;
    char *copy = memcpy(ckalloc((unsigned)size), value, size);
    pthread_mutex_lock(&lock);
    char *before = settings[which];
    settings[which] = copy;
    pthread_mutex_unlock(&lock);
    int changed = !before || strcmp(before, value) != 0;
    if (before) {
        ckfree(before);
    }
    if (which != FJT_LOG && changed) {
        atomic_fetch_add_explicit(&generation, 1, memory_order_release);
    }
}

/* ---- an interpreter ---- */

void fjt_add_commands(fjt_interp *data, const fjt_command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Tcl_CreateObjCommand(data->interp, commands[i].name, commands[i].proc, data, NULL);
    }
}

static void add_where_absent(fjt_interp *data, const char *name, Tcl_ObjCmdProc *proc)
{
    if (!Tcl_FindCommand(data->interp, name, NULL, TCL_GLOBAL_ONLY)) {
        Tcl_CreateObjCommand(data->interp, name, proc, data, NULL);
    }
}

/* A job has deleted a command without which its worker cannot go on; or the interpreter's global namespace.
 */
static void command_gone(ClientData data)
{
    fjt_interp *interp = data;
    if (interp->worker) {
        interp->worker->broken = 1;
    }
}

static void interp_gone(ClientData data, Tcl_Interp *interp)
{
    (void)interp;
    fjt_forget_all(data);
    if (((fjt_interp *)data)->id) {
        Tcl_DecrRefCount(((fjt_interp *)data)->id);
    }
    ckfree((char *)data);
}

int fjt_install(Tcl_Interp *interp, fjt_worker *worker)
{
    fjt_interp *data = (fjt_interp *)ckalloc(sizeof *data);
    memset(data, 0, sizeof *data);
    data->interp = interp;
    data->worker = worker;
    Tcl_SetAssocData(interp, "ns_job", interp_gone, data);
    Tcl_CreateObjCommand(interp, "::ns_job", fjt_ns_job_cmd, data, command_gone);
    add_where_absent(data, "::ns_log", fjt_ns_log_cmd);
    add_where_absent(data, "::ns_sleep", fjt_ns_sleep_cmd);
    fjt_install_fastjobs(data);
    fjt_install_inside(data);
    fjt_install_reading(data);
    fjt_install_application(data);
    if (worker) {
        Tcl_CreateObjCommand(interp, "::exit", fjt_exit_cmd, data, command_gone);
    }
    return Tcl_PkgProvide(interp, "ns_job", NS_JOB_VERSION);
}

static int is_threaded(Tcl_Interp *interp)
{
    int major;
    Tcl_GetVersion(&major, NULL, NULL, NULL);
    return major > 8 || Tcl_GetVar2(interp, "tcl_platform", "threaded", TCL_GLOBAL_ONLY);
}

DLLEXPORT int Ns_job_Init(Tcl_Interp *interp)
{
    if (!Tcl_InitStubs(interp, "8.6-", 0)) {
        return TCL_ERROR;
    }
    if (!is_threaded(interp)) {
        return fjt_error(interp, "ns_job needs a Tcl that was built with threads");
    }
    if (Tcl_GetAssocData(interp, "ns_job", NULL)) {
        return TCL_OK;
    }
    pthread_mutex_lock(&lock);
    int first = !installed;
    installed = 1;
    pthread_mutex_unlock(&lock);
    if (first) {
        fjt_exit_install();
    }
    return fjt_install(interp, NULL);
}
