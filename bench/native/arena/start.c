/*
 * start.c - how long it takes from loading the library to the end of the first job, in a process that had
 * nothing of it. Prints microseconds: until it is loaded, until the first job is done.
 *
 *   start LIBRARY
 */
#include <dlfcn.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fastjobs/ec_thread_pool.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void nothing(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: start LIBRARY\n");
        return 2;
    }
    double began = now_us();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    int (*queue)(ec_async_job *, const char *, int, int) = NULL;
    if (library != NULL) {
        void *found = dlsym(library, "ec_queue_async_job_");
        memcpy(&queue, &found, sizeof found); /* ISO C has no cast for this */
    }
    if (queue == NULL) {
        fprintf(stderr, "start: %s\n", dlerror());
        return 1;
    }
    double loaded = now_us();
    sem_t done;
    sem_init(&done, 0, 0);
    ec_async_job job = {
        .job_class = ECTP_CLASS_CPU, .worker = nothing, .completion = ECTP_COMPLETE_SEMAPHORE};
    job.r.sema = &done;
    if (!queue(&job, __FILE__, __LINE__, 0)) {
        fprintf(stderr, "start: the job was not queued\n");
        return 1;
    }
    while (sem_wait(&done) != 0) {
    }
    printf("%.1f %.1f\n", loaded - began, now_us() - began);
    fflush(stdout);
    _exit(0);
}
