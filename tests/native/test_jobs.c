/*
 * test_jobs.c - one job: every supported completion, where and when it runs, and whose the job is.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <stddef.h>

static sem_t s_done;

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

struct rounds {
    ec_async_job job;
    long left;
    int reuse_as_none;
};

static void requeue(ec_async_job *job, void *closure)
{
    struct rounds *r = closure;
    if (--r->left == 0) {
        sem_post(&s_done);
        return;
    }
    CHECK(QUEUE(job));
}

static void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
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

/* ---- SYNC and the classes that run in the caller ---- */

struct where {
    pthread_t worker, completion;
    int runs;
};

static void note_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *w = closure;
    w->worker = pthread_self();
    w->runs++;
}

static void note_completion(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *w = closure;
    w->completion = pthread_self();
    w->runs += 10;
}

static void sync_is_over_when_the_call_returns(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_UNLINK, ECTP_CLASS_CLOSE,
                                  ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 4; i++) {
        struct where where = {0};
        ec_async_job job;
        job_init(&job, classes[i], note_worker, &where);
        job.completion = ECTP_COMPLETE_SYNC;
        CHECK(QUEUE(&job));
        CHECK_EQ(where.runs, 1);
        CHECK(pthread_equal(where.worker, pthread_self()));
    }
}

static void run_sync_in_worker(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *where = closure;
    ec_async_job inner;
    job_init(&inner, ECTP_CLASS_CPU, note_worker, where);
    inner.completion = ECTP_COMPLETE_SYNC;
    CHECK(QUEUE(&inner));
    CHECK_EQ(where->runs, 1);
    CHECK(pthread_equal(where->worker, pthread_self()));
}

static void sync_works_inside_a_worker(void)
{
    struct where where = {0};
    ec_async_job job;
    CHECK_OR_RETURN(QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, run_sync_in_worker, &where, &s_done)));
    AWAIT(&s_done);
}

static void short_lived_and_close_run_in_the_caller(void)
{
    static const int classes[] = {ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    for (int i = 0; i < 2; i++) {
        struct where where = {0};
        ec_async_job job;
        CHECK(QUEUE(job_with_callback(&job, classes[i], note_worker, &where, note_completion, &where)));
        CHECK_EQ(where.runs, 11);
        CHECK(pthread_equal(where.worker, pthread_self()));
        CHECK(pthread_equal(where.completion, pthread_self()));

        CHECK(QUEUE(job_with_semaphore(&job, classes[i], do_nothing, NULL, &s_done)));
        CHECK_EQ(semaphore_value(&s_done), 1); /* posted before the call returned */
        AWAIT(&s_done);
    }
    CHECK_EQ(threads_named("Close"), 0);
}

static void queue_next_level(ec_async_job *job, void *closure)
{
    (void)job;
    long *levels = closure;
    if (--*levels > 0) {
        ec_async_job inner;
        job_init(&inner, ECTP_CLASS_SHORT_LIVED, queue_next_level, levels);
        CHECK(QUEUE(&inner));
    }
}

static void short_lived_jobs_nest(void)
{
    long levels = 100;
    ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, queue_next_level, &levels);
    CHECK(QUEUE(&job));
    CHECK_EQ(levels, 0);
}

/* ---- CALLBACK_SCHED ---- */

enum { ORDERED = 20000 };
static int s_order[ORDERED];
static int s_delivered;
static pthread_t s_scheduler;

static void in_scheduler(ec_async_job *job, void *number)
{
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    if (s_delivered == 0) {
        s_scheduler = pthread_self();
    }
    CHECK(pthread_equal(s_scheduler, pthread_self())); /* always the same */
    s_order[s_delivered++] = (int)(size_t)number;      /* without a lock: one thread */
    free(job);
    sem_post(&s_done);
}

static void not_in_scheduler(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK_EQ(fj_is_scheduler_thread(), 0);
}

static void callback_sched_runs_in_one_thread_in_order(void)
{
    int rounds = many(ORDERED);
    int pool = new_pool("jobs.ordered", 1); /* one worker: it finishes jobs in their order */
    rounds = rounds > ORDERED ? ORDERED : rounds;
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    for (int i = 0; i < rounds; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_with_callback(job, pool, not_in_scheduler, NULL, in_scheduler, (void *)(size_t)i);
        job->completion = ECTP_COMPLETE_CALLBACK_SCHED;
        CHECK_OR_RETURN(QUEUE(job));
    }
    AWAIT_TIMES(&s_done, rounds);
    int in_order = 1;
    for (int i = 0; i < rounds; i++) {
        in_order = in_order && s_order[i] == i;
    }
    CHECK(in_order);
    CHECK(!pthread_equal(s_scheduler, pthread_self()));
}

static void requeue_in_scheduler(ec_async_job *job, void *closure)
{
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    requeue(job, closure);
}

static void callback_sched_may_queue_the_job_again(void)
{
    struct rounds r = {.left = many(5000)};
    job_with_callback(&r.job, ECTP_CLASS_CPU, pass_on, NULL, requeue_in_scheduler, &r);
    r.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK_OR_RETURN(QUEUE(&r.job));
    AWAIT(&s_done);
}

static void sync_in_scheduler(ec_async_job *job, void *closure)
{
    (void)job;
    struct where *where = closure;
    ec_async_job inner;
    job_with_callback(&inner, ECTP_CLASS_SHORT_LIVED, note_worker, where, note_completion, where);
    CHECK(QUEUE(&inner));
    CHECK_EQ(where->runs, 11);
    CHECK(pthread_equal(where->worker, pthread_self()));
    sem_post(&s_done);
}

static void callback_sched_may_run_short_lived_jobs(void)
{
    struct where where = {0};
    ec_async_job job;
    job_with_callback(&job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL, sync_in_scheduler, &where);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK(QUEUE(&job));
    AWAIT(&s_done);
}

/* ---- free_on_completion_memtype ---- */

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
    RUN(sync_is_over_when_the_call_returns);
    RUN(sync_works_inside_a_worker);
    RUN(short_lived_and_close_run_in_the_caller);
    RUN(short_lived_jobs_nest);
    RUN(callback_sched_runs_in_one_thread_in_order);
    RUN(callback_sched_may_queue_the_job_again);
    RUN(callback_sched_may_run_short_lived_jobs);
    RUN(memtype_frees_the_job_after_every_completion);
    RUN(memtype_frees_a_larger_struct_of_a_type_of_its_own);
    RUN(memtype_counts_as_the_worker_leaves_it);
    RUN(file_and_line_are_set_and_the_rest_is_not_touched);
    RUN(the_worker_may_change_the_completion);
    RUN(null_file_is_allowed);
    return check_report();
}
