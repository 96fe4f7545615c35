/*
 * errors.h - what the tests of failing calls share.
 */
#ifndef FASTJOBS_TESTS_ERRORS_H
#define FASTJOBS_TESTS_ERRORS_H

#include "event.h"
#include "harness.h"

#include <limits.h>
#include <stdint.h>

static sem_t s_done;
static const int s_no_class[] = {-4, -3, -2, 10000, INT_MIN, INT_MAX};
enum { NO_CLASSES = sizeof(s_no_class) / sizeof(*s_no_class) };

/* The last error, and that its text names what is wrong. */
static inline void expect_error_at(int code, const char *names, int line)
{
    char text[300];
    snprintf(text, sizeof(text), "line %d: the error is %d \"%s\", not %d with \"%s\"", line,
             fj_last_error_code(), fj_last_error(), code, names);
    check_that(fj_last_error_code() == code && strstr(fj_last_error(), names) != NULL, __FILE__, line, text);
}
#define EXPECT_ERROR(code, names) expect_error_at((code), (names), __LINE__)

static inline void must_not_run(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    CHECK(!"a refused job runs");
}

/* A job that is refused is not touched, and can be queued once it is put right. */
static inline void expect_refused_at(ec_async_job *job, int code, const char *names, int line)
{
    ec_async_job before;
    memcpy(&before, job, sizeof(before));
    check_numbers(ec_queue_async_job(job), 0, __FILE__, line, "ec_queue_async_job");
    expect_error_at(code, names, line);
    check_that(memcmp(&before, job, sizeof(before)) == 0, __FILE__, line, "the refused job was changed");
}
#define EXPECT_REFUSED(job, code, names) expect_refused_at((job), (code), (names), __LINE__)

static inline void set_completion(ec_async_job *job, int completion)
{
    memcpy(&job->completion, &completion, sizeof(completion));
}

#endif
