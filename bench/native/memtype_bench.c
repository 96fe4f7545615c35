/*
 * memtype_bench.c - nanoseconds for an ec_malloc/ec_free pair beside malloc/free of the same size, in one
 * run.
 *
 *   one thread   [alloc] -> [write] -> [free], `live` objects at a time
 *   two threads  producer [alloc, write] --ring of batches--> consumer [read, free]
 *
 * Rounds of the two rivals alternate and the median is printed. The ring costs both the same; "ring only"
 * says how much. Needs two cores. The consumer adds up what the producer wrote, and a wrong sum ends the
 * program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ec_malloc.h"
#include "ec_thread_pool.h"

enum { ROUNDS = 11, PAIRS = 4000000, BATCH = 32, SLOTS = 64 };

typedef struct rival {
    const char *name;
    void *(*alloc)(void);
    void (*release)(void *);
} rival;

static void *memtype_alloc(void)
{
    return ec_malloc(MEMTYPE_EC_ASYNC_JOB);
}

static void memtype_release(void *object)
{
    ec_free(MEMTYPE_EC_ASYNC_JOB, object);
}

static void *libc_alloc(void)
{
    return malloc(sizeof(ec_async_job));
}

static uint64_t s_static[16];

static void *none_alloc(void)
{
    return s_static;
}

static void none_release(void *object)
{
    (void)object;
}

static const rival s_rivals[] = {
    {"ec_malloc", memtype_alloc, memtype_release},
    {"glibc malloc", libc_alloc, free},
    {"no allocator", none_alloc, none_release},
};

enum { RIVALS = sizeof(s_rivals) / sizeof(s_rivals[0]) };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double one_thread(const rival *r, int live)
{
    static void *objects[100000];
    double start = now();
    for (int done = 0; done < PAIRS; done += live) {
        for (int i = 0; i < live; i++) {
            objects[i] = r->alloc();
            *(volatile uint64_t *)objects[i] = 1;
        }
        for (int i = 0; i < live; i++) {
            r->release(objects[i]);
        }
    }
    return (now() - start) / PAIRS;
}

/* One producer, one consumer: an index each, and slots of BATCH pointers between them. */
static struct {
    _Alignas(64) uint64_t head;
    _Alignas(64) uint64_t tail;
    _Alignas(64) void *slots[SLOTS][BATCH];
} s_ring;

static void *consume(void *argument)
{
    const rival *r = argument;
    uint64_t sum = 0;
    for (uint64_t n = 0; n < PAIRS / BATCH; n++) {
        while (__atomic_load_n(&s_ring.head, __ATOMIC_ACQUIRE) == n) {
            sched_yield();
        }
        for (int i = 0; i < BATCH; i++) {
            void *object = s_ring.slots[n % SLOTS][i];
            sum += *(uint64_t *)object;
            r->release(object);
        }
        __atomic_store_n(&s_ring.tail, n + 1, __ATOMIC_RELEASE);
    }
    if (r->alloc != none_alloc && sum != (uint64_t)PAIRS * (PAIRS - 1) / 2) {
        fprintf(stderr, "%s: wrong sum\n", r->name);
        exit(1);
    }
    return NULL;
}

static double two_threads(const rival *r, int unused)
{
    (void)unused;
    s_ring.head = s_ring.tail = 0;
    pthread_t consumer;
    double start = now();
    if (pthread_create(&consumer, NULL, consume, (void *)(uintptr_t)r) != 0) {
        exit(2);
    }
    for (uint64_t n = 0; n < PAIRS / BATCH; n++) {
        while (n - __atomic_load_n(&s_ring.tail, __ATOMIC_ACQUIRE) == SLOTS) {
            sched_yield();
        }
        for (uint64_t i = 0; i < BATCH; i++) {
            uint64_t *object = r->alloc();
            *object = n * BATCH + i;
            s_ring.slots[n % SLOTS][i] = object;
        }
        __atomic_store_n(&s_ring.head, n + 1, __ATOMIC_RELEASE);
    }
    pthread_join(consumer, NULL);
    return (now() - start) / PAIRS;
}

static void compare_rivals(const char *what, double (*measure)(const rival *, int), int live, int rivals)
{
    static double times[RIVALS][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < rivals; i++) {
            times[i][round] = measure(&s_rivals[i], live);
        }
    }
    for (int i = 0; i < rivals; i++) {
        qsort(times[i], ROUNDS, sizeof(double), compare);
        printf("%-28s %-14s %7.2f ns  (%.2f - %.2f)\n", what, s_rivals[i].name, times[i][ROUNDS / 2],
               times[i][0], times[i][ROUNDS - 1]);
    }
}

int main(void)
{
    compare_rivals("one thread, 1 live", one_thread, 1, RIVALS);
    compare_rivals("one thread, 50 live", one_thread, 50, RIVALS);
    compare_rivals("one thread, 1000 live", one_thread, 1000, RIVALS);
    compare_rivals("one thread, 100000 live", one_thread, 100000, RIVALS);
    compare_rivals("producer and consumer", two_threads, 0, RIVALS);
    return 0;
}
