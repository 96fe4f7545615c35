/*
 * test_guest_signals.c - the signals of a host: its dispositions and masks are kept, and the faults in its
 * jobs are its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/mman.h>
#include <sys/resource.h>

#include "guest.h"

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

/* ---- faults in jobs ---- */

static int s_handled;
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

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(default_dispositions_are_kept)                                                                         \
    X(handlers_of_every_kind_are_kept)                                                                       \
    X(a_handler_installed_before_gets_the_fault)                                                             \
    X(a_handler_installed_afterwards_gets_the_fault)
EVERY_SCENARIO(CHILD)

int main(void)
{
    EVERY_SCENARIO(RUN_CHILD)
    RUN(sigpipe_kills_or_is_ignored_as_the_host_has_it);
    RUN(without_a_handler_a_fault_ends_the_process_as_ever);
    return check_report();
}
