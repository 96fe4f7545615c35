/*
 * test_errors.c - every way in which a call can fail: what it returns, the code, a text that helps, and that
 * the job is still the caller's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "event.h"
#include "harness.h"

#include <limits.h>
#include <stdint.h>

static sem_t s_done;
static const int s_no_class[] = {-4, -3, -2, 10000, INT_MIN, INT_MAX};
enum { NO_CLASSES = sizeof(s_no_class) / sizeof(*s_no_class) };

/* The last error, and that its text names what is wrong. */
static void expect_error_at(int code, const char *names, int line)
{
    char text[300];
    snprintf(text, sizeof(text), "line %d: the error is %d \"%s\", not %d with \"%s\"", line,
             fj_last_error_code(), fj_last_error(), code, names);
    check_that(fj_last_error_code() == code && strstr(fj_last_error(), names) != NULL, __FILE__, line, text);
}
#define EXPECT_ERROR(code, names) expect_error_at((code), (names), __LINE__)

static void must_not_run(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK(!"a refused job runs");
}

/* A job that is refused is not touched, and can be queued once it is put right. */
static void expect_refused_at(ec_async_job *job, int code, const char *names, int line)
{
    ec_async_job before;
    memcpy(&before, job, sizeof(before));
    check_numbers(ec_queue_async_job(job), 0, __FILE__, line, "ec_queue_async_job");
    expect_error_at(code, names, line);
    check_that(memcmp(&before, job, sizeof(before)) == 0, __FILE__, line, "the refused job was changed");
}
#define EXPECT_REFUSED(job, code, names) expect_refused_at((job), (code), (names), __LINE__)

static void set_completion(ec_async_job *job, int completion)
{
    memcpy(&job->completion, &completion, sizeof(completion));
}

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

static void names_that_nobody_has(void)
{
    static const char *const unknown[] = {"", " ", "cpu ", "CPU2", "Unlin", "io\n", "no such pool"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        CHECK_EQ(ec_thread_pool_name_to_class(unknown[i]), -2);
        EXPECT_ERROR(FJ_ENOCLASS, unknown[i]);
    }
    CHECK_EQ(ec_thread_pool_name_to_class(NULL), -2);
    CHECK(fj_last_error_code() == FJ_ENOCLASS || fj_last_error_code() == FJ_EINVAL);
    CHECK(strstr(fj_last_error(), "NULL") != NULL);
    char name[5000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CHECK_EQ(ec_thread_pool_name_to_class(name), -2);
    EXPECT_ERROR(FJ_ENOCLASS, "xxxxxxxxxx");
    CHECK(strlen(fj_last_error()) < 1000);
    CHECK_EQ(ec_thread_pool_name_to_class("\xff\xfe not UTF-8 \xc3"), -2);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
}

static void a_long_text_is_cut_between_characters(void)
{
    char name[800] = "";
    for (int i = 0; i < 300; i++) {
        strcat(name, i % 2 == 0 ? "\xc3\xa4" : "o"); /* 1½ bytes a character */
    }
    CHECK_EQ(ec_thread_pool_name_to_class(name), -2);
    const char *text = fj_last_error();
    size_t length = strlen(text);
    CHECK(length > 0);
    int whole = 1;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0xc0) {
            whole = whole && ((unsigned char)text[i + 1] & 0xc0) == 0x80;
        }
    }
    CHECK(whole);
}

static void pools_that_cannot_be_created(void)
{
    int pools = ec_thread_pool_count();
    CHECK_EQ(ec_thread_pool_create_module(NULL, NULL, 1, 0, 0), -1);
    EXPECT_ERROR(FJ_EINVAL, "name");
    CHECK_EQ(ec_thread_pool_create_module(NULL, "", 1, 0, 0), -1);
    EXPECT_ERROR(FJ_EINVAL, "name");
    static const char *const taken[] = {"CPU",         "cpu",         "SPOOLIN",     "spoolin",
                                        "Short_Lived", "SHORT_LIVED", "batch_unlink"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        CHECK_EQ(ec_thread_pool_create_module(NULL, taken[i], 1, 0, 0), -1);
        EXPECT_ERROR(FJ_EEXIST, taken[i]);
    }
    CHECK_EQ(ec_thread_pool_create_module(NULL, "negative", -1, 0, 0), -1);
    EXPECT_ERROR(FJ_EINVAL, "-1");
    CHECK_EQ(ec_thread_pool_create_module(NULL, "negative", INT_MIN, 0, 0), -1);
    EXPECT_ERROR(FJ_EINVAL, "negative");
    static const size_t silly[] = {1, 4096, 16383, (size_t)INT_MAX + 1, SIZE_MAX / 2, SIZE_MAX};
    for (size_t i = 0; i < sizeof(silly) / sizeof(*silly); i++) {
        CHECK_EQ(ec_thread_pool_create_module(NULL, "silly stack", 1, silly[i], 0), -1);
        EXPECT_ERROR(FJ_EINVAL, "stack");
        CHECK_EQ(ec_thread_pool_set_stack_size(ECTP_CLASS_CPU, silly[i]), 0);
        EXPECT_ERROR(FJ_EINVAL, "stack");
    }
    CHECK_EQ(ec_thread_pool_count(), pools); /* none of them is there */
    CHECK_EQ(ec_thread_pool_name_to_class("negative"), -2);
    CHECK_EQ(ec_thread_pool_name_to_class("silly stack"), -2);

    int mine = ec_thread_pool_create_module(NULL, "MiXed.Case", 1, 0, 0);
    CHECK_EQ(mine, pools);
    CHECK_EQ(ec_thread_pool_create_module(NULL, "mixed.CASE", 1, 0, 0), -1);
    EXPECT_ERROR(FJ_EEXIST, "mixed.CASE");
    CHECK_EQ(ec_thread_pool_name_to_class("MIXED.case"), mine);
}

/* The largest values are not negative ones in disguise. */
static void the_largest_backlog_and_concurrency_work(void)
{
    int pool = ec_thread_pool_create_module(NULL, "errors.largest", INT_MAX, 0, SIZE_MAX);
    CHECK_OR_RETURN(pool > 0);
    CHECK_EQ(stats_of(pool).concurrency, INT_MAX);
    ec_thread_pool_defer_spawn(pool, 1);
    static ec_async_job jobs[3];
    for (int i = 0; i < 3; i++) {
        CHECK(QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done))); /* must not block */
    }
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 3);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 3);
}

static void the_backlog_of_a_pool_with_threads_cannot_change(void)
{
    int pool = new_pool("errors.backlog", 1);
    CHECK_EQ(ec_thread_pool_set_backlog(pool, 10), 1);
    CHECK_EQ(ec_thread_pool_set_backlog(pool, SIZE_MAX), 1);
    CHECK_EQ(ec_thread_pool_set_backlog(pool, 0), 1);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(ec_thread_pool_set_backlog(pool, 10), 0);
    EXPECT_ERROR(FJ_EBUSY, "errors.backlog");
    ec_thread_pool_auto_shrink(pool);
    POLL(stats_of(pool).num_threads == 0);
    CHECK_EQ(ec_thread_pool_set_backlog(pool, 10), 0); /* it had threads */
}

static int s_class; /* the bad class of the calls below */

static void expect_no_class_at(int failed, int line)
{
    check_that(failed, __FILE__, line, "a call with an unknown class succeeds");
    expect_error_at(FJ_ENOCLASS, "class", line);
    CHECK_EQ(ec_thread_pool_name_to_class(NULL), -2); /* so that the next one has to set it again */
    if (fj_last_error_code() == FJ_ENOCLASS) {
        ec_queue_async_job(NULL);
    }
}
#define EXPECT_NO_CLASS(failed) expect_no_class_at((failed), __LINE__)

static void every_function_knows_an_unknown_class(void)
{
    fj_pool_stats stats = {.struct_size = sizeof(stats)};
    fj_job_kind kind;
    for (int i = 0; i < NO_CLASSES; i++) {
        s_class = s_no_class[i];
        EXPECT_NO_CLASS(ec_thread_pool_get_queue_size(s_class) == -1);
        EXPECT_NO_CLASS(ec_thread_pool_set_backlog(s_class, 1) == 0);
        EXPECT_NO_CLASS(ec_thread_pool_set_stack_size(s_class, 0) == 0);
        EXPECT_NO_CLASS((ec_thread_pool_auto_shrink(s_class), 1));
        EXPECT_NO_CLASS((ec_thread_pool_defer_spawn(s_class, 1), 1));
        EXPECT_NO_CLASS(fj_pool_stats_get(s_class, &stats) == 0);
        EXPECT_NO_CLASS(fj_pool_job_kinds(s_class, &kind, 1) == -1);
        EXPECT_NO_CLASS(fj_pool_set_concurrency(s_class, 1) == 0);
        EXPECT_NO_CLASS(fj_pool_set_idle_timeout(s_class, 1) == 0);
        EXPECT_NO_CLASS(fj_pool_set_order(s_class, FJ_ORDER_RELAXED) == 0);
        EXPECT_NO_CLASS(fj_pool_name(s_class) == NULL);
        EXPECT_NO_CLASS(fj_pool_wait_empty(s_class, 0) == 0);
        EXPECT_NO_CLASS(fj_report_queue(stdout, s_class, 0) == 0);
        if (s_class != FJ_ALL_POOLS) {
            EXPECT_NO_CLASS(fj_pool_stats_reset(s_class) == 0);
            EXPECT_NO_CLASS(fj_pool_set_worker_hooks(s_class, NULL, NULL, NULL) == 0);
        }
    }
    /* SHORT_LIVED is a class of jobs and not a pool. */
    CHECK_EQ(ec_thread_pool_set_backlog(ECTP_CLASS_SHORT_LIVED, 1), 0);
    EXPECT_ERROR(FJ_ENOCLASS, "-1");
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_SHORT_LIVED, 1), 0);
    EXPECT_ERROR(FJ_ENOCLASS, "-1");
}

static void arguments_out_of_range(void)
{
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, -1), 0);
    EXPECT_ERROR(FJ_EINVAL, "-1");
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, INT_MIN), 0);
    EXPECT_ERROR(FJ_EINVAL, "concurrency");
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).concurrency, 4);
    static const int negative[] = {-1, -2, INT_MIN};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(fj_pool_set_idle_timeout(ECTP_CLASS_CPU, negative[i]), 0);
        EXPECT_ERROR(FJ_EINVAL, "time-out");
    }

    fj_pool_stats stats = {.struct_size = sizeof(stats), .queue_sz = -77};
    CHECK_EQ(fj_pool_stats_get(ECTP_CLASS_CPU, NULL), 0);
    EXPECT_ERROR(FJ_EINVAL, "NULL");
    static const size_t sizes[] = {0, 1, sizeof(stats) - 1, sizeof(stats) + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        stats.struct_size = sizes[i];
        CHECK_EQ(fj_pool_stats_get(ECTP_CLASS_CPU, &stats), 0);
        EXPECT_ERROR(FJ_EINVAL, "struct_size");
        CHECK_EQ(stats.queue_sz, -77); /* not written */
    }

    fj_job_kind kind;
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 1), -1);
    EXPECT_ERROR(FJ_EINVAL, "NULL");
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_CPU, &kind, -1), -1);
    EXPECT_ERROR(FJ_EINVAL, "capacity");
    CHECK_EQ(fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 0), 0); /* how many? */

    ec_async_complete_tail(NULL);
    EXPECT_ERROR(FJ_EINVAL, "NULL");
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

/* ---- FASTJOBS_CHECK=1, in this program started again ---- */

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
    RUN(no_error_at_first);
    RUN(jobs_that_are_wrong_are_refused);
    RUN(completions_without_their_context_are_refused);
    RUN(completions_through_a_scheduler_need_theirs);
    RUN(a_refused_job_can_be_put_right);
    RUN(whatever_next_holds_is_fine);
    RUN(names_that_nobody_has);
    RUN(a_long_text_is_cut_between_characters);
    RUN(pools_that_cannot_be_created);
    RUN(the_largest_backlog_and_concurrency_work);
    RUN(the_backlog_of_a_pool_with_threads_cannot_change);
    RUN(every_function_knows_an_unknown_class);
    RUN(arguments_out_of_range);
    RUN(success_does_not_clear_the_error);
    RUN(each_thread_has_its_own_error);
    RUN(the_version_is_three_numbers);
    return check_report();
}
