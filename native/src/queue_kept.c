/*
 * queue_kept.c - the blocks in which the results of queued jobs are kept.
 *
 * A worker's thread makes one for every job that sets a result, and the collector's gives it back: malloc
 * pays for that way with a lock at every turn. So a small one is of a memory type, whose threads exchange
 * magazines; but not where a tool watches the program's memory, which has to see each result by itself.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ec_malloc.h"
#include "guard.h"

enum { SMALL = 64, TYPED = 1 << 30 }; /* a line; in `references` of a block that is of the memory type */

_Static_assert(sizeof(struct fj_kept) + sizeof(long long) < SMALL, "a number is a small result");

extern void __asan_init(void) __attribute__((weak));

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static int s_memtype = -1; /* set by start; -1: every block is malloc's */

static void start(void)
{
    static const mem_type_def def = {.name = "queue_result", .size = SMALL};
    if (__asan_init == NULL && !fj_host_is_sanitized() && !fj_host_check_wanted())
        s_memtype = ec_memtype_register(&def);
}

void fj_host_kept_start(void)
{
    pthread_once(&s_once, start);
}

struct fj_kept *fj_host_kept_new(const fj_work *work, void *state, const void *bytes, size_t size)
{
    struct fj_kept *kept = NULL;
    int references = 1;
    if (size < SMALL - sizeof *kept && s_memtype >= 0) {
        kept = ec_malloc(s_memtype);
        references |= TYPED;
    } else if (size < PTRDIFF_MAX - sizeof *kept) {
        kept = malloc(sizeof *kept + size + 1);
    }
    if (kept == NULL)
        return NULL;
    *kept = (struct fj_kept){.references = references, .work = work, .state = state};
    if (bytes != NULL) {
        char *copy = (char *)(kept + 1);
        memcpy(copy, bytes, size);
        copy[size] = '\0';
        kept->bytes = copy;
        kept->size = size;
    }
    return kept;
}

void fj_host_kept_free(struct fj_kept *kept)
{
    if (kept == NULL)
        return;
    if ((__atomic_load_n(&kept->references, __ATOMIC_RELAXED) & TYPED) != 0)
        ec_free(s_memtype, kept);
    else
        free(kept);
}

bool fj_host_kept_is_last(struct fj_kept *kept)
{
    /* Mostly this is the only one, and stays so: references are added only while the job is in its queue.
     * Acquire: what holders before it read comes before the free. */
    if ((__atomic_load_n(&kept->references, __ATOMIC_ACQUIRE) & ~TYPED) == 1)
        return true;
    /* Release: what this holder read comes before the free; acquire: in whoever frees. */
    return (__atomic_sub_fetch(&kept->references, 1, __ATOMIC_ACQ_REL) & ~TYPED) == 0;
}
