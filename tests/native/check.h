/*
 * check.h - checks for the native tests, C and C++.
 *
 *     static void sum_works(void) { CHECK_EQ(1 + 1, 2); }
 *     int main(void) { RUN(sum_works); return check_report(); }
 *
 * A failed check prints `file:line: what` and the test goes on; CHECK_OR_RETURN leaves the function. Any
 * thread may check. The exit code is 0 if nothing failed.
 */
#ifndef FASTJOBS_TESTS_CHECK_H
#define FASTJOBS_TESTS_CHECK_H

#include <stdio.h>
#include <string.h>

/* The compilers' builtins, because <stdatomic.h> is not for C++ before C++23. */
static int check_count, check_failures;

static inline int check_that(int holds, const char *file, int line, const char *what)
{
    __atomic_fetch_add(&check_count, 1, __ATOMIC_RELAXED);
    if (!holds) {
        __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED);
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
    }
    return holds;
}

static inline int check_numbers(long long actual, long long expected, const char *file, int line,
                                const char *what)
{
    char text[256];
    snprintf(text, sizeof(text), "%s is %lld, not %lld", what, actual, expected);
    return check_that(actual == expected, file, line, text);
}

static inline int check_strings(const char *actual, const char *expected, const char *file, int line,
                                const char *what)
{
    char text[512];
    int same = actual != NULL && expected != NULL ? strcmp(actual, expected) == 0 : actual == expected;
    snprintf(text, sizeof(text), "%s is \"%s\", not \"%s\"", what, actual == NULL ? "(null)" : actual,
             expected == NULL ? "(null)" : expected);
    return check_that(same, file, line, text);
}

static inline void check_run(void (*test)(void), const char *name)
{
    int failures = __atomic_load_n(&check_failures, __ATOMIC_RELAXED);
    test();
    printf("%s %s\n", __atomic_load_n(&check_failures, __ATOMIC_RELAXED) == failures ? "ok    " : "FAILED",
           name);
    fflush(stdout); /* so that a forked child does not print it again */
}

static inline int check_report(void)
{
    /* Atomic: the thread that counted last need not have told this one that it did. */
    int failures = __atomic_load_n(&check_failures, __ATOMIC_RELAXED);
    printf("%d checks, %d failed\n", __atomic_load_n(&check_count, __ATOMIC_RELAXED), failures);
    return failures == 0 ? 0 : 1;
}

#define CHECK(condition) check_that((condition) != 0, __FILE__, __LINE__, #condition)
#define CHECK_EQ(actual, expected)                                                                           \
    check_numbers((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
#define CHECK_STR(actual, expected) check_strings((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_OR_RETURN(condition)                                                                           \
    do {                                                                                                     \
        if (!CHECK(condition)) {                                                                             \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)
#define RUN(test) check_run((test), #test)

#endif
