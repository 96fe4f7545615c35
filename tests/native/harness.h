/*
 * harness.h - what the tests of the C ABI share: jobs in one line, waits that end, threads and child
 * processes.
 *
 * A wait that takes longer than its limit prints where and what, and ends the process with WAIT_FAILED: a
 * test that hangs says so itself. Nothing here sleeps to make something true; POLL is for what the API gives
 * no signal for. The limits are far above what a loaded machine needs.
 *
 * ThreadSanitizer does not see into the library, which tells it how jobs and Events order threads. What a
 * test orders by a descriptor that the library polls it says itself: comes_before and comes_after. What the
 * library itself reads and writes by the C library's functions the sanitizer is told to leave alone.
 */
#ifndef FASTJOBS_TESTS_HARNESS_H
#define FASTJOBS_TESTS_HARNESS_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include"
#endif
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fastjobs.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

#if defined(THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#define comes_before(address) __tsan_release(address)
#define comes_after(address) __tsan_acquire(address)
FJ_BEGIN_DECLS
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1:atexit_sleep_ms=0";
}
FJ_END_DECLS
#else
#define comes_before(address) ((void)(address))
#define comes_after(address) ((void)(address))
#endif

/* A child process has longer than a wait in it, so that the wait that fails says where. */
enum { WAIT_FAILED = 99, WAIT_SECONDS = 120, CHILD_SECONDS = WAIT_SECONDS + 30 };

#define UNUSED __attribute__((unused))

/* ---- time and waits ---- */

static inline double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void pause_ms(long milliseconds)
{
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&span, &span) != 0 && errno == EINTR) {
    }
}

static inline struct timespec seconds_from_now(double seconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    long long nanoseconds = at.tv_nsec + (long long)(seconds * 1e9);
    at.tv_sec += (time_t)(nanoseconds / 1000000000);
    at.tv_nsec = (long)(nanoseconds % 1000000000);
    return at;
}

static inline __attribute__((noreturn)) void wait_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: waited in vain for %s\n", file, line, what);
    fflush(NULL);
    _exit(WAIT_FAILED);
}

/* Waits for a post; whether it came in time. */
static inline int comes_within(sem_t *semaphore, double seconds)
{
    struct timespec deadline = seconds_from_now(seconds);
    int result;
    while ((result = sem_timedwait(semaphore, &deadline)) != 0 && errno == EINTR) {
    }
    return result == 0;
}

static inline void await_at(sem_t *semaphore, const char *file, int line, const char *what)
{
    if (!comes_within(semaphore, WAIT_SECONDS)) {
        wait_failed(file, line, what);
    }
}
#define AWAIT(semaphore) await_at((semaphore), __FILE__, __LINE__, #semaphore)
#define AWAIT_TIMES(semaphore, times)                                                                        \
    do {                                                                                                     \
        for (int await_left = (times); await_left > 0; await_left--) {                                       \
            AWAIT(semaphore);                                                                                \
        }                                                                                                    \
    } while (0)

/* Looks again and again, for what there is no signal. */
#define POLL(condition)                                                                                      \
    do {                                                                                                     \
        double poll_end = seconds_now() + (double)WAIT_SECONDS;                                              \
        while (!(condition)) {                                                                               \
            if (seconds_now() > poll_end) {                                                                  \
                wait_failed(__FILE__, __LINE__, #condition);                                                 \
            }                                                                                                \
            pause_ms(1);                                                                                     \
        }                                                                                                    \
    } while (0)

/* A semaphore for the length of a test. */
static inline sem_t *new_semaphore(sem_t *semaphore, unsigned value)
{
    CHECK_EQ(sem_init(semaphore, 0, value), 0);
    return semaphore;
}

static inline int semaphore_value(sem_t *semaphore)
{
    int value = -1;
    sem_getvalue(semaphore, &value);
    return value;
}

/* ---- numbers that threads share ---- */

static inline long add(long *number, long more)
{
    return __atomic_add_fetch(number, more, __ATOMIC_ACQ_REL);
}

static inline long get(const long *number)
{
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static inline void set(long *number, long value)
{
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
}

/* Makes *most at least value. */
static inline void raise_to(long *most, long value)
{
    long seen = get(most);
    while (seen < value &&
           !__atomic_compare_exchange_n(most, &seen, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
}

/* What a test does much of: more with FASTJOBS_STRESS=1, less under a sanitizer. */
static inline int many(int normal)
{
    const char *stress = getenv("FASTJOBS_STRESS");
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
    normal = normal / 5;
#endif
    return stress != NULL && strcmp(stress, "0") != 0 ? normal * 10 : normal;
}

/* ---- a gate that workers stand at ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int open;
    int inside; /* workers that stand at it or have passed it */
};
#define GATE_CLOSED                                                                                          \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0                                            \
    }

static inline void gate_pass_at(struct gate *gate, const char *file, int line)
{
    struct timespec deadline = seconds_from_now(WAIT_SECONDS);
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) {
        if (pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline) == ETIMEDOUT) {
            wait_failed(file, line, "a gate to open");
        }
    }
    pthread_mutex_unlock(&gate->lock);
}
#define GATE_PASS(gate) gate_pass_at((gate), __FILE__, __LINE__)

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = 1;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static inline int gate_inside(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    int inside = gate->inside;
    pthread_mutex_unlock(&gate->lock);
    return inside;
}

static inline void gate_await_at(struct gate *gate, int workers, const char *file, int line)
{
    struct timespec deadline = seconds_from_now(WAIT_SECONDS);
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < workers) {
        if (pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline) == ETIMEDOUT) {
            wait_failed(file, line, "workers at a gate");
        }
    }
    pthread_mutex_unlock(&gate->lock);
}
#define GATE_AWAIT(gate, workers) gate_await_at((gate), (workers), __FILE__, __LINE__)

/* A worker that stands at the gate that is its closure. */
static UNUSED void stand_at_gate(ec_async_job *job, void *gate)
{
    (void)job;
    GATE_PASS((struct gate *)gate);
}

/* ---- jobs ---- */

static inline void job_init(ec_async_job *job, int job_class, ec_thread_pool_work_func worker, void *closure)
{
    memset(job, 0, sizeof(*job));
    job->job_class = job_class;
    job->worker = worker;
    job->closure = closure;
}

static inline ec_async_job *job_with_semaphore(ec_async_job *job, int job_class,
                                               ec_thread_pool_work_func worker, void *closure, sem_t *done)
{
    job_init(job, job_class, worker, closure);
    job->completion = ECTP_COMPLETE_SEMAPHORE;
    job->r.sema = done;
    return job;
}

static inline ec_async_job *job_with_callback(ec_async_job *job, int job_class,
                                              ec_thread_pool_work_func worker, void *closure,
                                              ec_thread_pool_completion_func completion,
                                              void *completion_closure)
{
    job_init(job, job_class, worker, closure);
    job->completion = ECTP_COMPLETE_CALLBACK;
    job->r.cb.func = completion;
    job->r.cb.closure = completion_closure;
    return job;
}

/* Queues; a failure is the test's, with the library's reason. */
static inline int queue_at(ec_async_job *job, const char *file, int line)
{
    int queued = ec_queue_async_job_(job, file, line, 0);
    if (!queued) {
        check_that(0, file, line, fj_last_error());
    }
    return queued;
}
#define QUEUE(job) queue_at((job), __FILE__, __LINE__)

static UNUSED void do_nothing(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

static UNUSED void post(ec_async_job *job, void *semaphore)
{
    (void)job;
    sem_post((sem_t *)semaphore);
}

static inline fj_pool_stats stats_of(int job_class)
{
    fj_pool_stats stats;
    memset(&stats, 0, sizeof(stats));
    stats.struct_size = sizeof(stats);
    CHECK_EQ(fj_pool_stats_get(job_class, &stats), 1);
    return stats;
}

/* A pool of the test's own, with a name nobody has. */
static inline int new_pool(const char *name, int concurrency)
{
    int job_class = ec_thread_pool_create_module(NULL, name, concurrency, 0, 0);
    CHECK(job_class > ECTP_CLASS_SIEVE_IO);
    return job_class;
}

/* ---- threads ---- */

static inline pthread_t start_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    if (!CHECK_EQ(pthread_create(&thread, NULL, function, argument), 0)) {
        exit(1);
    }
    return thread;
}

static inline void join_at(pthread_t thread, const char *file, int line)
{
    struct timespec deadline = seconds_from_now(WAIT_SECONDS);
    if (pthread_timedjoin_np(thread, NULL, &deadline) != 0) {
        wait_failed(file, line, "a thread to end");
    }
}
#define JOIN(thread) join_at((thread), __FILE__, __LINE__)

/* The threads of this process whose name starts with prefix. */
static inline int threads_named(const char *prefix)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300];
        char name[32] = "";
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        FILE *comm = fopen(path, "r");
        if (comm == NULL) {
            continue; /* it has ended */
        }
        if (fgets(name, sizeof(name), comm) != NULL && strncmp(name, prefix, strlen(prefix)) == 0) {
            count++;
        }
        fclose(comm);
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
    return count;
}

static inline int all_threads(void)
{
    return threads_named("");
}

/* The calling thread, as thread_sleeps knows it. */
static inline long thread_id(void)
{
    return syscall(SYS_gettid);
}

/* Whether a thread of this process waits for something now. It cannot show that it will go on waiting. */
static inline int thread_sleeps(long id)
{
    char path[64];
    char line[512] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", id);
    FILE *stat = fopen(path, "r");
    if (stat == NULL) {
        return 0;
    }
    const char *state = fgets(line, sizeof(line), stat) == NULL ? NULL : strrchr(line, ')');
    fclose(stat);
    return state != NULL && state[2] == 'S';
}

/* A number of kilobytes from /proc/self/status, or -1. */
static inline long status_kb(const char *field)
{
    char line[256];
    long value = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':') {
            value = atol(line + strlen(field) + 1);
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return value;
}

/* Kilobytes of this process that belong to no file, counted by its pages: the figures of status lack what the
 * processors have not told yet, and pages of files come and go as the machine has room. */
static inline long anonymous_kb(void)
{
    char line[256];
    long value = -1;
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    while (rollup != NULL && fgets(line, sizeof(line), rollup) != NULL) {
        if (strncmp(line, "Anonymous:", 10) == 0) {
            value = atol(line + 10);
        }
    }
    if (rollup != NULL) {
        fclose(rollup);
    }
    return value >= 0 ? value : status_kb("VmRSS");
}

/* ---- child processes ---- */

/* Waits for the child; its status as waitpid gives it, or -1 after killing it because it took too long. */
static inline int child_status_at(pid_t child, double seconds, const char *file, int line)
{
    double end = seconds_now() + seconds;
    int status = 0;
    pid_t found;
    while ((found = waitpid(child, &status, WNOHANG)) == 0) {
        if (seconds_now() > end) {
            check_that(0, file, line, "a child process hangs");
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return -1;
        }
        pause_ms(2);
    }
    return found == child ? status : -1;
}
#define CHILD_STATUS(child) child_status_at((child), CHILD_SECONDS, __FILE__, __LINE__)

/* Runs a function in a child process, which exits with 0 if no check failed in it. */
static inline pid_t start_child(void (*scenario)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int failures = __atomic_load_n(&check_failures, __ATOMIC_RELAXED);
        scenario();
        fflush(NULL);
        _exit(__atomic_load_n(&check_failures, __ATOMIC_RELAXED) == failures ? 0 : 1);
    }
    CHECK(child > 0);
    return child;
}

/* Fails unless the child exits in time with this code. */
static inline void expect_exit_at(pid_t child, int code, const char *file, int line)
{
    int status = child_status_at(child, CHILD_SECONDS, file, line);
    char text[128];
    if (status == -1) {
        return; /* said already */
    }
    snprintf(text, sizeof(text), "the child ended with %s %d, not with exit code %d",
             WIFSIGNALED(status) ? "signal" : "exit code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), code);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == code, file, line, text);
}
#define EXPECT_EXIT(child, code) expect_exit_at((child), (code), __FILE__, __LINE__)
#define IN_CHILD(scenario) EXPECT_EXIT(start_child(scenario), 0)

#endif
