/*
 * log.c - the host's log function: for errors that no call can return.
 *
 * A reader-writer lock, because a change has to wait for the calls under way. The engine calls without any
 * lock of its own; the calling thread is known, so that a call from inside the function fails and does not
 * wait for itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "guard.h"

static pthread_rwlock_t log_lock = PTHREAD_RWLOCK_INITIALIZER;
static fj_log_func log_function;
static void *log_closure;
static _Thread_local int inside;

int fj_log_set(fj_log_func function, void *closure)
{
    if (inside > 0) {
        fj_set_error(FJ_EDEADLK, "fj_log_set was called by the log function: it would wait for itself");
        return 0;
    }
    pthread_rwlock_wrlock(&log_lock);
    log_function = function;
    log_closure = closure;
    pthread_rwlock_unlock(&log_lock);
    return 1;
}

void fj_log(int level, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_rwlock_rdlock(&log_lock);
    if (log_function != NULL) {
        inside++;
        log_function(level, text, log_closure);
        inside--;
    }
    pthread_rwlock_unlock(&log_lock);
}

void fj_host_log(int level, const char *text)
{
    fj_log(level, "%s", text);
}
