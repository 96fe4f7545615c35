/*
 * test_memtype_pages.c - huge pages for memory types: who needs much gets them, if the environment asks.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <stdbool.h>
#include <sys/mman.h>

#define OBJECTS (24 * 1024 * 1024 / sizeof(ec_async_job))

/* Mappings for which huge pages were asked, by what the kernel says of each. */
static int huge_mappings(void)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    int found = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        found += strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL;
    if (maps != NULL)
        fclose(maps);
    return found;
}

/* Under ThreadSanitizer objects are malloc's, and a kernel may have no huge pages or say nothing of them. */
static bool may_have_them(void)
{
#if defined(THREAD_SANITIZER)
    return false;
#else
    int before = huge_mappings();
    size_t size = 4 * 1024 * 1024;
    void *mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mine != MAP_FAILED);
    madvise(mine, size, MADV_HUGEPAGE);
    bool may = huge_mappings() > before;
    munmap(mine, size);
    return may;
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

static void who_needs_little_gets_none(void)
{
    CHECK_EQ(setenv("FASTJOBS_HUGE_PAGES", "1", 1), 0);
    int before = huge_mappings();
    allocate(OBJECTS / 24);
    CHECK_EQ(huge_mappings(), before);
}

static void who_needs_much_and_asks_gets_them(void)
{
    CHECK_EQ(setenv("FASTJOBS_HUGE_PAGES", "1", 1), 0);
    unsetenv("FASTJOBS_CHECK"); /* it has malloc allocate each object */
    bool expected = may_have_them();
    int before = huge_mappings();
    allocate(OBJECTS);
    CHECK_EQ(huge_mappings() > before, expected);
}

static void who_does_not_ask_gets_none(void)
{
    unsetenv("FASTJOBS_HUGE_PAGES");
    int before = huge_mappings();
    allocate(OBJECTS);
    CHECK_EQ(huge_mappings(), before);
}

int main(void)
{
    IN_CHILD(who_needs_little_gets_none);
    IN_CHILD(who_needs_much_and_asks_gets_them);
    IN_CHILD(who_does_not_ask_gets_none);
    return check_report();
}
