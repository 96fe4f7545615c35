#include <ec_thread_pool.h>
#include <semaphore.h>
#include <stdio.h>

static void add(ec_async_job *job, void *closure)
{
    int *numbers = closure;
    numbers[2] = numbers[0] + numbers[1];
    (void)job;
}

int main(void)
{
    int numbers[3] = {40, 2, 0};
    sem_t done;
    sem_init(&done, 0, 0);

    ec_async_job job = {0};
    job.job_class = ECTP_CLASS_CPU;
    job.worker = add;
    job.closure = numbers;
    job.completion = ECTP_COMPLETE_SEMAPHORE;
    job.r.sema = &done;
    if (!ec_queue_async_job(&job)) {
        fprintf(stderr, "hello: %s\n", fj_last_error());
        return 1;
    }

    sem_wait(&done);
    printf("%d\n", numbers[2]);
    return !ec_thread_pool_shutdown();
}
