/*
 * test_memtype_pages.c - huge pages for memory types: who needs much asks for them, unless told not to.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <stdbool.h>

#define OBJECTS (24 * 1024 * 1024 / sizeof(ec_async_job))

/* Mappings for which huge pages were asked, by what the kernel says of each. */
static int huge_mappings(void)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps != NULL);
    char line[512];
    int found = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        found += strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL;
    if (maps != NULL)
        fclose(maps);
    return found;
}

/* Under ThreadSanitizer objects are malloc's, and a kernel may have no huge pages. */
static bool may_have_them(void)
{
#if defined(THREAD_SANITIZER)
    return false;
#else
    return access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
#endif
}

static void allocate(size_t objects)
{
    for (size_t i = 0; i < objects; i++) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        CHECK(job != NULL);
        memset(job, 1, sizeof *job);
    }
}

static void who_needs_little_asks_for_none(void)
{
    int before = huge_mappings();
    allocate(OBJECTS / 24);
    CHECK_EQ(huge_mappings(), before);
}

static void who_needs_much_asks_for_them(void)
{
    unsetenv("FASTJOBS_HUGE_PAGES");
    int before = huge_mappings();
    allocate(OBJECTS);
    CHECK_EQ(huge_mappings() > before, may_have_them());
}

static void who_is_told_not_to_asks_for_none(void)
{
    CHECK_EQ(setenv("FASTJOBS_HUGE_PAGES", "0", 1), 0);
    int before = huge_mappings();
    allocate(OBJECTS);
    CHECK_EQ(huge_mappings(), before);
}

int main(void)
{
    IN_CHILD(who_needs_little_asks_for_none);
    IN_CHILD(who_needs_much_asks_for_them);
    IN_CHILD(who_is_told_not_to_asks_for_none);
    return check_report();
}
