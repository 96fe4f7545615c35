/*
 * queue_bench.c - the named queues through the C API: threads add jobs, run elsewhere, and collect each 256
 * jobs later; without a result and with one of 8 bytes. One thread with one worker, two threads in one queue
 * with two, and two in a queue each with a worker each.
 *
 *   queue_bench [jobs [repetitions]]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <fastjobs.h>

enum { WINDOW = 256, MOST = 99 };

static int answer(fj_run *run, void *state)
{
    long long result = (long long)(size_t)state + 1;
    return !fj_run_set_result(run, &result, sizeof result);
}

static int do_nothing(fj_run *run, void *state)
{
    (void)run;
    (void)state;
    return 0;
}

static const fj_work s_answer = {.struct_size = sizeof(fj_work), .name = "answer", .run = answer};
static const fj_work s_nothing = {.struct_size = sizeof(fj_work), .name = "nothing", .run = do_nothing};

struct producer {
    pthread_t thread;
    fj_queue *queue;
    const fj_work *work;
    long jobs;
    pthread_barrier_t *start;
};

static void fail(const char *call)
{
    fprintf(stderr, "queue_bench: %s: %s\n", call, fj_last_error());
    exit(1);
}

static void collect(const struct producer *p, fj_job_id id, long number)
{
    fj_job_result result;
    if (!fj_queue_wait(p->queue, id, -1, &result))
        fail("fj_queue_wait");
    if (result.outcome != FJ_OUTCOME_COMPLETED || result.state != (void *)(size_t)number ||
        (p->work == &s_answer && *(const long long *)result.bytes != number + 1)) {
        fprintf(stderr, "queue_bench: a wrong result\n");
        exit(1);
    }
    fj_job_result_free(&result);
}

static void *produce(void *closure)
{
    struct producer *p = closure;
    fj_job_id pending[WINDOW];
    pthread_barrier_wait(p->start);
    for (long i = 0; i < p->jobs + WINDOW; i++) {
        if (i >= WINDOW)
            collect(p, pending[i % WINDOW], i - WINDOW);
        if (i < p->jobs && !fj_queue_add(p->queue, p->work, (void *)(size_t)i, NULL, &pending[i % WINDOW]))
            fail("fj_queue_add");
    }
    return NULL;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(fj_queue_set *set, const fj_work *work, int threads, int queues, long jobs,
                    int repetitions)
{
    fj_queue *queue[2];
    double rates[MOST], cpu = 0;
    for (int q = 0; q < queues; q++) {
        char name[32];
        snprintf(name, sizeof name, "%s %d of %d, %d", work->name, q, queues, threads);
        fj_queue_options options = {
            .struct_size = sizeof options, .name = name, .concurrency = threads / queues};
        queue[q] = fj_queue_create(set, &options);
        if (queue[q] == NULL)
            fail("fj_queue_create");
    }
    for (int r = -1; r < repetitions; r++) { /* the first one warms up */
        pthread_barrier_t start;
        struct producer producers[2];
        pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
        for (int i = 0; i < threads; i++) {
            producers[i] =
                (struct producer){.queue = queue[i % queues], .work = work, .jobs = jobs / threads};
            producers[i].start = &start;
            pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
        }
        pthread_barrier_wait(&start);
        double began = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < threads; i++)
            pthread_join(producers[i].thread, NULL);
        if (r >= 0) {
            rates[r] = (double)jobs / (now(CLOCK_MONOTONIC) - began);
            cpu += (now(CLOCK_PROCESS_CPUTIME_ID) - used) / (double)jobs / repetitions;
        }
        pthread_barrier_destroy(&start);
    }
    qsort(rates, (size_t)repetitions, sizeof rates[0], compare);
    printf("%s, %s: %.2f million a second (%.2f-%.2f), %.0f ns of processor time a job\n",
           work == &s_answer ? "a result of 8 bytes" : "no result          ",
           threads == 1  ? "one thread"
           : queues == 1 ? "one queue "
                         : "two queues",
           rates[repetitions / 2] / 1e6, rates[0] / 1e6, rates[repetitions - 1] / 1e6, cpu * 1e9);
    for (int q = 0; q < queues; q++) {
        fj_queue_delete(queue[q]);
        fj_queue_release(queue[q]);
    }
}

int main(int argc, char **argv)
{
    long jobs = argc > 1 ? atol(argv[1]) : 1000000;
    int repetitions = argc > 2 ? atoi(argv[2]) : 5;
    if (jobs < 2 * WINDOW || repetitions < 1 || repetitions > MOST) {
        fprintf(stderr, "usage: queue_bench [jobs, at least %d [repetitions, 1-%d]]\n", 2 * WINDOW, MOST);
        return 2;
    }
    fj_queue_set *set = fj_queue_set_create(NULL);
    if (set == NULL)
        fail("fj_queue_set_create");
    for (int threads = 1; threads <= 2; threads++)
        for (int queues = 1; queues <= threads; queues++) {
            measure(set, &s_nothing, threads, queues, jobs, repetitions);
            measure(set, &s_answer, threads, queues, jobs, repetitions);
        }
    fj_queue_set_close(set, -1);
    fj_queue_set_free(set);
    return 0;
}
