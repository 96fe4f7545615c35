/*
 * test_guest_masks.c - a host that reads its signals: no thread of the library may take one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <poll.h>
#include <sys/signalfd.h>

#include "guest.h"

static void write_mask(ec_async_job *job, void *mask)
{
    (void)job;
    pthread_sigmask(SIG_SETMASK, NULL, mask);
}

static void *use_from_thread(void *closure)
{
    use_everything();
    return closure;
}

static int s_handled;

static void count_signal(int signal)
{
    (void)signal;
    __atomic_add_fetch(&s_handled, 1, __ATOMIC_RELAXED);
}

static const int s_asynchronous[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,  SIGUSR2, SIGALRM,  SIGTERM,
                                     SIGCHLD, SIGCONT, SIGURG,  SIGWINCH, SIGIO,   SIGVTALRM};
enum { ASYNCHRONOUS = sizeof(s_asynchronous) / sizeof(*s_asynchronous) };

/* The library starts, and its workers too, while the host has nothing blocked; only then does the host block.
 */
static void signalfd_gets_every_signal(void)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (int i = 0; i < ASYNCHRONOUS; i++) {
        sigaddset(&mask, s_asynchronous[i]);
        signal(s_asynchronous[i], count_signal);
    }
    use_everything();
    JOIN(start_thread(use_from_thread, NULL));
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    int descriptor = signalfd(-1, &mask, SFD_CLOEXEC);
    CHECK_OR_RETURN(descriptor >= 0);
    for (int round = 0; round < many(200); round++) {
        for (int i = 0; i < ASYNCHRONOUS; i++) {
            kill(getpid(),
                 s_asynchronous[i]); /* to the process: any thread that does not block it may take it */
            struct pollfd readable = {descriptor, POLLIN, 0};
            struct signalfd_siginfo info;
            if (!CHECK_EQ(poll(&readable, 1, WAIT_SECONDS * 1000), 1)) {
                return;
            }
            CHECK_EQ(read(descriptor, &info, sizeof(info)), sizeof(info));
            CHECK_EQ(info.ssi_signo, s_asynchronous[i]);
        }
    }
    CHECK_EQ(__atomic_load_n(&s_handled, __ATOMIC_RELAXED), 0);
    close(descriptor);
}

static void workers_block_asynchronous_signals_only(void)
{
    sigset_t mask;
    run_one_job(ECTP_CLASS_CPU, write_mask, &mask);
    for (int i = 0; i < ASYNCHRONOUS; i++) {
        CHECK_EQ(sigismember(&mask, s_asynchronous[i]), 1);
    }
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        CHECK_EQ(sigismember(&mask, own[i]), 0);
    }
}

/* Whatever the thread that finds the backlog full makes the library do, it starts no thread with open
 * signals. */
struct full {
    int pool;
    long tid;
};

static void *submit_into_a_full_pool(void *closure)
{
    struct full *full = closure;
    full->tid = thread_id();
    ec_async_job job;
    sem_t done;
    new_semaphore(&done, 0);
    for (int i = 0; i < 1000; i++) {
        QUEUE(job_with_semaphore(&job, full->pool, do_nothing, NULL, &done));
        AWAIT(&done);
    }
    return NULL;
}

static void submitters_that_wait_start_no_thread_with_open_signals(void)
{
    enum { SUBMITTERS = 6 };
    pthread_t submitters[SUBMITTERS];
    struct full full[SUBMITTERS];
    int pool = ec_thread_pool_create_module(NULL, "test-full", 1, 0, 1);
    CHECK(pool >= 0);
    for (int i = 0; i < SUBMITTERS; i++) {
        full[i].pool = pool;
        submitters[i] = start_thread(submit_into_a_full_pool, &full[i]);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        char path[64];
        JOIN(submitters[i]);
        /* It may be listed for another moment, with its open signals. */
        snprintf(path, sizeof path, "/proc/self/task/%ld", full[i].tid);
        POLL(access(path, F_OK) != 0);
    }
    DIR *tasks = opendir("/proc/self/task");
    CHECK_OR_RETURN(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[256];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = entry->d_name[0] == '.' || atoi(entry->d_name) == getpid() ? NULL : fopen(path, "r");
        unsigned long long blocked;
        while (status != NULL && fgets(line, sizeof line, status) != NULL) {
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1) {
                CHECK((blocked >> (SIGTERM - 1) & 1) != 0);
            }
        }
        if (status != NULL) {
            fclose(status);
        }
    }
    closedir(tasks);
}

/* Even then: all signals blocked in every thread of the host before the library starts. */
static void a_host_that_blocks_everything_works(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (int i = 0; i < 50; i++) {
        use_everything();
    }
    for (int i = 0; i < 2000; i++) {
        fj_job_kind kinds[4];
        fj_pool_job_kinds(ECTP_CLASS_CPU, kinds, 4); /* allocates in the runtime: there are collections */
        run_one_job(ECTP_CLASS_CPU, do_nothing, NULL);
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(signalfd_gets_every_signal)                                                                            \
    X(workers_block_asynchronous_signals_only)                                                               \
    X(submitters_that_wait_start_no_thread_with_open_signals)                                                \
    X(a_host_that_blocks_everything_works)
EVERY_SCENARIO(CHILD)

int main(void)
{
    EVERY_SCENARIO(RUN_CHILD)
    return check_report();
}
