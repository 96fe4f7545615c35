/*
 * test_pools.c - pools: what is predefined, names and settings, deferring.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pools.h"

/* ---- names and settings ---- */

static void the_predefined_pools_are_the_originals(void)
{
    static const struct {
        const char *name;
        int job_class, concurrency;
    } pools[] = {
        {"CPU", ECTP_CLASS_CPU, 4},
        {"IO", ECTP_CLASS_IO, 50},
        {"SwapOut", ECTP_CLASS_SWAPOUT, 5},
        {"SwapIn", ECTP_CLASS_SWAPIN, 5},
        {"Close", ECTP_CLASS_CLOSE, 0},
        {"Unlink", ECTP_CLASS_UNLINK, 6},
        {"Batch_Unlink", ECTP_CLASS_BATCH_UNLINK, 4},
        {"SpoolIn", ECTP_CLASS_SPOOL_IN, 1},
        {"Async_Bounce", ECTP_CLASS_ASYNC_BOUNCE, 4},
        {"Sieve_IO", ECTP_CLASS_SIEVE_IO, 10},
    };
    CHECK_EQ(ec_thread_pool_count(), 10);
    for (int i = 0; i < 10; i++) {
        char other_case[32];
        snprintf(other_case, sizeof(other_case), "%s", pools[i].name);
        for (char *c = other_case; *c != '\0'; c++) {
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        CHECK_EQ(ec_thread_pool_name_to_class(pools[i].name), pools[i].job_class);
        CHECK_EQ(ec_thread_pool_name_to_class(other_case), pools[i].job_class);
        fj_pool_stats stats = stats_of(pools[i].job_class);
        CHECK_STR(stats.name, pools[i].name);
        CHECK_EQ(stats.job_class, pools[i].job_class);
        CHECK_EQ(stats.concurrency, pools[i].concurrency);
        CHECK_EQ(stats.num_threads, 0); /* none before the first job */
        CHECK_EQ(ec_thread_pool_get_queue_size(pools[i].job_class), 0);
    }
    CHECK_EQ(ec_thread_pool_name_to_class("Short_Lived"), ECTP_CLASS_SHORT_LIVED);
    CHECK_EQ(ec_thread_pool_name_to_class("SHORT_LIVED"), ECTP_CLASS_SHORT_LIVED);
}

static void created_pools_get_the_next_numbers(void)
{
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.created.%d", i);
        int expected = ec_thread_pool_count();
        CHECK_EQ(ec_thread_pool_create_module(NULL, name, i, 0, 0), expected);
        memset(name, 'x', 5); /* it was copied */
        CHECK_EQ(ec_thread_pool_count(), expected + 1);
        CHECK_EQ(stats_of(expected).concurrency, i);
        snprintf(name, sizeof(name), "POOLS.created.%d", i);
        CHECK_EQ(ec_thread_pool_name_to_class(name), expected);
        ec_async_job job;
        CHECK(QUEUE(job_with_semaphore(&job, expected, do_nothing, NULL, &s_done)));
        AWAIT(&s_done);
    }
    int utf8 = ec_thread_pool_create_module(NULL, "Straße", 1, 0, 0);
    CHECK(utf8 > 0);
    CHECK_EQ(ec_thread_pool_name_to_class("Straße"), utf8);
    CHECK_STR(stats_of(utf8).name, "Straße");
}

static void a_thousand_idle_pools_cost_no_thread(void)
{
    int threads = all_threads();
    int first = ec_thread_pool_count();
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.many.%d", i);
        CHECK_EQ(ec_thread_pool_create_module(NULL, name, 8, 0, 0), first + i);
    }
    CHECK(all_threads() <= threads);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, first + 999, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    CHECK(all_threads() <= threads + 1); /* one job, one thread */
    ec_thread_pool_auto_shrink(first + 999);
    POLL(all_threads() <= threads);
}

/* ---- deferred ---- */

static void deferred_pools_collect_jobs(void)
{
    enum { JOBS = 50 };
    ec_async_job jobs[JOBS];
    int pool = new_pool("pools.defer", 3);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS);
    CHECK_EQ(stats_of(pool).num_threads, 0);
    CHECK_EQ(stats_of(pool).queue_sz, JOBS);
    CHECK_EQ(threads_named("pools.defe"), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, JOBS);
}

static void deferring_a_running_pool_lets_jobs_end_and_starts_none(void)
{
    int pool = new_pool("pools.defer2", 2);
    struct crowd crowd = CROWD(2);
    struct held held = {.crowd = &crowd};
    ec_async_job jobs[6];
    new_semaphore(&held.leave, 0);
    for (int i = 0; i < 6; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stay, &held, &s_done));
    }
    POLL(get(&crowd.started) == 2);
    ec_thread_pool_defer_spawn(pool, 1);
    set(&crowd.limit, 0); /* a job that starts now is one too many */
    sem_post(&held.leave);
    sem_post(&held.leave);
    AWAIT_TIMES(&s_done, 2);
    POLL(stats_of(pool).num_active_threads == 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 4);
    CHECK_EQ(get(&crowd.started), 2);
    set(&crowd.limit, 2);
    ec_thread_pool_defer_spawn(pool, 0);
    for (int i = 0; i < 4; i++) {
        sem_post(&held.leave);
    }
    AWAIT_TIMES(&s_done, 4);
    CHECK_EQ(get(&crowd.over), 0);
    sem_destroy(&held.leave);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(the_predefined_pools_are_the_originals);
    RUN(created_pools_get_the_next_numbers);
    RUN(a_thousand_idle_pools_cost_no_thread);
    RUN(deferred_pools_collect_jobs);
    RUN(deferring_a_running_pool_lets_jobs_end_and_starts_none);
    return check_report();
}
