/*
 * test_check.c - FASTJOBS_CHECK: one rule for jobs and for memory, and what it writes. The program starts
 * itself again with each value and looks at the standard error.
 */
#define _GNU_SOURCE
#include "harness.h"

#if defined(THREAD_SANITIZER)
enum { MEMORY_IS_CHECKED = 1 }; /* in any case, see memtype_check.c */
#else
enum { MEMORY_IS_CHECKED = 0 };
#endif

static const char *s_program;
static char s_written[4096];

/* ---- in the program started again ---- */

static void free_under_another_type(void)
{
    sem_t done;
    sem_init(&done, 0, 0);
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    job_with_semaphore(job, ECTP_CLASS_CPU, do_nothing, NULL, &done);
    job->free_on_completion_memtype = MEMTYPE_STRING;
    QUEUE(job);
    AWAIT(&done);
    CHECK_EQ(ec_thread_pool_shutdown(), 1); /* the free comes after the completion */
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);     /* it was kept */
    sem_destroy(&done);
}

/* Whether queueing a job that is queued is noticed. Without checks it is not done: it would run twice. */
static int queued_twice_is_noticed(void)
{
    ec_async_job job;
    sem_t done;
    int pool = new_pool("deferred", 1);
    sem_init(&done, 0, 0);
    ec_thread_pool_defer_spawn(pool, 1);
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &done));
    int refused = !ec_queue_async_job(&job) && fj_last_error_code() == FJ_EBUSY;
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT(&done);
    if (!refused) {
        AWAIT(&done);
    }
    sem_destroy(&done);
    return refused;
}

static int started_again(int expected)
{
    CHECK_EQ(queued_twice_is_noticed(), expected);
    free_under_another_type();
    return check_failures == 0 ? 0 : 1;
}

/* ---- in the test ---- */

static void with_value(const char *value, int expected)
{
    int ends[2];
    size_t length = 0;
    ssize_t count;
    CHECK_EQ(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        if (value == NULL) {
            unsetenv("FASTJOBS_CHECK");
        } else {
            setenv("FASTJOBS_CHECK", value, 1);
        }
        execl(s_program, s_program, expected ? "on" : "off", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    while ((count = read(ends[0], s_written + length, sizeof(s_written) - 1 - length)) > 0) {
        length += (size_t)count;
    }
    close(ends[0]);
    s_written[length] = '\0';
    EXPECT_EXIT(child, 0);
    int reported =
        strstr(s_written, "fastjobs: ec_free: 0x") != NULL &&
        strstr(s_written, "used as memtype 51 (string), is of memtype 55 (ec_async_job); it is kept") != NULL;
    if (!CHECK_EQ(reported, expected || MEMORY_IS_CHECKED)) {
        fprintf(stderr, "FASTJOBS_CHECK=%s wrote: %s\n", value == NULL ? "(not set)" : value, s_written);
    }
}

static void nothing_and_0_are_off(void)
{
    with_value(NULL, 0);
    with_value("", 0);
    with_value("0", 0);
}

static void anything_else_is_on(void)
{
    with_value("1", 1);
    with_value("yes", 1);
    with_value("00", 1);
}

int main(int argc, char **argv)
{
    s_program = argv[0];
    if (argc > 1) {
        return started_again(strcmp(argv[1], "on") == 0);
    }
    RUN(nothing_and_0_are_off);
    RUN(anything_else_is_on);
    return check_report();
}
