/*
 * reading.c - fastjobs::output, a channel that reads what a job writes; fastjobs::feed, the ids of jobs that
 * finish.
 */
#include "ns_job.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- the output of a job ---- */

typedef struct job_output {
    Tcl_Interp *interp;
    fj_job_output *reader;
    int blocks;
    char *buffer;
    int size;
    long long got;
} job_output;

static int read_step(void *what, int timeout_ms)
{
    job_output *output = what;
    output->got = fj_job_output_read(output->reader, output->buffer, (size_t)output->size, timeout_ms);
    return output->got >= 0;
}

static int input_proc(ClientData data, char *buffer, int size, int *error)
{
    job_output *output = data;
    output->buffer = buffer;
    output->size = size;
    int done = output->blocks ? fjt_block(output->interp, read_step, output, -1) : read_step(output, 0);
    if (done == 1) {
        return (int)output->got;
    }
    *error = done == FJT_CANCELLED ? EINTR : fj_last_error_code() == FJ_ETIMEDOUT ? EAGAIN : EIO;
    return -1;
}

static int block_mode_proc(ClientData data, int mode)
{
    ((job_output *)data)->blocks = mode == TCL_MODE_BLOCKING;
    return 0;
}

static int close_proc(ClientData data, Tcl_Interp *interp, int flags)
{
    job_output *output = data;
    (void)interp;
    if (flags & (TCL_CLOSE_READ | TCL_CLOSE_WRITE)) {
        return EINVAL;
    }
    fj_job_output_close(output->reader);
    ckfree((char *)output);
    return 0;
}

/* The library has nothing that could be waited for together with other channels, so nothing ever becomes
 * readable. */
static void watch_proc(ClientData data, int mask)
{
    (void)data, (void)mask;
}

static int handle_proc(ClientData data, int direction, ClientData *handle)
{
    (void)data, (void)direction, (void)handle;
    return TCL_ERROR;
}

static const Tcl_ChannelType output_type = {.typeName = "fastjobs",
                                            .version = TCL_CHANNEL_VERSION_5,
                                            .closeProc = TCL_CLOSE2PROC,
                                            .inputProc = input_proc,
                                            .watchProc = watch_proc,
                                            .getHandleProc = handle_proc,
                                            .close2Proc = close_proc,
                                            .blockModeProc = block_mode_proc};

static int output_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::output", "/queueId/ /jobId/", 1, 2, 2};
    fjt_interp *own = data;
    if (objc != 3) {
        return fjt_wrong_args(interp, &syntax);
    }
    fj_job_id id = fjt_job_id(own, objv[2]);
    fjt_from from = FJT_FOUND;
    do {
        fj_queue *queue = fjt_queue(own, objv[1], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        fj_job_output *reader = fj_queue_output(queue, id);
        if (reader) {
            job_output *made = (job_output *)ckalloc(sizeof *made);
            *made = (job_output){.interp = interp, .reader = reader, .blocks = 1};
            char name[64];
            snprintf(name, sizeof name, "fjoutput%u", own->feeds++);
            Tcl_Channel channel = Tcl_CreateChannel(&output_type, name, made, TCL_READABLE);
            Tcl_SetChannelOption(NULL, channel, "-encoding", "utf-8");
            Tcl_SetChannelOption(NULL, channel, "-translation", "lf");
            Tcl_RegisterChannel(interp, channel);
            Tcl_SetObjResult(interp, Tcl_NewStringObj(name, -1));
            return TCL_OK;
        }
    } while (fjt_again(own, objv[1], &from, &id, objv[2]));
    return fjt_queue_error(interp, Tcl_GetString(objv[1]), Tcl_GetString(objv[2]));
}

/* ---- what finishes ---- */

typedef struct job_feed {
    fj_queue_feed *feed;
    fj_job_id id;
    Tcl_Command command;
} job_feed;

static void feed_gone(ClientData data)
{
    fj_queue_feed_close(((job_feed *)data)->feed);
    ckfree(data);
}

static int feed_step(void *what, int timeout_ms)
{
    job_feed *feed = what;
    return fj_queue_feed_next(feed->feed, timeout_ms, &feed->id);
}

static int feed_next(job_feed *feed, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"/feed/ next", "?-timeout /time/?", 2, 0, 0};
    Tcl_Obj *const *args;
    long long timeout = FJT_NO_TIME;
    int count;
    const fjt_option options[] = {{"-timeout", FJT_TIME, &timeout, 0}};
    if (fjt_parse(interp, &syntax, objc, objv, options, 1, &args, &count) != TCL_OK) {
        return TCL_ERROR;
    }
    int done = fjt_block(interp, feed_step, feed, fjt_milliseconds(timeout));
    if (done == 1) {
        size_t length = fj_job_id_text(feed->id, NULL, 0);
        char *text = ckalloc((unsigned)length + 1);
        fj_job_id_text(feed->id, text, length + 1);
        Tcl_SetObjResult(interp, fjt_name_object(text));
        ckfree(text);
        return TCL_OK;
    }
    if (done == 0 && fj_last_error_code() == FJ_ENOQUEUE) {
        return TCL_OK; /* the queue is gone: no id */
    }
    return done == 0 ? fjt_queue_error(interp, "", "") : TCL_ERROR;
}

static int feed_instance_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const subcommands[] = {"close", "next", NULL};
    static const fjt_syntax syntax = {"/feed/", "close|next ?-timeout /time/?", 1, 1, 3};
    int index;
    if (objc < 2 || (objc > 2 && strcmp(Tcl_GetString(objv[1]), "close") == 0)) {
        return fjt_wrong_args(interp, &syntax);
    }
    if (Tcl_GetIndexFromObj(interp, objv[1], subcommands, "subcommand", TCL_EXACT, &index) != TCL_OK) {
        return TCL_ERROR;
    }
    if (index == 1) {
        return feed_next(data, interp, objc, objv);
    }
    Tcl_DeleteCommandFromToken(interp, ((job_feed *)data)->command);
    return TCL_OK;
}

static int feed_cmd(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const fjt_syntax syntax = {"fastjobs::feed", "/queueId/", 1, 1, 1};
    fjt_interp *own = data;
    fjt_from from = FJT_FOUND;
    if (objc != 2) {
        return fjt_wrong_args(interp, &syntax);
    }
    do {
        fj_queue *queue = fjt_queue(own, objv[1], &from);
        if (!queue) {
            return TCL_ERROR;
        }
        fj_queue_feed *opened = fj_queue_feed_open(queue);
        if (opened) {
            char name[64];
            snprintf(name, sizeof name, "::fastjobs::feed%u", own->feeds++);
            job_feed *made = (job_feed *)ckalloc(sizeof *made);
            made->feed = opened;
            made->command = Tcl_CreateObjCommand(interp, name, feed_instance_cmd, made, feed_gone);
            Tcl_SetObjResult(interp, Tcl_NewStringObj(name, -1));
            return TCL_OK;
        }
    } while (fjt_again(own, objv[1], &from, NULL, NULL));
    return fjt_queue_error(interp, Tcl_GetString(objv[1]), "");
}

void fjt_install_reading(fjt_interp *data)
{
    static const fjt_command commands[] = {{"::fastjobs::output", output_cmd},
                                           {"::fastjobs::feed", feed_cmd}};
    fjt_add_commands(data, commands, 2);
}
