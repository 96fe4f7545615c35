/*
 * hand.h - counts that one thread changes without a locked operation, and the jobs in a worker's hand, which
 * are counted so: docs/protocols.md#owned-count and #hand.
 */
#ifndef FASTJOBS_HAND_H
#define FASTJOBS_HAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Laid out as OwnedCount.cs. */
struct fj_owned_count {
    _Atomic int value;   /* changed by its owner only */
    _Atomic int stopped; /* set by the engine: only it knows whether what the owner set since counts */
    int stopped_at;      /* the engine's */
};

static inline int fj_owned_count_get(const struct fj_owned_count *count)
{
    return atomic_load_explicit(&count->value, memory_order_relaxed);
}

/* The owner's. False: it was stopped. */
static inline bool fj_owned_count_set(struct fj_owned_count *count, int value)
{
    atomic_store_explicit(&count->value, value, memory_order_release);
    /* The engine's barrier orders this store and the look for both sides: here the compiler must keep them.
     */
    atomic_signal_fence(memory_order_seq_cst);
    return atomic_load_explicit(&count->stopped, memory_order_acquire) == 0;
}

/* What a worker counts and shows; laid out as WorkerNow of Worker.cs. */
struct fj_worker_now {
    _Atomic int64_t jobs;  /* over */
    _Atomic intptr_t kind; /* of the job that runs: its file, or its word if it is a call */
    _Atomic int line;
};

/* As HandEnd of Host.cs. */
enum fj_hand_end { FJ_HAND_EMPTY, FJ_HAND_TAKEN, FJ_HAND_STOPPED, FJ_HAND_RETURNED };

/* Takes the words of a hand in their order and runs them, those that are simple: calls, and jobs that need no
 * slot. The end says what `taken` is, if it is one. */
enum fj_hand_end fj_host_run_hand(struct fj_owned_count *count, const uintptr_t *words,
                                  struct fj_worker_now *now, uintptr_t *taken);

#endif
