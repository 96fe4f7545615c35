/*
 * watch.c - whether a job has used certain commands: those that can leave in an interpreter what takes work
 * to clean up, and is rarely there.
 *
 * The commands get a procedure that notes the use and goes on to theirs. Whatever they are called then
 * (renamed, hidden, by an alias or an ensemble), it is the same command. Compiled code does without the
 * procedure of `upvar` and `namespace upvar`, but only for links of a proc's variables, and never of globals.
 */
#include "worker.h"

static const char *const names[FJT_WATCHED] = {[FJT_AFTER] = "::after",
                                               [FJT_TRACE] = "::trace",
                                               [FJT_UPVAR] = "::upvar",
                                               [FJT_NAMESPACE_UPVAR] = "::tcl::namespace::upvar",
                                               [FJT_LOAD] = "::load"};

static int note_use(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    fjt_watch *watch = data;
    watch->used = 1;
    return watch->info.objProc(watch->info.objClientData, interp, objc, objv);
}

void fjt_watch_begin(fjt_worker *worker, Tcl_Interp *interp)
{
    for (int i = 0; i < FJT_WATCHED; i++) {
        fjt_watch *watch = &worker->clean.watches[i];
        Tcl_CmdInfo info;
        *watch = (fjt_watch){.blind = 1};
        if (Tcl_GetCommandInfo(interp, names[i], &info) && info.isNativeObjectProc == 1) {
            watch->info = info;
            info.objProc = note_use;
            info.objClientData = watch;
            watch->blind = !Tcl_SetCommandInfo(interp, names[i], &info);
        }
    }
}

int fjt_watch_used(const fjt_worker *worker, int which)
{
    return worker->clean.watches[which].used || worker->clean.watches[which].blind;
}

void fjt_watch_reset(fjt_worker *worker, int which)
{
    worker->clean.watches[which].used = 0;
}
