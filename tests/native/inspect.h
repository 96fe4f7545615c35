/*
 * inspect.h - what the tests of fj_inspect.h share: listings, and jobs that are freed as they complete.
 */
#ifndef FASTJOBS_TESTS_INSPECT_H
#define FASTJOBS_TESTS_INSPECT_H

#include "harness.h"

static sem_t s_done;

/* ---- listings ---- */

struct seen {
    int count, stop_after;
    fj_queued_job jobs[64];
    char labels[64][64];
};

static inline int note(const fj_queued_job *job, void *closure)
{
    struct seen *seen = closure;
    CHECK_EQ(job->struct_size, sizeof(*job));
    if (seen->count < 64) {
        seen->jobs[seen->count] = *job;
        snprintf(seen->labels[seen->count], sizeof(seen->labels[0]), "%s", job->label);
    }
    seen->count++;
    return seen->count == seen->stop_after;
}

static inline struct seen list(int pool)
{
    struct seen seen;
    memset(&seen, 0, sizeof(seen));
    long long shown = fj_pool_list_jobs(pool, note, &seen);
    CHECK_EQ(shown, seen.count);
    return seen;
}

/* Whether so many jobs wait for slots, and none is still in the queue or on its way from there. */
static inline int all_wait_for_slots(int pool, int jobs)
{
    struct seen seen = list(pool);
    int waiting = 0;
    for (int i = 0; i < seen.count && i < 64; i++) {
        waiting += seen.jobs[i].state == FJ_JOB_WAITS_FOR_SLOT;
    }
    return seen.count == jobs && waiting == (jobs < 64 ? jobs : 64);
}

static inline void queue_from(ec_async_job *job, const char *file, int line)
{
    CHECK_EQ(ec_queue_async_job_(job, file, line, 0), 1);
}

/* Not static: the test is linked with -rdynamic, so that it has a name. */
void a_worker_with_a_name(ec_async_job *job, void *closure);
void a_worker_with_a_name(ec_async_job *job, void *closure)
{
    do_nothing(job, closure);
}

/* ---- under load: jobs are freed as they complete, and a listing or a cancel must not read a freed one ----
 */

struct load {
    int pool;
    long stop, queued, freed, canceled, lost;
    sem_t slots;
    pthread_mutex_t lock;
    ec_async_job *recent[32]; /* addresses only: the jobs may be gone */
};

static inline void free_job(ec_async_job *job, void *closure)
{
    struct load *load = closure;
    memset(job, 0xdd, sizeof(*job)); /* who reads it now has wild pointers */
    free(job);
    add(&load->freed, 1);
}

static inline void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

#endif
