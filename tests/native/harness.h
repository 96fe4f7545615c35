/*
 * harness.h - what the tests of the C ABI share: jobs in one line, threads and child processes, and the waits
 * of harness_waits.h.
 */
#ifndef FASTJOBS_TESTS_HARNESS_H
#define FASTJOBS_TESTS_HARNESS_H

#include "harness_waits.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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
