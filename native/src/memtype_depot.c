/*
 * memtype_depot.c - where fixed-size memory comes from.
 *
 * Chunks of at least 64 KiB are cut from anonymous mappings and belong to one type for good. A chunk has no
 * header: a map from address bits to the type says whose it is, which also answers for addresses that are not
 * ours. Objects are cut off a chunk as they are needed, so pages become resident in the order of use.
 */
#include "memtype.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CHUNK = 1 << FJ_MT_CHUNK_SHIFT,
    REGION = 1 << 20,    /* one mapping for several chunks: fewer system calls and map entries */
    HUGE_FROM = 8 << 20, /* a process with more than this of fixed-size memory gets huge pages, if it asked */
    HUGE_REGION = 8 << 20,
    HUGE_PAGE = 2 << 20, /* the kernel's, where there are any; a matter of alignment only */
    CHUNK_OBJECTS = 64,  /* at least so many to a chunk, so that at most 1/64 of it is lost at its end */
    CARVE_BYTES = CHUNK, /* at most so much is cut off at once */
    FILLED_LIMIT = 256   /* magazines to a depot, 256 KiB of them: what is more is kept in bundles */
};

_Static_assert(sizeof(struct fj_mt_magazine) == 1024, "a magazine is whole cache lines");

/* Free objects that take no memory but their own: number i holds the addresses of numbers i * room + 1 to
 * i * room + room, as in a heap, so that the first one leads to all. Packing and unpacking needs no lock,
 * only the first object is handed over under it. */
struct fj_mt_bundle {
    struct fj_mt_bundle *next; /* of the first object: in the depot */
    size_t count;              /* of the first object: how many objects it leads to, itself included */
    void *objects[];
};

_Static_assert(sizeof(struct fj_mt_bundle) <= FJ_MT_ALIGNMENT, "the smallest object has room for it");

/* What is left of a chunk, at least an object; this stands in its first bytes. Who takes a piece from the
 * depot cuts it without the lock. */
struct fj_mt_piece {
    struct fj_mt_piece *next; /* in the depot */
    char *end;
};

_Static_assert(sizeof(struct fj_mt_piece) <= FJ_MT_ALIGNMENT, "the smallest object has room for it");

fj_mt_map_leaf *_Atomic fj_mt_map[1 << 16];

static struct {
    pthread_mutex_t lock;
    bool huge_pages; /* the environment asks for them */
    size_t mapped;   /* regions, in bytes */
    char *region_next, *region_end;
    char *magazine_next, *magazine_end;
} s_map = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Held for some loads and stores, so who finds one taken looks again for a while: a sleep would cost both
 * threads more than the work that they do between two visits. */
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
#define LOCK                                                                                                 \
    {                                                                                                        \
        PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP                                                                \
    }
#else
#define LOCK                                                                                                 \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER                                                                            \
    }
#endif

static struct {
    _Alignas(64) pthread_mutex_t lock; /* a line of its own: two types are not slower than one */
} s_locks[FJ_MT_DEPOT_LOCKS] = {
    LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK, LOCK,
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

void fj_mt_depots_start(void)
{
    const char *value = getenv("FASTJOBS_HUGE_PAGES");
    s_map.huge_pages = value != NULL && strcmp(value, "1") == 0;
}

static char *map_pages(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* Maps a new region in the place of what is left of the last one. The map's lock is held. */
static bool region_map(size_t size, size_t alignment)
{
    /* More for the alignment; what is not used is never touched, so it costs no memory. */
    char *region = map_pages(size + alignment);
    if (region == NULL) {
        return false;
    }
    s_map.region_next = region + (-(uintptr_t)region & (alignment - 1));
    s_map.region_end = s_map.region_next + size;
    s_map.mapped += size;
    return true;
}

/* A backlog that grows is new memory for every job: with small pages the kernel's part in it is more than
 * the engine's, so who asks for it gets huge ones from some size on. Before that a program with few jobs
 * would pay for memory that it does not need. Not unasked: in a virtual machine whose host takes free memory
 * back a huge page can cost several times what it saves. The map's lock is held. */
static bool region_new(void)
{
    if (!s_map.huge_pages || s_map.mapped < HUGE_FROM || !region_map(HUGE_REGION, HUGE_PAGE)) {
        return region_map(REGION, CHUNK);
    }
    /* A kernel without them says so, and it does not matter. */
    madvise(s_map.region_next, HUGE_REGION, MADV_HUGEPAGE);
    return true;
}

/* Takes size bytes, a multiple of CHUNK, aligned to CHUNK. The map's lock is held. */
static char *region_take(size_t size)
{
    if ((size_t)(s_map.region_end - s_map.region_next) < size && !region_new()) {
        return NULL;
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

/* A new chunk, all of it in one piece; NULL: no memory. No lock is held: the kernel takes a while to provide
 * the pages, and a worker that frees a job must not wait for the thread that makes new ones. */
static struct fj_mt_piece *chunk_new(int memtype)
{
    size_t size = chunk_size(fj_mt_types[memtype].stride);
    struct fj_mt_depot *depot = &fj_mt_types[memtype].depot;
    pthread_mutex_lock(&s_map.lock);
    char *chunk = region_take(size);
    bool entered = chunk != NULL && map_enter(memtype, chunk, size);
    bool grows = depot->has_chunk;
    depot->has_chunk |= entered;
    pthread_mutex_unlock(&s_map.lock);
    if (!entered) {
        return NULL;
    }
    if (grows) {
        /* A type that has filled a chunk will fill this one: its pages at once cost less than one by one.
         * A kernel that does not know this says so, and it does not matter. */
        madvise(chunk, size, MADV_POPULATE_WRITE);
    }
    struct fj_mt_piece *piece = (struct fj_mt_piece *)(void *)chunk;
    *piece = (struct fj_mt_piece){.end = chunk + size};
    return piece;
}

/* The depot's lock is held. */
static void piece_put(struct fj_mt_depot *depot, struct fj_mt_piece *piece)
{
    piece->next = depot->pieces;
    depot->pieces = piece;
}

/* The depot's lock is held. */
static struct fj_mt_piece *piece_get(struct fj_mt_depot *depot)
{
    struct fj_mt_piece *piece = depot->pieces;
    if (piece != NULL) {
        depot->pieces = piece->next;
    }
    return piece;
}

/* Cuts up to `most` objects off the piece, or off a new chunk if that is NULL, and gives the depot the rest;
 * how many there are, 0: no memory. No lock is held. */
static size_t carve(int memtype, struct fj_mt_piece *piece, void **objects, size_t most)
{
    size_t stride = fj_mt_types[memtype].stride;
    if (piece == NULL) {
        piece = chunk_new(memtype);
    }
    if (piece == NULL) {
        return 0;
    }
    char *end = piece->end;
    char *next = (char *)piece;
    size_t count = 0;
    for (; count < most && (size_t)(end - next) >= stride; next += stride) {
        objects[count++] = next;
    }
    if ((size_t)(end - next) >= stride) {
        piece = (struct fj_mt_piece *)(void *)next;
        piece->end = end;
        piece_put(depot_lock(memtype), piece);
        depot_unlock(memtype);
    }
    return count;
}

static size_t bundle_room(int memtype)
{
    return (fj_mt_types[memtype].stride - sizeof(struct fj_mt_bundle)) / sizeof(void *);
}

/* Empties a magazine that is not empty, into one bundle, or several if an object has no room for addresses.
 */
static struct fj_mt_bundle *bundle_pack(int memtype, struct fj_mt_magazine *magazine)
{
    size_t room = bundle_room(memtype);
    struct fj_mt_bundle *first = NULL;
    while (magazine->count > 0) {
        size_t count = room > 0 ? magazine->count : 1;
        void **rounds = &magazine->rounds[magazine->count - count];
        for (size_t i = 0, child = 1; child < count; i++) {
            struct fj_mt_bundle *holder = rounds[i];
            for (size_t k = 0; k < room && child < count; k++) {
                holder->objects[k] = rounds[child++];
            }
        }
        struct fj_mt_bundle *bundle = rounds[0];
        *bundle = (struct fj_mt_bundle){.next = first, .count = count};
        first = bundle;
        magazine->count -= count;
    }
    return first;
}

/* Moves a bundle into an empty magazine. */
static void bundle_unpack(int memtype, struct fj_mt_bundle *bundle, struct fj_mt_magazine *magazine)
{
    size_t room = bundle_room(memtype);
    size_t count = bundle->count;
    magazine->rounds[0] = bundle;
    for (size_t i = 0, child = 1; child < count; i++) {
        struct fj_mt_bundle *holder = magazine->rounds[i];
        for (size_t k = 0; k < room && child < count; k++) {
            if (child * room + 1 < count) {
                __builtin_prefetch(holder->objects[k]); /* it is a holder too */
            }
            magazine->rounds[child++] = holder->objects[k];
        }
    }
    magazine->count = count;
}

/* The depot's lock is held. */
static void bundle_put(struct fj_mt_depot *depot, struct fj_mt_bundle *bundle)
{
    while (bundle != NULL) {
        struct fj_mt_bundle *next = bundle->next;
        bundle->next = depot->bundles;
        depot->bundles = bundle;
        bundle = next;
    }
}

/* The depot's lock is held. */
static struct fj_mt_bundle *bundle_get(struct fj_mt_depot *depot)
{
    struct fj_mt_bundle *bundle = depot->bundles;
    if (bundle != NULL) {
        depot->bundles = bundle->next;
    }
    return bundle;
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

/* The depot's lock is held. */
static void empty_put(struct fj_mt_depot *depot, struct fj_mt_magazine *magazine)
{
    magazine->next = depot->empty;
    depot->empty = magazine;
}

/* The depot's lock is held. False: the depot has enough filled ones. */
static bool filled_put(struct fj_mt_depot *depot, struct fj_mt_magazine *magazine)
{
    if (depot->filled_count >= FILLED_LIMIT) {
        return false;
    }
    magazine->next = depot->filled;
    depot->filled = magazine;
    depot->filled_count++;
    return true;
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
    struct fj_mt_bundle *bundle = NULL;
    struct fj_mt_piece *piece = NULL;
    struct fj_mt_depot *depot = depot_lock(memtype);
    struct fj_mt_magazine *filled = filled_get(depot);
    if (filled != NULL) {
        if (cache->previous != NULL) {
            empty_put(depot, cache->previous);
        }
        cache->previous = cache->loaded;
        cache->loaded = filled;
    } else {
        if (cache->loaded == NULL) {
            cache->loaded = magazine_get(depot);
        }
        bundle = cache->loaded != NULL ? bundle_get(depot) : NULL;
        piece = cache->loaded != NULL && bundle == NULL ? piece_get(depot) : NULL;
    }
    depot_unlock(memtype);
    struct fj_mt_magazine *loaded = cache->loaded;
    if (filled != NULL) {
        /* Another thread filled it: its lines come together, and not one after the other. */
        for (size_t at = 0; at < sizeof(*filled); at += 64) {
            __builtin_prefetch((const char *)filled + at);
        }
    } else if (bundle != NULL) {
        bundle_unpack(memtype, bundle, loaded);
    } else if (loaded != NULL) {
        size_t stride = fj_mt_types[memtype].stride;
        size_t most = (CARVE_BYTES + stride - 1) / stride;
        loaded->count = carve(memtype, piece, loaded->rounds, most < FJ_MT_ROUNDS ? most : FJ_MT_ROUNDS);
    }
    return loaded != NULL && loaded->count > 0;
}

/* Both magazines are full or missing: leaves room in the loaded one. */
bool fj_mt_depot_drain(int memtype, struct fj_mt_cache *cache)
{
    struct fj_mt_magazine *full = cache->previous;
    struct fj_mt_depot *depot = depot_lock(memtype);
    if (full == NULL || filled_put(depot, full)) {
        struct fj_mt_magazine *empty = magazine_get(depot);
        depot_unlock(memtype);
        cache->previous = cache->loaded;
        cache->loaded = empty;
        if (empty == NULL) { /* no memory: what there is stays with the thread */
            cache->loaded = cache->previous;
            cache->previous = NULL;
        }
        return empty != NULL;
    }
    depot_unlock(memtype);
    struct fj_mt_bundle *bundle = bundle_pack(memtype, full);
    depot_lock(memtype);
    bundle_put(depot, bundle);
    depot_unlock(memtype);
    cache->previous = cache->loaded;
    cache->loaded = full; /* it is empty now */
    return true;
}

/* Takes back a magazine of a thread that ends. */
void fj_mt_depot_return(int memtype, struct fj_mt_magazine *magazine)
{
    if (magazine == NULL) {
        return;
    }
    struct fj_mt_depot *depot = depot_lock(memtype);
    if (magazine->count == 0 || !filled_put(depot, magazine)) {
        if (magazine->count > 0) {
            bundle_put(depot, bundle_pack(memtype, magazine));
        }
        empty_put(depot, magazine);
    }
    depot_unlock(memtype);
}

/* For a thread without a cache. */
void *fj_mt_depot_take(int memtype)
{
    void *object = NULL;
    struct fj_mt_piece *piece = NULL;
    struct fj_mt_depot *depot = depot_lock(memtype);
    struct fj_mt_magazine *magazine = filled_get(depot);
    if (magazine == NULL && depot->bundles != NULL && (magazine = magazine_get(depot)) != NULL) {
        bundle_unpack(memtype, bundle_get(depot), magazine);
    }
    if (magazine != NULL) {
        object = magazine->rounds[--magazine->count];
        if (magazine->count == 0) {
            empty_put(depot, magazine);
        } else {
            filled_put(depot, magazine); /* there is room: one was taken, or there is none */
        }
    } else {
        piece = piece_get(depot);
    }
    depot_unlock(memtype);
    if (object == NULL) {
        carve(memtype, piece, &object, 1);
    }
    return object;
}

void fj_mt_depot_give(int memtype, void *object)
{
    struct fj_mt_bundle *bundle = object;
    *bundle = (struct fj_mt_bundle){.next = NULL, .count = 1};
    struct fj_mt_depot *depot = depot_lock(memtype);
    bundle_put(depot, bundle);
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
