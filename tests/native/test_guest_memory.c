/*
 * test_guest_memory.c - what the library takes of a host and leaves behind: dlopen and dlclose, memory,
 * threads.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <sys/resource.h>

#include "guest.h"

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
    long before = anonymous_kb();
    for (int i = 0; i < many(40000); i++) {
        run_one_job(i % 2, do_nothing, NULL);
        if (i == 1000) {
            before = anonymous_kb();
        }
    }
    CHECK(anonymous_kb() < before + 20 * 1024);
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
            resident = anonymous_kb();
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
    CHECK(anonymous_kb() < resident + 16 * 1024);
#else
    (void)resident;
#endif
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(dlopen_and_dlclose_may_be_repeated)                                                                    \
    X(memory_is_modest)                                                                                      \
    X(jobs_wait_when_there_is_no_thread_to_be_had)                                                           \
    X(threads_that_come_and_go_leave_nothing)
EVERY_SCENARIO(CHILD)

int main(void)
{
    new_semaphore(&s_done, 0);
    find_library();
    EVERY_SCENARIO(RUN_CHILD)
    return check_report();
}
