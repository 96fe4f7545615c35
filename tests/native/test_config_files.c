/*
 * test_config_files.c - pools from files and from the environment: a load, a load again, and what fails.
 *
 * What needs a process in which the library has not started runs in a child, before the parent starts it.
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include "config_report.h"

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
    RUN(wrong_arguments_fail);
    RUN(a_reload_does_what_the_file_says_now);
    unlink(path_of("env.conf"));
    unlink(path_of("bad.conf"));
    unlink(path_of("stderr"));
    CHECK_EQ(rmdir(s_directory), 0);
    return check_report();
}
