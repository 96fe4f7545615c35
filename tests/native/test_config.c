/*
 * test_config.c - pools from a string: what it adds, changes, refuses and leaves as it is, and what reports
 * say.
 */
#define _GNU_SOURCE
#include "config_report.h"

static void a_string_adds_and_changes_pools(void)
{
    int before = ec_thread_pool_count();
    CHECK_EQ(load("# comment\nThreadPool \"Test one\" {\n  Concurrency = 3\n  Backlog = 7\n}\n"
                  "ThreadPool \"swapout\" { Concurrency = 9 Backlog = 5 }",
                  "a name"),
             FJ_CONFIG_APPLIED);
    CHECK_EQ(ec_thread_pool_count(), before + 1);
    int added = ec_thread_pool_name_to_class("TEST ONE");
    CHECK(added > ECTP_CLASS_SIEVE_IO);
    CHECK_EQ(stats_of(added).concurrency, 3);
    CHECK_EQ(stats_of(ECTP_CLASS_SWAPOUT).concurrency, 9);
    CHECK_EQ(s_report.count, 3);
    line_is(0, FJ_CONFIG_ADDED, "Test one", NULL, "pool \"Test one\" was added");
    line_is(1, FJ_CONFIG_CHANGED, "SwapOut", "Concurrency", "pool \"SwapOut\": Concurrency was 5, is 9");
    line_is(2, FJ_CONFIG_CHANGED, "SwapOut", "Backlog", "pool \"SwapOut\": Backlog was 0, is 5");
    CHECK_STR(s_report.lines[0].source, "a name");
    CHECK_EQ(s_report.lines[0].line, 2);
    CHECK_EQ(s_report.lines[1].line, 6);
    CHECK_EQ(s_report.lines[1].column, 1);

    CHECK_EQ(load("ThreadPool \"SwapOut\" { Concurrency = 9 }", NULL), FJ_CONFIG_APPLIED);
    CHECK_EQ(s_report.count, 1);
    line_is(0, FJ_CONFIG_UNCHANGED, "SwapOut", "Concurrency", "pool \"SwapOut\": Concurrency is 9 already");
    CHECK_STR(s_report.lines[0].source, "(string)");
    CHECK_EQ(fj_config_load_string("ThreadPool \"SwapOut\" { Concurrency = 5 }", NULL, NULL, NULL),
             FJ_CONFIG_APPLIED);
    CHECK_EQ(stats_of(ECTP_CLASS_SWAPOUT).concurrency, 5);
}

static void errors_are_all_listed_and_change_nothing(void)
{
    int before = ec_thread_pool_count();
    CHECK_EQ(load("ThreadPool \"fine\" { Concurrency = 2 }\n"
                  "ThreadPool \"SwapIn\" {\n  Concurrency = lots\n  Blacklog = 3\n}\n"
                  "ThreadPool \"CPU\" { Concurrency = 8",
                  "file.conf"),
             FJ_CONFIG_FAILED);
    CHECK_EQ(ec_thread_pool_count(), before);
    CHECK_EQ(stats_of(ECTP_CLASS_CPU).concurrency, 4);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_STR(fj_last_error(), "file.conf:3:17: expected a plain whole number for Concurrency, from 0 to "
                               "2147483647, found \"lots\"");
    CHECK_EQ(s_report.count, 3);
    line_is(0, FJ_CONFIG_ERROR, NULL, NULL,
            "expected a plain whole number for Concurrency, from 0 to 2147483647, found \"lots\"");
    line_is(2, FJ_CONFIG_ERROR, NULL, NULL,
            "expected \"}\" for the ThreadPool of line 6, found the end of the text");
    CHECK_EQ(s_report.lines[1].line, 4);
    CHECK_EQ(s_report.lines[1].column, 3);
    CHECK_EQ(s_report.lines[2].line, 6);
    CHECK_EQ(s_report.lines[2].column, 35);
    CHECK_STR(s_report.lines[2].source, "file.conf");
    CHECK_EQ(load("# \xff", "bytes"), FJ_CONFIG_FAILED);
    CHECK_STR(fj_last_error(), "bytes:1:3: expected UTF-8, found the byte 0xff");
}

static void what_cannot_change_is_refused_and_the_rest_changes(void)
{
    int pool = new_pool("busy", 1);
    sem_t done;
    ec_async_job job;
    sem_init(&done, 0, 0);
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &done));
    AWAIT(&done);
    CHECK_EQ(load("ThreadPool \"busy\" { Backlog = 4 Concurrency = 2 Stack_Size = 65536 }\n"
                  "ThreadPool \"Short_Lived\" { Concurrency = 4 }",
                  "f"),
             FJ_CONFIG_PARTLY);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    CHECK_STR(fj_last_error(),
              "f:1:1: pool \"busy\": Backlog stays 0: the pool has threads already (asked for: 4)");
    CHECK_EQ(s_report.count, 4);
    line_is(0, FJ_CONFIG_CHANGED, "busy", "Concurrency", "pool \"busy\": Concurrency was 1, is 2");
    line_is(1, FJ_CONFIG_CHANGED, "busy", "Stack_Size",
            "pool \"busy\": Stack_Size was 0, is 65536: for threads that start from now on");
    line_is(2, FJ_CONFIG_REFUSED, "busy", "Backlog",
            "pool \"busy\": Backlog stays 0: the pool has threads already (asked for: 4)");
    line_is(3, FJ_CONFIG_REFUSED, "Short_Lived", NULL,
            "pool \"Short_Lived\" is refused: these jobs run in their submitter's thread");
    CHECK_EQ(stats_of(pool).concurrency, 2);
    CHECK_EQ(load("ThreadPool \"busy\" { Backlog = 0 }", "f"), FJ_CONFIG_APPLIED);
    sem_destroy(&done);
}

static void measure_stack(ec_async_job *job, void *size)
{
    (void)job;
    pthread_attr_t attributes;
    void *start;
    CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQ(pthread_attr_getstack(&attributes, &start, size), 0);
    pthread_attr_destroy(&attributes);
}

static void settings_do_what_they_say(void)
{
    CHECK_EQ(load("ThreadPool \"cfg.small\" { Stack_Size = 1048576 Auto_Shrink = yes Concurrency = 2 }\n"
                  "ThreadPool \"cfg.late\" { Defer_Spawn = true Idle_Timeout = 1 }",
                  NULL),
             FJ_CONFIG_APPLIED);
    int small = ec_thread_pool_name_to_class("cfg.small");
    int late = ec_thread_pool_name_to_class("cfg.late");
    sem_t done;
    ec_async_job first, second;
    size_t size = 0;
    sem_init(&done, 0, 0);
    QUEUE(job_with_semaphore(&first, small, measure_stack, &size, &done));
    AWAIT(&done);
    CHECK(size >= 1048576 && size < 2 * 1048576);
    POLL(threads_named("cfg.small") == 0); /* an idle one ends */

    QUEUE(job_with_semaphore(&second, late, do_nothing, NULL, &done));
    CHECK_EQ(stats_of(late).num_threads, 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(late), 1);
    CHECK_EQ(load("ThreadPool \"cfg.late\" { Defer_Spawn = false }", NULL), FJ_CONFIG_APPLIED);
    AWAIT(&done);
    POLL(threads_named("cfg.late") == 0);
    sem_destroy(&done);
}

static void a_backlog_may_change_before_the_first_thread(void)
{
    sem_t done;
    ec_async_job job;
    sem_init(&done, 0, 0);
    CHECK_EQ(load("ThreadPool \"cfg.full\" { Backlog = 1 Defer_Spawn = on }", NULL), FJ_CONFIG_APPLIED);
    int full = ec_thread_pool_name_to_class("cfg.full");
    QUEUE(job_with_semaphore(&job, full, do_nothing, NULL, &done));
    CHECK_EQ(ec_thread_pool_set_backlog(full, 2), 1); /* it has no threads yet */
    CHECK_EQ(load("ThreadPool \"cfg.full\" { Backlog = 1 }", NULL), FJ_CONFIG_APPLIED);
    line_is(0, FJ_CONFIG_CHANGED, "cfg.full", "Backlog", "pool \"cfg.full\": Backlog was 2, is 1");
    ec_thread_pool_defer_spawn(full, 0);
    AWAIT(&done);
    sem_destroy(&done);
}

static void load_again(const fj_config_entry *entry, void *closure)
{
    int *result = closure;
    CHECK_EQ(entry->outcome, FJ_CONFIG_ADDED);
    *result = fj_config_load_string("ThreadPool \"cfg.inner\" {}", "inner", NULL, NULL);
}

static void a_callback_may_load_again(void)
{
    int result = -1;
    CHECK_EQ(fj_config_load_string("ThreadPool \"cfg.outer\" {}", "outer", load_again, &result),
             FJ_CONFIG_APPLIED);
    CHECK_EQ(result, FJ_CONFIG_APPLIED);
    CHECK(ec_thread_pool_name_to_class("cfg.inner") > 0);
}

static void *load_many(void *unused)
{
    for (int i = 0; i < 200; i++) {
        char text[128];
        snprintf(text, sizeof(text), "ThreadPool \"cfg.race %d\" { Concurrency = %d }", i / 2, 1 + i % 7);
        CHECK_EQ(fj_config_load_string(text, NULL, NULL, NULL), FJ_CONFIG_APPLIED);
    }
    return unused;
}

static void many_threads_may_load_at_once(void)
{
    int before = ec_thread_pool_count();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = start_thread(load_many, NULL);
    }
    for (int i = 0; i < 4; i++) {
        JOIN(threads[i]);
    }
    CHECK_EQ(ec_thread_pool_count(), before + 100);
}

static void after_a_shutdown_nothing_is_configured(void)
{
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(load("ThreadPool \"late\" {}", NULL), FJ_CONFIG_FAILED);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 1);
}

int main(void)
{
    unsetenv("FASTJOBS_CONFIG");
    unsetenv("FASTJOBS_CONFIG_TEXT");
    IN_CHILD(after_a_shutdown_nothing_is_configured);
    RUN(a_string_adds_and_changes_pools);
    RUN(errors_are_all_listed_and_change_nothing);
    RUN(what_cannot_change_is_refused_and_the_rest_changes);
    RUN(settings_do_what_they_say);
    RUN(a_backlog_may_change_before_the_first_thread);
    RUN(a_callback_may_load_again);
    RUN(many_threads_may_load_at_once);
    return check_report();
}
