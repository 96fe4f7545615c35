/*
 * outbox.h - how a thread submits without the way into the engine.
 *
 * While a pool without order between threads is deep, fj_call puts calls here and enters the engine once in
 * FJ_OUTBOX_ROOM of them; the engine takes calls out when its workers run out of others:
 * docs/protocols.md#outbox. In any other pool a thread that alone submits leases the tail of the queue, and
 * puts calls and simple jobs into their slots: docs/protocols.md#lease. The engine says when
 * (fj_host_outbox_begin, fj_host_outbox_end). Laid out as CallOutbox.Native.
 */
#ifndef FASTJOBS_OUTBOX_H
#define FASTJOBS_OUTBOX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"
#include "hand.h"

enum { FJ_OUTBOX_ROOM = 64, FJ_OUTBOX_NONE = INT32_MIN, FJ_CALL_FUNCTIONS = 1024, FJ_CLOSURE_BITS = 48 };

struct fj_outbox {
    struct fj_owned_count count; /* words in it, or places that are taken */
    _Atomic int job_class;       /* whose jobs may be put in, or FJ_OUTBOX_NONE */
    _Atomic int state;           /* enum fj_outbox_state */
    int room;                    /* how many places there are */
    _Atomic uintptr_t *places;   /* slots of the queue whose tail is leased; NULL: words */
    uintptr_t words[FJ_OUTBOX_ROOM];
};

/* The calling thread's: one for no pool if it has none. */
extern _Thread_local struct fj_outbox *fj_outbox_self __attribute__((tls_model("initial-exec")));

/* The functions of calls, by their numbers: CallTable.cs puts them in. */
extern _Atomic uintptr_t fj_call_table[FJ_CALL_FUNCTIONS];

/* A call as one word, as CallTable.Pack makes it; 0: not in the easy way. */
static inline uintptr_t fj_call_word(fj_call_func function, void *closure)
{
    uintptr_t address = (uintptr_t)function;
    uintptr_t place = ((address ^ (address >> 10)) >> 3) & (FJ_CALL_FUNCTIONS - 1);
    uintptr_t known = atomic_load_explicit(&fj_call_table[place], memory_order_relaxed);
    if (known != address || address == 0 || (uintptr_t)closure >> FJ_CLOSURE_BITS != 0)
        return 0;
    return (uintptr_t)1 << 63 | place << FJ_CLOSURE_BITS | (uintptr_t)closure;
}

/* Gathers a word. False: it did not, and nothing gathers in this thread now. */
static inline bool fj_outbox_gather(struct fj_outbox *outbox, uintptr_t word)
{
    int at = fj_owned_count_get(&outbox->count);
    outbox->words[at] = word;
    bool goes_on = fj_owned_count_set(&outbox->count, at + 1);
    return (goes_on && at + 1 < FJ_OUTBOX_ROOM) || fj_engine.outbox_put(at);
}

/* Takes a place of the queue, and publishes the word there: not before the place is this thread's for sure,
 * since workers look at the slots. False: it was taken back, and this thread has no lease now. */
static inline bool fj_outbox_publish(struct fj_outbox *outbox, uintptr_t word)
{
    int at = fj_owned_count_get(&outbox->count);
    _Atomic uintptr_t *place = &outbox->places[at];
    bool goes_on = fj_owned_count_set(&outbox->count, at + 1);
    if (!goes_on && !fj_engine.lease_has_taken(at))
        return false;
    atomic_store_explicit(place, word, memory_order_release);
    if (goes_on && at + 1 == outbox->room && !fj_engine.lease_go_on())
        atomic_store_explicit(&outbox->job_class, FJ_OUTBOX_NONE, memory_order_relaxed); /* no places */
    return true;
}

/* Whether jobs of the class may be put in by this thread. */
static inline bool fj_outbox_is_for(struct fj_outbox *outbox, int job_class)
{
    return atomic_load_explicit(&outbox->job_class, memory_order_relaxed) == job_class &&
           job_class != FJ_OUTBOX_NONE; /* which is no pool, but a caller may ask for it */
}

/* Submits a call. False: it has to go through the engine. */
static inline bool fj_outbox_put_call(struct fj_outbox *outbox, uintptr_t word)
{
    return outbox->places != NULL ? fj_outbox_publish(outbox, word) : fj_outbox_gather(outbox, word);
}

/* Submits a job, if it is a simple one: the engine checks the others. False: it has to go through there. */
static inline bool fj_outbox_put_job(struct fj_outbox *outbox, ec_async_job *job, const char *file, int line)
{
    if (outbox->places == NULL || job->worker == NULL || job->completion != ECTP_COMPLETE_NONE)
        return false;
    job->file = file;
    job->line = line;
    return fj_outbox_publish(outbox, (uintptr_t)job);
}

/* The child of a fork has no engine: its calls have to find that out. */
void fj_outbox_forked(void);

#endif
