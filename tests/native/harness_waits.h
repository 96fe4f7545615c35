/*
 * harness_waits.h - the part of harness.h that is about time: waits that end, numbers that threads share, and
 * a gate.
 *
 * A wait that takes longer than its limit prints where and what, and ends the process with WAIT_FAILED: a
 * test that hangs says so itself. Nothing here sleeps to make something true; POLL is for what the API gives
 * no signal for. The limits are far above what a loaded machine needs.
 *
 * ThreadSanitizer does not see into the library, which tells it how jobs and Events order threads. What a
 * test orders by a descriptor that the library polls it says itself: comes_before and comes_after. What the
 * library itself reads and writes by the C library's functions the sanitizer is told to leave alone.
 */
#ifndef FASTJOBS_TESTS_HARNESS_WAITS_H
#define FASTJOBS_TESTS_HARNESS_WAITS_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include"
#endif
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fastjobs.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

#if defined(THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#define comes_before(address) __tsan_release(address)
#define comes_after(address) __tsan_acquire(address)
FJ_BEGIN_DECLS
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1:atexit_sleep_ms=0";
}
FJ_END_DECLS
#else
#define comes_before(address) ((void)(address))
#define comes_after(address) ((void)(address))
#endif

/* A child process has longer than a wait in it, so that the wait that fails says where. */
enum { WAIT_FAILED = 99, WAIT_SECONDS = 120, CHILD_SECONDS = WAIT_SECONDS + 30 };

#define UNUSED __attribute__((unused))

/* ---- time and waits ---- */

static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void pause_ms(long milliseconds)
{
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&span, &span) != 0 && errno == EINTR) {
    }
}

static inline struct timespec seconds_from_now(double seconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    long long nanoseconds = at.tv_nsec + (long long)(seconds * 1e9);
    at.tv_sec += (time_t)(nanoseconds / 1000000000);
    at.tv_nsec = (long)(nanoseconds % 1000000000);
    return at;
}

static inline __attribute__((noreturn)) void wait_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: waited in vain for %s\n", file, line, what);
    fflush(NULL);
    _exit(WAIT_FAILED);
}

/* Waits for a post; whether it came in time. */
static inline int comes_within(sem_t *semaphore, double seconds)
{
    struct timespec deadline = seconds_from_now(seconds);
    int result;
    while ((result = sem_timedwait(semaphore, &deadline)) != 0 && errno == EINTR) {
    }
    return result == 0;
}

static inline void await_at(sem_t *semaphore, const char *file, int line, const char *what)
{
    if (!comes_within(semaphore, WAIT_SECONDS)) {
        wait_failed(file, line, what);
    }
}
#define AWAIT(semaphore) await_at((semaphore), __FILE__, __LINE__, #semaphore)
#define AWAIT_TIMES(semaphore, times)                                                                        \
    do {                                                                                                     \
        for (int await_left = (times); await_left > 0; await_left--) {                                       \
            AWAIT(semaphore);                                                                                \
        }                                                                                                    \
    } while (0)

/* Looks again and again, for what there is no signal. */
#define POLL(condition)                                                                                      \
    do {                                                                                                     \
        double poll_end = seconds_now() + (double)WAIT_SECONDS;                                              \
        while (!(condition)) {                                                                               \
            if (seconds_now() > poll_end) {                                                                  \
                wait_failed(__FILE__, __LINE__, #condition);                                                 \
            }                                                                                                \
            pause_ms(1);                                                                                     \
        }                                                                                                    \
    } while (0)

/* A semaphore for the length of a test. */
static inline sem_t *new_semaphore(sem_t *semaphore, unsigned value)
{
    CHECK_EQ(sem_init(semaphore, 0, value), 0);
    return semaphore;
}

static inline int semaphore_value(sem_t *semaphore)
{
    int value = -1;
    sem_getvalue(semaphore, &value);
    return value;
}

/* ---- numbers that threads share ---- */

static inline long add(long *number, long more)
{
    return __atomic_add_fetch(number, more, __ATOMIC_ACQ_REL);
}

static inline long get(const long *number)
{
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static inline void set(long *number, long value)
{
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
}

/* Makes *most at least value. */
static inline void raise_to(long *most, long value)
{
    long seen = get(most);
    while (seen < value &&
           !__atomic_compare_exchange_n(most, &seen, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
}

/* What a test does much of: more with FASTJOBS_STRESS=1, less under a sanitizer. */
static inline int many(int normal)
{
    const char *stress = getenv("FASTJOBS_STRESS");
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
    normal = normal / 5;
#endif
    return stress != NULL && strcmp(stress, "0") != 0 ? normal * 10 : normal;
}

/* ---- a gate that workers stand at ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int open;
    int inside; /* workers that stand at it or have passed it */
};
#define GATE_CLOSED                                                                                          \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0                                            \
    }

static inline void gate_pass_at(struct gate *gate, const char *file, int line)
{
    struct timespec deadline = seconds_from_now(WAIT_SECONDS);
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        if (pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline) == ETIMEDOUT) {
            wait_failed(file, line, "a gate to open");
        }
    }
    pthread_mutex_unlock(&gate->lock);
}
#define GATE_PASS(gate) gate_pass_at((gate), __FILE__, __LINE__)

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = 1;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static inline int gate_inside(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    int inside = gate->inside;
    pthread_mutex_unlock(&gate->lock);
    return inside;
}

static inline void gate_await_at(struct gate *gate, int workers, const char *file, int line)
{
    struct timespec deadline = seconds_from_now(WAIT_SECONDS);
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < workers) {
        if (pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline) == ETIMEDOUT) {
            wait_failed(file, line, "workers at a gate");
        }
    }
    pthread_mutex_unlock(&gate->lock);
}
#define GATE_AWAIT(gate, workers) gate_await_at((gate), (workers), __FILE__, __LINE__)

/* A worker that stands at the gate that is its closure. */
static UNUSED void stand_at_gate(ec_async_job *job, void *gate)
{
    (void)job;
    GATE_PASS((struct gate *)gate);
}

#endif
