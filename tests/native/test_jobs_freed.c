/*
 * test_jobs_freed.c - jobs that the library frees on completion (free_on_completion_memtype).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "jobs.h"

static long live_objects(int memtype)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return (long)usage.objects;
}

static void post_closure(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    sem_post(&s_done);
}

static void memtype_frees_the_job_after_every_completion(void)
{
    static const struct {
        int completion, job_class;
    } kinds[] = {
        {ECTP_COMPLETE_NONE, ECTP_CLASS_CPU},      {ECTP_COMPLETE_NONE, ECTP_CLASS_SHORT_LIVED},
        {ECTP_COMPLETE_CALLBACK, ECTP_CLASS_IO},   {ECTP_COMPLETE_CALLBACK, ECTP_CLASS_CLOSE},
        {ECTP_COMPLETE_SEMAPHORE, ECTP_CLASS_CPU}, {ECTP_COMPLETE_CALLBACK_SCHED, ECTP_CLASS_CPU},
        {ECTP_COMPLETE_SYNC, ECTP_CLASS_CPU},      {ECTP_COMPLETE_SYNC, ECTP_CLASS_SHORT_LIVED},
        {ECTP_COMPLETE_SEMAPHORE, ECTP_CLASS_IO},
    };
    int kinds_count = (int)(sizeof(kinds) / sizeof(*kinds));
    long before = live_objects(MEMTYPE_EC_ASYNC_JOB);
    int rounds = many(20000);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        CHECK_OR_RETURN(job != NULL);
        int kind = i % kinds_count;
        int completion = kinds[kind].completion;
        int worker_posts = completion == ECTP_COMPLETE_NONE || completion == ECTP_COMPLETE_SYNC;
        job_with_callback(job, kinds[kind].job_class, worker_posts ? post_closure : pass_on, NULL,
                          post_closure, NULL);
        memcpy(&job->completion, &completion, sizeof(completion));
        if (completion == ECTP_COMPLETE_SEMAPHORE) {
            job->r.sema = &s_done;
        }
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        CHECK_OR_RETURN(QUEUE(job));
    }
    AWAIT_TIMES(&s_done, rounds);
    POLL(live_objects(MEMTYPE_EC_ASYNC_JOB) == before); /* freed after the completion: a moment later */
}

struct big_job {
    ec_async_job job;
    char text[200];
};

static void check_text(ec_async_job *job, void *text)
{
    struct big_job *big = (struct big_job *)job;
    CHECK(text == big->text);
    CHECK_STR(big->text, "in the larger struct");
}

static void memtype_frees_a_larger_struct_of_a_type_of_its_own(void)
{
    mem_type_def def = {"test.big_job", sizeof(struct big_job), 0};
    int memtype = ec_memtype_register(&def);
    CHECK_OR_RETURN(memtype > 0);
    for (int i = 0; i < many(5000); i++) {
        struct big_job *big = ec_malloc(memtype);
        CHECK_OR_RETURN(big != NULL);
        strcpy(big->text, "in the larger struct");
        job_with_semaphore(&big->job, ECTP_CLASS_CPU, check_text, big->text, &s_done);
        big->job.free_on_completion_memtype = memtype;
        CHECK_OR_RETURN(QUEUE(&big->job));
        AWAIT(&s_done);
    }
    POLL(live_objects(memtype) == 0);
}

static void clear_memtype(ec_async_job *job, void *closure)
{
    (void)closure;
    job->free_on_completion_memtype = 0; /* the worker changes its mind */
}

static void memtype_counts_as_the_worker_leaves_it(void)
{
    long before = live_objects(MEMTYPE_EC_ASYNC_JOB);
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    CHECK_OR_RETURN(job != NULL);
    job_with_semaphore(job, ECTP_CLASS_CPU, clear_memtype, NULL, &s_done);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    CHECK_OR_RETURN(QUEUE(job));
    AWAIT(&s_done);
    CHECK_EQ(live_objects(MEMTYPE_EC_ASYNC_JOB), before + 1);
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(memtype_frees_the_job_after_every_completion);
    RUN(memtype_frees_a_larger_struct_of_a_type_of_its_own);
    RUN(memtype_counts_as_the_worker_leaves_it);
    return check_report();
}
