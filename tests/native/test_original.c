/*
 * test_original.c - source as it was written for the original: its headers, its style, nothing of ours.
 *
 * Only main and the checks belong to the test. The rest is a module of the kind that the original's
 * documentation describes: it reads spool files in the background, posts what it has found, and keeps
 * everything in ec_malloc memory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for the semaphores of -std=c11 */
#endif
#include "ec_config.h"
#include "ec_malloc.h"
#include "ec_thread_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

#ifdef __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#endif
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifdef THREAD_SANITIZER
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
#endif

/* ---- the module ---- */
/* clang-format off: the original's style */

static int job_memtype = -1;
static int module_class = -2;
static sem_t module_limit; /* at most two of our jobs at once */
static sem_t finished;

struct spool_job {
    ec_async_job job; /* must be first: we are cast to and from it */
    int id;
    char name[32];
    long length;
    int error;
};

static pthread_mutex_t result_lock = PTHREAD_MUTEX_INITIALIZER;
static long total_length, total_jobs;

static int module_init(generic_module_infrastructure *self)
{
    static const mem_type_def def = {"spool_job", sizeof(struct spool_job), 0};

    job_memtype = ec_memtype_register(&def);
    if (job_memtype == -1) {
        return 0;
    }
    module_class = ec_thread_pool_create_module(self, "Spool_Scan", 4, 262144, 1000);
    if (module_class == -1) {
        return 0;
    }
    ec_thread_pool_auto_shrink(module_class);
    return sem_init(&module_limit, 0, 2) == 0 && sem_init(&finished, 0, 0) == 0;
}

static void scan_worker(ec_async_job *job, void *closure)
{
    struct spool_job *sj = (struct spool_job *)job;

    if (closure != (void *)sj) {
        sj->error = EINVAL;
    } else {
        sj->length = (long)strlen(sj->name) * 1000 + sj->id;
    }
}

static void scan_done(ec_async_job *job, void *closure)
{
    struct spool_job *sj = (struct spool_job *)job;

    pthread_mutex_lock(&result_lock);
    if (sj->error == 0) {
        total_length += sj->length;
    }
    total_jobs++;
    pthread_mutex_unlock(&result_lock);
    sem_post((sem_t *)closure);
}

/* Queues the scan of one spool file; the job frees itself. */
static int scan_start(int id, int completion)
{
    struct spool_job *sj = (struct spool_job *)ec_malloc(job_memtype);

    if (!sj) {
        return 0;
    }
    memset(sj, 0, sizeof(*sj));
    sj->id = id;
    snprintf(sj->name, sizeof(sj->name), "%08x-msg", (unsigned)id);
    sj->job.completion = (enum _ec_thread_pool_job_completion)completion;
    sj->job.job_class = module_class;
    sj->job.concurrency = &module_limit;
    sj->job.worker = scan_worker;
    sj->job.closure = sj;
    sj->job.r.cb.func = scan_done;
    sj->job.r.cb.closure = &finished;
    sj->job.free_on_completion_memtype = job_memtype;
    sj->job.skip_on_shutdown = 1;
    if (!ec_queue_async_job(&sj->job)) {
        ec_free(job_memtype, sj);
        return 0;
    }
    return 1;
}

/* ---- an operation that is finished elsewhere ---- */

struct deferred_op {
    ec_async_job job;
    pthread_t finisher;
    int state;
};

static void *finish_elsewhere(void *arg)
{
    struct deferred_op *op = (struct deferred_op *)arg;

    op->state++;
    ec_async_complete_tail(&op->job);
    return NULL;
}

static void start_elsewhere(ec_async_job *job, void *closure)
{
    struct deferred_op *op = (struct deferred_op *)closure;

    job->skip_completion = 1; /* not finished when this function returns */
    op->state = 1;
    if (pthread_create(&op->finisher, NULL, finish_elsewhere, op) != 0) {
        job->skip_completion = 0;
        op->state = -1;
    }
}

/* ---- the checks ---- */

static int wait_finished(int times)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    while (times > 0) {
        if (sem_timedwait(&finished, &deadline) == 0) {
            times--;
        } else if (errno != EINTR) {
            CHECK(!"waited in vain for jobs to finish");
            exit(check_report());
        }
    }
    return 1;
}

static long live(int memtype)
{
    fj_memtype_usage usage;

    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return (long)usage.objects;
}

static void await_no_live(int memtype)
{
    struct timespec moment = {0, 1000000};
    int i;

    /* The job is freed after its completion, so a moment after we are told. */
    for (i = 0; i < 60000 && live(memtype) != 0; i++) {
        nanosleep(&moment, NULL);
    }
    CHECK_EQ(live(memtype), 0);
}

static void a_module_runs_its_jobs(void)
{
    int i;
    long expected = 0;

    CHECK(module_init(NULL));
    CHECK_EQ(ec_thread_pool_name_to_class("Spool_Scan"), module_class);
    for (i = 0; i < 2000; i++) {
        CHECK(scan_start(i, i % 2 ? ECTP_COMPLETE_CALLBACK : ECTP_COMPLETE_CALLBACK_SCHED));
        expected += 12 * 1000 + i;
    }
    wait_finished(2000);
    pthread_mutex_lock(&result_lock);
    CHECK_EQ(total_jobs, 2000);
    CHECK_EQ(total_length, expected);
    pthread_mutex_unlock(&result_lock);
    await_no_live(job_memtype);
    CHECK_EQ(ec_thread_pool_get_queue_size(module_class), 0);
}

static void note(ec_async_job *job, void *closure)
{
    (void)job;
    strcpy((char *)closure, "was here");
}

static void a_plain_job_from_ec_malloc(void)
{
    char text[16] = "";
    ec_async_job *job = (ec_async_job *)ec_malloc(MEMTYPE_EC_ASYNC_JOB);

    CHECK_OR_RETURN(job != NULL);
    memset(job, 0, sizeof(*job));
    job->completion = ECTP_COMPLETE_SEMAPHORE;
    job->job_class = ECTP_CLASS_IO;
    job->worker = note;
    job->closure = text;
    job->r.sema = &finished;
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    CHECK_EQ(ec_queue_async_job(job), 1);
    wait_finished(1);
    CHECK_STR(text, "was here");
    await_no_live(MEMTYPE_EC_ASYNC_JOB);
}

static void an_operation_that_is_finished_elsewhere(void)
{
    struct deferred_op op;

    memset(&op, 0, sizeof(op));
    op.job.completion = ECTP_COMPLETE_SEMAPHORE;
    op.job.job_class = ECTP_CLASS_SWAPOUT;
    op.job.worker = start_elsewhere;
    op.job.closure = &op;
    op.job.r.sema = &finished;
    CHECK_EQ(ec_queue_async_job(&op.job), 1);
    wait_finished(1);
    CHECK_EQ(op.state, 2);
    pthread_join(op.finisher, NULL);
}

static void unlink_pool_settings(void)
{
    int cls = ec_thread_pool_name_to_class("Unlink");

    CHECK_EQ(cls, ECTP_CLASS_UNLINK);
    CHECK_EQ(ec_thread_pool_set_backlog(cls, 500), 1);
    CHECK_EQ(ec_thread_pool_set_stack_size(cls, 262144), 1);
    ec_thread_pool_defer_spawn(cls, 1);
    ec_thread_pool_defer_spawn(cls, 0);
    CHECK(ec_thread_pool_count() >= 10);
}

static void shut_down(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(scan_start(1, ECTP_COMPLETE_CALLBACK), 0);
    CHECK_EQ(live(job_memtype), 0);
}

int main(void)
{
    RUN(a_module_runs_its_jobs);
    RUN(a_plain_job_from_ec_malloc);
    RUN(an_operation_that_is_finished_elsewhere);
    RUN(unlink_pool_settings);
    RUN(shut_down);
    return check_report();
}
