/*
 * memtype_check.c - check mode: what FASTJOBS_CHECK=1 asks for, and what is used under a sanitizer.
 *
 * Every object is a block of malloc's own, so that the sanitizer or valgrind watches its bounds and its life,
 * and a table of the live blocks is asked at every free. Under one lock: this is a mode for tests.
 */
#include "memtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fj_base.h"
#include "guard.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FJ_MT_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FJ_MT_ADDRESS_SANITIZER 1
#endif

enum { BUCKETS = 1 << 16 };

struct entry {
    struct entry *next;
    uintptr_t
        key; /* the complement of the address: a leak checker must not find the block through the table */
    size_t size;
    int memtype;
};

bool fj_mt_checked;

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *s_buckets[BUCKETS];

bool fj_mt_check_wanted(void)
{
#ifdef FJ_MT_ADDRESS_SANITIZER
    return true;
#else
    /* Under ThreadSanitizer memory must not go from thread to thread in ways that it does not see. */
    return fj_host_check_wanted() != 0 || fj_host_is_sanitized();
#endif
}

int fj_host_check_wanted(void)
{
    const char *value = getenv("FASTJOBS_CHECK");
    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static struct entry **find(uintptr_t key)
{
    struct entry **at = &s_buckets[(key * UINT64_C(0x9E3779B97F4A7C15)) >> 48];
    while (*at != NULL && (*at)->key != key) {
        at = &(*at)->next;
    }
    return at;
}

/* Sets the error and writes it: the thread that frees a job after its completion has nobody who would ask. */
static void report(const char *call, int memtype, const void *object, int actual)
{
    const char *name = fj_mt_types[memtype].name;
    if (actual < 0) {
        fj_set_error(FJ_EINVAL, "%s: %p, used as memtype %d (%s), is not allocated (freed twice?)", call,
                     object, memtype, name);
    } else {
        fj_set_error(FJ_EINVAL, "%s: %p, used as memtype %d (%s), is of memtype %d (%s); it is kept", call,
                     object, memtype, name, actual, fj_mt_types[actual].name);
    }
    fprintf(stderr, "fastjobs: %s\n", fj_last_error());
}

/* Takes the entry of a live object of the type out of the table. NULL: it is reported that there is none. */
static struct entry *take(const char *call, int memtype, void *object)
{
    pthread_mutex_lock(&s_lock);
    struct entry **at = find(~(uintptr_t)object);
    struct entry *entry = *at;
    int found = entry == NULL ? -1 : entry->memtype;
    if (found == memtype) {
        *at = entry->next;
    }
    pthread_mutex_unlock(&s_lock);
    if (found != memtype) {
        report(call, memtype, object, found);
        return NULL;
    }
    return entry;
}

static void put(struct entry *entry, uintptr_t object, size_t size)
{
    entry->key = ~object;
    entry->size = size;
    pthread_mutex_lock(&s_lock);
    struct entry **at = find(entry->key);
    entry->next = *at == NULL ? NULL : (*at)->next; /* an entry of a block that somebody gave to free() */
    *at = entry;
    pthread_mutex_unlock(&s_lock);
}

void *fj_mt_check_alloc(int memtype, size_t size)
{
    void *object = malloc(size);
    struct entry *entry = malloc(sizeof(*entry));
    if (object == NULL || entry == NULL) {
        free(object);
        free(entry);
        return NULL;
    }
    entry->memtype = memtype;
    put(entry, (uintptr_t)object, size);
    fj_mt_count_alloc(memtype, size);
    return object;
}

bool fj_mt_check_free(int memtype, void *object)
{
    struct entry *entry = take("ec_free", memtype, object);
    if (entry == NULL) {
        return false;
    }
    fj_mt_count_free(memtype, entry->size);
    free(entry);
    free(object);
    return true;
}

bool fj_mt_check_resize(int memtype, void *object, size_t size, void **resized, size_t *before)
{
    struct entry *entry = take("ec_realloc", memtype, object);
    if (entry == NULL) {
        return false;
    }
    /* Always another place, so that whoever kept the old one is found out. */
    *before = entry->size;
    *resized = malloc(size);
    if (*resized == NULL) {
        put(entry, (uintptr_t)object, *before);
        return true;
    }
    memcpy(*resized, object, size < *before ? size : *before);
    put(entry, (uintptr_t)*resized, size);
    free(object);
    return true;
}

void fj_mt_check_lock(bool lock)
{
    if (lock) {
        pthread_mutex_lock(&s_lock);
    } else {
        pthread_mutex_unlock(&s_lock);
    }
}
