/*
 * memtype_depot.c - where fixed-size memory comes from.
 *
 * Chunks of at least 64 KiB are cut from anonymous mappings and belong to one type for good. A chunk has no
 * header: a map from address bits to the type says whose it is, which also answers for addresses that are not
 * ours. Objects are cut off a chunk as they are needed, so pages become resident in the order of use.
 */
#include "memtype.h"

#include <sys/mman.h>

enum {
    CHUNK = 1 << FJ_MT_CHUNK_SHIFT,
    REGION = 1 << 20,    /* one mapping for several chunks: fewer system calls and map entries */
    CHUNK_OBJECTS = 64,  /* at least so many to a chunk, so that at most 1/64 of it is lost at its end */
    CARVE_BYTES = CHUNK, /* at most so much is cut off at once */
    FILLED_LIMIT = 512   /* magazines to a depot, 256 KiB of them: what is more is kept loose */
};

_Static_assert(sizeof(struct fj_mt_magazine) == 512, "a magazine is whole cache lines");

/* Free objects that take no memory but their own: one holds the addresses of as many others as fit into it.
 */
struct fj_mt_loose {
    struct fj_mt_loose *next;
    size_t count;
    void *objects[];
};

_Static_assert(sizeof(struct fj_mt_loose) <= FJ_MT_ALIGNMENT, "the smallest object has room for it");

fj_mt_map_leaf *_Atomic fj_mt_map[1 << 16];

static struct {
    pthread_mutex_t lock;
    char *region_next, *region_end;
    char *magazine_next, *magazine_end;
} s_map = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct {
    _Alignas(64) pthread_mutex_t lock; /* a line of its own: two types are not slower than one */
} s_locks[FJ_MT_DEPOT_LOCKS] = {
#define LOCK                                                                                                 \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER                                                                            \
    }
    LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK,
#undef LOCK
};

static struct fj_mt_depot *depot_lock(int memtype)
{
    pthread_mutex_lock(&s_locks[memtype % FJ_MT_DEPOT_LOCKS].lock);
    return &fj_mt_types[memtype].depot;
}

static void depot_unlock(int memtype)
{
    pthread_mutex_unlock(&s_locks[memtype % FJ_MT_DEPOT_LOCKS].lock);
}

static char *map_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* Takes size bytes, a multiple of CHUNK, aligned to CHUNK. The map's lock is held. */
static char *region_take(size_t size)
{
    if ((size_t)(s_map.region_end - s_map.region_next) < size) {
        /* CHUNK more for the alignment; what is not used is never touched, so it costs no memory. */
        char *region = map_pages(REGION + CHUNK);
        if (region == NULL) {
            return NULL;
        }
        s_map.region_next = region + (-(uintptr_t)region & (CHUNK - 1));
        s_map.region_end = s_map.region_next + REGION;
    }
    char *taken = s_map.region_next;
    s_map.region_next += size;
    return taken;
}

/* Enters the chunk into the map. The map's lock is held. */
static bool map_enter(int memtype, const char *chunk, size_t size)
{
    for (size_t at = 0; at < size; at += CHUNK) {
        uintptr_t number = (uintptr_t)(chunk + at) >> FJ_MT_CHUNK_SHIFT;
        fj_mt_map_leaf *leaf = atomic_load_explicit(&fj_mt_map[number >> 16], memory_order_relaxed);
        if (leaf == NULL) {
            leaf = (fj_mt_map_leaf *)(void *)map_pages(sizeof(fj_mt_map_leaf));
            if (leaf == NULL) {
                return false; /* the chunk is lost, with an address space as full as this it does not matter
                               */
            }
            /* Pairs with the load in fj_mt_slab_type: a leaf is seen as zeros or later. */
            atomic_store_explicit(&fj_mt_map[number >> 16], leaf, memory_order_release);
        }
        atomic_store_explicit(&(*leaf)[number & 0xffff], (uint16_t)(memtype + 1), memory_order_relaxed);
    }
    return true;
}

static size_t chunk_size(size_t stride)
{
    return (stride * CHUNK_OBJECTS + CHUNK - 1) / CHUNK * CHUNK;
}

/* Gives the depot a new chunk to carve. The depot's lock is held. */
static bool chunk_new(int memtype, struct fj_mt_depot *depot)
{
    size_t size = chunk_size(fj_mt_types[memtype].stride);
    pthread_mutex_lock(&s_map.lock);
    char *chunk = region_take(size);
    bool entered = chunk != NULL && map_enter(memtype, chunk, size);
    pthread_mutex_unlock(&s_map.lock);
    if (entered) {
        depot->carve_next = chunk;
        depot->carve_end = chunk + size;
    }
    return entered;
}

/* Keeps a free object without a magazine. The depot's lock is held. */
static void loose_put(int memtype, struct fj_mt_depot *depot, void *object)
{
    struct fj_mt_loose *top = depot->loose;
    size_t room = (fj_mt_types[memtype].stride - sizeof(struct fj_mt_loose)) / sizeof(void *);
    if (top != NULL && top->count < room) {
        top->objects[top->count++] = object;
    } else {
        depot->loose = object;
        *depot->loose = (struct fj_mt_loose){.next = top, .count = 0};
    }
}

/* The depot's lock is held. */
static void *loose_get(struct fj_mt_depot *depot)
{
    struct fj_mt_loose *top = depot->loose;
    if (top == NULL || top->count > 0) {
        return top == NULL ? NULL : top->objects[--top->count];
    }
    depot->loose = top->next;
    return top;
}

/* Takes a loose object, or cuts the next one off the chunk. The depot's lock is held. */
static void *carve(int memtype, struct fj_mt_depot *depot)
{
    size_t stride = fj_mt_types[memtype].stride;
    void *object = loose_get(depot);
    if (object != NULL) {
        return object;
    }
    if ((size_t)(depot->carve_end - depot->carve_next) < stride && !chunk_new(memtype, depot)) {
        return NULL;
    }
    object = depot->carve_next;
    depot->carve_next += stride;
    return object;
}

/* An empty magazine: a used one, or a new one. Magazines are kept for good. The depot's lock is held. */
static struct fj_mt_magazine *magazine_get(struct fj_mt_depot *depot)
{
    struct fj_mt_magazine *magazine = depot->empty;
    if (magazine != NULL) {
        depot->empty = magazine->next;
        return magazine;
    }
    pthread_mutex_lock(&s_map.lock);
    if (s_map.magazine_next == s_map.magazine_end) {
        s_map.magazine_next = region_take(CHUNK);
        s_map.magazine_end = s_map.magazine_next == NULL ? NULL : s_map.magazine_next + CHUNK;
    }
    magazine = (struct fj_mt_magazine *)(void *)s_map.magazine_next; /* fresh from the system: all zeros */
    if (magazine != NULL) {
        s_map.magazine_next += sizeof(*magazine);
    }
    pthread_mutex_unlock(&s_map.lock);
    return magazine;
}

/* Keeps a magazine in the depot. Its lock is held. */
static void magazine_put(int memtype, struct fj_mt_depot *depot, struct fj_mt_magazine *magazine)
{
    if (magazine->count > 0 && depot->filled_count < FILLED_LIMIT) {
        magazine->next = depot->filled;
        depot->filled = magazine;
        depot->filled_count++;
        return;
    }
    while (magazine->count > 0) {
        loose_put(memtype, depot, magazine->rounds[--magazine->count]);
    }
    magazine->next = depot->empty;
    depot->empty = magazine;
}

/* The depot's lock is held. */
static struct fj_mt_magazine *filled_get(struct fj_mt_depot *depot)
{
    struct fj_mt_magazine *magazine = depot->filled;
    if (magazine != NULL) {
        depot->filled = magazine->next;
        depot->filled_count--;
    }
    return magazine;
}

/* Both magazines are empty or missing: leaves at least one round in the loaded one. */
bool fj_mt_depot_refill(int memtype, struct fj_mt_cache *cache)
{
    struct fj_mt_depot *depot = depot_lock(memtype);
    struct fj_mt_magazine *filled = filled_get(depot);
    if (filled != NULL) {
        if (cache->previous != NULL) {
            magazine_put(memtype, depot, cache->previous);
        }
        cache->previous = cache->loaded;
        cache->loaded = filled;
    } else {
        if (cache->loaded == NULL) {
            cache->loaded = magazine_get(depot);
        }
        struct fj_mt_magazine *loaded = cache->loaded;
        size_t stride = fj_mt_types[memtype].stride;
        void *object = NULL;
        while (loaded != NULL && loaded->count < FJ_MT_ROUNDS && loaded->count * stride < CARVE_BYTES &&
               (object = carve(memtype, depot)) != NULL) {
            loaded->rounds[loaded->count++] = object;
        }
    }
    depot_unlock(memtype);
    return cache->loaded != NULL && cache->loaded->count > 0;
}

/* Both magazines are full or missing: leaves room in the loaded one. */
bool fj_mt_depot_drain(int memtype, struct fj_mt_cache *cache)
{
    struct fj_mt_depot *depot = depot_lock(memtype);
    struct fj_mt_magazine *empty = magazine_get(depot);
    if (empty != NULL) {
        if (cache->previous != NULL) {
            magazine_put(memtype, depot, cache->previous);
        }
        cache->previous = cache->loaded;
        cache->loaded = empty;
    }
    depot_unlock(memtype);
    return empty != NULL;
}

/* Takes back a magazine of a thread that ends. */
void fj_mt_depot_return(int memtype, struct fj_mt_magazine *magazine)
{
    if (magazine != NULL) {
        magazine_put(memtype, depot_lock(memtype), magazine);
        depot_unlock(memtype);
    }
}

/* For a thread without a cache. */
void *fj_mt_depot_take(int memtype)
{
    struct fj_mt_depot *depot = depot_lock(memtype);
    struct fj_mt_magazine *filled = depot->loose == NULL ? filled_get(depot) : NULL;
    void *object = filled == NULL ? carve(memtype, depot) : filled->rounds[--filled->count];
    if (filled != NULL) {
        magazine_put(memtype, depot, filled);
    }
    depot_unlock(memtype);
    return object;
}

void fj_mt_depot_give(int memtype, void *object)
{
    struct fj_mt_depot *depot = depot_lock(memtype);
    loose_put(memtype, depot, object);
    depot_unlock(memtype);
}

void fj_mt_depots_lock(bool lock)
{
    if (!lock) {
        pthread_mutex_unlock(&s_map.lock);
    }
    for (int i = 0; i < FJ_MT_DEPOT_LOCKS; i++) {
        if (lock) {
            pthread_mutex_lock(&s_locks[i].lock);
        } else {
            pthread_mutex_unlock(&s_locks[i].lock);
        }
    }
    if (lock) {
        pthread_mutex_lock(&s_map.lock);
    }
}
