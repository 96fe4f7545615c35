/*
 * memtype_thread.c - what a thread caches of each type, from its first allocation to its end.
 *
 * A thread has a cache until the destructor of its key has run. What it allocates and frees after that (in
 * the destructors of other keys) goes to the depot directly, and so does everything if the cache cannot be
 * had: slower, but nothing is lost with the thread.
 */
#include "memtype.h"

#include <stdlib.h>

/* Where a thread without a cache looks: no magazines, so that the fast paths need no test for it. */
static struct fj_mt_cache s_no_page[FJ_MT_PAGE_TYPES];

#define NO_PAGES_4 s_no_page, s_no_page, s_no_page, s_no_page
#define NO_PAGES                                                                                             \
    {                                                                                                        \
        NO_PAGES_4, NO_PAGES_4, NO_PAGES_4, NO_PAGES_4                                                       \
    }
_Static_assert(FJ_MT_PAGES == 16, "NO_PAGES has one for each");
static struct fj_mt_thread s_none = {.pages = NO_PAGES};
static struct fj_mt_thread s_ended = {.pages = NO_PAGES};

_Thread_local struct fj_mt_thread *fj_mt_self __attribute__((tls_model("initial-exec"))) = &s_none;

static struct {
    pthread_mutex_t lock;
    struct fj_mt_thread *first;
    pthread_key_t key;
    bool has_key;
} s_registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fold(struct fj_mt_counters *into, struct fj_mt_counters *from)
{
    atomic_fetch_add(&into->allocations, atomic_load_explicit(&from->allocations, memory_order_relaxed));
    atomic_fetch_add(&into->frees, atomic_load_explicit(&from->frees, memory_order_relaxed));
    atomic_fetch_add(&into->bytes_in, atomic_load_explicit(&from->bytes_in, memory_order_relaxed));
    atomic_fetch_add(&into->bytes_out, atomic_load_explicit(&from->bytes_out, memory_order_relaxed));
}

/* The key's destructor: runs in the thread, however it ends. */
static void thread_end(void *value)
{
    struct fj_mt_thread *self = value;
    fj_mt_self = &s_ended;
    fj_mt_registry_lock(true);
    for (int i = 0; i < FJ_MT_TYPES; i++) {
        struct fj_mt_cache *page =
            atomic_load_explicit(&self->pages[i / FJ_MT_PAGE_TYPES], memory_order_relaxed);
        struct fj_mt_cache *cache = &page[i % FJ_MT_PAGE_TYPES];
        if (page != s_no_page) {
            fj_mt_depot_return(i, cache->loaded);
            fj_mt_depot_return(i, cache->previous);
            fold(&fj_mt_types[i].total, &cache->counters);
        }
    }
    *(self->previous == NULL ? &s_registry.first : &self->previous->next) = self->next;
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    fj_mt_registry_lock(false);
    for (int i = 0; i < FJ_MT_PAGES; i++) {
        struct fj_mt_cache *page = atomic_load_explicit(&self->pages[i], memory_order_relaxed);
        if (page != s_no_page) {
            free(page);
        }
    }
    free(self);
}

/* Around fork: no lock may be held by a thread that the child does not have. The caches of those threads stay
 * registered in the child, for their counts; what lay in their magazines is lost there, at most 2 *
 * FJ_MT_ROUNDS objects a type and thread, since they may have been in the middle of an exchange. */
static void fork_before(void)
{
    fj_mt_check_lock(true);
    fj_mt_registry_lock(true);
    fj_mt_depots_lock(true);
}

static void fork_after(void)
{
    fj_mt_depots_lock(false);
    fj_mt_registry_lock(false);
    fj_mt_check_lock(false);
}

void fj_mt_threads_start(void)
{
    s_registry.has_key = pthread_key_create(&s_registry.key, thread_end) == 0;
    pthread_atfork(fork_before, fork_after, fork_after);
}

/* Gives the calling thread its struct, registered and without pages. */
static struct fj_mt_thread *thread_new(void)
{
    struct fj_mt_thread *self = s_registry.has_key ? malloc(sizeof(*self)) : NULL;
    if (self == NULL) {
        return NULL;
    }
    for (int i = 0; i < FJ_MT_PAGES; i++) {
        atomic_init(&self->pages[i], s_no_page);
    }
    if (pthread_setspecific(s_registry.key, self) != 0) {
        free(self);
        return NULL;
    }
    self->previous = NULL;
    fj_mt_registry_lock(true);
    self->next = s_registry.first;
    if (self->next != NULL) {
        self->next->previous = self;
    }
    s_registry.first = self;
    fj_mt_registry_lock(false);
    fj_mt_self = self;
    return self;
}

struct fj_mt_cache *fj_mt_cache_get(int memtype)
{
    struct fj_mt_thread *self = fj_mt_self;
    if (self == &s_ended || (self == &s_none && (self = thread_new()) == NULL)) {
        return NULL;
    }
    struct fj_mt_cache *_Atomic *slot = &self->pages[memtype / FJ_MT_PAGE_TYPES];
    if (atomic_load_explicit(slot, memory_order_relaxed) == s_no_page) {
        size_t size = FJ_MT_PAGE_TYPES * sizeof(struct fj_mt_cache);
        struct fj_mt_cache *page = aligned_alloc(_Alignof(struct fj_mt_cache), size);
        if (page == NULL) {
            return NULL;
        }
        for (int i = 0; i < FJ_MT_PAGE_TYPES; i++) {
            page[i] = (struct fj_mt_cache){.loaded = NULL};
        }
        atomic_store_explicit(slot, page, memory_order_release); /* pairs with the load in fj_mt_count_sum */
    }
    return fj_mt_cache_peek(memtype);
}

void fj_mt_count_alloc(int memtype, size_t bytes)
{
    struct fj_mt_cache *cache = fj_mt_checked ? NULL : fj_mt_cache_get(memtype);
    if (cache != NULL) {
        fj_mt_add(&cache->counters.allocations, 1);
        fj_mt_add(&cache->counters.bytes_in, bytes);
    } else {
        atomic_fetch_add(&fj_mt_types[memtype].total.allocations, 1);
        atomic_fetch_add(&fj_mt_types[memtype].total.bytes_in, bytes);
    }
}

void fj_mt_count_free(int memtype, size_t bytes)
{
    struct fj_mt_cache *cache = fj_mt_checked ? NULL : fj_mt_cache_get(memtype);
    if (cache != NULL) {
        fj_mt_add(&cache->counters.frees, 1);
        fj_mt_add(&cache->counters.bytes_out, bytes);
    } else {
        atomic_fetch_add(&fj_mt_types[memtype].total.frees, 1);
        atomic_fetch_add(&fj_mt_types[memtype].total.bytes_out, bytes);
    }
}

void fj_mt_count_resize(int memtype, size_t before, size_t after)
{
    struct fj_mt_cache *cache = fj_mt_checked ? NULL : fj_mt_cache_get(memtype);
    if (cache != NULL) {
        fj_mt_add(&cache->counters.bytes_in, after);
        fj_mt_add(&cache->counters.bytes_out, before);
    } else {
        atomic_fetch_add(&fj_mt_types[memtype].total.bytes_in, after);
        atomic_fetch_add(&fj_mt_types[memtype].total.bytes_out, before);
    }
}

/* Sums what all threads have counted. All frees are read before the first allocation: whoever freed an object
 * had seen it allocated, so a sum of frees that is read first is never the larger one. */
void fj_mt_count_sum(int memtype, size_t *allocations, size_t *frees, size_t *bytes)
{
    struct fj_mt_counters *total = &fj_mt_types[memtype].total;
    fj_mt_registry_lock(true);
    size_t in = 0;
    size_t out = atomic_load(&total->bytes_out);
    *frees = atomic_load(&total->frees);
    for (struct fj_mt_thread *t = s_registry.first; t != NULL; t = t->next) {
        struct fj_mt_cache *page = atomic_load(&t->pages[memtype / FJ_MT_PAGE_TYPES]);
        struct fj_mt_counters *counters = &page[memtype % FJ_MT_PAGE_TYPES].counters;
        *frees += atomic_load_explicit(&counters->frees, memory_order_acquire);
        out += atomic_load_explicit(&counters->bytes_out, memory_order_acquire);
    }
    in = atomic_load(&total->bytes_in);
    *allocations = atomic_load(&total->allocations);
    for (struct fj_mt_thread *t = s_registry.first; t != NULL; t = t->next) {
        struct fj_mt_cache *page = atomic_load(&t->pages[memtype / FJ_MT_PAGE_TYPES]);
        struct fj_mt_counters *counters = &page[memtype % FJ_MT_PAGE_TYPES].counters;
        *allocations += atomic_load_explicit(&counters->allocations, memory_order_acquire);
        in += atomic_load_explicit(&counters->bytes_in, memory_order_acquire);
    }
    fj_mt_registry_lock(false);
    *bytes = in - out;
}

void fj_mt_registry_lock(bool lock)
{
    if (lock) {
        pthread_mutex_lock(&s_registry.lock);
    } else {
        pthread_mutex_unlock(&s_registry.lock);
    }
}
