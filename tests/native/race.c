/* race.c - has a race between a job and its submitter, which ThreadSanitizer must see: the library tells it
 * of no order that is not there. Prints "over" if nobody stops it. */
#define _GNU_SOURCE
#include "harness.h"

static int s_shared;

static void write_shared(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    s_shared = 1;
}

int main(void)
{
    static ec_async_job before, racing;
    sem_t done;
    new_semaphore(&done, 0);
    QUEUE(job_with_semaphore(&before, ECTP_CLASS_CPU, do_nothing, NULL, &done));
    job_init(&racing, ECTP_CLASS_CPU, write_shared, NULL);
    QUEUE(&racing);
    AWAIT(&done);
    s_shared = 2; /* nobody has waited for the second job */
    fj_pool_wait_empty(ECTP_CLASS_CPU, -1);
    printf("over: %d\n", s_shared);
    return 0;
}
