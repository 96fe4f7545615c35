/*
 * memtypes.h - what the tests of memory by type share: figures, types of their own, and the second run.
 *
 * They run in both modes: as they are, and, with the argument "check", as FASTJOBS_CHECK=1 does it (each
 * starts itself again for that). A build with AddressSanitizer knows check mode only.
 */
#ifndef FASTJOBS_TESTS_MEMTYPES_H
#define FASTJOBS_TESTS_MEMTYPES_H

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
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif
#if defined(ADDRESS_SANITIZER) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#endif

static bool s_checked;

static inline fj_memtype_usage usage_of(int memtype)
{
    fj_memtype_usage usage = {0};
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return usage;
}

static inline int register_type(const char *name, size_t size)
{
    mem_type_def def = {.name = name, .size = size, .flags = 0};
    int memtype = ec_memtype_register(&def);
    CHECK(memtype > MEMTYPE_IO_OBJECT);
    return memtype;
}

static inline long resident_kilobytes(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm != NULL) {
        CHECK_EQ(fscanf(statm, "%*d %ld", &pages), 1);
        fclose(statm);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static const char *s_program;

static inline void check_mode_passes_the_same_tests(void)
{
    CHECK_EQ(exit_status_in_check_mode(s_program), 0);
}

static inline void begin_tests(int argc, char **argv)
{
    s_program = argv[0];
    s_checked = argc > 1 && strcmp(argv[1], "check") == 0;
#ifdef ADDRESS_SANITIZER
    s_checked = true;
#endif
}

static inline int end_tests(void)
{
    if (!s_checked) {
        RUN(check_mode_passes_the_same_tests);
    }
    return check_report();
}

#endif
