/*
 * test_config.c - pools from a text: every function of fj_config.h, the environment, and what reports say.
 *
 * What needs a process in which the library has not started runs in a child, before the parent starts it.
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include "harness.h"

/* ---- reports ---- */

struct line {
    enum fj_config_outcome outcome;
    int line, column;
    char source[128], pool[64], setting[32], text[256];
};

static struct report {
    int count;
    struct line lines[128];
} s_report;

static void copy(char *into, size_t size, const char *from)
{
    snprintf(into, size, "%s", from == NULL ? "(null)" : from);
}

static void record(const fj_config_entry *entry, void *closure)
{
    struct report *report = closure;
    struct line *line = &report->lines[report->count];
    if (!CHECK(report->count < 128)) {
        return;
    }
    report->count++;
    line->outcome = entry->outcome;
    line->line = entry->line;
    line->column = entry->column;
    copy(line->source, sizeof(line->source), entry->source);
    copy(line->pool, sizeof(line->pool), entry->pool);
    copy(line->setting, sizeof(line->setting), entry->setting);
    copy(line->text, sizeof(line->text), entry->text);
}

static int load(const char *text, const char *name)
{
    memset(&s_report, 0, sizeof(s_report));
    return fj_config_load_string(text, name, record, &s_report);
}

static void line_is(int at, enum fj_config_outcome outcome, const char *pool, const char *setting,
                    const char *text)
{
    CHECK_OR_RETURN(at < s_report.count);
    CHECK_EQ(s_report.lines[at].outcome, outcome);
    CHECK_STR(s_report.lines[at].pool, pool == NULL ? "(null)" : pool);
    CHECK_STR(s_report.lines[at].setting, setting == NULL ? "(null)" : setting);
    CHECK_STR(s_report.lines[at].text, text);
}

/* ---- files ---- */

static char s_directory[] = "/tmp/fastjobs-config-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][128];
    static int next;
    next = 1 - next;
    snprintf(path[next], sizeof(path[next]), "%s/%s", s_directory, name);
    return path[next];
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK_OR_RETURN(file != NULL);
    fputs(text, file);
    CHECK_EQ(fclose(file), 0);
}

/* ---- strings ---- */

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

static void wrong_arguments_fail(void)
{
    CHECK_EQ(fj_config_load_string(NULL, NULL, NULL, NULL), FJ_CONFIG_FAILED);
    CHECK_STR(fj_last_error(), "fj_config_load_string: the text is NULL");
    CHECK_EQ(fj_config_load_file(NULL, NULL, NULL), FJ_CONFIG_FAILED);
    CHECK_STR(fj_last_error(), "fj_config_load_file: the path is NULL or empty");
    CHECK_EQ(fj_config_load_file("", NULL, NULL), FJ_CONFIG_FAILED);
    memset(&s_report, 0, sizeof(s_report));
    CHECK_EQ(fj_config_load_file("/no/such/file", record, &s_report), FJ_CONFIG_FAILED);
    CHECK(strstr(fj_last_error(), "/no/such/file") != NULL);
    CHECK_EQ(s_report.count, 1);
    CHECK_EQ(s_report.lines[0].outcome, FJ_CONFIG_ERROR);
    CHECK_STR(s_report.lines[0].source, "/no/such/file");
    CHECK_EQ(s_report.lines[0].line, 0);
    CHECK_EQ(fj_config_load_file(s_directory, NULL, NULL), FJ_CONFIG_FAILED);
}

/* ---- files ---- */

static int reload(void)
{
    memset(&s_report, 0, sizeof(s_report));
    return fj_config_reload(record, &s_report);
}

static void a_reload_does_what_the_file_says_now(void)
{
    CHECK_EQ(chdir(s_directory), 0);
    write_file("pools.conf",
               "ThreadPool \"cfg.a\" { Concurrency = 2 Backlog = 9 }\nThreadPool \"cfg.b\" {}\n");
    memset(&s_report, 0, sizeof(s_report));
    CHECK_EQ(fj_config_load_file("pools.conf", record, &s_report), FJ_CONFIG_APPLIED);
    CHECK_STR(s_report.lines[0].source, "pools.conf");
    CHECK_EQ(chdir("/"), 0); /* it is the same file all the same */
    int a = ec_thread_pool_name_to_class("cfg.a");

    write_file(path_of("pools.conf"), "ThreadPool \"cfg.a\" { Concurrency = 6 }\nThreadPool \"cfg.c\" {}\n");
    CHECK_EQ(reload(), FJ_CONFIG_APPLIED);
    CHECK_EQ(stats_of(a).concurrency, 6);
    CHECK_EQ(s_report.count, 4);
    line_is(0, FJ_CONFIG_CHANGED, "cfg.a", "Concurrency", "pool \"cfg.a\": Concurrency was 2, is 6");
    line_is(1, FJ_CONFIG_ADDED, "cfg.c", NULL, "pool \"cfg.c\" was added");
    line_is(2, FJ_CONFIG_KEPT, "cfg.a", "Backlog",
            "pool \"cfg.a\": Backlog is no longer in the configuration: it stays 9");
    line_is(3, FJ_CONFIG_KEPT, "cfg.b", NULL, "pool \"cfg.b\" is no longer in the configuration: it stays");
    CHECK(ec_thread_pool_name_to_class("cfg.b") > 0);

    write_file(path_of("pools.conf"), "ThreadPool \"cfg.a\" { Concurrency = 7 }\nThreadPool cfg.d {}\n");
    CHECK_EQ(reload(), FJ_CONFIG_FAILED);
    CHECK_STR(fj_last_error(), "pools.conf:2:12: expected the pool's name in quotes, found \"cfg.d\"");
    CHECK_EQ(stats_of(a).concurrency, 6);

    CHECK_EQ(load("ThreadPool \"cfg.a\" { Concurrency = 1 }", NULL), FJ_CONFIG_APPLIED);
    write_file(path_of("pools.conf"), "ThreadPool \"cfg.a\" { Concurrency = 7 }\n");
    CHECK_EQ(fj_config_reload(NULL, NULL), FJ_CONFIG_APPLIED); /* a string is not what is read again */
    CHECK_EQ(stats_of(a).concurrency, 7);

    CHECK_EQ(unlink(path_of("pools.conf")), 0);
    CHECK_EQ(reload(), FJ_CONFIG_FAILED);
    CHECK_EQ(s_report.count, 1);
    CHECK_EQ(stats_of(a).concurrency, 7);
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

/* ---- children: the start, and the end ---- */

/* What the scenario writes to the standard error. */
static char s_errors[2048];

static void collect_errors(void (*scenario)(void))
{
    int kept = dup(2);
    int file = open(path_of("stderr"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    CHECK_OR_RETURN(file >= 0 && kept >= 0);
    dup2(file, 2);
    scenario();
    fflush(stderr);
    dup2(kept, 2);
    ssize_t length = pread(file, s_errors, sizeof(s_errors) - 1, 0);
    s_errors[length < 0 ? 0 : length] = '\0';
    close(file);
    close(kept);
}

static void start_the_library(void)
{
    ec_thread_pool_count();
}

static void the_environment_names_a_file(void)
{
    write_file(path_of("env.conf"),
               "ThreadPool \"env\" { Concurrency = 3 }\nThreadPool \"IO\" { Concurrency = 2 }");
    setenv("FASTJOBS_CONFIG", path_of("env.conf"), 1);
    CHECK(ec_thread_pool_name_to_class("env") > ECTP_CLASS_SIEVE_IO);
    CHECK_EQ(stats_of(ECTP_CLASS_IO).concurrency, 2);
    write_file(path_of("env.conf"), "ThreadPool \"env\" { Concurrency = 4 }");
    CHECK_EQ(reload(), FJ_CONFIG_APPLIED);
    CHECK_EQ(s_report.count, 2);
    line_is(0, FJ_CONFIG_CHANGED, "env", "Concurrency", "pool \"env\": Concurrency was 3, is 4");
    line_is(1, FJ_CONFIG_KEPT, "IO", NULL, "pool \"IO\" is no longer in the configuration: it stays");
}

static void the_environment_has_a_text(void)
{
    setenv("FASTJOBS_CONFIG_TEXT", "ThreadPool \"env\" { Concurrency = 3 }", 1);
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 2);
    CHECK_EQ(stats_of(ec_thread_pool_name_to_class("env")).concurrency, 3);
    CHECK_EQ(reload(), FJ_CONFIG_FAILED);
    CHECK_STR(fj_last_error(), "fj_config_reload: no file was loaded, and FASTJOBS_CONFIG named none");
}

static void errors_of_the_environment_are_written_and_can_be_mended(void)
{
    char expected[512];
    write_file(path_of("bad.conf"), "ThreadPool \"env\" {\n  Concurrency = x\n  Backlog = y\n}");
    setenv("FASTJOBS_CONFIG", path_of("bad.conf"), 1);
    collect_errors(start_the_library);
    snprintf(expected, sizeof(expected),
             "fastjobs: %s:2:17: expected a plain whole number for Concurrency, from 0 to 2147483647, "
             "found \"x\"\nfastjobs: %s:3:13: expected a plain whole number for Backlog, from 0 to "
             "2147483647, found \"y\"\n",
             path_of("bad.conf"), path_of("bad.conf"));
    CHECK(strcmp(s_errors, expected) == 0);
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 1);
    write_file(path_of("bad.conf"), "ThreadPool \"env\" {}");
    CHECK_EQ(reload(), FJ_CONFIG_APPLIED);
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 2);
}

static void a_missing_file_in_the_environment_is_said(void)
{
    setenv("FASTJOBS_CONFIG", "/no/such/file", 1);
    collect_errors(start_the_library);
    CHECK(strncmp(s_errors, "fastjobs: FASTJOBS_CONFIG: ", 27) == 0 &&
          strstr(s_errors, "/no/such/file") != NULL);
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 1);
}

static void both_variables_are_an_error(void)
{
    setenv("FASTJOBS_CONFIG", "/no/such/file", 1);
    setenv("FASTJOBS_CONFIG_TEXT", "ThreadPool \"env\" {}", 1);
    collect_errors(start_the_library);
    CHECK_STR(s_errors,
              "fastjobs: FASTJOBS_CONFIG_TEXT:1:1: expected FASTJOBS_CONFIG or FASTJOBS_CONFIG_TEXT, "
              "found both set\n");
    CHECK_EQ(ec_thread_pool_count(), ECTP_CLASS_SIEVE_IO + 1);
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
    if (mkdtemp(s_directory) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    unsetenv("FASTJOBS_CONFIG");
    unsetenv("FASTJOBS_CONFIG_TEXT");
    IN_CHILD(the_environment_names_a_file);
    IN_CHILD(the_environment_has_a_text);
    IN_CHILD(errors_of_the_environment_are_written_and_can_be_mended);
    IN_CHILD(a_missing_file_in_the_environment_is_said);
    IN_CHILD(both_variables_are_an_error);
    IN_CHILD(after_a_shutdown_nothing_is_configured);
    RUN(a_string_adds_and_changes_pools);
    RUN(errors_are_all_listed_and_change_nothing);
    RUN(what_cannot_change_is_refused_and_the_rest_changes);
    RUN(settings_do_what_they_say);
    RUN(a_backlog_may_change_before_the_first_thread);
    RUN(a_callback_may_load_again);
    RUN(wrong_arguments_fail);
    RUN(a_reload_does_what_the_file_says_now);
    RUN(many_threads_may_load_at_once);
    unlink(path_of("env.conf"));
    unlink(path_of("bad.conf"));
    unlink(path_of("stderr"));
    CHECK_EQ(rmdir(s_directory), 0);
    return check_report();
}
