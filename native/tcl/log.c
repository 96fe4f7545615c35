/*
 * log.c - ns_log, and the log command to which what nobody is told otherwise goes: slow jobs, failures of
 * detached jobs, jobs that were discarded or expired.
 *
 * The library tells of these in any thread. A worker gathers them and hands them to its interpreter's log
 * command when it is in no job; so does fastjobs::shutdown. Other threads have no interpreter, and write to
 * standard error.
 */
#include "ns_job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- ns_log ---- */

static const char *const severities[] = {"Notice", "Warning", "Error", "Fatal", "Bug", "Debug", "Dev", NULL};
enum { FIRST_DROPPED = 5 /* Debug and Dev, as where they are not switched on */ };

/* One write, so that lines of several threads do not mix. */
void fjt_log_line(const char *severity, const char *message)
{
    char head[160], date[64];
    struct tm parts;
    time_t now = time(NULL);
    long thread = syscall(SYS_gettid);
    localtime_r(&now, &parts);
    strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &parts);
    int length = snprintf(head, sizeof head, "[%s][%ld.%ld][%s] %s: ", date, (long)getpid(), thread,
                          thread == (long)getpid() ? "-main-" : "-thread-", severity);
    size_t size = (size_t)length + strlen(message) + 1;
    char *line = malloc(size + 1);
    if (!line) {
        return;
    }
    snprintf(line, size + 1, "%s%s\n", head, message);
    for (size_t at = 0; at < size;) {
        ssize_t wrote = write(STDERR_FILENO, line + at, size - at);
        if (wrote <= 0) {
            break;
        }
        at += (size_t)wrote;
    }
    free(line);
}

static int find_severity(const char *text)
{
    int index = 0;
    while (severities[index] && strcasecmp(severities[index], text) != 0) {
        index++;
    }
    return index;
}

int fjt_ns_log_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"ns_log", "/severity/ /message/ ?/message/ .../?", 1, 2, 2};
    (void)data;
    if (objc < 3) {
        return fjt_wrong_args(interp, &syntax);
    }
    int severity = find_severity(Tcl_GetString(objv[1]));
    if (!severities[severity]) {
        return fjt_error(interp,
                         "unknown severity \"%s\": must be notice, warning, error, fatal, bug, debug, or dev",
                         Tcl_GetString(objv[1]));
    }
    if (severity < FIRST_DROPPED) {
        Tcl_Obj *message = objc == 3 ? objv[2] : Tcl_ConcatObj(objc - 2, objv + 2);
        Tcl_IncrRefCount(message);
        fjt_log_line(severities[severity], Tcl_GetString(message));
        Tcl_DecrRefCount(message);
    }
    return TCL_OK;
}

/* ---- entries ---- */

typedef struct log_entry {
    struct log_entry *next;
    const char *severity;
    char message[];
} log_entry;

static _Thread_local struct {
    int gathers;
    log_entry *first, **last;
} gathered;

void fjt_log_gather(int on)
{
    gathered.gathers = on;
    if (!gathered.last) {
        gathered.last = &gathered.first;
    }
}

void fjt_log_add(const char *severity, const char *message)
{
    size_t size = strlen(message) + 1;
    log_entry *made = gathered.gathers ? malloc(sizeof *made + size) : NULL;
    if (!made) {
        fjt_log_line(severity, message);
        return;
    }
    made->next = NULL;
    made->severity = severity;
    memcpy(made->message, message, size);
    *gathered.last = made;
    gathered.last = &made->next;
}

static int call_log_command(Tcl_Interp *interp, const log_entry *entry)
{
    char *command = fjt_setting(FJT_LOG);
    Tcl_Obj *words = Tcl_NewStringObj(command ? command : "ns_log", -1);
    Tcl_IncrRefCount(words);
    Tcl_InterpState state = Tcl_SaveInterpState(interp, TCL_OK);
    int code = Tcl_ListObjAppendElement(interp, words, Tcl_NewStringObj(entry->severity, -1));
    if (code == TCL_OK) {
        Tcl_ListObjAppendElement(interp, words, fjt_name_object(entry->message)); /* it may have names */
        code = Tcl_EvalObjEx(interp, words, TCL_EVAL_GLOBAL | TCL_EVAL_DIRECT);
    }
    if (code != TCL_OK) {
        fjt_log_line("Error", "the log command failed, with what is written next");
        fjt_log_line("Error", Tcl_GetString(Tcl_GetObjResult(interp)));
    }
    Tcl_RestoreInterpState(interp, state);
    Tcl_DecrRefCount(words);
    if (command) {
        ckfree(command);
    }
    return code == TCL_OK;
}

void fjt_log_flush(Tcl_Interp *interp)
{
    while (gathered.first) {
        log_entry *entry = gathered.first;
        gathered.first = entry->next;
        if (!gathered.first) {
            gathered.last = &gathered.first;
        }
        if (!interp || !call_log_command(interp, entry)) {
            fjt_log_line(entry->severity, entry->message);
        }
        free(entry);
    }
}

/* ---- what the library tells ---- */

void fjt_log_event(const fj_queue_event *event, void *closure)
{
    const fjt_script *script = event->state;
    const char *text = "", *error_code, *info = "";
    size_t length, code_length, info_length = 0;
    char head[300];
    (void)closure;
    int count = 0;
    const char *severity = "Notice";
    switch (event->kind) {
    case FJ_QUEUE_SLOW:
        count =
            snprintf(head, sizeof head, "ns_job %.200s duration %.6f secs: '", event->queue, event->seconds);
        text = script->bytes;
        break;
    case FJ_QUEUE_FAILED:
        severity = "Error";
        fjt_outcome(FJ_OUTCOME_FAILED, event->code, event->bytes, event->size, &text, &length, &error_code,
                    &code_length, &info, &info_length);
        break;
    case FJ_QUEUE_DISCARDED:
        severity = "Warning";
        count =
            snprintf(head, sizeof head, "ns_job %.200s: %.60s is discarded: '", event->queue, event->id_text);
        text = script->bytes;
        break;
    default:
        count = snprintf(head, sizeof head, "ns_job %.200s: %.60s expired, nobody collected it: '",
                         event->queue, event->id_text);
        text = script ? script->bytes : "";
        break;
    }
    size_t room = (size_t)count + strlen(text) + info_length + 64;
    char *line = malloc(room);
    if (!line) {
        fjt_log_line(severity, event->text);
        return;
    }
    if (event->kind == FJ_QUEUE_FAILED) {
        snprintf(line, room, "%.*s\n(context: detached job)", (int)info_length, info);
    } else {
        snprintf(line, room, "%s%s'", head, text);
    }
    fjt_log_add(severity, line);
    free(line);
}
