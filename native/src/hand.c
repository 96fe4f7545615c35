/*
 * hand.c - a worker's jobs, several of them without the way out of the engine and back for each.
 *
 * What they need besides (a slot, a completion, a look by a trace) is the engine's: then the one in question
 * goes back to it. Hand.cs counts what is in a hand and what is taken, in the same way.
 */
#include "hand.h"

#include "../include/fastjobs/ec_malloc.h"
#include "outbox.h"

enum {
    FILLED_SHIFT = 16, /* as Hand.cs */
    TAKEN_MASK = (1 << FILLED_SHIFT) - 1,
    NO_JOB = 3, /* bits that the word of a job that waits for nothing does not have: CJobOps.cs */
    AHEAD = 6   /* jobs that are fetched: their lines come from the core that filled them in */
};

#define NO_KIND ((intptr_t)-1) /* as Worker.NoKind */

static bool is_call(uintptr_t word)
{
    return (intptr_t)word < 0;
}

static void fetch(uintptr_t word)
{
    if (!is_call(word)) {
        __builtin_prefetch((const void *)word);
        __builtin_prefetch((const char *)word + 64);
    }
}

/* Release: who sees the kind sees the line; who sees that no job runs, or the count, sees what it has done.
 */
static void begins(struct fj_worker_now *now, intptr_t kind, int line)
{
    atomic_store_explicit(&now->line, line, memory_order_relaxed);
    atomic_store_explicit(&now->kind, kind, memory_order_release);
}

static void ends(struct fj_worker_now *now)
{
    atomic_store_explicit(&now->kind, NO_KIND, memory_order_release);
}

static void is_over(struct fj_worker_now *now)
{
    int64_t jobs = atomic_load_explicit(&now->jobs, memory_order_relaxed);
    atomic_store_explicit(&now->jobs, jobs + 1, memory_order_release);
}

static void run_call(uintptr_t word, struct fj_worker_now *now)
{
    uintptr_t place = word >> FJ_CLOSURE_BITS & (FJ_CALL_FUNCTIONS - 1);
    uintptr_t closure = word & (((uintptr_t)1 << FJ_CLOSURE_BITS) - 1);
    /* The word was claimed, so its submitter's entry is seen. */
    fj_call_func function = (fj_call_func)atomic_load_explicit(&fj_call_table[place], memory_order_relaxed);
    begins(now, (intptr_t)word, 0);
    function((void *)closure);
    ends(now);
    is_over(now);
}

/* False: its worker has returned, and the rest is the engine's. */
static bool run_job(ec_async_job *job, struct fj_worker_now *now)
{
    /* Then its worker may free it. */
    bool gone = job->completion == ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0;
    begins(now, (intptr_t)job->file, job->line);
    job->worker(job, job->closure);
    ends(now);
    if (!gone) {
        if (job->completion != ECTP_COMPLETE_NONE || job->skip_completion)
            return false;
        if (job->free_on_completion_memtype != 0) /* its worker may have changed that */
            ec_free(job->free_on_completion_memtype, job);
    }
    is_over(now);
    return true;
}

enum fj_hand_end fj_host_run_hand(struct fj_owned_count *count, const uintptr_t *words,
                                  struct fj_worker_now *now, uintptr_t *taken)
{
    for (;;) {
        int value = fj_owned_count_get(count);
        int filled = value >> FILLED_SHIFT, next = value & TAKEN_MASK;
        if (next == filled)
            return FJ_HAND_EMPTY;
        uintptr_t word = words[next];
        if (next + AHEAD < filled)
            fetch(words[next + AHEAD]);
        *taken = word;
        if (!fj_owned_count_set(count, value + 1))
            return FJ_HAND_STOPPED;
        if (is_call(word)) {
            run_call(word, now);
            continue;
        }
        if ((word & NO_JOB) != 0)
            return FJ_HAND_TAKEN;
        /* It was taken: nobody else runs it, and it may be looked into. */
        ec_async_job *job = (ec_async_job *)word;
        if (job->concurrency != NULL)
            return FJ_HAND_TAKEN;
        if (!run_job(job, now))
            return FJ_HAND_RETURNED;
    }
}
