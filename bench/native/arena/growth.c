/*
 * growth.c - what a job costs as things grow: how deep its lane is, how many lanes and how many idle queues
 * there are. A run does the same thing for any number of jobs, so that callgrind's counts of two runs, one of
 * them with twice the jobs, differ by the jobs alone. Workers wait once for work in a run.
 *
 *   growth depth JOBS | lanes JOBS LANES | queues JOBS QUEUES | memory LANES
 *
 * memory prints the bytes that an idle lane takes, by the resident size.
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fastjobs/fastjobs.h>

static sem_t s_over;
static long s_left; /* the lane has one worker */

static void fail(const char *call)
{
    fprintf(stderr, "growth: %s: %s\n", call, fj_last_error());
    exit(1);
}

static void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    if (--s_left == 0)
        sem_post(&s_over);
}

static int make_lane(int number)
{
    char name[32];
    snprintf(name, sizeof name, "lane%d", number);
    int lane = ec_thread_pool_create_module(NULL, name, 1, 0, 0);
    if (lane < 0)
        fail("ec_thread_pool_create_module");
    return lane;
}

/* All jobs wait in a lane before its worker starts. */
static void run_jobs(int lane, long jobs)
{
    s_left = jobs;
    ec_thread_pool_defer_spawn(lane, 1);
    for (long i = 0; i < jobs; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        memset(job, 0, sizeof *job);
        job->job_class = lane;
        job->worker = count;
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        if (!ec_queue_async_job(job))
            fail("ec_queue_async_job");
    }
    ec_thread_pool_defer_spawn(lane, 0);
    while (sem_wait(&s_over) != 0) {
    }
}

static void among_lanes(long jobs, long lanes)
{
    int last = 0;
    for (long i = 0; i < lanes; i++)
        last = make_lane((int)i);
    run_jobs(last, jobs);
}

static int nothing(fj_run *run, void *state)
{
    (void)run;
    (void)state;
    return 0;
}

static void among_queues(long jobs, long queues)
{
    static const fj_work work = {.struct_size = sizeof(fj_work), .name = "nothing", .run = nothing};
    fj_queue_set *set = fj_queue_set_create(NULL);
    fj_queue *queue = NULL;
    for (long i = 0; i < queues; i++) {
        char name[32];
        snprintf(name, sizeof name, "queue%ld", i);
        fj_queue_options options = {.struct_size = sizeof options, .name = name, .concurrency = 1};
        if (queue != NULL)
            fj_queue_release(queue);
        queue = fj_queue_create(set, &options);
        if (queue == NULL)
            fail("fj_queue_create");
    }
    fj_queue_pause(queue);
    fj_job_id last = {0, NULL};
    for (long i = 0; i < jobs; i++) {
        if (!fj_queue_add(queue, &work, NULL, NULL, &last))
            fail("fj_queue_add");
    }
    fj_queue_resume(queue);
    for (long i = last.number; i > last.number - jobs;
         i--) { /* the last one first: the others are done then */
        if (!fj_queue_wait(queue, fj_job_number(i), -1, NULL))
            fail("fj_queue_wait");
    }
}

static long resident(void)
{
    long size, pages;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &size, &pages) != 2)
        exit(1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void memory(long lanes)
{
    run_jobs(make_lane(0), 1000);
    long before = resident();
    for (long i = 1; i <= lanes; i++)
        make_lane((int)i);
    printf("%.0f\n", (double)(resident() - before) / (double)lanes);
}

static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != 0 || value < 1) {
        fprintf(stderr, "growth: %s is not a number from 1\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    sem_init(&s_over, 0, 0);
    if (argc == 3 && strcmp(argv[1], "depth") == 0) {
        run_jobs(make_lane(0), number(argv[2]));
    } else if (argc == 4 && strcmp(argv[1], "lanes") == 0) {
        among_lanes(number(argv[2]), number(argv[3]));
    } else if (argc == 4 && strcmp(argv[1], "queues") == 0) {
        among_queues(number(argv[2]), number(argv[3]));
    } else if (argc == 3 && strcmp(argv[1], "memory") == 0) {
        memory(number(argv[2]));
    } else {
        fprintf(stderr, "usage: growth depth JOBS | lanes JOBS LANES | queues JOBS QUEUES | memory LANES\n");
        return 2;
    }
    fflush(stdout);
    _exit(0); /* the end of the engine is not what is counted */
}
