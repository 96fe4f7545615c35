/*
 * queues.c - the queues that an interpreter has used lately, so that a name is looked up once.
 *
 * A kept queue may have been deleted, and another one created with its name, by anybody: a call that fails on
 * a kept queue is made once more on the queue that has the name now. The number kept is bounded, since each
 * holds its queue's memory.
 */
#include "ns_job.h"
#include <string.h>

static fjt_cached_queue *slot_of(fjt_interp *data, const char *name, Tcl_Size length)
{
    unsigned hash = 0;
    for (Tcl_Size i = 0; i < length; i++) {
        hash = hash * 31 + (unsigned char)name[i];
    }
    return &data->queues[hash % FJT_CACHED_QUEUES];
}

static void empty(fjt_cached_queue *slot)
{
    if (slot->queue) {
        fj_queue_release(slot->queue);
        Tcl_DecrRefCount(slot->name);
        slot->queue = NULL;
        slot->name = NULL;
    }
}

static int is_for(const fjt_cached_queue *slot, Tcl_Obj *obj, const char *name, Tcl_Size length)
{
    if (!slot->queue || slot->name == obj) {
        return slot->queue != NULL;
    }
    Tcl_Size kept_length;
    const char *kept = Tcl_GetStringFromObj(slot->name, &kept_length);
    return kept_length == length && memcmp(kept, name, (size_t)length) == 0;
}

fj_queue *fjt_find_queue(Tcl_Interp *interp, Tcl_Obj *name)
{
    fj_queue_set *set = fjt_set(interp);
    if (!set) {
        return NULL;
    }
    Tcl_Obj *text = fjt_name(name);
    fj_queue *queue = text ? fj_queue_find(set, Tcl_GetString(text)) : NULL;
    if (!text) {
        fjt_error(interp, "no such queue: %s", Tcl_GetString(name));
    } else {
        if (!queue) {
            fjt_queue_error(interp, Tcl_GetString(name), "");
        }
        Tcl_DecrRefCount(text);
    }
    return queue;
}

fj_queue *fjt_queue(fjt_interp *data, Tcl_Obj *name, fjt_from *from)
{
    Tcl_Size length;
    const char *text = Tcl_GetStringFromObj(name, &length);
    fjt_cached_queue *slot = slot_of(data, text, length);
    if (is_for(slot, name, text, length)) {
        *from = *from == FJT_AGAIN ? FJT_AGAIN : FJT_KEPT;
        return slot->queue;
    }
    fj_queue *queue = fjt_find_queue(data->interp, name);
    if (!queue) {
        return NULL;
    }
    empty(slot);
    slot->queue = queue;
    slot->name = name; /* which nobody changes in place: it is shared from now on */
    Tcl_IncrRefCount(slot->name);
    return queue;
}

void fjt_forget(fjt_interp *data, Tcl_Obj *name)
{
    Tcl_Size length;
    const char *text = Tcl_GetStringFromObj(name, &length);
    fjt_cached_queue *slot = slot_of(data, text, length);
    if (is_for(slot, name, text, length)) {
        empty(slot);
    }
}

void fjt_forget_all(fjt_interp *data)
{
    for (int i = 0; i < FJT_CACHED_QUEUES; i++) {
        empty(&data->queues[i]);
    }
}

int fjt_again(fjt_interp *data, Tcl_Obj *name, fjt_from *from, fj_job_id *id, Tcl_Obj *id_text)
{
    int code = fj_last_error_code();
    if (code == FJ_ENOJOB && id && id->number >= 0) {
        *id = fjt_named_id(data, id_text); /* of the job's own, that looks like a number's */
        return 1;
    }
    if (*from != FJT_KEPT || (code != FJ_ENOQUEUE && code != FJ_ENOJOB && code != FJ_EREFUSED)) {
        return 0;
    }
    *from = FJT_AGAIN;
    fjt_forget(data, name);
    return 1;
}
