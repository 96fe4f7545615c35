/*
 * test_memtype_wrong.c - memory by type: wrong arguments, and frees of what is not allocated or of another
 * type.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/mman.h>

#include "memtypes.h"

static void wrong_arguments_are_reported(void)
{
    int unknown[] = {-1, 54, 1023, 1024, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        fj_memtype_usage usage;
        CHECK(ec_malloc(unknown[i]) == NULL);
        CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
        CHECK(ec_malloc_size(unknown[i], 8) == NULL);
        CHECK_EQ(fj_memtype_usage_get(unknown[i], &usage), 0);
    }
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, NULL), 0);
    CHECK(ec_malloc(MEMTYPE_STRING) == NULL);
    CHECK(strstr(fj_last_error(), "ec_malloc_size") != NULL);
    CHECK(ec_malloc_size(MEMTYPE_EC_ASYNC_JOB, sizeof(ec_async_job) + 1) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
#ifndef SANITIZER /* which ends the process for such a size */
    CHECK(ec_malloc_size(MEMTYPE_STRING, SIZE_MAX) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_ENOMEM);
    CHECK(ec_malloc_size(MEMTYPE_STRING, PTRDIFF_MAX) == NULL);
#endif
    mem_type_def bad[] = {{NULL, 8, 0}, {"", 8, 0}, {"test.flags", 8, 1}, {"test.huge", SIZE_MAX, 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(ec_memtype_register(&bad[i]), -1);
        CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    }
    CHECK_EQ(ec_memtype_register(NULL), -1);
}

static void expect_kept(int memtype, void *object, const char *text)
{
    size_t objects = usage_of(memtype).objects;
    ec_free(memtype, object);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    if (!CHECK(strstr(fj_last_error(), text) != NULL)) {
        fprintf(stderr, "    it is: %s\n", fj_last_error());
    }
    CHECK_EQ(usage_of(memtype).objects, objects);
}

static void a_free_under_another_type_keeps_the_memory(void)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    char *text = ec_malloc_size(MEMTYPE_STRING, 10);
    CHECK_OR_RETURN(job != NULL && text != NULL);
    memset(job, 7, sizeof(*job));
    expect_kept(MEMTYPE_EVENT, job, "is of memtype 55");
    expect_kept(MEMTYPE_STRING, job, "is of memtype 55");
    expect_kept(MEMTYPE_IO_OBJECT, text, "is of memtype 51");
    expect_kept(MEMTYPE_EVENT, text, "memtype 0");
    ec_free(54, job);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(((unsigned char *)job)[95], 7);
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);
    ec_free(MEMTYPE_STRING, text);
    CHECK_EQ(usage_of(MEMTYPE_EC_ASYNC_JOB).objects, 0);
    CHECK_EQ(usage_of(MEMTYPE_STRING).objects, 0);
}

static void a_foreign_pointer_is_reported(void)
{
    int on_stack = 0;
    static int fixed;
    char *foreign = malloc(64);
    char *page = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OR_RETURN(foreign != NULL);
    memset(foreign, 0, 64);
    expect_kept(MEMTYPE_EC_ASYNC_JOB, foreign, "55");
    expect_kept(MEMTYPE_EC_ASYNC_JOB, &on_stack, "55");
    expect_kept(MEMTYPE_EC_ASYNC_JOB, &fixed, "55");
    expect_kept(MEMTYPE_EC_ASYNC_JOB, page, "55");
    expect_kept(MEMTYPE_EC_ASYNC_JOB, (void *)(uintptr_t)16, "55");
    expect_kept(MEMTYPE_EC_ASYNC_JOB, (void *)UINTPTR_MAX, "55"); /* no address of user space */
    expect_kept(MEMTYPE_STRING, foreign + 16, "51");
#ifndef SANITIZER /* whose malloc has unreadable pages before its blocks: only check mode can tell then */
    expect_kept(MEMTYPE_STRING, foreign, "51");
#endif
    expect_kept(MEMTYPE_STRING, (char *)&fixed + 1, "51");
    munmap(page, 4096);
    expect_kept(MEMTYPE_STRING, page + 4096, "51"); /* nothing before it to read */
    munmap(page, 65536);
    free(foreign);
}

static void a_second_free_is_reported_in_check_mode(void)
{
    if (!s_checked) {
        return;
    }
    void *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    void *text = ec_malloc_size(MEMTYPE_STRING, 10);
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);
    ec_free(MEMTYPE_STRING, text);
    expect_kept(MEMTYPE_EC_ASYNC_JOB, job, "not allocated");
    expect_kept(MEMTYPE_STRING, text, "not allocated");
    void *inside = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    expect_kept(MEMTYPE_EC_ASYNC_JOB, (char *)inside + 16, "not allocated");
    ec_free(MEMTYPE_EC_ASYNC_JOB, inside);
}

int main(int argc, char **argv)
{
    begin_tests(argc, argv);
    RUN(wrong_arguments_are_reported);
    RUN(a_free_under_another_type_keeps_the_memory);
    RUN(a_foreign_pointer_is_reported);
    RUN(a_second_free_is_reported_in_check_mode);
    return end_tests();
}
