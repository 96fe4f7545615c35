/*
 * create_cmd.c - ns_job create, fastjobs::create.
 */
#include "ns_job.h"

static int create_with(fjt_interp *data, Tcl_Obj *name, const fj_queue_options *options)
{
    fj_queue_set *set = fjt_set(data->interp);
    if (!set) {
        return TCL_ERROR;
    }
    fj_queue *made = fj_queue_create(set, options);
    if (!made) {
        return fj_last_error_code() == FJ_EEXIST
                   ? fjt_error(data->interp, "queue already exists: %s", Tcl_GetString(name))
                   : fjt_queue_error(data->interp, Tcl_GetString(name), "");
    }
    fj_queue_release(made);
    Tcl_SetObjResult(data->interp, name);
    return TCL_OK;
}

static int create(fjt_interp *data, Tcl_Obj *name, Tcl_Obj *description, fj_queue_options *options)
{
    int code = TCL_ERROR;
    if (!*Tcl_GetString(name)) {
        return fjt_error(data->interp, "a queue needs a name: it is empty");
    }
    Tcl_Obj *name_text = fjt_name(name), *description_text = description ? fjt_name(description) : NULL;
    if (fjt_check_name(data->interp, name_text, "the name of the queue") == TCL_OK &&
        (!description || fjt_check_name(data->interp, description_text, "-desc") == TCL_OK)) {
        options->name = Tcl_GetString(name_text);
        options->description = description ? Tcl_GetString(description_text) : "";
        code = create_with(data, name, options);
    }
    if (name_text) {
        Tcl_DecrRefCount(name_text);
    }
    if (description_text) {
        Tcl_DecrRefCount(description_text);
    }
    return code;
}

int fjt_create_command(fjt_interp *data, int objc, Tcl_Obj *const objv[], int extended)
{
    static const fjt_syntax plain = {"ns_job create", "?-desc /value/? /queueId/ ?/maxthreads[1,MAX]/?", 2, 1,
                                     2};
    static const fjt_syntax more = {
        "fastjobs::create", "?-desc /value/? ?-expire /time/? /queueId/ ?/maxthreads[1,MAX]/?", 1, 1, 2};
    Tcl_Obj *description = NULL, *const * args;
    long long expire = 0;
    int count;
    const fjt_option options[] = {{"-desc", FJT_STRING, &description, 0}, {"-expire", FJT_TIME, &expire, 0}};
    if (fjt_parse(data->interp, extended ? &more : &plain, objc, objv, options, extended ? 2 : 1, &args,
                  &count) != TCL_OK) {
        return TCL_ERROR;
    }
    fj_queue_options queue = {.struct_size = sizeof queue, .concurrency = 4};
    if (count == 2 && fjt_count(data->interp, args[1], "?maxthreads", 1, &queue.concurrency) != TCL_OK) {
        return TCL_ERROR;
    }
    queue.expire_ms = fjt_milliseconds(expire);
    return create(data, args[0], description, &queue);
}
