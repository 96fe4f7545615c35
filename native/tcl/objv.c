/*
 * objv.c - options and arguments, with the texts of the original; errors.
 */
#include "ns_job.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fjt_wrong_args(Tcl_Interp *interp, const fjt_syntax *syntax)
{
    Tcl_SetObjResult(interp, Tcl_ObjPrintf("wrong # args: should be \"%s%s%s\"", syntax->command,
                                           *syntax->usage ? " " : "", syntax->usage));
    Tcl_SetErrorCode(interp, "TCL", "WRONGARGS", NULL);
    return TCL_ERROR;
}

int fjt_count(Tcl_Interp *interp, Tcl_Obj *obj, const char *name, int least, int *value)
{
    if (Tcl_GetIntFromObj(interp, obj, value) != TCL_OK) {
        return TCL_ERROR;
    }
    if (*value < least) {
        return fjt_error(interp, "expected integer in range [%d,MAX] for '%s', but got %d", least, name,
                         *value);
    }
    return TCL_OK;
}

static int read_option(Tcl_Interp *interp, const fjt_option *option, Tcl_Obj *obj)
{
    switch (option->kind) {
    case FJT_STRING:
        *(Tcl_Obj **)option->value = obj;
        return TCL_OK;
    case FJT_TIME:
        return fjt_time(interp, obj, option->name, option->value);
    case FJT_COUNT:
        return fjt_count(interp, obj, option->name, option->least, option->value);
    case FJT_NUMBER:
        return Tcl_GetDoubleFromObj(interp, obj, option->value);
    default:
        *(int *)option->value = 1;
        return TCL_OK;
    }
}

static const fjt_option *find_option(const fjt_option *options, size_t count, Tcl_Obj *obj)
{
    const char *text = Tcl_GetString(obj);
    for (size_t i = 0; *text == '-' && i < count; i++) {
        if (strcmp(text, options[i].name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

int fjt_parse(Tcl_Interp *interp, const fjt_syntax *syntax, int objc, Tcl_Obj *const objv[],
              const fjt_option *options, size_t option_count, Tcl_Obj *const **args, int *count)
{
    int at = syntax->first;
    const fjt_option *option;
    if (syntax->required == 0 || objc - at != syntax->required) {
        while (at < objc && (option = find_option(options, option_count, objv[at]))) {
            at++;
            if (option->kind != FJT_FLAG && at == objc) {
                return fjt_error(interp, "missing argument to %s", option->name);
            }
            if (read_option(interp, option, option->kind == FJT_FLAG ? NULL : objv[at]) != TCL_OK) {
                return TCL_ERROR;
            }
            at += option->kind != FJT_FLAG;
        }
    }
    *args = objv + at;
    *count = objc - at;
    return *count < syntax->required || *count > syntax->most ? fjt_wrong_args(interp, syntax) : TCL_OK;
}

/* ---- errors ---- */

static void set_error(Tcl_Interp *interp, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = ckalloc((unsigned)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    Tcl_SetObjResult(interp, Tcl_NewStringObj(text, length));
    ckfree(text);
}

int fjt_error(Tcl_Interp *interp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(interp, format, args);
    va_end(args);
    return TCL_ERROR;
}

int fjt_error_code(Tcl_Interp *interp, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(interp, format, args);
    va_end(args);
    Tcl_SetErrorCode(interp, code, NULL);
    return TCL_ERROR;
}

int fjt_queue_error(Tcl_Interp *interp, const char *queue, const char *job)
{
    switch (fj_last_error_code()) {
    case FJ_ENOQUEUE:
        return fjt_error(interp, "no such queue: %s", queue);
    case FJ_ENOJOB:
        return fjt_error(interp, "no such job: %s", job);
    case FJ_EDETACHED:
        return fjt_error(interp, "can't wait on detached job: %s", job);
    case FJ_EWAITED:
        return fjt_error(interp, "can't wait on waited job: %s", job);
    case FJ_EREFUSED:
    case FJ_ESHUTDOWN:
        return fjt_error(interp, "The specified queue is being deleted or the system is stopping.");
    case FJ_ETIMEDOUT:
        return fjt_error_code(interp, "NS_TIMEOUT", "Wait timed out.");
    default:
        return fjt_error(interp, "%s", fj_last_error());
    }
}
