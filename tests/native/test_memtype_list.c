/*
 * test_memtype_list.c - ec_realloc, copies of strings, the listing of memory types and its text.
 *
 * Runs in both modes, as test_memtype.c does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "check_mode.h"
#include "ec_malloc.h"
#include "ec_thread_pool.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#endif

static fj_memtype_usage usage_of(int memtype)
{
    fj_memtype_usage usage = {0};
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return usage;
}

static void usage_is(int memtype, size_t objects, size_t bytes)
{
    CHECK_EQ(usage_of(memtype).objects, objects);
    CHECK_EQ(usage_of(memtype).bytes, bytes);
}

/* ---- ec_realloc ---- */

static void a_size_may_change_and_the_bytes_stay(void)
{
    size_t sizes[] = {1, 15, 16, 17, 5000, 1000000, 40, 3, 0, 100};
    size_t allocations = usage_of(MEMTYPE_IO_OBJECT).allocations;
    unsigned char *bytes = ec_realloc(MEMTYPE_IO_OBJECT, NULL, 8);
    size_t kept = 8;
    CHECK_OR_RETURN(bytes != NULL);
    memset(bytes, 1, 8);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        bytes = ec_realloc(MEMTYPE_IO_OBJECT, bytes, sizes[i]);
        CHECK_OR_RETURN(bytes != NULL);
        CHECK_EQ((uintptr_t)bytes % 16, 0);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (size_t at = 0; at < kept; at++) {
            CHECK_OR_RETURN(bytes[at] == (unsigned char)(i + 1));
        }
        memset(bytes, (int)i + 2, sizes[i]);
        kept = sizes[i];
        usage_is(MEMTYPE_IO_OBJECT, 1, sizes[i]);
    }
    CHECK_EQ(usage_of(MEMTYPE_IO_OBJECT).allocations, allocations + 1);
    ec_free(MEMTYPE_IO_OBJECT, bytes);
    usage_is(MEMTYPE_IO_OBJECT, 0, 0);
}

static void fails_and_keeps(int memtype, void *object, size_t size, int code, const char *text)
{
    CHECK(ec_realloc(memtype, object, size) == NULL);
    CHECK_EQ(fj_last_error_code(), code);
    if (!CHECK(strstr(fj_last_error(), text) != NULL)) {
        fprintf(stderr, "    it is: %s\n", fj_last_error());
    }
}

static void wrong_arguments_keep_the_memory(void)
{
    char *text = ec_malloc_size(MEMTYPE_STRING, 10);
    void *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    char *foreign = malloc(64);
    CHECK_OR_RETURN(text != NULL && job != NULL && foreign != NULL);
    memset(text, 7, 10);
    memset(foreign, 0, 64);
    fails_and_keeps(54, text, 20, FJ_EINVAL, "ec_realloc: there is no memtype 54");
    fails_and_keeps(-1, text, 20, FJ_EINVAL, "there is no memtype -1");
    fails_and_keeps(MEMTYPE_EC_ASYNC_JOB, job, sizeof(ec_async_job), FJ_EINVAL,
                    "memtype 55 (ec_async_job) has objects of 96 bytes");
    fails_and_keeps(MEMTYPE_EC_ASYNC_JOB, NULL, 96, FJ_EINVAL, "memtype 55");
    fails_and_keeps(MEMTYPE_IO_OBJECT, text, 20, FJ_EINVAL,
                    "used as memtype 91 (io_object), is of memtype 51 (string)");
    fails_and_keeps(MEMTYPE_STRING, job, 20, FJ_EINVAL, "is of memtype 55 (ec_async_job)");
    fails_and_keeps(MEMTYPE_STRING, foreign + 16, 20, FJ_EINVAL, "memtype 51 (string)");
#ifndef SANITIZER /* which ends the process for such a size */
    fails_and_keeps(MEMTYPE_STRING, text, SIZE_MAX, FJ_ENOMEM, "no memory for");
    fails_and_keeps(MEMTYPE_STRING, text, PTRDIFF_MAX - 64, FJ_ENOMEM, "no memory for");
#endif
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(text[i], 7);
    }
    usage_is(MEMTYPE_STRING, 1, 10);
    ec_free(MEMTYPE_STRING, text);
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);
    free(foreign);
    usage_is(MEMTYPE_STRING, 0, 0);
}

static void *grow_and_free(void *object)
{
    unsigned char *bytes = object;
    for (size_t size = 1; size < 2000; size += 13) {
        bytes = ec_realloc(MEMTYPE_STRING, bytes, size);
        if (!CHECK(bytes != NULL && bytes[0] == 9)) {
            return NULL;
        }
        bytes[size - 1] = size == 1 ? 9 : 1;
    }
    ec_free(MEMTYPE_STRING, bytes);
    return NULL;
}

static void another_thread_may_resize(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        unsigned char *bytes = ec_malloc_size(MEMTYPE_STRING, 1);
        bytes[0] = 9;
        CHECK_EQ(pthread_create(&threads[i], NULL, grow_and_free, bytes), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    usage_is(MEMTYPE_STRING, 0, 0);
}

/* ---- copies of strings ---- */

static void strings_are_copied(void)
{
    char text[] = "a text";
    char unended[] = {'x', 'y', 'z'};
    char *all = ec_mt_strdup(MEMTYPE_STRING, text);
    char *part = ec_mt_strndup(MEMTYPE_IO_OBJECT, text, 3);
    char *bounded = ec_mt_strndup(MEMTYPE_IO_OBJECT, unended, 3);
    char *longer = ec_strndup(text, 100);
    char *empty = ec_strdup("");
    text[0] = 'X';
    CHECK_STR(all, "a text");
    CHECK_STR(part, "a t");
    CHECK_STR(longer, "a text");
    CHECK_STR(empty, "");
    CHECK(bounded != NULL && memcmp(bounded, "xyz", 4) == 0);
    usage_is(MEMTYPE_STRING, 1, 7);
    usage_is(MEMTYPE_IO_OBJECT, 2, 8);
    usage_is(MEMTYPE_MESSAGE_BODY, 2, 8);
    ec_free(MEMTYPE_STRING, all);
    ec_free(MEMTYPE_IO_OBJECT, part);
    ec_free(MEMTYPE_IO_OBJECT, bounded);
    ec_free(MEMTYPE_MESSAGE_BODY, longer);
    ec_free(MEMTYPE_MESSAGE_BODY, empty);
    CHECK(ec_mt_strdup(MEMTYPE_STRING, NULL) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK(ec_mt_strndup(MEMTYPE_STRING, NULL, 0) == NULL);
    CHECK(ec_mt_strdup(MEMTYPE_EC_ASYNC_JOB, "x") == NULL);
    CHECK(ec_mt_strdup(54, "x") == NULL);
    usage_is(MEMTYPE_STRING, 0, 0);
}

/* ---- the listing ---- */

struct listing {
    int count, last, stop_at;
    fj_memtype_usage found; /* of memtype `wanted` */
    int wanted;
};

static int list_one(int memtype, const fj_memtype_usage *usage, void *closure)
{
    struct listing *listing = closure;
    CHECK(memtype > listing->last);
    CHECK(usage->name != NULL && usage->name[0] != '\0');
    listing->last = memtype;
    if (memtype == listing->wanted) {
        listing->found = *usage;
    }
    ec_free(MEMTYPE_STRING, ec_malloc_size(MEMTYPE_STRING, 1)); /* no lock is held */
    return ++listing->count == listing->stop_at;
}

static void the_listing_names_every_type(void)
{
    mem_type_def def = {.name = "test.listed", .size = 24, .flags = 0};
    struct listing before = {.last = -1};
    int count = fj_memtype_list(list_one, &before);
    CHECK(count >= 5);
    CHECK_EQ(before.count, count);
    int memtype = ec_memtype_register(&def);
    void *first = ec_malloc(memtype);
    void *second = ec_malloc(memtype);
    ec_free(memtype, first);
    struct listing after = {.last = -1, .wanted = memtype};
    CHECK_EQ(fj_memtype_list(list_one, &after), count + 1);
    CHECK_STR(after.found.name, "test.listed");
    CHECK_EQ(after.found.size, 24);
    CHECK_EQ(after.found.objects, 1);
    CHECK_EQ(after.found.bytes, 24);
    CHECK_EQ(after.found.allocations, 2);
    ec_free(memtype, second);
    struct listing some = {.last = -1, .stop_at = 2};
    CHECK_EQ(fj_memtype_list(list_one, &some), 2);
    CHECK_EQ(some.last, MEMTYPE_MESSAGE_BODY); /* after MEMTYPE_EVENT */
    CHECK_EQ(fj_memtype_list(NULL, NULL), -1);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
}

static void the_report_has_a_line_for_each_type_in_use(void)
{
    mem_type_def def = {.name = "test.reported", .size = 32, .flags = 0};
    mem_type_def unused = {.name = "test.unused", .size = 32, .flags = 0};
    int memtype = ec_memtype_register(&def);
    CHECK(ec_memtype_register(&unused) > 0);
    void *object = ec_malloc(memtype);
    char line[128];
    char text[4096];
    snprintf(line, sizeof(line), "\n%4d  %-24s %10d %12d %14d %14d\n", memtype, "test.reported", 32, 1, 32,
             1);
    int length = fj_memtype_report(text, sizeof(text));
    CHECK_EQ(length, strlen(text));
    CHECK(strstr(text, line) != NULL);
    CHECK(strstr(text, "test.unused") == NULL);
    CHECK(strstr(text, "  variable ") != NULL);
    CHECK(strncmp(text, "type  name ", 11) == 0);

    char cut[20];
    CHECK_EQ(fj_memtype_report(cut, sizeof(cut)), length);
    CHECK_EQ(strlen(cut), sizeof(cut) - 1);
    CHECK(strncmp(cut, text, sizeof(cut) - 1) == 0);
    char *exact = malloc((size_t)length + 1);
    CHECK_EQ(fj_memtype_report(exact, (size_t)length + 1), length);
    CHECK_STR(exact, text);
    free(exact);
    cut[0] = 'x';
    CHECK_EQ(fj_memtype_report(cut, 1), length);
    CHECK_EQ(cut[0], '\0');
    CHECK_EQ(fj_memtype_report(NULL, 0), length);
    CHECK_EQ(fj_memtype_report(NULL, 1), -1);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    ec_free(memtype, object);
}

/* ---- check mode ---- */

static const char *s_program;

static void check_mode_passes_the_same_tests(void)
{
    CHECK_EQ(exit_status_in_check_mode(s_program), 0);
}

int main(int argc, char **argv)
{
    s_program = argv[0];
    RUN(a_size_may_change_and_the_bytes_stay);
    RUN(wrong_arguments_keep_the_memory);
    RUN(another_thread_may_resize);
    RUN(strings_are_copied);
    RUN(the_listing_names_every_type);
    RUN(the_report_has_a_line_for_each_type_in_use);
    if (argc == 1) {
        RUN(check_mode_passes_the_same_tests);
    }
    return check_report();
}
