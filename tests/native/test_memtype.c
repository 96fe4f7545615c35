/*
 * test_memtype.c - memory by type: the types there are and those of a program, objects of any size, and
 * their figures.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/time.h>

#include "memtypes.h"

static void built_in_types_are_what_the_header_says(void)
{
    CHECK_EQ(usage_of(MEMTYPE_EVENT).size, sizeof(struct timeval) + 56);
    CHECK_EQ(usage_of(MEMTYPE_STRING).size, 0);
    CHECK_EQ(usage_of(MEMTYPE_EC_ASYNC_JOB).size, sizeof(ec_async_job));
    CHECK_EQ(usage_of(MEMTYPE_IO_OBJECT).size, 0);
    CHECK_STR(usage_of(MEMTYPE_EC_ASYNC_JOB).name, "ec_async_job");
}

static void fixed_objects_are_aligned_apart_and_counted(void)
{
    enum { COUNT = 5000 };
    static unsigned char *objects[COUNT];
    int memtype = register_type("test.fixed", 40);
    for (int i = 0; i < COUNT; i++) {
        objects[i] = i % 2 == 0 ? ec_malloc(memtype) : ec_malloc_size(memtype, 40);
        CHECK_OR_RETURN(objects[i] != NULL);
        CHECK_EQ((uintptr_t)objects[i] % 16, 0);
        memset(objects[i], i, 40);
    }
    fj_memtype_usage usage = usage_of(memtype);
    CHECK_STR(usage.name, "test.fixed");
    CHECK_EQ(usage.size, 40);
    CHECK_EQ(usage.objects, COUNT);
    CHECK_EQ(usage.bytes, 40 * COUNT);
    CHECK_EQ(usage.allocations, COUNT);
    for (int i = 0; i < COUNT; i++) {
        for (int at = 0; at < 40; at++) {
            CHECK_OR_RETURN(objects[i][at] == (unsigned char)i);
        }
        ec_free(memtype, objects[i]);
    }
    usage = usage_of(memtype);
    CHECK_EQ(usage.objects, 0);
    CHECK_EQ(usage.bytes, 0);
    CHECK_EQ(usage.allocations, COUNT);
}

static void variable_objects_are_aligned_and_counted(void)
{
    size_t before = usage_of(MEMTYPE_STRING).allocations;
    char *text = ec_malloc_size(MEMTYPE_STRING, 100);
    char *empty = ec_malloc_size(MEMTYPE_STRING, 0);
    CHECK_OR_RETURN(text != NULL && empty != NULL);
    CHECK_EQ((uintptr_t)text % 16, 0);
    memset(text, 'x', 100);
    CHECK_EQ(usage_of(MEMTYPE_STRING).objects, 2);
    CHECK_EQ(usage_of(MEMTYPE_STRING).bytes, 100);
    CHECK_EQ(usage_of(MEMTYPE_STRING).allocations, before + 2);
    ec_free(MEMTYPE_STRING, text);
    ec_free(MEMTYPE_STRING, empty);
    CHECK_EQ(usage_of(MEMTYPE_STRING).objects, 0);
    CHECK_EQ(usage_of(MEMTYPE_STRING).bytes, 0);
    ec_free(MEMTYPE_STRING, NULL);
    ec_free(MEMTYPE_EC_ASYNC_JOB, NULL);
}

static void fixed_types_of_any_size_work(void)
{
    size_t sizes[] = {1, 16, 17, 1000, 1025, 8192, 8193, 300000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int memtype = register_type("test.size", sizes[i]);
        void *objects[200];
        for (int j = 0; j < 200; j++) {
            objects[j] = ec_malloc(memtype);
            CHECK_OR_RETURN(objects[j] != NULL);
            memset(objects[j], j, sizes[i]);
        }
        for (int j = 0; j < 200; j++) {
            CHECK_EQ(((unsigned char *)objects[j])[sizes[i] - 1], j);
            ec_free(memtype, objects[j]);
        }
        CHECK_EQ(usage_of(memtype).objects, 0);
    }
}

static void a_million_jobs_cost_their_size(void)
{
#ifndef SANITIZER
    enum { MILLION = 1000000 };
    if (s_checked) {
        return;
    }
    void **jobs = malloc(MILLION * sizeof(void *));
    CHECK_OR_RETURN(jobs != NULL);
    memset(jobs, 1, MILLION * sizeof(void *));
    int memtype = register_type("test.million", sizeof(ec_async_job));
    long before = resident_kilobytes();
    for (int i = 0; i < MILLION; i++) {
        jobs[i] = ec_malloc(memtype);
        memset(jobs[i], 1, sizeof(ec_async_job));
    }
    long used = resident_kilobytes() - before;
    printf("       1,000,000 jobs of %zu bytes: %.2f MB resident\n", sizeof(ec_async_job),
           (double)used * 1.024e-3);
    CHECK((double)used * 1.024e-3 < 97.5);
    CHECK((double)used * 1.024e-3 > 95.0);
    for (int i = 0; i < MILLION; i++) {
        ec_free(memtype, jobs[i]);
    }
    for (int i = 0; i < MILLION; i++) {
        jobs[i] = ec_malloc(memtype);
    }
    used = resident_kilobytes() - before;
    printf("       freed and allocated again: %.2f MB\n", (double)used * 1.024e-3);
    CHECK((double)used * 1.024e-3 < 97.5);
    for (int i = 0; i < MILLION; i++) {
        ec_free(memtype, jobs[i]);
    }
    CHECK_EQ(usage_of(memtype).objects, 0);
    free(jobs);
#endif
}

static void *register_some(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++) {
        int memtype = register_type("test.concurrent", 32 + (size_t)i);
        ec_free(memtype, ec_malloc(memtype));
    }
    return NULL;
}

static void types_can_be_registered_until_the_table_is_full(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK_OR_RETURN(pthread_create(&threads[i], NULL, register_some, NULL) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    char name[] = "test.copied";
    mem_type_def def = {name, 8, 0};
    int first = ec_memtype_register(&def);
    name[0] = 'X';
    CHECK_STR(usage_of(first).name, "test.copied");
    int last = first;
    for (int next = first; next >= 0; next = ec_memtype_register(&def)) {
        last = next;
    }
    CHECK_EQ(last, 1023);
    CHECK_EQ(fj_last_error_code(), FJ_ENOMEM);
    void *object = ec_malloc(last);
    CHECK(object != NULL);
    ec_free(last, object);
    CHECK_EQ(usage_of(last).objects, 0);
    CHECK_EQ(usage_of(last).allocations, 1);
}

int main(int argc, char **argv)
{
    begin_tests(argc, argv);
    RUN(built_in_types_are_what_the_header_says);
    RUN(a_million_jobs_cost_their_size);
    RUN(fixed_objects_are_aligned_apart_and_counted);
    RUN(variable_objects_are_aligned_and_counted);
    RUN(fixed_types_of_any_size_work);
    RUN(types_can_be_registered_until_the_table_is_full);
    return end_tests();
}
