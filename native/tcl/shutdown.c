/*
 * shutdown.c - the end of the queues: when the application asks for it, or the process ends.
 *
 * The end of the process waits for running jobs a little only: a cancelled script ends at once, but one that
 * is inside of a blocking call (exec, a read) cannot be ended. Its thread is left where it is, and kept out
 * of Tcl from then on.
 */
#include "ns_job.h"
#include <errno.h>
#include <time.h>

enum { EXIT_SECONDS = 2 };

atomic_int fjt_ending, fjt_exiting;

static atomic_int closed;

int fjt_close(int drain_ms, long long *discarded)
{
    fj_queue_set *set = fjt_set_or_null();
    *discarded = 0;
    if (!set || atomic_exchange(&closed, 1)) {
        return 0;
    }
    *discarded = fj_queue_set_close(set, drain_ms);
    return 1;
}

/* ---- the end of the process ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t over;
    int is_over;
} ending = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void *close_set(void *unused)
{
    long long discarded;
    fjt_close(0, &discarded);
    pthread_mutex_lock(&ending.lock);
    ending.is_over = 1;
    pthread_cond_signal(&ending.over);
    pthread_mutex_unlock(&ending.lock);
    return unused;
}

/* Once Tcl has begun to end the process no thread may make an interpreter, so this comes before if it can. */
void fjt_end_for_exit(void)
{
    pthread_t closer;
    struct timespec end;
    if (atomic_exchange(&fjt_ending, 1) || !fjt_set_or_null() || atomic_load(&closed)) {
        return;
    }
    if (pthread_create(&closer, NULL, close_set, NULL) != 0) {
        atomic_store(&fjt_exiting, 1);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += EXIT_SECONDS;
    pthread_mutex_lock(&ending.lock);
    int rc = 0;
    while (!ending.is_over && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&ending.over, &ending.lock, &end);
    }
    int over = ending.is_over;
    pthread_mutex_unlock(&ending.lock);
    if (over) {
        pthread_join(closer, NULL);
    } else {
        atomic_store(&fjt_exiting, 1);
        pthread_detach(closer);
    }
}
