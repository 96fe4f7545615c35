/* consumer.c - a C program with an installed FastJobs: runs one job and prints the version. */
#include <fastjobs/fastjobs.h>
#include <stdio.h>

static void work(ec_async_job *job, void *closure)
{
    (void)job;
    *(int *)closure = 42;
}

int main(void)
{
    int answer = 0;
    sem_t done;
    sem_init(&done, 0, 0);
    ec_async_job job = {.completion = ECTP_COMPLETE_SEMAPHORE,
                        .job_class = ECTP_CLASS_CPU,
                        .worker = work,
                        .closure = &answer,
                        .r.sema = &done};
    if (!ec_queue_async_job(&job)) {
        fprintf(stderr, "consumer: %s\n", fj_last_error());
        return 1;
    }
    sem_wait(&done);
    if (answer != 42 || !ec_thread_pool_shutdown())
        return 1;
    puts(fj_version());
    return 0;
}
