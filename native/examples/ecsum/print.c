/*
 * print.c - what the user sees: digest lines as sha256sum prints them, messages, the progress line.
 *
 * print_batch, print_flush and the progress line belong to the scheduler thread while the pipeline runs. The
 * main thread may complain while it is drained. print_progress, print_broken, need and die may be called
 * anywhere.
 */
#include "ecsum.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_INTERVAL 100000000 /* ns */

static char line_end = '\n';
static bool failed;        /* something could not be hashed */
static atomic_bool broken; /* the output cannot be written */

static bool show_progress;
static bool progress_shown; /* under the lock of stderr */
static unsigned long long files_printed;
static atomic_ullong bytes_hashed;
static atomic_llong progress_due; /* when to show the next line, ns */
static ec_async_job progress_job; /* in flight if progress_due lies in the far future */

void print_start(bool zero)
{
    line_end = zero ? '\0' : '\n';
    show_progress = isatty(STDERR_FILENO);
    setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
}

/* Removes the progress line from the terminal. */
static void erase_progress(void)
{
    flockfile(stderr);
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
    funlockfile(stderr);
}

/* Prints "ecsum: WHAT: why", or, error 0, without a why; the exit status will be 1. */
void complain(const char *what, int error)
{
    failed = true;
    fflush(stdout); /* so that both streams in one file are in order */
    flockfile(stderr);
    erase_progress();
    if (error == 0)
        fprintf(stderr, "ecsum: %s\n", what);
    else
        fprintf(stderr, "ecsum: %s: %s\n", what, strerror(error));
    funlockfile(stderr);
}

/* Ends the program because of something it cannot go on without. From any thread. */
_Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, why == NULL ? "ecsum: %s\n" : "ecsum: %s: %s\n", what, why);
    _exit(1);
}

void *need(void *memory)
{
    if (memory == NULL)
        die("memory exhausted", NULL);
    return memory;
}

static void print_escaped(const char *name)
{
    for (; *name != '\0'; name++) {
        const char *escape = *name == '\\' ? "\\\\" : *name == '\n' ? "\\n" : *name == '\r' ? "\\r" : NULL;
        if (escape == NULL)
            putc_unlocked(*name, stdout);
        else
            fputs_unlocked(escape, stdout);
    }
}

/* "\DIGEST  NAME": the backslash only if the name has bytes that need escapes, which -z does without. */
static void print_line(const char *name, const unsigned char *digest)
{
    static const char hex[] = "0123456789abcdef";
    char line[1 + 2 * DIGEST_BYTES + 2], *end = line;
    bool escape = line_end != '\0' && strpbrk(name, "\\\n\r") != NULL;
    if (escape)
        *end++ = '\\';
    for (int i = 0; i < DIGEST_BYTES; i++) {
        *end++ = hex[digest[i] >> 4];
        *end++ = hex[digest[i] & 15];
    }
    *end++ = ' ';
    *end++ = ' ';
    fwrite_unlocked(line, 1, (size_t)(end - line), stdout);
    if (escape)
        print_escaped(name);
    else
        fputs_unlocked(name, stdout);
    putc_unlocked(line_end, stdout);
}

void print_batch(const struct batch *b)
{
    erase_progress();
    for (const struct file *f = b->files; f < b->files + b->count; f++) {
        const char *name = file_name(b, f);
        if (f->error != 0)
            complain(quoted(name), f->error);
        else
            print_line(name, f->digest);
    }
    files_printed += b->count;
}

/* A write to a closed pipe ends a program by SIGPIPE, unless it is ignored. The library's threads have
 * signals blocked: this lets through the one that waits. */
static void die_of_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Hands to the system what has been printed. */
void print_flush(void)
{
    int error = fflush(stdout) == 0 ? 0 : errno;
    if (!ferror(stdout) || atomic_exchange(&broken, true))
        return;
    die_of_sigpipe();
    complain("write error", error);
}

/* The output has failed: there is no use in hashing more. */
bool print_broken(void)
{
    return atomic_load_explicit(&broken, memory_order_relaxed);
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void progress_worker(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

/* Completion in the scheduler thread. */
static void progress_show(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    flockfile(stderr);
    fprintf(stderr, "\r\033[Kecsum: %llu files, %.1f MiB", files_printed,
            (double)atomic_load(&bytes_hashed) / (1024 * 1024));
    progress_shown = true;
    funlockfile(stderr);
    atomic_store(&progress_due, now() + PROGRESS_INTERVAL);
}

/* Counts bytes that have been hashed. From time to time the progress line is due: as only the scheduler
 * thread prints, a job is sent there that has nothing to do but its completion. */
void print_progress(size_t bytes)
{
    if (!show_progress)
        return;
    atomic_fetch_add(&bytes_hashed, bytes);
    long long due = atomic_load(&progress_due);
    if (now() < due || !atomic_compare_exchange_strong(&progress_due, &due, LLONG_MAX))
        return;
    progress_job = (ec_async_job){.job_class = ECTP_CLASS_SHORT_LIVED,
                                  .worker = progress_worker,
                                  .completion = ECTP_COMPLETE_CALLBACK_SCHED,
                                  .r.cb.func = progress_show};
    if (!ec_queue_async_job(&progress_job))
        die("cannot queue a job", fj_last_error());
}

/* Called after the pipeline has stopped. Returns the exit status. */
int print_finish(void)
{
    erase_progress();
    if (!print_broken() && close(STDOUT_FILENO) != 0)
        complain("write error", errno);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
