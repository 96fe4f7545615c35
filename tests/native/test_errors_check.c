/*
 * test_errors_check.c - what FASTJOBS_CHECK=1 refuses, in this program started again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "errors.h"

static void refuse_twice(ec_async_job *job, int job_class)
{
    ec_async_job blocker;
    struct gate gate = GATE_CLOSED;
    QUEUE(job_with_semaphore(&blocker, job_class, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    CHECK(QUEUE(job)); /* waits behind the blocker */
    CHECK_EQ(ec_queue_async_job(job), 0);
    EXPECT_ERROR(FJ_EBUSY, "queued");
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 2);
    CHECK(QUEUE(job)); /* back from its completion it may be queued */
    AWAIT(&s_done);
}

static void queue_itself(ec_async_job *job, void *expected)
{
    CHECK_EQ(ec_queue_async_job(job), *(int *)expected);
    if (*(int *)expected == 0) {
        EXPECT_ERROR(FJ_EBUSY, "running");
    } else {
        job->worker = post;
        job->closure = &s_done;
    }
}

static void a_job_queued_twice_is_refused(void)
{
    int pool = new_pool("errors.checked", 1);
    ec_async_job job;
    job_with_semaphore(&job, pool, do_nothing, NULL, &s_done);
    job.next = (ec_async_job *)(size_t)0x1234; /* not by what this holds */
    refuse_twice(&job, pool);

    int refused = 0; /* while its worker runs, a job that has a completion is the pool's */
    QUEUE(job_with_semaphore(&job, pool, queue_itself, &refused, &s_done));
    AWAIT(&s_done);
    CHECK(QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done)));
    AWAIT(&s_done);
}

static void requeue_in_callback(ec_async_job *job, void *left)
{
    if (--*(int *)left > 0) {
        QUEUE(job);
    } else {
        sem_post(&s_done);
    }
}

static void requeue_in_worker(ec_async_job *job, void *left)
{
    requeue_in_callback(job, left);
}

static void legal_reuse_is_not_refused(void)
{
    ec_async_job job;
    int left = 1000;
    QUEUE(job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, requeue_in_callback, &left));
    AWAIT(&s_done);
    left = 1000;
    job_init(&job, ECTP_CLASS_CPU, requeue_in_worker, &left);
    QUEUE(&job);
    AWAIT(&s_done);
    left = 1000;
    job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, requeue_in_callback, &left);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&job);
    AWAIT(&s_done);
    for (int i = 0; i < 1000; i++) { /* the memory of a freed job comes back as the next */
        ec_async_job *own = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        CHECK_OR_RETURN(own != NULL);
        job_with_semaphore(own, i % 3 - 1, do_nothing, NULL, &s_done);
        own->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        QUEUE(own);
    }
    AWAIT_TIMES(&s_done, 1000);
    job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done);
    job.skip_completion = 1;
    for (int i = 0; i < 100; i++) {
        QUEUE(&job);
        CHECK_EQ(ec_queue_async_job(&job), 0); /* until its tail it is the pool's */
        EXPECT_ERROR(FJ_EBUSY, "queued");
        ec_async_complete_tail(&job);
        AWAIT(&s_done);
    }
    job_init(&job, 4711, do_nothing, NULL);
    CHECK_EQ(ec_queue_async_job(&job), 0); /* refused: not held */
    job.job_class = ECTP_CLASS_SHORT_LIVED;
    CHECK(QUEUE(&job));
    CHECK(QUEUE(&job));
}

static void checked_main(void)
{
    RUN(a_job_queued_twice_is_refused);
    RUN(legal_reuse_is_not_refused);
}

static void with_fastjobs_check_1(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setenv("FASTJOBS_CHECK", "1", 1);
        execl("/proc/self/exe", "test_errors", "checked", (char *)NULL);
        _exit(127);
    }
    EXPECT_EXIT(child, 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    new_semaphore(&s_done, 0);
    if (argc > 1) {
        checked_main();
        return check_report();
    }
    RUN(with_fastjobs_check_1);
    return check_report();
}
