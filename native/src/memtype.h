/*
 * memtype.h - what the files of ec_malloc.h share; nothing here is exported.
 *
 * memtype.c         the functions of ec_malloc.h, the table of types, memory of variable size
 * memtype_depot.c   fixed-size memory: chunks, the map from an address to its type, a depot per type
 * memtype_thread.c  what each thread caches, and what happens when it ends or forks
 * memtype_list.c    the listing and its text, copies of strings
 * memtype_check.c   FASTJOBS_CHECK=1: every object from malloc, every free looked up
 *
 * The design is that of Bonwick and Adams, "Magazines and Vmem: Extending the Slab Allocator to Many CPUs and
 * Arbitrary Resources" (USENIX 2001), with threads in the place of CPUs: a thread allocates from and frees to
 * two magazines of its own, and exchanges whole magazines with the type's depot under the depot's lock. So a
 * thread that only allocates and one that only frees meet at a lock once in FJ_MT_ROUNDS operations.
 *
 * Locks, always taken in this order: the registry of threads, a type's depot, the map of chunks. The table of
 * check mode has a lock of its own, which is never held together with these except around fork.
 */
#ifndef FASTJOBS_MEMTYPE_H
#define FASTJOBS_MEMTYPE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* with -std=c11 the system's headers hide MAP_ANONYMOUS and strdup otherwise */
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum {
    FJ_MT_TYPES = 1024,
    FJ_MT_FIRST_FREE = 128, /* below are the numbers of the original, those that we do not know included */
    FJ_MT_PAGE_TYPES = 64,  /* types to a page of a thread's caches: one page for a program's few types */
    FJ_MT_PAGES = FJ_MT_TYPES / FJ_MT_PAGE_TYPES,
    FJ_MT_ROUNDS = 126, /* with the two words before them 1 KiB, sixteen cache lines */
    FJ_MT_AHEAD = 6,    /* how many allocations ahead the lines of an object are fetched */
    FJ_MT_ALIGNMENT = 16,
    FJ_MT_SLAB_LIMIT = 8192, /* larger fixed-size types come from malloc: slabs would gain them nothing */
    FJ_MT_CHUNK_SHIFT = 16,
    FJ_MT_DEPOT_LOCKS = 16
};

struct fj_mt_magazine {
    struct fj_mt_magazine *next; /* in a depot */
    size_t count;
    void *rounds[FJ_MT_ROUNDS];
};

/* Written by one thread, read by fj_memtype_usage_get: plain loads and stores, no locked instruction. */
struct fj_mt_counters {
    atomic_size_t allocations;
    atomic_size_t frees;
    atomic_size_t bytes_in; /* of variable-size types only: those of the others follow from the counts */
    atomic_size_t bytes_out;
};

/* What a thread holds of one type. Between calls `previous` is full or empty, if it exists, or what the depot
 * had from a thread that ended. */
struct fj_mt_cache {
    _Alignas(64) struct fj_mt_magazine *loaded;
    struct fj_mt_magazine *previous;
    struct fj_mt_counters counters;
};

struct fj_mt_thread {
    struct fj_mt_cache *_Atomic pages[FJ_MT_PAGES]; /* fj_mt_no_page until the thread needs the page */
    struct fj_mt_thread *next, *previous;           /* the registry */
};

/* Depots share a few locks, so that fork can take them all: a type's is lock number type % FJ_MT_DEPOT_LOCKS.
 */
struct fj_mt_depot {
    struct fj_mt_magazine *filled; /* magazines with at least one round */
    struct fj_mt_magazine *empty;
    size_t filled_count;
    struct fj_mt_bundle *bundles; /* free objects that are in no magazine */
    struct fj_mt_piece *pieces;   /* of chunks, not cut into objects yet */
    bool has_chunk;               /* under the map's lock */
};

struct fj_mt_type {
    atomic_bool registered; /* set after the rest is; pairs with the load in fj_mt_type_get */
    bool slab;              /* objects come from the depot */
    const char *name;
    size_t size;                 /* as registered, 0: variable */
    size_t stride;               /* of objects in a slab */
    struct fj_mt_depot depot;    /* if slab */
    struct fj_mt_counters total; /* of ended threads, and of those without a cache: updated atomically */
};

/* memtype.c */
extern struct fj_mt_type fj_mt_types[FJ_MT_TYPES];
void fj_mt_start(void); /* whatever has to happen once before the first slow path */
struct fj_mt_type *fj_mt_type_get(int memtype);

/* memtype_depot.c */
void fj_mt_depots_start(void);
typedef _Atomic uint16_t fj_mt_map_leaf[1 << 16];
extern fj_mt_map_leaf *_Atomic fj_mt_map[1 << 16];
bool fj_mt_depot_refill(int memtype, struct fj_mt_cache *cache); /* false: no memory */
bool fj_mt_depot_drain(int memtype, struct fj_mt_cache *cache);  /* false: no memory for a magazine */
void fj_mt_depot_return(int memtype, struct fj_mt_magazine *magazine);
void *fj_mt_depot_take(int memtype);
void fj_mt_depot_give(int memtype, void *object);
void fj_mt_depots_lock(bool lock); /* all of them and the map, or none */

/* memtype_thread.c */
extern _Thread_local struct fj_mt_thread *fj_mt_self
    __attribute__((tls_model("initial-exec"))); /* one word, which fits where dlopen has to put it */
void fj_mt_threads_start(void);
struct fj_mt_cache *fj_mt_cache_get(int memtype); /* NULL: the thread has none, and gets none */
void fj_mt_count_alloc(int memtype, size_t bytes);
void fj_mt_count_free(int memtype, size_t bytes);
void fj_mt_count_resize(int memtype, size_t before, size_t after);
void fj_mt_registry_lock(bool lock);
void fj_mt_count_sum(int memtype, size_t *allocations, size_t *frees, size_t *bytes);

/* memtype_check.c */
extern bool fj_mt_checked; /* set by fj_mt_start */
bool fj_mt_check_wanted(void);
void *fj_mt_check_alloc(int memtype, size_t size);
bool fj_mt_check_free(int memtype, void *object); /* false, and the error is set: not live, or another type */
/* false: the same. *resized is NULL if there is no memory; otherwise *before is the size that it had. */
bool fj_mt_check_resize(int memtype, void *object, size_t size, void **resized, size_t *before);
void fj_mt_check_lock(bool lock);

/* The cache of a valid type number: the thread's, or one that is empty and never written. */
static inline struct fj_mt_cache *fj_mt_cache_peek(int memtype)
{
    struct fj_mt_cache *page =
        atomic_load_explicit(&fj_mt_self->pages[(unsigned)memtype / FJ_MT_PAGE_TYPES], memory_order_relaxed);
    return &page[(unsigned)memtype % FJ_MT_PAGE_TYPES];
}

/* The type of the slab that an address lies in, or -1. Any address may be asked for. */
static inline int fj_mt_slab_type(const void *address)
{
    uintptr_t chunk = (uintptr_t)address >> FJ_MT_CHUNK_SHIFT;
    if (chunk >> 32 != 0) {
        return -1;
    }
    fj_mt_map_leaf *leaf = atomic_load_explicit(&fj_mt_map[chunk >> 16], memory_order_acquire);
    return leaf == NULL ? -1 : atomic_load_explicit(&(*leaf)[chunk & 0xffff], memory_order_relaxed) - 1;
}

static inline void fj_mt_add(atomic_size_t *counter, size_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_release); /* pairs with the loads of fj_mt_count_sum */
}

#pragma GCC visibility pop
#endif
