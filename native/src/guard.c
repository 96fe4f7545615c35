/*
 * guard.c - starting the engine as a guest of the host's process, forks, killed workers, the last error.
 *
 * What the runtime does to a process when it starts, and what is done about it here: it changes the
 * dispositions of SIGPIPE, SIGSEGV and SIGFPE (put back as they were), starts threads that inherit the
 * caller's signal mask (all asynchronous signals are blocked around the start, so the host's signals go to
 * the host's threads), and needs SIGRTMIN to stop its threads for a collection (the one disposition that
 * stays changed).
 */
#define _GNU_SOURCE
#include "guard.h"
#include "outbox.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct fj_engine_calls fj_engine;
struct fj_scheduler_calls fj_schedulers;
_Atomic int fj_state = FJ_COLD;

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t worker_key;

static _Thread_local struct {
    int code;
    char text[256];
} last_error;

/* ---- the last error ---- */

void fj_set_error(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    last_error.code = code;
    vsnprintf(last_error.text, sizeof last_error.text, format, arguments);
    va_end(arguments);
}

void fj_host_set_error(int code, const char *text)
{
    fj_set_error(code, "%s", text);
}

int fj_last_error_code(void)
{
    return last_error.code;
}

const char *fj_last_error(void)
{
    return last_error.text;
}

/* ---- signals ---- */

/* The asynchronous signals: not those that a thread raises by what it does itself (a job that writes to a
 * closed pipe must end the process, or not, as the host has it), and not SIGRTMIN, without which the runtime
 * could not stop a thread. */
static void asynchronous_signals(sigset_t *set)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE};
    sigfillset(set);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        sigdelset(set, kept[i]);
    sigdelset(set, SIGRTMIN);
}

static _Thread_local sigset_t mask_before_start;

void fj_host_before_thread_start(void)
{
    sigset_t blocked;
    asynchronous_signals(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_start);
}

void fj_host_after_thread_start(void)
{
    pthread_sigmask(SIG_SETMASK, &mask_before_start, NULL);
}

static void start_engine(void)
{
    struct sigaction before[NSIG];
    bool known[NSIG] = {false};
    for (int s = 1; s < NSIG; s++)
        known[s] = sigaction(s, NULL, &before[s]) == 0;
    fj_host_before_thread_start();
    fj_managed_start(&fj_engine, &fj_schedulers, &fj_queues);
    fj_host_after_thread_start();
    for (int s = 1; s < NSIG; s++)
        if (known[s] && s != SIGRTMIN && s != SIGKILL && s != SIGSTOP)
            sigaction(s, &before[s], NULL);
}

/* ---- workers that a job ends with pthread_exit ---- */

static void *report_killed(void *worker)
{
    fj_engine.worker_killed((size_t)worker);
    return NULL;
}

/* Runs in a thread that ends while it is still a worker. Its own runtime state is gone by now, so the engine
 * hears of it from a thread that lives for this one call. */
static void worker_ended(void *worker)
{
    pthread_attr_t detached;
    pthread_t reporter;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&reporter, &detached, report_killed, worker);
    if (error != 0)
        fj_log(FJ_LOG_ERROR, "a job ended its worker's thread, and no other takes its place: %s",
               strerror(error));
    pthread_attr_destroy(&detached);
}

void fj_host_worker_started(size_t worker)
{
    pthread_setspecific(worker_key, (void *)worker);
}

void fj_host_worker_ends(void)
{
    pthread_setspecific(worker_key, NULL);
}

/* ---- start and fork ---- */

static void in_forked_child(void)
{
    if (atomic_load_explicit(&fj_state, memory_order_relaxed) == FJ_READY) {
        atomic_store_explicit(&fj_state, FJ_FORKED, memory_order_relaxed);
        fj_outbox_forked();
    }
}

/* A fork waits for a start under way, so that a child sees the engine either started or not. */
static void before_fork(void)
{
    pthread_mutex_lock(&start_lock);
}
static void after_fork(void)
{
    pthread_mutex_unlock(&start_lock);
}
static void after_fork_in_child(void)
{
    in_forked_child();
    pthread_mutex_unlock(&start_lock);
}

__attribute__((constructor)) static void load(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

bool fj_enter_slowly(void)
{
    pthread_mutex_lock(&start_lock);
    if (atomic_load_explicit(&fj_state, memory_order_relaxed) == FJ_COLD) {
        pthread_key_create(&worker_key, worker_ended);
        start_engine();
        atomic_store_explicit(&fj_state, FJ_READY, memory_order_release);
    }
    pthread_mutex_unlock(&start_lock);
    if (atomic_load_explicit(&fj_state, memory_order_acquire) == FJ_READY)
        return true;
    fj_set_error(FJ_EFORKED,
                 "this process was forked from one that used FastJobs: its worker threads do not exist "
                 "here; exec a new program or use FastJobs only after the fork");
    return false;
}

/* ---- what the engine asks of the C library ---- */

int fj_host_sem_trywait(sem_t *semaphore)
{
    return sem_trywait(semaphore) == 0;
}

void fj_host_sem_post(sem_t *semaphore)
{
    sem_post(semaphore);
}
