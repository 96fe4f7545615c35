/*
 * test_errors.c - every way in which queueing a job can fail: what it returns, the code, a text that helps,
 * and that the job is still the caller's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "errors.h"

static void no_error_at_first(void)
{
    CHECK_EQ(fj_last_error_code(), FJ_OK);
    CHECK_STR(fj_last_error(), "");
}

static void jobs_that_are_wrong_are_refused(void)
{
    ec_async_job job;
    CHECK_EQ(ec_queue_async_job(NULL), 0);
    EXPECT_ERROR(FJ_EINVAL, "job is NULL");

    /* with a tag in the sign bit, which in a queue is a call's */
    CHECK_EQ(ec_queue_async_job((ec_async_job *)((uintptr_t)&job | (uintptr_t)1 << 63)), 0);
    EXPECT_ERROR(FJ_EINVAL, "address");

    job_init(&job, ECTP_CLASS_CPU, NULL, NULL);
    EXPECT_REFUSED(&job, FJ_EINVAL, "worker");

    for (int i = 0; i < NO_CLASSES; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", s_no_class[i]);
        job_init(&job, s_no_class[i], must_not_run, NULL);
        EXPECT_REFUSED(&job, FJ_ENOCLASS, number);
        job.completion = ECTP_COMPLETE_SYNC;
        EXPECT_REFUSED(&job, FJ_ENOCLASS, number);
    }

    static const int unknown[] = {9, 10, 1000, -1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        job_init(&job, ECTP_CLASS_CPU, must_not_run, NULL);
        set_completion(&job, unknown[i]);
        EXPECT_REFUSED(&job, FJ_EINVAL, "completion");
    }
}

static void completions_without_their_context_are_refused(void)
{
    static const int callbacks[] = {ECTP_COMPLETE_CALLBACK, ECTP_COMPLETE_CALLBACK_SCHED};
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_CLOSE, ECTP_CLASS_SHORT_LIVED};
    ec_async_job job;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 2; i++) {
            job_init(&job, classes[c], must_not_run, NULL);
            set_completion(&job, callbacks[i]);
            EXPECT_REFUSED(&job, FJ_EINVAL, "r.cb.func");
        }
        job_init(&job, classes[c], must_not_run, NULL);
        job.completion = ECTP_COMPLETE_SEMAPHORE;
        EXPECT_REFUSED(&job, FJ_EINVAL, "r.sema");
    }
}

static int never_called(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)closure;
    (void)now;
    CHECK(!"the Event of a refused job is called");
    return 0;
}

static void must_not_resume(validate_context *ctx, ec_async_job *job, void *closure)
{
    (void)ctx;
    must_not_run(job, closure);
}

static void completions_through_a_scheduler_need_theirs(void)
{
    ec_scheduler_inst *gone = fj_scheduler_create(NULL, FJ_SCHEDULER_HOST);
    validate_context *orphan = fj_validate_context_create(must_not_resume, NULL, gone);
    validate_context *no_context = fj_validate_context_create(must_not_resume, NULL, NULL);
    CHECK(gone != NULL && orphan != NULL && no_context != NULL);
    CHECK_EQ(fj_scheduler_destroy(gone), 1);
    CHECK_EQ(fj_validate_context_destroy(no_context), 1);
    static const int events[] = {ECTP_COMPLETE_EVENT, ECTP_COMPLETE_EVENT_INST};
    Event event = {.fd = -1, .mask = E_READ, .callback = never_called};
    Event silent = {.fd = -1, .mask = E_READ};
    ec_async_job job;
    for (int i = 0; i < 2; i++) {
        job_init(&job, ECTP_CLASS_CPU, must_not_run, NULL);
        set_completion(&job, events[i]);
        EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.event is NULL");
        job.r.e.event = &silent;
        EXPECT_REFUSED(&job, FJ_EINVAL, "callback of r.e.event");
        job.r.e.event = &event;
        job.r.e.mask = 0x40;
        EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.mask");
    }
    job.r.e.mask = E_READ;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.inst is NULL");
    job.r.e.inst = gone;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.inst is no scheduler");

    job_init(&job, ECTP_CLASS_CLOSE, must_not_run, NULL);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED_INST;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.cb.func");
    job.r.cb.func = must_not_run;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.cb.inst is NULL");
    job.r.cb.inst = (ec_scheduler_inst *)&job;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.cb.inst is no scheduler");

    job_init(&job, ECTP_CLASS_SHORT_LIVED, must_not_run, NULL);
    job.completion = ECTP_COMPLETE_MODULE;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.ctx is NULL");
    job.r.e.ctx = no_context;
    EXPECT_REFUSED(&job, FJ_EINVAL, "r.e.ctx is no validate context");
    job.r.e.ctx = orphan;
    EXPECT_REFUSED(&job, FJ_EINVAL, "the scheduler of r.e.ctx");
    CHECK_EQ(fj_validate_context_is_suspended(orphan), 0);
    CHECK_EQ(fj_validate_context_destroy(orphan), 1);
}

static void a_refused_job_can_be_put_right(void)
{
    ec_async_job job;
    job_with_semaphore(&job, 12345, do_nothing, NULL, &s_done);
    EXPECT_REFUSED(&job, FJ_ENOCLASS, "12345");
    job.job_class = ECTP_CLASS_CPU;
    CHECK(QUEUE(&job));
    AWAIT(&s_done);

    ec_async_job *own = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    CHECK_OR_RETURN(own != NULL);
    job_init(own, -2, must_not_run, NULL);
    own->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    EXPECT_REFUSED(own, FJ_ENOCLASS, "-2");
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage), 1);
    CHECK_EQ(usage.objects, 1); /* not freed */
    ec_free(MEMTYPE_EC_ASYNC_JOB, own);
}

static void whatever_next_holds_is_fine(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done);
    job.next = &job; /* garbage that looks like a list */
    for (int i = 0; i < 100; i++) {
        CHECK(QUEUE(&job));
        AWAIT(&s_done);
    }
    job.next = (ec_async_job *)(size_t)-1;
    CHECK(QUEUE(&job));
    AWAIT(&s_done);
}

static void success_does_not_clear_the_error(void)
{
    ec_async_job job;
    CHECK_EQ(ec_thread_pool_name_to_class("nobody has this name"), -2);
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    job_init(&job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL);
    QUEUE(&job);
    stats_of(ECTP_CLASS_CPU);
    CHECK_EQ(ec_thread_pool_name_to_class("CPU"), ECTP_CLASS_CPU);
    EXPECT_ERROR(FJ_ENOCLASS, "nobody has this name");
}

static void *fail_in_thread(void *closure)
{
    (void)closure;
    CHECK_EQ(fj_last_error_code(), FJ_OK);
    CHECK_STR(fj_last_error(), "");
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, -5), 0);
    EXPECT_ERROR(FJ_EINVAL, "-5");
    return NULL;
}

static void fail_in_worker(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK_EQ(ec_thread_pool_name_to_class("in a worker"), -2);
    EXPECT_ERROR(FJ_ENOCLASS, "in a worker");
}

static void each_thread_has_its_own_error(void)
{
    ec_async_job job;
    CHECK_EQ(ec_thread_pool_name_to_class("of the main thread"), -2);
    JOIN(start_thread(fail_in_thread, NULL));
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, fail_in_worker, NULL, &s_done));
    AWAIT(&s_done);
    EXPECT_ERROR(FJ_ENOCLASS, "of the main thread");
}

static void the_version_is_three_numbers(void)
{
    int major, minor, patch;
    char rest;
    CHECK_EQ(sscanf(fj_version(), "%d.%d.%d%c", &major, &minor, &patch, &rest), 3);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(no_error_at_first);
    RUN(jobs_that_are_wrong_are_refused);
    RUN(completions_without_their_context_are_refused);
    RUN(completions_through_a_scheduler_need_theirs);
    RUN(a_refused_job_can_be_put_right);
    RUN(whatever_next_holds_is_fine);
    RUN(success_does_not_clear_the_error);
    RUN(each_thread_has_its_own_error);
    RUN(the_version_is_three_numbers);
    return check_report();
}
