/*
 * test_shutdown.c - the end: ec_thread_pool_shutdown in all situations, and processes that end without it.
 *
 * An engine ends once, so every scenario has a child process of its own, forked before this process has used
 * the library. Scenarios in which the process ends by itself are run by this program, started again with an
 * argument.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static long s_ran;
static sem_t s_done;
static struct gate s_gate = GATE_CLOSED;

static void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static void count_completion(ec_async_job *job, void *closure)
{
    count(job, closure);
}

/* A job of its own memory: freed by the library. */
static ec_async_job *allocated(int job_class, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    if (job == NULL) {
        exit(1);
    }
    job_init(job, job_class, worker, closure);
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    return job;
}

static long live_jobs(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage), 1);
    return (long)usage.objects;
}

static void expect_refused(int job_class, int completion)
{
    ec_async_job job;
    job_with_semaphore(&job, job_class, count, NULL, &s_done);
    memcpy(&job.completion, &completion, sizeof(completion));
    long ran = get(&s_ran);
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK(fj_last_error()[0] != '\0');
    CHECK_EQ(get(&s_ran), ran);
}

/* What holds after every successful shutdown. */
static void expect_all_ended(void)
{
    expect_refused(ECTP_CLASS_CPU, ECTP_COMPLETE_SEMAPHORE);
    expect_refused(ECTP_CLASS_CPU, ECTP_COMPLETE_SYNC);
    expect_refused(ECTP_CLASS_CLOSE, ECTP_COMPLETE_NONE);
    expect_refused(ECTP_CLASS_SHORT_LIVED, ECTP_COMPLETE_NONE);
    CHECK_EQ(ec_thread_pool_shutdown(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    static const char *const names[] = {"CPU-",  "IO-",       "Unlink-",  "SwapIn-",
                                        "test-", "scheduler", "fj-slots", "fj-ages"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        /* A joined thread may be listed for another moment. */
        double end = seconds_now() + 5;
        int left;
        while ((left = threads_named(names[i])) > 0 && seconds_now() < end) {
            pause_ms(1);
        }
        if (left > 0) {
            char text[64];
            snprintf(text, sizeof(text), "%d thread(s) named %s... are still there", left, names[i]);
            check_that(0, __FILE__, __LINE__, text);
        }
    }
}

/* ---- draining ---- */

static void of_an_unused_library(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

static void runs_all_that_is_queued(void)
{
    static ec_async_job jobs[20000];
    int count_of_jobs = many(20000) < 20000 ? many(20000) : 20000;
    for (int i = 0; i < count_of_jobs; i++) {
        job_init(&jobs[i], i % 3, count, NULL); /* CPU, IO, SwapOut */
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), count_of_jobs);
    CHECK_EQ(ec_thread_pool_get_queue_size(ECTP_CLASS_CPU), 0);
    expect_all_ended();
}

static void submit_next_generation(ec_async_job *job, void *generations)
{
    (void)job;
    add(&s_ran, 1);
    long left = (long)generations - 1;
    if (left > 0) {
        /* In turn through pools that were busy, unused, without threads and deferred. */
        static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SIEVE_IO, ECTP_CLASS_CLOSE,
                                      ECTP_CLASS_UNLINK};
        QUEUE(allocated(classes[left % 4], submit_next_generation, (void *)left));
    }
}

static void runs_what_draining_jobs_submit(void)
{
    enum { CHAINS = 50, GENERATIONS = 40 };
    ec_thread_pool_defer_spawn(ECTP_CLASS_UNLINK, 1);
    for (int i = 0; i < CHAINS; i++) {
        CHECK_OR_RETURN(QUEUE(allocated(ECTP_CLASS_CPU, submit_next_generation, (void *)(long)GENERATIONS)));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), CHAINS * GENERATIONS);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static void starts_deferred_pools(void)
{
    int pool = new_pool("test-deferred", 3);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 100; i++) {
        CHECK_OR_RETURN(QUEUE(allocated(pool, count, NULL)));
    }
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 100);
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 100);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static void delivers_completions(void)
{
    enum { JOBS = 300 };
    static ec_async_job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, count, NULL, count_completion, NULL);
        if (i % 2 == 0) {
            jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        }
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 2 * JOBS);
    expect_all_ended();
}

static void submit_from_scheduler(ec_async_job *job, void *closure)
{
    long *left = closure;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    add(&s_ran, 1);
    if (--*left > 0) {
        QUEUE(job);
    }
}

static void runs_what_completions_in_the_scheduler_submit(void)
{
    static ec_async_job job;
    static long left = 100;
    job_with_callback(&job, ECTP_CLASS_CPU, count, NULL, submit_from_scheduler, &left);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    CHECK_OR_RETURN(QUEUE(&job));
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 200);
    expect_all_ended();
}

static void waits_for_jobs_that_wait_for_a_slot(void)
{
    enum { JOBS = 500 };
    static ec_async_job jobs[JOBS];
    static sem_t slots;
    new_semaphore(&slots, 0);
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i], ECTP_CLASS_CPU, count, NULL);
        jobs[i].concurrency = &slots;
        CHECK_OR_RETURN(QUEUE(&jobs[i]));
    }
    ec_async_job last; /* has run when the others have been looked at */
    QUEUE(job_with_semaphore(&last, ECTP_CLASS_CPU, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    sem_post(&slots);
    sem_post(&slots);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), JOBS);
    CHECK_EQ(semaphore_value(&slots), 2);
    CHECK_EQ(sem_destroy(&slots), 0);
    expect_all_ended();
}

/* ---- skip_on_shutdown ---- */

static void must_not_run(ec_async_job *job, void *closure)
{
    (void)job;
    CHECK(!"a discarded job runs, or completes");
    (void)closure;
}

static ec_async_job *skipped_job(int job_class, int completion)
{
    ec_async_job *job = allocated(job_class, must_not_run, NULL);
    memcpy(&job->completion, &completion, sizeof(completion));
    job->r.cb.func = must_not_run;
    if (completion == ECTP_COMPLETE_SEMAPHORE) {
        job->r.sema = &s_done;
    }
    job->skip_on_shutdown = 1;
    return job;
}

static void open_gate(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    gate_open(&s_gate);
}

static void discards_jobs_with_skip_on_shutdown(void)
{
    int busy = new_pool("test-busy", 1);
    int deferred = new_pool("test-deferred", 1);
    ec_thread_pool_defer_spawn(deferred, 1);
    /* The one worker of `busy` is held until shutdown has begun: only that starts the job that opens the
     * gate. */
    QUEUE(allocated(busy, stand_at_gate, &s_gate));
    QUEUE(allocated(deferred, open_gate, NULL));
    GATE_AWAIT(&s_gate, 1);
    static const int completions[] = {ECTP_COMPLETE_NONE, ECTP_COMPLETE_CALLBACK, ECTP_COMPLETE_SEMAPHORE,
                                      ECTP_COMPLETE_CALLBACK_SCHED};
    for (int i = 0; i < 40; i++) {
        QUEUE(skipped_job(busy, completions[i % 4]));
        QUEUE(allocated(busy, count, NULL));
        QUEUE(skipped_job(deferred, completions[i % 4]));
    }
    ec_async_job kept; /* memtype 0: discarded, and its memory stays the caller's */
    job_init(&kept, busy, must_not_run, NULL);
    kept.completion = ECTP_COMPLETE_CALLBACK;
    kept.r.cb.func = must_not_run;
    kept.skip_on_shutdown = 1;
    QUEUE(&kept);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 40);
    CHECK_EQ(live_jobs(), 0);
    CHECK_EQ(semaphore_value(&s_done), 0);
    expect_all_ended();
}

/* Nobody will ever post this semaphore: the jobs behind it are queued, and discarded like others. */
static void discards_skipped_jobs_that_wait_for_a_slot(void)
{
    int pool = new_pool("test-slots", 1);
    sem_t none;
    new_semaphore(&none, 0);
    for (int i = 0; i < 10; i++) {
        ec_async_job *job = skipped_job(pool, ECTP_COMPLETE_CALLBACK);
        job->concurrency = &none;
        QUEUE(job);
    }
    ec_async_job last; /* when it has run, those before it have stepped aside */
    QUEUE(job_with_semaphore(&last, pool, count, NULL, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 10);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(live_jobs(), 0);
    CHECK_EQ(semaphore_value(&none), 0);
    expect_all_ended();
}

static void runs_jobs_with_skip_on_shutdown_before_it(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done);
    job.skip_on_shutdown = 1;
    QUEUE(&job);
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

/* ---- who may call it ---- */

static void shut_down_here(ec_async_job *job, void *completes)
{
    (void)job;
    CHECK_EQ(ec_thread_pool_shutdown(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EDEADLK);
    add(&s_ran, 1);
    if (completes != NULL) {
        sem_post(completes);
    }
}

static void fails_in_a_worker(void)
{
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, shut_down_here, NULL, &s_done));
    AWAIT(&s_done);
    QUEUE(job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, shut_down_here, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(get(&s_ran), 2);
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done)); /* and all goes on */
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

/* The job in whose worker it is called is in flight: waiting for it is waiting for oneself. */
static void fails_in_a_job_that_runs_in_its_submitter(void)
{
    ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, shut_down_here, NULL);
    QUEUE(&job);
    job_init(&job, ECTP_CLASS_CLOSE, shut_down_here, NULL);
    QUEUE(&job);
    job_init(&job, ECTP_CLASS_CPU, shut_down_here, NULL);
    job.completion = ECTP_COMPLETE_SYNC;
    QUEUE(&job);
    CHECK_EQ(get(&s_ran), 3);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    expect_all_ended();
}

enum { PENDING = 50 };

struct in_scheduler {
    ec_async_job job;
    ec_async_job pending[PENDING];
    sem_t queued; /* all pending jobs have run, and their completions wait for the scheduler thread */
    pthread_t scheduler;
    long delivered;
};

static void deliver(ec_async_job *job, void *closure)
{
    (void)job;
    struct in_scheduler *s = closure;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    CHECK(pthread_equal(s->scheduler, pthread_self()));
    s->delivered++;
}

static void worker_posts_queued(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(&((struct in_scheduler *)closure)->queued);
}

static void shut_down_in_scheduler(ec_async_job *job, void *closure)
{
    struct in_scheduler *s = closure;
    s->scheduler = pthread_self();
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    for (int i = 0; i < PENDING; i++) {
        job_with_callback(&s->pending[i], ECTP_CLASS_CPU, worker_posts_queued, s, deliver, s);
        s->pending[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&s->pending[i]);
    }
    AWAIT_TIMES(&s->queued, PENDING / 2);
    CHECK_EQ(s->delivered, 0); /* they wait for this thread */
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(s->delivered, PENDING);
    CHECK_EQ(ec_queue_async_job(job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    sem_post(&s_done);
}

static void works_in_the_scheduler_thread(void)
{
    static struct in_scheduler s;
    new_semaphore(&s.queued, 0);
    job_with_callback(&s.job, ECTP_CLASS_CPU, do_nothing, NULL, shut_down_in_scheduler, &s);
    s.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&s.job);
    AWAIT(&s_done);
    expect_all_ended();
}

/* The completion of a SHORT_LIVED job comes through the scheduler thread too, and may end everything. */
static void works_in_the_scheduler_thread_for_a_short_lived_job(void)
{
    static struct in_scheduler s;
    new_semaphore(&s.queued, 0);
    job_with_callback(&s.job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL, shut_down_in_scheduler, &s);
    s.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&s.job);
    AWAIT(&s_done);
    expect_all_ended();
}

static void *shut_down_in_thread(void *result)
{
    *(int *)result = ec_thread_pool_shutdown();
    return NULL;
}

static void succeeds_once_of_many_calls_at_once(void)
{
    enum { CALLERS = 8 };
    int results[CALLERS] = {0};
    pthread_t threads[CALLERS];
    for (int i = 0; i < 200; i++) {
        QUEUE(allocated(ECTP_CLASS_CPU, count, NULL));
    }
    for (int i = 0; i < CALLERS; i++) {
        threads[i] = start_thread(shut_down_in_thread, &results[i]);
    }
    int successes = 0;
    for (int i = 0; i < CALLERS; i++) {
        JOIN(threads[i]);
        successes += results[i];
    }
    CHECK_EQ(successes, 1);
    CHECK_EQ(get(&s_ran), 200);
    expect_all_ended();
}

/* ---- against submitters ---- */

static void *submit_until_refused(void *closure)
{
    long *accepted = closure;
    while (1) {
        ec_async_job *job = allocated((int)(*accepted % 2), count, NULL);
        if (!ec_queue_async_job(job)) {
            CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
            ec_free(MEMTYPE_EC_ASYNC_JOB, job); /* still the caller's */
            return NULL;
        }
        ++*accepted;
    }
}

static void runs_exactly_what_was_accepted(void)
{
    enum { SUBMITTERS = 4 };
    long accepted[SUBMITTERS] = {0};
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        threads[i] = start_thread(submit_until_refused, &accepted[i]);
    }
    POLL(get(&s_ran) > 1000);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    long sum = 0;
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(threads[i]);
        sum += accepted[i];
    }
    CHECK_EQ(get(&s_ran), sum);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

static int s_backlogged;

static void *submit_backlogged(void *closure)
{
    long *accepted = closure;
    for (int i = 0; i < 20; i++) {
        ec_async_job *job = allocated(s_backlogged, count, NULL);
        if (!ec_queue_async_job(job)) {
            CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
            ec_free(MEMTYPE_EC_ASYNC_JOB, job);
        } else {
            ++*accepted;
        }
    }
    return NULL;
}

static void lets_blocked_submitters_go(void)
{
    enum { SUBMITTERS = 4 };
    long accepted[SUBMITTERS] = {0};
    pthread_t threads[SUBMITTERS];
    s_backlogged = ec_thread_pool_create_module(NULL, "test-backlog", 1, 0, 2);
    ec_thread_pool_defer_spawn(s_backlogged, 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        threads[i] = start_thread(submit_backlogged, &accepted[i]);
    }
    POLL(ec_thread_pool_get_queue_size(s_backlogged) == 2);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    long sum = 0;
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(threads[i]);
        sum += accepted[i];
    }
    CHECK_EQ(get(&s_ran), sum);
    CHECK_EQ(live_jobs(), 0);
    expect_all_ended();
}

/* ---- after it ---- */

static void a_pool_made_afterwards_takes_no_jobs(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    int pool = ec_thread_pool_create_module(NULL, "test-late", 2, 0, 0);
    if (pool >= 0) {
        expect_refused(pool, ECTP_COMPLETE_NONE);
    } else {
        CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    }
    expect_all_ended();
}

static void settings_and_figures_can_still_be_read(void)
{
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).invocations, 1);
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).num_threads, 0);
    CHECK_EQ(ec_thread_pool_name_to_class("io"), ECTP_CLASS_IO);
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 0), 0);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, 9), 1);
    ec_thread_pool_defer_spawn(ECTP_CLASS_CPU, 1);
    ec_thread_pool_defer_spawn(ECTP_CLASS_CPU, 0);
    ec_thread_pool_auto_shrink(ECTP_CLASS_CPU);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    expect_all_ended();
}

static void a_tail_after_it_still_completes(void)
{
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, count, NULL, &s_done);
    job.skip_completion = 1;
    QUEUE(&job);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    ec_async_complete_tail(&job);
    CHECK_EQ(semaphore_value(&s_done), 1);
    expect_all_ended();
}

static void a_tail_after_it_still_reaches_the_callback(void)
{
    ec_async_job jobs[2];
    for (int i = 0; i < 2; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, count, NULL, count_completion, NULL);
        jobs[i].completion = i == 0 ? ECTP_COMPLETE_CALLBACK : ECTP_COMPLETE_CALLBACK_SCHED;
        jobs[i].skip_completion = 1;
        QUEUE(&jobs[i]);
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 2);
    for (int i = 0; i < 2; i++) {
        ec_async_complete_tail(&jobs[i]); /* there is no scheduler thread any more: in the calling one */
    }
    CHECK_EQ(get(&s_ran), 4);
    expect_all_ended();
}

enum { TAILS = 2000 };

static void *complete_tails(void *closure)
{
    ec_async_job *jobs = closure;
    for (int i = 0; i < TAILS; i++) {
        ec_async_complete_tail(&jobs[i]);
    }
    return NULL;
}

/* A tail call hands its completion to the scheduler thread, or, once that takes no more, delivers it itself.
 */
static void tails_during_it_complete_once(void)
{
    ec_async_job *jobs = calloc(TAILS, sizeof *jobs);
    for (int i = 0; i < TAILS; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL, count_completion, NULL);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        jobs[i].skip_completion = 1;
        QUEUE(&jobs[i]);
    }
    pthread_t thread = start_thread(complete_tails, jobs);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    JOIN(thread);
    CHECK_EQ(get(&s_ran), TAILS);
    free(jobs);
    expect_all_ended();
}

static void end_thread(ec_async_job *job, void *closure)
{
    count(job, closure);
    pthread_exit(NULL);
}

static void waits_for_workers_that_their_jobs_end(void)
{
    enum { JOBS = 20 };
    ec_async_job jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i], i % 3, end_thread, NULL);
        QUEUE(&jobs[i]);
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), JOBS);
    expect_all_ended();
}

static void exit_hook_count(int job_class, void *closure)
{
    (void)job_class;
    add((long *)closure, 1);
}

static void the_exit_hooks_have_run(void)
{
    static long started, ended;
    static struct gate gate = GATE_CLOSED;
    ec_async_job jobs[3];
    fj_pool_set_worker_hooks(ECTP_CLASS_CPU, exit_hook_count, NULL, &started);
    int pool = new_pool("test-hooks", 3);
    fj_pool_set_worker_hooks(pool, NULL, exit_hook_count, &ended);
    for (int i = 0; i < 3; i++) {
        job_init(&jobs[i], pool, stand_at_gate, &gate);
        QUEUE(&jobs[i]);
    }
    GATE_AWAIT(&gate, 3);
    gate_open(&gate);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&ended), 3); /* joined, so before shutdown returned */
    CHECK_EQ(get(&started), 0);
    expect_all_ended();
}

/* ---- processes that end without it ---- */

enum { ENDED = 7 };

static void keep_busy(ec_async_job *job, void *closure)
{
    (void)closure;
    if (!ec_queue_async_job_(job, __FILE__, __LINE__, 0)) {
        add(&s_ran, 1); /* only after a shutdown, which does not happen */
    }
}

static void block_for_ever(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    while (1) {
        pause();
    }
}

static void in_scheduler_again(ec_async_job *job, void *closure)
{
    (void)closure;
    ec_queue_async_job_(job, __FILE__, __LINE__, 0);
}

static void end_here(ec_async_job *job, void *how)
{
    (void)job;
    if (how == NULL) {
        exit(ENDED);
    }
    _exit(ENDED);
}

static void *submit_for_ever(void *closure)
{
    while (1) {
        QUEUE(allocated(ECTP_CLASS_SIEVE_IO, do_nothing, NULL));
    }
    return closure;
}

static void at_exit(void)
{
    /* The library works in the host's exit handlers. */
    static ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, count, NULL);
    if (!ec_queue_async_job(&job) || get(&s_ran) != 1) {
        _exit(1);
    }
}

/* All kinds of jobs in flight, then the end. */
static int end_with_jobs_in_flight(const char *how)
{
    static ec_async_job busy[4], blocked[3], waiting[50], scheduled[2], ending;
    static sem_t never;
    atexit(at_exit);
    sem_init(&s_done, 0, 0);
    sem_init(&never, 0, 0);
    int blocked_pool = ec_thread_pool_create_module(NULL, "blocked", 2, 0, 0);
    for (int i = 0; i < 4; i++) {
        job_init(&busy[i], ECTP_CLASS_CPU, keep_busy, NULL);
        QUEUE(&busy[i]);
    }
    for (int i = 0; i < 3; i++) {
        job_init(&blocked[i], blocked_pool, block_for_ever, NULL);
        QUEUE(&blocked[i]);
    }
    for (int i = 0; i < 50; i++) {
        job_init(&waiting[i], ECTP_CLASS_IO, block_for_ever, NULL);
        waiting[i].concurrency = &never;
        QUEUE(&waiting[i]);
    }
    for (int i = 0; i < 2; i++) {
        job_with_callback(&scheduled[i], ECTP_CLASS_SWAPIN, do_nothing, NULL, in_scheduler_again, NULL);
        scheduled[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&scheduled[i]);
    }
    start_thread(submit_for_ever, NULL);
    POLL(stats_of(ECTP_CLASS_SIEVE_IO).invocations > 100);
    if (strcmp(how, "return") == 0) {
        return ENDED;
    }
    if (strcmp(how, "exit") == 0) {
        exit(ENDED);
    }
    if (strcmp(how, "_exit") == 0) {
        _exit(ENDED);
    }
    if (strcmp(how, "job-exit") == 0 || strcmp(how, "job-_exit") == 0) {
        job_init(&ending, ECTP_CLASS_SWAPOUT, end_here, strcmp(how, "job-exit") == 0 ? NULL : &ending);
        QUEUE(&ending);
    }
    if (strcmp(how, "scheduler-exit") == 0) {
        job_with_callback(&ending, ECTP_CLASS_SWAPOUT, do_nothing, NULL, end_here, NULL);
        ending.completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&ending);
    }
    AWAIT(&never);
    return 1;
}

static const char *s_program;

static void expect_prompt_end(const char *how)
{
    for (int i = 0; i < many(5); i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", s_program, how, (char *)NULL);
            _exit(127);
        }
        int status = child_status_at(child, WAIT_SECONDS / 2, __FILE__, __LINE__);
        if (!CHECK(status != -1 && WIFEXITED(status)) || !CHECK_EQ(WEXITSTATUS(status), ENDED)) {
            fprintf(stderr, "  with %s: status 0x%x\n", how, status);
            return;
        }
    }
}

#define ENDS(name, how)                                                                                      \
    static void name(void)                                                                                   \
    {                                                                                                        \
        expect_prompt_end(how);                                                                              \
    }
ENDS(return_from_main_with_jobs_in_flight, "return")
ENDS(exit_with_jobs_in_flight, "exit")
ENDS(_exit_with_jobs_in_flight, "_exit")
ENDS(exit_in_a_job, "job-exit")
ENDS(_exit_in_a_job, "job-_exit")
ENDS(exit_in_the_scheduler_thread, "scheduler-exit")

/* ---- */

#define SHUTDOWN(scenario)                                                                                   \
    static void shutdown_##scenario(void)                                                                    \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
#define EVERY_SCENARIO(X)                                                                                    \
    X(of_an_unused_library)                                                                                  \
    X(runs_all_that_is_queued)                                                                               \
    X(runs_what_draining_jobs_submit)                                                                        \
    X(starts_deferred_pools)                                                                                 \
    X(delivers_completions)                                                                                  \
    X(runs_what_completions_in_the_scheduler_submit)                                                         \
    X(waits_for_jobs_that_wait_for_a_slot)                                                                   \
    X(discards_jobs_with_skip_on_shutdown)                                                                   \
    X(discards_skipped_jobs_that_wait_for_a_slot)                                                            \
    X(runs_jobs_with_skip_on_shutdown_before_it)                                                             \
    X(fails_in_a_worker)                                                                                     \
    X(fails_in_a_job_that_runs_in_its_submitter)                                                             \
    X(works_in_the_scheduler_thread)                                                                         \
    X(works_in_the_scheduler_thread_for_a_short_lived_job)                                                   \
    X(succeeds_once_of_many_calls_at_once)                                                                   \
    X(runs_exactly_what_was_accepted)                                                                        \
    X(lets_blocked_submitters_go)                                                                            \
    X(a_pool_made_afterwards_takes_no_jobs)                                                                  \
    X(settings_and_figures_can_still_be_read)                                                                \
    X(a_tail_after_it_still_completes)                                                                       \
    X(a_tail_after_it_still_reaches_the_callback)                                                            \
    X(tails_during_it_complete_once)                                                                         \
    X(waits_for_workers_that_their_jobs_end)                                                                 \
    X(the_exit_hooks_have_run)
EVERY_SCENARIO(SHUTDOWN)

int main(int argc, char **argv)
{
    s_program = argv[0];
    if (argc > 1) {
        return end_with_jobs_in_flight(argv[1]);
    }
    new_semaphore(&s_done, 0);
#define RUN_SCENARIO(scenario) RUN(shutdown_##scenario);
    EVERY_SCENARIO(RUN_SCENARIO)
    RUN(return_from_main_with_jobs_in_flight);
    RUN(exit_with_jobs_in_flight);
    RUN(_exit_with_jobs_in_flight);
    RUN(exit_in_a_job);
    RUN(_exit_in_a_job);
    RUN(exit_in_the_scheduler_thread);
    return check_report();
}
