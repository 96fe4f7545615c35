/*
 * test_errors_pools.c - how calls about pools fail: names, unknown classes, values out of range.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "errors.h"

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
        EXPECT_NO_CLASS(fj_pool_is_deferred(s_class) == -1);
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

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(names_that_nobody_has);
    RUN(a_long_text_is_cut_between_characters);
    RUN(pools_that_cannot_be_created);
    RUN(the_largest_backlog_and_concurrency_work);
    RUN(the_backlog_of_a_pool_with_threads_cannot_change);
    RUN(every_function_knows_an_unknown_class);
    RUN(arguments_out_of_range);
    return check_report();
}
