/*
 * test_guest_fork.c - a host that forks, before, during and after the first use of the library; and first use
 * by many threads at once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "guest.h"

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

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(children_of_a_busy_parent_get_an_error_and_do_not_hang)                                                \
    X(a_forked_child_may_call_exit)                                                                          \
    X(a_grandchild_gets_the_error_too)                                                                       \
    X(a_job_may_fork)                                                                                        \
    X(a_job_may_fork_and_exec)                                                                               \
    X(fork_before_the_first_use_works_in_both)                                                               \
    X(fork_during_the_first_use_does_not_hang)                                                               \
    X(many_threads_may_be_the_first)
EVERY_SCENARIO(CHILD)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_CHILD)
    return check_report();
}
