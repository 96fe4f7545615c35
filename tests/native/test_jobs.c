/*
 * test_jobs.c - one job: the completions NONE, CALLBACK and SEMAPHORE, whose the job is then, and its fields.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "jobs.h"

#include <stddef.h>

/* ---- NONE ---- */

static void free_own_job(ec_async_job *job, void *closure)
{
    (void)closure;
    memset(job, 0xdd, sizeof(*job)); /* whoever reads it now finds nonsense */
    free(job);
    sem_post(&s_done);
}

static void none_the_worker_may_free_its_own_job(void)
{
    int rounds = many(20000);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_init(job, i % 2 == 0 ? ECTP_CLASS_CPU : ECTP_CLASS_IO, free_own_job, NULL);
        CHECK_OR_RETURN(QUEUE(job));
    }
    AWAIT_TIMES(&s_done, rounds);
}

static void free_own_job_inline(ec_async_job *job, void *ran)
{
    memset(job, 0xdd, sizeof(*job));
    free(job);
    *(int *)ran += 1;
}

static void none_a_job_run_in_the_caller_may_be_freed_too(void)
{
    static const int classes[] = {ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    int ran = 0;
    for (int i = 0; i < 2; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_init(job, classes[i], free_own_job_inline, &ran);
        CHECK_OR_RETURN(QUEUE(job));
    }
    CHECK_EQ(ran, 2);
}

/* A job on its way round: every worker queues it again, so that the next run may begin before this one has
 * returned. */
static void go_round(ec_async_job *job, void *rounds_left)
{
    long *left = rounds_left;
    if (--*left == 0) {
        sem_post(&s_done);
        return;
    }
    job->job_class = *left % 2 == 0 ? ECTP_CLASS_CPU : ECTP_CLASS_IO;
    QUEUE(job);
}

static void none_the_worker_may_queue_its_own_job_again(void)
{
    long left = many(20000);
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, go_round, &left);
    CHECK_OR_RETURN(QUEUE(&job));
    AWAIT(&s_done);
    CHECK_EQ(left, 0);
}

/* ---- CALLBACK ---- */

struct observed {
    ec_async_job job; /* first: the job's address is the struct's */
    char payload[256];
    pthread_t worker_thread, completion_thread;
    int worker_runs, completion_runs;
    void *completion_closure;
};

static void observe_worker(ec_async_job *job, void *closure)
{
    struct observed *o = (struct observed *)job;
    CHECK(closure == o);
    CHECK_EQ(o->completion_runs, 0);
    o->worker_thread = pthread_self();
    o->worker_runs++;
    for (size_t i = 0; i < sizeof(o->payload); i++) {
        CHECK(o->payload[i] == 'q'); /* what the submitter wrote */
        o->payload[i] = 'w';
    }
}

static void observe_completion(ec_async_job *job, void *closure)
{
    struct observed *o = (struct observed *)job;
    CHECK_EQ(o->worker_runs, 1);
    o->completion_thread = pthread_self();
    o->completion_closure = closure;
    o->completion_runs++;
    for (size_t i = 0; i < sizeof(o->payload); i++) {
        CHECK(o->payload[i] == 'w'); /* what the worker wrote */
        o->payload[i] = 'c';
    }
    sem_post(&s_done);
}

static void observed_init(struct observed *o, int job_class)
{
    memset(o, 0, sizeof(*o));
    job_with_callback(&o->job, job_class, observe_worker, o, observe_completion, &o->payload);
    memset(o->payload, 'q', sizeof(o->payload));
}

static void callback_runs_in_the_worker_and_sees_all_that_was_written(void)
{
    for (int i = 0; i < many(2000); i++) {
        struct observed o;
        observed_init(&o, ECTP_CLASS_CPU);
        CHECK_OR_RETURN(QUEUE(&o.job));
        AWAIT(&s_done);
        CHECK_EQ(o.worker_runs, 1);
        CHECK_EQ(o.completion_runs, 1);
        CHECK(pthread_equal(o.worker_thread, o.completion_thread));
        CHECK(!pthread_equal(o.worker_thread, pthread_self()));
        CHECK(o.completion_closure == &o.payload);
        CHECK(o.payload[0] == 'c' && o.payload[sizeof(o.payload) - 1] == 'c');
    }
}

static void callback_may_queue_the_job_again(void)
{
    struct rounds r = {.left = many(20000)};
    job_with_callback(&r.job, ECTP_CLASS_CPU, pass_on, NULL, requeue, &r);
    CHECK_OR_RETURN(QUEUE(&r.job));
    AWAIT(&s_done);
}

static void reuse(ec_async_job *job, void *closure)
{
    (void)closure;
    /* The same memory, another job: the one that has just completed must not be seen again. */
    job_with_semaphore(job, ECTP_CLASS_IO, do_nothing, NULL, &s_done);
    CHECK(QUEUE(job));
}

static void callback_may_make_another_job_of_it(void)
{
    ec_async_job job;
    for (int i = 0; i < many(5000); i++) {
        job_with_callback(&job, ECTP_CLASS_CPU, pass_on, NULL, reuse, NULL);
        CHECK_OR_RETURN(QUEUE(&job));
        AWAIT(&s_done);
    }
}

static void free_job(ec_async_job *job, void *closure)
{
    (void)closure;
    memset(job, 0xdd, sizeof(*job));
    free(job);
    sem_post(&s_done);
}

static void callback_may_free_the_job(void)
{
    int rounds = many(20000);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_with_callback(job, ECTP_CLASS_CPU, pass_on, NULL, free_job, NULL);
        CHECK_OR_RETURN(QUEUE(job));
    }
    AWAIT_TIMES(&s_done, rounds);
}

/* ---- SEMAPHORE ---- */

static void semaphore_a_job_on_the_stack_is_gone_after_the_wait(void)
{
    for (int i = 0; i < many(10000); i++) {
        long sum = i;
        sem_t done;
        ec_async_job job;
        CHECK_OR_RETURN(
            QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, &sum, new_semaphore(&done, 0))));
        AWAIT(&done);
        CHECK_EQ(sem_destroy(&done), 0);
        memset(&job, 0xee, sizeof(job));
    }
}

/* ---- the fields of the job ---- */

static void file_and_line_are_set_and_the_rest_is_not_touched(void)
{
    unsigned char before[sizeof(ec_async_job)];
    unsigned char after[sizeof(ec_async_job)];
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, &job, &s_done);
    job.next = (ec_async_job *)(size_t)0xdeadbeef; /* the caller's: any value */
    job._spare_bits = 0x2aaaaaaa;
    memcpy(before, &job, sizeof(job));
    CHECK_OR_RETURN(ec_queue_async_job(&job) == 1);
    int line = __LINE__ - 1;
    AWAIT(&s_done);
    CHECK_STR(job.file, __FILE__);
    CHECK_EQ(job.line, line);
    CHECK_EQ(job._spare_bits, 0x2aaaaaaa);
    memcpy(after, &job, sizeof(job));
    size_t from = sizeof(job.next); /* next is the pool's while the job is queued */
    CHECK(memcmp(before + from, after + from, offsetof(ec_async_job, file) - from) == 0);
}

static void worker_changes_completion(ec_async_job *job, void *closure)
{
    job_with_semaphore(job, ECTP_CLASS_IO, do_nothing, closure, &s_done);
}

static void the_worker_may_change_the_completion(void)
{
    ec_async_job job;
    CHECK_OR_RETURN(QUEUE(
        job_with_callback(&job, ECTP_CLASS_CPU, worker_changes_completion, NULL, observe_completion, NULL)));
    AWAIT(&s_done);
}

static void null_file_is_allowed(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done);
    CHECK_EQ(ec_queue_async_job_(&job, NULL, 0, 0), 1);
    AWAIT(&s_done);
    CHECK(job.file == NULL);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(none_the_worker_may_free_its_own_job);
    RUN(none_a_job_run_in_the_caller_may_be_freed_too);
    RUN(none_the_worker_may_queue_its_own_job_again);
    RUN(callback_runs_in_the_worker_and_sees_all_that_was_written);
    RUN(callback_may_queue_the_job_again);
    RUN(callback_may_make_another_job_of_it);
    RUN(callback_may_free_the_job);
    RUN(semaphore_a_job_on_the_stack_is_gone_after_the_wait);
    RUN(file_and_line_are_set_and_the_rest_is_not_touched);
    RUN(the_worker_may_change_the_completion);
    RUN(null_file_is_allowed);
    return check_report();
}
