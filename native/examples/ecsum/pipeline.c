/*
 * pipeline.c - the jobs: how batches travel from the main thread through IO and CPU workers to the printer.
 *
 * A batch goes in steps. In each step one of its chunks is read into by an IO job while the other, read in
 * the step before, is hashed by a CPU job. The job that ends last starts the next step, in which the chunks
 * have changed places: so each job alternates between the two classes. Batches of small files have two steps:
 * read, hash.
 *
 *     chunk 0   read (IO) | hash (CPU) | read (IO)  | hash (CPU)
 *     chunk 1             | read (IO)  | hash (CPU) | ...
 *
 * The last hash job of a batch completes in the scheduler thread (CALLBACK_SCHED), which prints the batches
 * that are finished and first in line, and hands them back to the main thread. All other jobs complete in
 * their worker (CALLBACK). Nobody touches a batch after queueing its last job.
 *
 * Invariants, under `lock`: `line` holds every batch that has been sent and not been printed, in the order of
 * the input; `in_use` counts these and the one that the main thread fills.
 */
#include "ecsum.h"

#include <fastjobs.h>
#include <pthread.h>
#include <sched.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER; /* the main thread waits for in_use to fall */
static struct batch *line, **line_end = &line;
static struct batch *spare; /* not in use, last used first: its buffers are still in the cache */
static int in_use;
static int batches = BATCHES; /* how many there may be */

static struct batch *filling; /* main thread only: the batch that pipeline_add fills */

static void step_ended(ec_async_job *job, void *closure);
static void batch_ended(ec_async_job *job, void *closure);

static void read_worker(ec_async_job *job, void *closure)
{
    (void)closure;
    chunk_fill((struct chunk *)job);
}

static void hash_worker(ec_async_job *job, void *closure)
{
    (void)closure;
    chunk_hash((struct chunk *)job);
}

static void queue(ec_async_job *job)
{
    if (!ec_queue_async_job(job))
        die("cannot queue a job", fj_last_error());
}

static void queue_read(struct chunk *c)
{
    c->job.job_class = ECTP_CLASS_IO;
    c->job.worker = read_worker;
    c->job.completion = ECTP_COMPLETE_CALLBACK;
    c->job.r.cb.func = step_ended;
    queue(&c->job);
}

static void queue_hash(struct chunk *c, bool last)
{
    c->job.job_class = ECTP_CLASS_CPU;
    c->job.worker = hash_worker;
    c->job.completion = last ? ECTP_COMPLETE_CALLBACK_SCHED : ECTP_COMPLETE_CALLBACK;
    c->job.r.cb.func = last ? batch_ended : step_ended;
    queue(&c->job);
}

/* A batch that is not in use, or NULL if `limit` are. */
static struct batch *take(int limit, bool wait)
{
    struct batch *b = NULL;
    pthread_mutex_lock(&lock);
    while (wait && in_use >= limit)
        pthread_cond_wait(&freed, &lock);
    bool granted = in_use < limit;
    if (granted) {
        in_use++;
        if ((b = spare) != NULL)
            spare = b->after;
    }
    pthread_mutex_unlock(&lock);
    if (granted && b == NULL)
        return batch_create();
    if (b != NULL)
        batch_clear(b);
    return b;
}

/* Puts the batch into the line, behind another one or, NULL, at the end, and queues its first job. */
static void start(struct batch *b, struct batch *behind)
{
    pthread_mutex_lock(&lock);
    struct batch **place = behind == NULL ? line_end : &behind->after;
    b->after = *place;
    *place = b;
    if (place == line_end)
        line_end = &b->after;
    pthread_mutex_unlock(&lock);
    atomic_store(&b->running, 1);
    queue_read(&b->chunks[0]);
}

/* The batch is busy with a large file: lets another batch take over the files that come after it, so that
 * they are read and hashed in parallel. If none is spare the batch gets to them itself, or finds one at the
 * next step. */
static void split(struct batch *b)
{
    struct batch *rest = take(batches, false);
    if (rest == NULL)
        return;
    batch_move_rest(b, rest);
    start(rest, b);
}

/* Called with no job of the batch in flight, after chunk `filled` has been read. */
static void next_step(struct batch *b)
{
    struct chunk *full = &b->chunks[b->filled];
    if (batch_all_read(b)) {
        queue_hash(full, true);
        return;
    }
    if (b->large && b->next < b->count)
        split(b);
    b->filled = !b->filled;
    struct chunk *empty = &b->chunks[b->filled];
    atomic_store(&b->running, 2);
    queue_hash(full, false);
    queue_read(empty);
}

/* Completion in the worker: the last of the step's jobs starts the next step. */
static void step_ended(ec_async_job *job, void *closure)
{
    (void)closure;
    struct chunk *c = (struct chunk *)job;
    struct batch *b = c->batch;
    if (c->job.job_class == ECTP_CLASS_CPU)
        print_progress(c->used);
    if (atomic_fetch_sub(&b->running, 1) == 1)
        next_step(b);
}

/* Takes the finished batches that are first in line out of it. Returns them in order, linked by `after`. */
static struct batch *pop_finished(void)
{
    pthread_mutex_lock(&lock);
    struct batch *first = NULL, **end = &first;
    while (line != NULL && line->finished) {
        *end = line;
        end = &line->after;
        line = line->after;
    }
    *end = NULL;
    if (line == NULL)
        line_end = &line;
    pthread_mutex_unlock(&lock);
    return first;
}

/* Makes batches that have been printed spare again. */
static void give_back(struct batch *b)
{
    pthread_mutex_lock(&lock);
    while (b != NULL) {
        struct batch *after = b->after;
        b->after = spare;
        spare = b;
        b = after;
        in_use--;
    }
    pthread_cond_signal(&freed);
    pthread_mutex_unlock(&lock);
}

/* Completion in the scheduler thread: the only thread that prints, so lines need no lock. */
static void batch_ended(ec_async_job *job, void *closure)
{
    (void)closure;
    struct chunk *c = (struct chunk *)job;
    print_progress(c->used);
    c->batch->finished = true;
    struct batch *finished = pop_finished();
    if (finished == NULL)
        return;
    for (const struct batch *b = finished; b != NULL; b = b->after)
        print_batch(b);
    print_flush();
    give_back(finished);
}

/* Fits the pools to the processors that this process may use. IO jobs mostly wait: their pool is large as it
 * is. */
void pipeline_start(void)
{
    cpu_set_t set;
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (!fj_pool_set_concurrency(ECTP_CLASS_CPU, cpus))
        die("cannot set up the thread pools", fj_last_error());
    if (batches < cpus * BATCHES_PER_CPU)
        batches = cpus * BATCHES_PER_CPU;
}

/* Adds a file to the input, waiting for a free batch if need be. error: 0, or what is already known to be
 * wrong with it. Returns false if it makes no sense to go on, because the output has failed. */
bool pipeline_add(const char *name, size_t base, int error)
{
    if (filling == NULL)
        filling = take(batches - BATCHES_SPARE, true);
    batch_add(filling, name, base, error);
    if (batch_full(filling))
        pipeline_send();
    return !print_broken();
}

/* Starts the batch with the files added so far: they do not wait for more. */
void pipeline_send(void)
{
    if (filling != NULL)
        start(filling, NULL);
    filling = NULL;
}

/* Waits until all files added so far have been printed. */
void pipeline_drain(void)
{
    pipeline_send();
    pthread_mutex_lock(&lock);
    while (in_use > 0)
        pthread_cond_wait(&freed, &lock);
    pthread_mutex_unlock(&lock);
}

/* Ends the jobs' threads: afterwards no completion runs any more, and the printer is the main thread's. */
void pipeline_stop(void)
{
    pipeline_drain();
    if (!ec_thread_pool_shutdown())
        die("cannot stop the thread pools", fj_last_error());
    for (struct batch *b; (b = spare) != NULL;) {
        spare = b->after;
        batch_destroy(b);
    }
}
