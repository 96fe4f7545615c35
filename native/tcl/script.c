/*
 * script.c - evaluates a job's script and makes its result of what comes of it. Scripts that come again are
 * compiled once in each worker.
 */
#include "worker.h"
#include <stdio.h>
#include <string.h>

/* ---- results ---- */

const char *fjt_part(const void *bytes, size_t size, int part, size_t *length)
{
    const char *at = bytes, *end = at + size;
    for (; part > 0 && at < end; part--) {
        at += strlen(at) + 1;
    }
    *length = at < end ? strlen(at) : 0;
    return at < end ? at : "";
}

void fjt_set_failure(fj_run *run, const char *message, const char *code, const char *info)
{
    const char *parts[] = {message, code, info};
    size_t size = strlen(message) + strlen(code) + strlen(info) + 2;
    char *bytes = ckalloc((unsigned)size + 1), *at = bytes;
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(parts[i]) + 1;
        memcpy(at, parts[i], length);
        at += length;
    }
    fj_run_set_result(run, bytes, size);
    ckfree(bytes);
}

static const char *option(Tcl_Obj *options, const char *name, const char *otherwise)
{
    Tcl_Obj *key = Tcl_NewStringObj(name, -1), *value = NULL;
    Tcl_IncrRefCount(key);
    Tcl_DictObjGet(NULL, options, key, &value);
    Tcl_DecrRefCount(key);
    return value ? Tcl_GetString(value) : otherwise;
}

static void set_result(fjt_worker *worker, int code)
{
    Tcl_Interp *interp = worker->interp;
    Tcl_Size size;
    const char *text = Tcl_GetStringFromObj(Tcl_GetObjResult(interp), &size);
    if (worker->exited) {
        char status[64], message[64];
        snprintf(status, sizeof status, "FASTJOBS EXIT %d", worker->exit_status);
        snprintf(message, sizeof message, "the job called exit %d", worker->exit_status);
        fjt_set_failure(worker->run, message, status, message);
    } else if (code != TCL_OK) {
        Tcl_Obj *options = Tcl_GetReturnOptions(interp, code);
        Tcl_IncrRefCount(options);
        fjt_set_failure(worker->run, text, option(options, "-errorcode", "NONE"),
                        option(options, "-errorinfo", text));
        Tcl_DecrRefCount(options);
    } else if (size > 0) { /* none is the empty one */
        fj_run_set_result(worker->run, text, (size_t)size);
    }
    Tcl_ResetResult(interp);
}

/* What a job wrote is there when its waiter goes on; and it is not lost when the process ends before this
 * thread. */
static void flush_output(void)
{
    Tcl_Channel output = Tcl_GetStdChannel(TCL_STDOUT);
    if (output && Tcl_OutputBuffered(output) > 0) {
        Tcl_Flush(output);
    }
}

/* ---- scripts ---- */

/* Eight bytes at a time; what it mixes badly only costs a compilation. */
static uint64_t hash_of(const fjt_script *script)
{
    uint64_t hash = script->size, word;
    uint32_t at = 0;
    for (; at + sizeof word <= script->size; at += sizeof word) {
        memcpy(&word, script->bytes + at, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, script->bytes + at, script->size - at);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static int is_script(const fjt_cached_script *cached, const fjt_script *script)
{
    Tcl_Size size;
    const char *bytes = Tcl_GetStringFromObj(cached->script, &size);
    return (uint32_t)size == script->size && memcmp(bytes, script->bytes, script->size) == 0;
}

/* The script as an object of its own, which holds what it was compiled to; with a reference for the caller.
 */
static Tcl_Obj *find_script(fjt_worker *worker, const fjt_script *script)
{
    uint64_t hash = hash_of(script);
    fjt_cached_script *cached = &worker->scripts[hash % FJT_CACHED_SCRIPTS];
    if (cached->script && cached->hash == hash && is_script(cached, script)) {
        Tcl_IncrRefCount(cached->script);
        return cached->script;
    }
    Tcl_Obj *made = Tcl_NewStringObj(script->bytes, (Tcl_Size)script->size);
    Tcl_IncrRefCount(made);
    if (script->size <= FJT_CACHED_SCRIPT_SIZE) {
        if (cached->script) {
            Tcl_DecrRefCount(cached->script);
        }
        Tcl_IncrRefCount(made);
        cached->script = made;
        cached->hash = hash;
    }
    return made;
}

void fjt_scripts_drop(fjt_worker *worker)
{
    for (int i = 0; i < FJT_CACHED_SCRIPTS; i++) {
        if (worker->scripts[i].script) {
            Tcl_DecrRefCount(worker->scripts[i].script);
        }
        worker->scripts[i].script = NULL;
        worker->scripts[i].hash = 0;
    }
}

int fjt_evaluate(fjt_worker *worker, const fjt_script *script)
{
    Tcl_Interp *interp = worker->interp;
    Tcl_Obj *compiled = find_script(worker, script);
    int code = Tcl_EvalObjEx(interp, compiled, TCL_EVAL_GLOBAL);
    Tcl_DecrRefCount(compiled);
    if (worker->exited) {
        code = TCL_ERROR;
    }
    set_result(worker, code);
    flush_output();
    return code;
}
