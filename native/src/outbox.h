/*
 * outbox.h - the calls that a thread has made and not handed to the engine yet.
 *
 * While a pool without order between threads is deep, fj_call puts calls here and enters the engine once in
 * FJ_OUTBOX_ROOM of them. The engine says when (fj_host_outbox_begin, fj_host_outbox_end), and takes calls
 * out when its workers run out of others: docs/protocols.md#outbox. Laid out as CallOutbox.Native.
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
    struct fj_owned_count count; /* words in it */
    _Atomic int job_class;       /* what it collects for, or FJ_OUTBOX_NONE */
    _Atomic int state;           /* enum fj_outbox_state */
    uintptr_t words[FJ_OUTBOX_ROOM];
};

/* The calling thread's: one that collects nothing if it has none. */
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

/* Puts a word in. False: it was not, and nothing collects in this thread now. */
static inline bool fj_outbox_put(struct fj_outbox *outbox, uintptr_t word)
{
    int at = fj_owned_count_get(&outbox->count);
    outbox->words[at] = word;
    bool goes_on = fj_owned_count_set(&outbox->count, at + 1);
    return (goes_on && at + 1 < FJ_OUTBOX_ROOM) || fj_engine.outbox_put(at);
}

/* The child of a fork has no engine: its calls have to find that out. */
void fj_outbox_forked(void);

#endif
