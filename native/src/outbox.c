/*
 * outbox.c - which outbox a thread has, from the first time that it has use for one to its end.
 */
#include "outbox.h"

#include <pthread.h>
#include <stdlib.h>

enum fj_outbox_state {
    IDLE,       /* its thread's */
    COLLECTING, /* the engine's too */
    ABANDONED   /* the engine's: its thread has ended */
};

static struct fj_outbox s_none = {.job_class = FJ_OUTBOX_NONE};
static struct fj_outbox s_ended = {.job_class = FJ_OUTBOX_NONE};
_Thread_local struct fj_outbox *fj_outbox_self __attribute__((tls_model("initial-exec"))) = &s_none;
_Atomic uintptr_t fj_call_table[FJ_CALL_FUNCTIONS];

static pthread_key_t s_key;
static bool s_has_key;

/* The key's destructor: runs in the thread, however it ends. What is in the outbox is in the engine's hands.
 */
static void thread_end(void *value)
{
    struct fj_outbox *outbox = value;
    fj_outbox_self = &s_ended;
    if (atomic_exchange(&outbox->state, ABANDONED) == IDLE)
        free(outbox);
}

static void make_key(void)
{
    s_has_key = pthread_key_create(&s_key, thread_end) == 0;
}

uintptr_t *fj_host_call_functions(void)
{
    return (uintptr_t *)fj_call_table;
}

/* The calling thread's, or NULL: it has ended, or there is no memory. */
static struct fj_outbox *mine(void)
{
    if (fj_outbox_self != &s_none)
        return fj_outbox_self != &s_ended ? fj_outbox_self : NULL;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    struct fj_outbox *outbox = s_has_key ? aligned_alloc(128, (sizeof(*outbox) + 127) / 128 * 128) : NULL;
    if (outbox == NULL || pthread_setspecific(s_key, outbox) != 0) {
        free(outbox);
        return NULL;
    }
    *outbox = (struct fj_outbox){.job_class = FJ_OUTBOX_NONE};
    return fj_outbox_self = outbox;
}

int fj_host_outbox_make(void)
{
    return mine() != NULL;
}

struct fj_outbox *fj_host_outbox_begin(int job_class, void *places, int room)
{
    struct fj_outbox *outbox = mine();
    if (outbox == NULL)
        return NULL;
    atomic_store_explicit(&outbox->state, COLLECTING, memory_order_relaxed);
    outbox->count = (struct fj_owned_count){.value = 0};
    outbox->places = places;
    outbox->room = room;
    atomic_store_explicit(&outbox->job_class, job_class, memory_order_relaxed);
    return outbox;
}

void fj_host_outbox_end(struct fj_outbox *outbox)
{
    atomic_store_explicit(&outbox->job_class, FJ_OUTBOX_NONE, memory_order_relaxed);
    int collecting = COLLECTING;
    if (!atomic_compare_exchange_strong(&outbox->state, &collecting, IDLE))
        free(outbox);
}

void fj_outbox_forked(void)
{
    fj_outbox_self = &s_ended;
}
