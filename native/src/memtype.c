/*
 * memtype.c - the functions of ec_malloc.h: the fast paths, the table of types, memory of variable size.
 *
 * memtype.h says how the files divide the work. A fast path touches only what its own thread writes, the map
 * of chunks (which hardly ever changes) and no lock.
 */
#include "memtype.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "ec_malloc.h"
#include "ec_thread_pool.h"
#include "guard.h"

/* An Event as the original lays it out; event.h will have it. */
struct event_mirror {
    struct timeval trigger;
    void *io_data;
    void *io_opset;
    int bits;
    int mask;
    int fd;
    void (*callback)(void);
    void *closure;
    pthread_t scheduled_thread;
};

/* What stands before an object of variable size. free() puts its own data over the first words of a block, so
 * that a second ec_free usually finds no magic number. */
struct block {
    _Alignas(FJ_MT_ALIGNMENT) uint32_t magic;
    uint32_t memtype;
    size_t size;
};

enum { BLOCK_MAGIC = 0x6a0b5eed };

_Static_assert(sizeof(struct block) == FJ_MT_ALIGNMENT, "an object after its header is aligned");

struct fj_mt_type fj_mt_types[FJ_MT_TYPES];

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static size_t s_page;                      /* set by start */
static int s_next_type = FJ_MT_FIRST_FREE; /* under the registry's lock */

static void type_set(int memtype, const char *name, size_t size)
{
    struct fj_mt_type *type = &fj_mt_types[memtype];
    type->name = name;
    type->size = size;
    type->stride = (size + FJ_MT_ALIGNMENT - 1) / FJ_MT_ALIGNMENT * FJ_MT_ALIGNMENT;
    type->slab = size > 0 && size <= FJ_MT_SLAB_LIMIT;
    atomic_store_explicit(&type->registered, true, memory_order_release);
}

static void start(void)
{
    s_page = (size_t)sysconf(_SC_PAGESIZE);
    fj_mt_checked = fj_mt_check_wanted();
    fj_mt_threads_start();
    fj_mt_depots_start();
    type_set(MEMTYPE_EVENT, "event", sizeof(struct event_mirror));
    type_set(MEMTYPE_MESSAGE_BODY, "message_body", 0);
    type_set(MEMTYPE_STRING, "string", 0);
    type_set(MEMTYPE_EC_ASYNC_JOB, "ec_async_job", sizeof(ec_async_job));
    type_set(MEMTYPE_IO_OBJECT, "io_object", 0);
}

void fj_mt_start(void)
{
    pthread_once(&s_once, start);
}

/* NULL: no such type. */
struct fj_mt_type *fj_mt_type_get(int memtype)
{
    if (memtype < 0 || memtype >= FJ_MT_TYPES) {
        return NULL;
    }
    struct fj_mt_type *type = &fj_mt_types[memtype];
    return atomic_load_explicit(&type->registered, memory_order_acquire) ? type : NULL;
}

/* An object of a magazine was last used by the thread that freed it, often another one. Its lines take longer
 * to come over than a job takes to fill in, so those of an object that is allocated a little later are asked
 * for now. */
static inline void fetch_for_write(void *object)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(char *)object));
    __asm__ volatile("prefetchw %0" : : "m"(*((char *)object + 64)));
#else
    __builtin_prefetch(object, 1);
    __builtin_prefetch((char *)object + 64, 1);
#endif
}

static void *slab_alloc(int memtype)
{
    struct fj_mt_cache *cache = fj_mt_cache_get(memtype);
    if (cache == NULL) {
        void *object = fj_mt_depot_take(memtype);
        if (object != NULL) {
            fj_mt_count_alloc(memtype, 0);
        }
        return object;
    }
    if (cache->previous != NULL && cache->previous->count > 0) {
        struct fj_mt_magazine *previous = cache->previous;
        cache->previous = cache->loaded;
        cache->loaded = previous;
    } else if (!fj_mt_depot_refill(memtype, cache)) {
        return NULL;
    }
    for (size_t i = 1; i <= FJ_MT_AHEAD && i <= cache->loaded->count; i++) {
        fetch_for_write(cache->loaded->rounds[cache->loaded->count - i]);
    }
    fj_mt_add(&cache->counters.allocations, 1);
    return cache->loaded->rounds[--cache->loaded->count];
}

static void slab_free(int memtype, void *object)
{
    struct fj_mt_cache *cache = fj_mt_cache_get(memtype);
    if (cache != NULL && cache->previous != NULL && cache->previous->count < FJ_MT_ROUNDS) {
        struct fj_mt_magazine *previous = cache->previous;
        cache->previous = cache->loaded;
        cache->loaded = previous;
    } else if (cache == NULL || !fj_mt_depot_drain(memtype, cache)) {
        fj_mt_count_free(memtype, 0);
        fj_mt_depot_give(memtype, object);
        return;
    }
    fj_mt_add(&cache->counters.frees, 1);
    cache->loaded->rounds[cache->loaded->count++] = object;
}

static void *block_alloc(int memtype, size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(struct block)) {
        return NULL;
    }
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct block){.magic = BLOCK_MAGIC, .memtype = (uint32_t)memtype, .size = size};
    fj_mt_count_alloc(memtype, size);
    return block + 1;
}

/* The header of a block, or NULL: the address cannot be one that block_alloc returned. */
static struct block *block_of(void *object)
{
    if ((uintptr_t)object % FJ_MT_ALIGNMENT != 0 || fj_mt_slab_type(object) >= 0) {
        return NULL;
    }
    /* The header of a block may end where a page does, but before a foreign address there may be no page. */
    unsigned char resident;
    if ((uintptr_t)object % s_page == 0 && mincore((char *)object - s_page, s_page, &resident) != 0) {
        return NULL;
    }
    struct block *block = (struct block *)object - 1;
    return block->magic == BLOCK_MAGIC ? block : NULL;
}

/* Reports a use of what was allocated under `actual`, or, if that is -1, not here or not any more. */
static void wrong_use(const char *call, int memtype, const void *object, int actual)
{
    const struct fj_mt_type *type = fj_mt_type_get(actual);
    if (type != NULL) {
        fj_set_error(FJ_EINVAL, "%s: %p, used as memtype %d (%s), is of memtype %d (%s); it is kept", call,
                     object, memtype, fj_mt_types[memtype].name, actual, type->name);
    } else {
        fj_set_error(FJ_EINVAL, "%s: %p is no live memory of memtype %d (%s); it is kept", call, object,
                     memtype, fj_mt_types[memtype].name);
    }
}

/* What ec_malloc does if the thread has no object at hand. Apart, so that the fast path saves no registers.
 */
static __attribute__((noinline)) void *alloc_slow(int memtype, size_t size, bool sized)
{
    fj_mt_start();
    const struct fj_mt_type *type = fj_mt_type_get(memtype);
    if (type == NULL) {
        fj_set_error(FJ_EINVAL, "ec_malloc: there is no memtype %d", memtype);
        return NULL;
    }
    if (!sized && type->size == 0) {
        fj_set_error(FJ_EINVAL, "ec_malloc: memtype %d (%s) has no fixed size: use ec_malloc_size", memtype,
                     type->name);
        return NULL;
    }
    if (sized && type->size != 0 && type->size != size) {
        fj_set_error(FJ_EINVAL, "ec_malloc_size: memtype %d (%s) has objects of %zu bytes, not %zu", memtype,
                     type->name, type->size, size);
        return NULL;
    }
    size = sized ? size : type->size;
    void *object = fj_mt_checked ? fj_mt_check_alloc(memtype, size)
                   : type->slab  ? slab_alloc(memtype)
                                 : block_alloc(memtype, size);
    if (object == NULL) {
        fj_set_error(FJ_ENOMEM, "ec_malloc: no memory for %zu bytes of memtype %d (%s)", size, memtype,
                     type->name);
    }
    return object;
}

static __attribute__((noinline)) void free_slow(int memtype, void *object)
{
    fj_mt_start();
    const struct fj_mt_type *type = fj_mt_type_get(memtype);
    if (type == NULL) {
        fj_set_error(FJ_EINVAL, "ec_free: there is no memtype %d; %p is kept", memtype, object);
        return;
    }
    if (fj_mt_checked) {
        fj_mt_check_free(memtype, object);
        return;
    }
    if (type->slab) {
        int actual = fj_mt_slab_type(object);
        if (actual == memtype) {
            slab_free(memtype, object);
        } else {
            wrong_use("ec_free", memtype, object, actual);
        }
        return;
    }
    struct block *block = block_of(object);
    if (block == NULL || block->memtype != (uint32_t)memtype) {
        wrong_use("ec_free", memtype, object, block == NULL ? fj_mt_slab_type(object) : (int)block->memtype);
        return;
    }
    fj_mt_count_free(memtype, block->size);
    free(block);
}

FJ_API void *ec_malloc(int memtype)
{
    if ((unsigned)memtype < FJ_MT_TYPES) {
        struct fj_mt_cache *cache = fj_mt_cache_peek(memtype);
        struct fj_mt_magazine *loaded = cache->loaded;
        if (loaded != NULL && loaded->count > 0) {
            fj_mt_add(&cache->counters.allocations, 1);
            size_t left = --loaded->count;
            if (left >= FJ_MT_AHEAD) {
                fetch_for_write(loaded->rounds[left - FJ_MT_AHEAD]);
            }
            return loaded->rounds[left];
        }
    }
    return alloc_slow(memtype, 0, false);
}

FJ_API void *ec_malloc_size(int memtype, size_t size)
{
    return alloc_slow(memtype, size, true);
}

FJ_API void ec_free(int memtype, void *ptr)
{
    if (ptr == NULL) {
        return;
    }
    if ((unsigned)memtype < FJ_MT_TYPES && fj_mt_slab_type(ptr) == memtype) {
        struct fj_mt_cache *cache = fj_mt_cache_peek(memtype);
        struct fj_mt_magazine *loaded = cache->loaded;
        if (loaded != NULL && loaded->count < FJ_MT_ROUNDS) {
            fj_mt_add(&cache->counters.frees, 1);
            loaded->rounds[loaded->count++] = ptr;
            return;
        }
    }
    free_slow(memtype, ptr);
}

/* What ec_realloc works on, or NULL: the error is set. */
static struct block *block_to_resize(int memtype, void *object)
{
    struct block *block = block_of(object);
    int actual = block == NULL ? fj_mt_slab_type(object) : (int)block->memtype;
    if (actual != memtype) {
        wrong_use("ec_realloc", memtype, object, actual);
        return NULL;
    }
    return block;
}

FJ_API void *ec_realloc(int memtype, void *ptr, size_t size)
{
    fj_mt_start();
    const struct fj_mt_type *type = fj_mt_type_get(memtype);
    if (type == NULL) {
        fj_set_error(FJ_EINVAL, "ec_realloc: there is no memtype %d", memtype);
        return NULL;
    }
    if (type->size != 0) {
        fj_set_error(FJ_EINVAL, "ec_realloc: memtype %d (%s) has objects of %zu bytes, all of them", memtype,
                     type->name, type->size);
        return NULL;
    }
    if (ptr == NULL) {
        return ec_malloc_size(memtype, size);
    }
    struct block *block = NULL;
    void *resized = NULL;
    size_t before;
    if (fj_mt_checked) {
        if (!fj_mt_check_resize(memtype, ptr, size, &resized, &before)) {
            return NULL;
        }
    } else {
        block = block_to_resize(memtype, ptr);
        if (block == NULL) {
            return NULL;
        }
        before = block->size;
        block = size > PTRDIFF_MAX - sizeof(*block) ? NULL : realloc(block, sizeof(*block) + size);
        if (block != NULL) {
            block->size = size;
            resized = block + 1;
        }
    }
    if (resized == NULL) {
        fj_set_error(FJ_ENOMEM, "ec_realloc: no memory for %zu bytes of memtype %d (%s)", size, memtype,
                     type->name);
        return NULL;
    }
    fj_mt_count_resize(memtype, before, size);
    return resized;
}

FJ_API int ec_memtype_register(const mem_type_def *def)
{
    fj_mt_start();
    if (def == NULL || def->name == NULL || def->name[0] == '\0') {
        fj_set_error(FJ_EINVAL, "ec_memtype_register: a memtype needs a name");
        return -1;
    }
    if (def->flags != 0) {
        fj_set_error(FJ_EINVAL, "ec_memtype_register: flags of \"%s\" are 0x%x: must be 0", def->name,
                     def->flags);
        return -1;
    }
    if (def->size > PTRDIFF_MAX / 2) {
        fj_set_error(FJ_EINVAL, "ec_memtype_register: size of \"%s\" is %zu: too large", def->name,
                     def->size);
        return -1;
    }
    char *name = strdup(def->name);
    int memtype = -1;
    if (name != NULL) {
        fj_mt_registry_lock(true);
        if (s_next_type < FJ_MT_TYPES) {
            memtype = s_next_type++;
            type_set(memtype, name, def->size);
        }
        fj_mt_registry_lock(false);
    }
    if (memtype < 0) {
        fj_set_error(FJ_ENOMEM, "ec_memtype_register: no room for \"%s\": %d memtypes are the limit",
                     def->name, FJ_MT_TYPES);
        free(name);
    }
    return memtype;
}

FJ_API int fj_memtype_usage_get(int memtype, fj_memtype_usage *usage)
{
    fj_mt_start();
    const struct fj_mt_type *type = fj_mt_type_get(memtype);
    if (type == NULL || usage == NULL) {
        fj_set_error(FJ_EINVAL, "fj_memtype_usage_get: %s %d",
                     usage == NULL ? "usage is NULL, memtype" : "there is no memtype", memtype);
        return 0;
    }
    size_t allocations = 0;
    size_t frees = 0;
    size_t bytes = 0;
    fj_mt_count_sum(memtype, &allocations, &frees, &bytes);
    size_t objects = allocations - frees;
    *usage = (fj_memtype_usage){.name = type->name,
                                .size = type->size,
                                .objects = objects,
                                .bytes = type->size != 0 ? objects * type->size : bytes,
                                .allocations = allocations};
    return 1;
}
