/*
 * sanitizer.c - tells ThreadSanitizer, if the program runs under it, how the engine orders threads.
 *
 * The engine is not instrumented, so the sanitizer does not see that what a thread does before it queues a
 * job comes before what the job does. Its interface is looked up weakly: where fj_host_is_sanitized says that
 * it is not there, the others must not be called.
 */
#include "guard.h"

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

/* Stands for "the jobs of this pool that are over"; pools of the same remainder share it, which hides races
 * between their jobs but reports none that is not there. */
enum { POOLS = 256 };
static char s_pools[POOLS];

static void *pool(int jobclass)
{
    return &s_pools[(unsigned)jobclass % POOLS];
}

int fj_host_is_sanitized(void)
{
    return __tsan_acquire != NULL && __tsan_release != NULL;
}

void fj_host_given(void *address)
{
    __tsan_release(address);
}

void fj_host_taken(void *address)
{
    __tsan_acquire(address);
}

void fj_host_pool_given(int jobclass)
{
    __tsan_release(pool(jobclass));
}

void fj_host_pool_taken(int jobclass)
{
    __tsan_acquire(pool(jobclass));
}
