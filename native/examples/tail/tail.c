/*
 * tail.c - a worker that does not finish its job: it hands the work on to a device with a thread of its own,
 * which completes the job later. The pool's only worker is free for the next job meanwhile.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include <ec_thread_pool.h>
#include <fastjobs.h>

enum { JOBS = 4 };

/* A device that answers whenever it likes; here once all have asked, the last one first. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    ec_async_job *jobs[JOBS];
    int count;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER};

static sem_t done;

static void *device_run(void *nothing)
{
    pthread_mutex_lock(&device.lock);
    while (device.count < JOBS)
        pthread_cond_wait(&device.asked, &device.lock);
    pthread_mutex_unlock(&device.lock);
    for (int i = JOBS - 1; i >= 0; i--)
        ec_async_complete_tail(
            device.jobs[i]); /* completes the job, here or, if it still runs, after its worker */
    return nothing;
}

static void ask(ec_async_job *job, void *closure)
{
    job->skip_completion = 1; /* the completion comes with ec_async_complete_tail */
    printf("asked %d\n", *(int *)closure);
    pthread_mutex_lock(&device.lock);
    device.jobs[device.count++] = job;
    pthread_cond_signal(&device.asked);
    pthread_mutex_unlock(&device.lock);
}

static void answered(ec_async_job *job, void *closure)
{
    (void)job;
    printf("answered %d\n", *(int *)closure);
    sem_post(&done);
}

int main(void)
{
    static ec_async_job jobs[JOBS];
    static int numbers[JOBS];
    pthread_t thread;
    sem_init(&done, 0, 0);
    int pool = ec_thread_pool_create_module(NULL, "Device", 1, 0, 0);
    if (pool < 0 || pthread_create(&thread, NULL, device_run, NULL) != 0)
        return 1;

    for (int i = 0; i < JOBS; i++) {
        numbers[i] = i + 1;
        jobs[i].job_class = pool;
        jobs[i].worker = ask;
        jobs[i].closure = &numbers[i];
        jobs[i].completion = ECTP_COMPLETE_CALLBACK;
        jobs[i].r.cb.func = answered;
        jobs[i].r.cb.closure = &numbers[i];
        if (!ec_queue_async_job(&jobs[i])) {
            fprintf(stderr, "tail: %s\n", fj_last_error());
            return 1;
        }
    }
    for (int i = 0; i < JOBS; i++) {
        while (sem_wait(&done) != 0) {
        }
    }
    pthread_join(thread, NULL);
    return !ec_thread_pool_shutdown();
}
