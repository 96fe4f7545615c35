/*
 * test_guest.c - the library as a guest in a process that belongs to somebody else: signals, forks, dlopen,
 * memory.
 *
 * Most tests need a process in which the library has not been used yet; they run in children forked by a main
 * program that never uses it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

static sem_t s_done;
static long s_ran;

static void count(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&s_ran, 1);
}

static void run_one_job(int job_class, ec_thread_pool_work_func worker, void *closure)
{
    ec_async_job job;
    sem_t done;
    new_semaphore(&done, 0);
    if (QUEUE(job_with_semaphore(&job, job_class, worker, closure, &done))) {
        AWAIT(&done);
    }
    sem_destroy(&done);
}

/* Uses every part of the library once: pools, scheduler, slots, figures. */
static void use_everything(void)
{
    ec_async_job job, two[2];
    sem_t slot, done;
    new_semaphore(&slot, 1);
    new_semaphore(&done, 0);
    run_one_job(ECTP_CLASS_CPU, do_nothing, NULL);
    run_one_job(ECTP_CLASS_IO, do_nothing, NULL);
    job_with_callback(&job, ECTP_CLASS_CPU, do_nothing, NULL, post, &done);
    job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&job);
    AWAIT(&done);
    for (int i = 0; i < 2; i++) {
        job_with_semaphore(&two[i], ECTP_CLASS_CPU, do_nothing, NULL, &done);
        two[i].concurrency = &slot;
        QUEUE(&two[i]);
    }
    AWAIT_TIMES(&done, 2);
    stats_of(ECTP_CLASS_CPU);
    fj_pool_job_kinds(ECTP_CLASS_CPU, NULL, 0);
    CHECK_EQ(sem_destroy(&slot), 0);
    CHECK_EQ(sem_destroy(&done), 0);
}

/* ---- signal dispositions and masks ---- */

static void on_signal(int signal)
{
    (void)signal;
}

static void on_signal_info(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
}

static void read_dispositions(struct sigaction *actions)
{
    for (int s = 1; s < NSIG; s++) {
        memset(&actions[s], 0, sizeof(actions[s]));
        sigaction(s, NULL, &actions[s]);
    }
}

static int differ(const struct sigaction *a, const struct sigaction *b)
{
    const int restorer = 0x04000000; /* the C library's own */
    for (int s = 1; s < NSIG; s++) {
        if (sigismember(&a->sa_mask, s) != sigismember(&b->sa_mask, s)) {
            return 1;
        }
    }
    return (a->sa_flags & ~restorer) != (b->sa_flags & ~restorer) ||
           ((a->sa_flags & SA_SIGINFO) != 0 ? a->sa_sigaction != b->sa_sigaction
                                            : a->sa_handler != b->sa_handler);
}

static void expect_dispositions_kept(void)
{
#if defined(THREAD_SANITIZER)
    return; /* sigaction answers with its own handlers */
#endif
    struct sigaction before[NSIG], after[NSIG];
    sigset_t mask_before, mask_after;
    sigemptyset(&mask_before);
    sigemptyset(&mask_after);
    read_dispositions(before);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    use_everything();
    read_dispositions(after);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (int s = 1; s < NSIG; s++) {
        if (s != SIGRTMIN && differ(&before[s], &after[s])) {
            char text[64];
            snprintf(text, sizeof(text), "the disposition of signal %d changed", s);
            check_that(0, __FILE__, __LINE__, text);
        }
        CHECK_EQ(sigismember(&mask_before, s), sigismember(&mask_after, s));
    }
}

static void default_dispositions_are_kept(void)
{
    expect_dispositions_kept();
}

static void handlers_of_every_kind_are_kept(void)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (int s = 1; s < NSIG; s++) {
        struct sigaction action;
        memset(&action, 0, sizeof(action));
        sigaddset(&action.sa_mask, s % 30 + 1);
        switch (s % 4) {
        case 0:
            action.sa_handler = SIG_IGN;
            break;
        case 1:
            action.sa_handler = on_signal;
            action.sa_flags = SA_RESTART;
            break;
        case 2:
            action.sa_sigaction = on_signal_info;
            action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
            break;
        default:
            action.sa_handler = SIG_DFL;
            break;
        }
        sigaction(s, &action, NULL); /* refused for a few */
        if (s % 5 == 0) {
            sigaddset(&mask, s);
        }
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    expect_dispositions_kept();
}

static void write_to_closed_pipe(void)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    CHECK_EQ(write(ends[1], "x", 1), -1);
    CHECK_EQ(errno, EPIPE);
    close(ends[1]);
}

static void write_in_job(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    write_to_closed_pipe();
}

static void write_in_main(void)
{
    use_everything();
    write_to_closed_pipe();
}

static void write_in_worker(void)
{
    run_one_job(ECTP_CLASS_CPU, write_in_job, NULL);
}

static void sigpipe_kills_or_is_ignored_as_the_host_has_it(void)
{
    static void (*const writers[])(void) = {write_in_main, write_in_worker};
    for (int i = 0; i < 2; i++) {
        signal(SIGPIPE, SIG_DFL); /* the children inherit it */
        int status = CHILD_STATUS(start_child(writers[i]));
        CHECK(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
        signal(SIGPIPE, SIG_IGN);
        IN_CHILD(writers[i]);
        signal(SIGPIPE, on_signal);
        IN_CHILD(writers[i]);
        signal(SIGPIPE, SIG_DFL);
    }
}

/* ---- a host that reads its signals: no thread of the library may take one ---- */

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
static void *submit_into_a_full_pool(void *closure)
{
    ec_async_job job;
    sem_t done;
    new_semaphore(&done, 0);
    for (int i = 0; i < 1000; i++) {
        QUEUE(job_with_semaphore(&job, *(int *)closure, do_nothing, NULL, &done));
        AWAIT(&done);
    }
    return NULL;
}

static void submitters_that_wait_start_no_thread_with_open_signals(void)
{
    enum { SUBMITTERS = 6 };
    pthread_t submitters[SUBMITTERS];
    int pool = ec_thread_pool_create_module(NULL, "test-full", 1, 0, 1);
    CHECK(pool >= 0);
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = start_thread(submit_into_a_full_pool, &pool);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(submitters[i]);
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

/* ---- faults in jobs ---- */

static void *s_page; /* not readable until the handler says so */

static void make_readable(int signal)
{
    (void)signal;
    mprotect(s_page, 4096, PROT_READ | PROT_WRITE);
    __atomic_add_fetch(&s_handled, 1, __ATOMIC_RELAXED);
}

static void fault(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    *(volatile char *)s_page = 1;
}

static void install_handler(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = make_readable;
    CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
}

static void new_page(void)
{
    s_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(s_page != MAP_FAILED);
}

static void a_handler_installed_before_gets_the_fault(void)
{
    new_page();
    install_handler();
    run_one_job(ECTP_CLASS_CPU, fault, NULL);
    CHECK_EQ(s_handled, 1);
    run_one_job(ECTP_CLASS_CPU, do_nothing, NULL);
}

static void a_handler_installed_afterwards_gets_the_fault(void)
{
    new_page();
    use_everything();
    install_handler();
    run_one_job(ECTP_CLASS_CPU, fault, NULL);
    CHECK_EQ(s_handled, 1);
    use_everything();
}

static void raise_in_job(ec_async_job *job, void *signal)
{
    (void)job;
    raise(*(int *)signal);
}

static int s_signal;

static void fault_scenario(void)
{
    new_page();
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer's handler */
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    run_one_job(ECTP_CLASS_CPU, fault, NULL);
}

static void raise_scenario(void)
{
    signal(s_signal, SIG_DFL);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    run_one_job(ECTP_CLASS_CPU, raise_in_job, &s_signal);
}

static void without_a_handler_a_fault_ends_the_process_as_ever(void)
{
    int status = CHILD_STATUS(start_child(fault_scenario));
    CHECK(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV); /* a shell says 139 */
    static const int own[] = {SIGABRT, SIGFPE, SIGBUS, SIGILL};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        s_signal = own[i];
        status = CHILD_STATUS(start_child(raise_scenario));
        CHECK(status != -1 && WIFSIGNALED(status));
        CHECK_EQ(WTERMSIG(status), own[i]);
    }
}

/* ---- fork ---- */

static void expect_forked_error(void)
{
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, do_nothing, NULL);
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED);
    CHECK(strstr(fj_last_error(), "fork") != NULL);
    job.job_class = ECTP_CLASS_SHORT_LIVED;
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(ec_thread_pool_name_to_class("CPU"), -2);
    CHECK_EQ(ec_thread_pool_create_module(NULL, "forked", 1, 0, 0), -1);
    CHECK_EQ(ec_thread_pool_get_queue_size(ECTP_CLASS_CPU), -1);
    CHECK_EQ(ec_thread_pool_shutdown(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
    ec_async_complete_tail(&job);
    ec_thread_pool_defer_spawn(ECTP_CLASS_CPU, 1);
    ec_thread_pool_auto_shrink(ECTP_CLASS_CPU);
    fj_pool_stats stats = {.struct_size = sizeof(stats)};
    CHECK_EQ(fj_pool_stats_get(ECTP_CLASS_CPU, &stats), 0);
    CHECK(fj_version()[0] != '\0');
#if !defined(THREAD_SANITIZER) && !defined(ADDRESS_SANITIZER)
    /* Needs no thread. The sanitizers' own malloc does not survive a fork while another thread is in it. */
    void *memory = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    CHECK(memory != NULL);
    ec_free(MEMTYPE_EC_ASYNC_JOB, memory);
#endif
}

static long s_stop;

static void *submit_until_stopped(void *closure)
{
    (void)closure;
    while (!get(&s_stop)) {
        ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
        job_with_callback(job, (int)(get(&s_ran) % 2), count, NULL, do_nothing, NULL);
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        QUEUE(job);
        fj_job_kind kinds[4];
        fj_pool_job_kinds(ECTP_CLASS_CPU, kinds, 4);
    }
    return NULL;
}

static void children_of_a_busy_parent_get_an_error_and_do_not_hang(void)
{
    enum { SUBMITTERS = 2, CHILDREN = 16 };
    pthread_t submitters[SUBMITTERS];
    use_everything();
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = start_thread(submit_until_stopped, NULL);
    }
    POLL(get(&s_ran) > 1000);
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = start_child(expect_forked_error);
    }
    for (int i = 0; i < CHILDREN; i++) {
        EXPECT_EXIT(children[i], 0);
    }
    set(&s_stop, 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(submitters[i]);
    }
    use_everything(); /* nothing has happened to the parent */
}

/* exit(), with the library's and the runtime's own handlers, in a child that has none of their threads. */
static void exit_in_forked_child_scenario(void)
{
    exit(0);
}

static void a_forked_child_may_call_exit(void)
{
    use_everything();
    for (int i = 0; i < 4; i++) {
        IN_CHILD(exit_in_forked_child_scenario);
    }
}

static void grandchild_scenario(void)
{
    expect_forked_error();
    IN_CHILD(expect_forked_error);
}

static void a_grandchild_gets_the_error_too(void)
{
    use_everything();
    IN_CHILD(grandchild_scenario);
}

static void fork_in_job(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    IN_CHILD(expect_forked_error);
}

static void a_job_may_fork(void)
{
    run_one_job(ECTP_CLASS_CPU, fork_in_job, NULL);
    use_everything();
}

static void fork_and_exec(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    EXPECT_EXIT(child, 0);
}

static void a_job_may_fork_and_exec(void)
{
    for (int i = 0; i < 5; i++) {
        run_one_job(ECTP_CLASS_IO, fork_and_exec, NULL);
    }
}

static void fork_before_the_first_use_scenario(void)
{
    IN_CHILD(use_everything);
    use_everything(); /* both */
    IN_CHILD(expect_forked_error);
}

static void fork_before_the_first_use_works_in_both(void)
{
    fork_before_the_first_use_scenario();
}

static void *first_use(void *barrier)
{
    pthread_barrier_wait(barrier);
    use_everything();
    return NULL;
}

/* What it finds depends on who came first: it works, or says why not; it does not hang. */
static void use_if_possible(void)
{
    ec_async_job job;
    if (ec_queue_async_job(job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done)) != 0) {
        AWAIT(&s_done);
    } else {
        CHECK_EQ(fj_last_error_code(), FJ_EFORKED);
    }
}

static void fork_during_the_first_use_does_not_hang(void)
{
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
    return; /* a child that may start the engine allocates: see expect_forked_error */
#endif
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread = start_thread(first_use, &barrier);
    pthread_barrier_wait(&barrier);
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = start_child(use_if_possible);
    }
    for (int i = 0; i < 8; i++) {
        EXPECT_EXIT(children[i], 0);
    }
    JOIN(thread);
}

/* ---- first use by many threads at once ---- */

static void many_threads_may_be_the_first(void)
{
    enum { THREADS = 8 };
    pthread_barrier_t barrier;
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(first_use, &barrier);
    }
    for (int i = 0; i < THREADS; i++) {
        JOIN(threads[i]);
    }
}

/* ---- dlopen ---- */

typedef int queue_function(ec_async_job *, const char *, int, int);

static char s_library[4096];

/* The path of the library that this program is linked with. */
static void find_library(void)
{
    Dl_info info;
    CHECK(dladdr((void *)(size_t)&ec_queue_async_job_, &info) != 0);
    snprintf(s_library, sizeof(s_library), "%s", info.dli_fname);
    void *self = dlsym(RTLD_DEFAULT, "fj_version");
    if (self != NULL && dladdr(self, &info) != 0) {
        snprintf(s_library, sizeof(s_library), "%s", info.dli_fname);
    }
}

static void open_use_and_close(void)
{
    void *library = dlopen(s_library, RTLD_NOW | RTLD_LOCAL);
    if (!CHECK(library != NULL)) {
        fprintf(stderr, "  %s\n", dlerror());
        return;
    }
    queue_function *queue;
    void *symbol = dlsym(library, "ec_queue_async_job_");
    memcpy(&queue, &symbol, sizeof(queue));
    CHECK_OR_RETURN(symbol != NULL);
    ec_async_job job;
    job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, &s_done);
    CHECK_EQ(queue(&job, __FILE__, __LINE__, 0), 1);
    AWAIT(&s_done);
    CHECK_EQ(dlclose(library), 0);
}

static void dlopen_and_dlclose_may_be_repeated(void)
{
    for (int i = 0; i < 20; i++) {
        open_use_and_close();
    }
    use_everything();
}

/* ---- memory ---- */

static void memory_is_modest(void)
{
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
    return; /* the sanitizers' shadow is larger than all else */
#endif
    use_everything();
    const long most_kb = 8L * 1024 * 1024;
    CHECK(status_kb("VmSize") < most_kb);
    CHECK(status_kb("VmRSS") < 100 * 1024);
    printf("       VmSize %ld MB, VmRSS %ld MB\n", status_kb("VmSize") / 1024, status_kb("VmRSS") / 1024);
    long before = status_kb("VmRSS");
    for (int i = 0; i < many(40000); i++) {
        run_one_job(i % 2, do_nothing, NULL);
        if (i == 1000) {
            before = status_kb("VmRSS");
        }
    }
    CHECK(status_kb("VmRSS") < before + 20 * 1024);
    CHECK(status_kb("VmSize") < most_kb);
}

/* A pool whose threads cannot be had: its jobs wait, and run when there is a thread again. */
static void jobs_wait_when_there_is_no_thread_to_be_had(void)
{
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
    return; /* they reserve more than there is */
#endif
    ec_async_job first, second;
    int pool = ec_thread_pool_create_module(NULL, "enormous", 2, 2000000000, 0);
    struct rlimit limit = {(rlim_t)status_kb("VmSize") * 1024 + (1 << 28), RLIM_INFINITY};
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    CHECK(QUEUE(job_with_semaphore(&first, pool, do_nothing, NULL, &s_done)));
    CHECK_EQ(stats_of(pool).num_threads, 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 256 * 1024), 1);
    CHECK(QUEUE(
        job_with_semaphore(&second, pool, do_nothing, NULL, &s_done))); /* the next submit tries again */
    AWAIT_TIMES(&s_done, 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
}

static void *queue_one(void *closure)
{
    ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    job_with_semaphore(job, (int)((size_t)closure % 3) - 1, count, NULL, &s_done); /* SHORT_LIVED, CPU, IO */
    job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
    QUEUE(job);
    return NULL;
}

static void threads_that_come_and_go_leave_nothing(void)
{
    enum { AT_ONCE = 4 };
    long resident = 0;
    int threads_before = 0;
    int rounds = many(20000) / AT_ONCE;
    for (int i = 0; i < rounds; i++) {
        pthread_t threads[AT_ONCE];
        for (int t = 0; t < AT_ONCE; t++) {
            threads[t] = start_thread(queue_one, (void *)(size_t)(i * AT_ONCE + t));
        }
        for (int t = 0; t < AT_ONCE; t++) {
            JOIN(threads[t]);
        }
        AWAIT_TIMES(&s_done, AT_ONCE);
        if (i == rounds / 4) { /* by now every worker has started and every cache is filled */
            resident = status_kb("VmRSS");
            threads_before = all_threads();
        }
    }
    CHECK_EQ(get(&s_ran), (long)rounds * AT_ONCE);
    int allowed = threads_before + 50; /* the pools may grow to their limits, no further */
    POLL(all_threads() <= allowed);
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage), 1);
    POLL(fj_memtype_usage_get(MEMTYPE_EC_ASYNC_JOB, &usage) == 1 && usage.objects == 0);
#if !defined(THREAD_SANITIZER) && !defined(ADDRESS_SANITIZER)
    CHECK(status_kb("VmRSS") < resident + 16 * 1024);
#else
    (void)resident;
#endif
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(default_dispositions_are_kept)                                                                         \
    X(handlers_of_every_kind_are_kept)                                                                       \
    X(signalfd_gets_every_signal)                                                                            \
    X(workers_block_asynchronous_signals_only)                                                               \
    X(submitters_that_wait_start_no_thread_with_open_signals)                                                \
    X(a_host_that_blocks_everything_works)                                                                   \
    X(a_handler_installed_before_gets_the_fault)                                                             \
    X(a_handler_installed_afterwards_gets_the_fault)                                                         \
    X(children_of_a_busy_parent_get_an_error_and_do_not_hang)                                                \
    X(a_forked_child_may_call_exit)                                                                          \
    X(a_grandchild_gets_the_error_too)                                                                       \
    X(a_job_may_fork)                                                                                        \
    X(a_job_may_fork_and_exec)                                                                               \
    X(fork_before_the_first_use_works_in_both)                                                               \
    X(fork_during_the_first_use_does_not_hang)                                                               \
    X(many_threads_may_be_the_first)                                                                         \
    X(dlopen_and_dlclose_may_be_repeated)                                                                    \
    X(memory_is_modest)                                                                                      \
    X(jobs_wait_when_there_is_no_thread_to_be_had)                                                           \
    X(threads_that_come_and_go_leave_nothing)

#define CHILD(scenario)                                                                                      \
    static void in_a_host_##scenario(void)                                                                   \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
EVERY_SCENARIO(CHILD)

int main(void)
{
    new_semaphore(&s_done, 0);
    find_library();
#define RUN_CHILD(scenario) RUN(in_a_host_##scenario);
    EVERY_SCENARIO(RUN_CHILD)
    RUN(sigpipe_kills_or_is_ignored_as_the_host_has_it);
    RUN(without_a_handler_a_fault_ends_the_process_as_ever);
    return check_report();
}
