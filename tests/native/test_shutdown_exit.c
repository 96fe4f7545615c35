/*
 * test_shutdown_exit.c - processes that end without ec_thread_pool_shutdown, with jobs in flight.
 *
 * Each is this program, started again with an argument.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "shutdown.h"

enum { ENDED = 7 };

static void keep_busy(ec_async_job *job, void *closure)
{
    (void)closure;
    if (!ec_queue_async_job_(job, __FILE__, __LINE__, 0)) {
        add(&s_ran, 1); /* only after a shutdown, which does not happen */
    }
}

static void block_for_ever(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    while (1) {
        pause();
    }
}

static void in_scheduler_again(ec_async_job *job, void *closure)
{
    (void)closure;
    ec_queue_async_job_(job, __FILE__, __LINE__, 0);
}

static void end_here(ec_async_job *job, void *how)
{
    (void)job;
    if (how == NULL) {
        exit(ENDED);
    }
    _exit(ENDED);
}

static void *submit_for_ever(void *closure)
{
    while (1) {
        QUEUE(allocated(ECTP_CLASS_SIEVE_IO, do_nothing, NULL));
    }
    return closure;
}

static void at_exit(void)
{
    /* The library works in the host's exit handlers. */
    static ec_async_job job;
    job_init(&job, ECTP_CLASS_SHORT_LIVED, count, NULL);
    if (!ec_queue_async_job(&job) || get(&s_ran) != 1) {
        _exit(1);
    }
}

/* All kinds of jobs in flight, then the end. */
static int end_with_jobs_in_flight(const char *how)
{
    static ec_async_job busy[4], blocked[3], waiting[50], scheduled[2], ending;
    static sem_t never;
    atexit(at_exit);
    sem_init(&s_done, 0, 0);
    sem_init(&never, 0, 0);
    int blocked_pool = ec_thread_pool_create_module(NULL, "blocked", 2, 0, 0);
    for (int i = 0; i < 4; i++) {
        job_init(&busy[i], ECTP_CLASS_CPU, keep_busy, NULL);
        QUEUE(&busy[i]);
    }
    for (int i = 0; i < 3; i++) {
        job_init(&blocked[i], blocked_pool, block_for_ever, NULL);
        QUEUE(&blocked[i]);
    }
    for (int i = 0; i < 50; i++) {
        job_init(&waiting[i], ECTP_CLASS_IO, block_for_ever, NULL);
        waiting[i].concurrency = &never;
        QUEUE(&waiting[i]);
    }
    for (int i = 0; i < 2; i++) {
        job_with_callback(&scheduled[i], ECTP_CLASS_SWAPIN, do_nothing, NULL, in_scheduler_again, NULL);
        scheduled[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&scheduled[i]);
    }
    start_thread(submit_for_ever, NULL);
    POLL(stats_of(ECTP_CLASS_SIEVE_IO).invocations > 100);
    if (strcmp(how, "return") == 0) {
        return ENDED;
    }
    if (strcmp(how, "exit") == 0) {
        exit(ENDED);
    }
    if (strcmp(how, "_exit") == 0) {
        _exit(ENDED);
    }
    if (strcmp(how, "job-exit") == 0 || strcmp(how, "job-_exit") == 0) {
        job_init(&ending, ECTP_CLASS_SWAPOUT, end_here, strcmp(how, "job-exit") == 0 ? NULL : &ending);
        QUEUE(&ending);
    }
    if (strcmp(how, "scheduler-exit") == 0) {
        job_with_callback(&ending, ECTP_CLASS_SWAPOUT, do_nothing, NULL, end_here, NULL);
        ending.completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&ending);
    }
    AWAIT(&never);
    return 1;
}

static const char *s_program;

static void expect_prompt_end(const char *how)
{
    for (int i = 0; i < many(5); i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", s_program, how, (char *)NULL);
            _exit(127);
        }
        int status = CHILD_STATUS(child);
        if (!CHECK(status != -1 && WIFEXITED(status)) || !CHECK_EQ(WEXITSTATUS(status), ENDED)) {
            fprintf(stderr, "  with %s: status 0x%x\n", how, status);
            return;
        }
    }
}

#define ENDS(name, how)                                                                                      \
    static void name(void)                                                                                   \
    {                                                                                                        \
        expect_prompt_end(how);                                                                              \
    }
ENDS(return_from_main_with_jobs_in_flight, "return")
ENDS(exit_with_jobs_in_flight, "exit")
ENDS(_exit_with_jobs_in_flight, "_exit")
ENDS(exit_in_a_job, "job-exit")
ENDS(_exit_in_a_job, "job-_exit")
ENDS(exit_in_the_scheduler_thread, "scheduler-exit")

int main(int argc, char **argv)
{
    s_program = argv[0];
    if (argc > 1) {
        return end_with_jobs_in_flight(argv[1]);
    }
    RUN(return_from_main_with_jobs_in_flight);
    RUN(exit_with_jobs_in_flight);
    RUN(_exit_with_jobs_in_flight);
    RUN(exit_in_a_job);
    RUN(_exit_in_a_job);
    RUN(exit_in_the_scheduler_thread);
    return check_report();
}
