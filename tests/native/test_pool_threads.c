/*
 * test_pool_threads.c - the threads of pools: when they go, their stacks, names and hooks, jobs that end
 * them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static sem_t s_done;

/* ---- threads that go ---- */

static void use_all_threads(int pool, int threads)
{
    struct gate gate = GATE_CLOSED;
    ec_async_job *jobs = calloc((size_t)threads, sizeof(*jobs));
    for (int i = 0; i < threads; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done));
    }
    GATE_AWAIT(&gate, threads);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, threads);
    free(jobs);
}

static void with_auto_shrink_idle_threads_end(void)
{
    int pool = new_pool("shrinking", 5);
    use_all_threads(pool, 5);
    CHECK(threads_named("shrinking-") > 0);
    ec_thread_pool_auto_shrink(pool);
    POLL(threads_named("shrinking-") == 0);
    POLL(stats_of(pool).num_threads == 0);
    for (int i = 0; i < 3; i++) { /* new ones come for new jobs, and go */
        use_all_threads(pool, 5);
        POLL(threads_named("shrinking-") == 0);
    }
    POLL(stats_of(pool).num_threads == 0);
    CHECK_EQ(stats_of(pool).invocations, 20);
}

static void with_an_idle_timeout_idle_threads_end(void)
{
    int pool = new_pool("idling", 5);
    use_all_threads(pool, 5);
    CHECK_EQ(fj_pool_set_idle_timeout(pool, 20), 1);
    POLL(threads_named("idling-") == 0);
    use_all_threads(pool, 5);
    POLL(threads_named("idling-") == 0);
    CHECK_EQ(fj_pool_set_idle_timeout(pool, 0), 1); /* never */
    use_all_threads(pool, 5);
    CHECK_EQ(threads_named("idling-"), 5);
    CHECK_EQ(stats_of(pool).num_threads, 5);
}

/* ---- stacks and names ---- */

struct thread_facts {
    size_t stack_size;
    char name[32];
};

static void read_thread_facts(ec_async_job *job, void *closure)
{
    (void)job;
    struct thread_facts *facts = closure;
    pthread_attr_t attributes;
    CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQ(pthread_attr_getstacksize(&attributes, &facts->stack_size), 0);
    pthread_attr_destroy(&attributes);
    CHECK_EQ(pthread_getname_np(pthread_self(), facts->name, sizeof(facts->name)), 0);
}

static struct thread_facts facts_of(int pool)
{
    struct thread_facts facts = {0};
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, read_thread_facts, &facts, &s_done));
    AWAIT(&s_done);
    return facts;
}

static void touch_stack(ec_async_job *job, void *size)
{
    volatile char bytes[4096];
    size_t left = *(size_t *)size;
    bytes[0] = (char)left;
    if (left > 2 * sizeof(bytes)) {
        left -= 2 * sizeof(bytes); /* its frame is somewhat larger than the array */
        touch_stack(job, &left);
    }
    bytes[1] = bytes[0]; /* not a tail call */
}

static void stack_sizes_are_kept(void)
{
#if defined(THREAD_SANITIZER)
    return; /* it makes stacks larger, and uses them */
#endif
    static const size_t sizes[] = {128 * 1024, 256 * 1024, 1024 * 1024, 16 * 1024 * 1024};
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof(name), "stack.%zu", sizes[i]);
        int pool = ec_thread_pool_create_module(NULL, name, 1, sizes[i], 0);
        size_t actual = facts_of(pool).stack_size;
        CHECK(actual >= sizes[i] && actual <= sizes[i] + 128 * 1024);
        size_t use = sizes[i] / 2; /* and are there to be used */
        ec_async_job job;
        QUEUE(job_with_semaphore(&job, pool, touch_stack, &use, &s_done));
        AWAIT(&s_done);
    }
    pthread_attr_t defaults;
    size_t expected = 0;
    pthread_getattr_default_np(&defaults);
    pthread_attr_getstacksize(&defaults, &expected);
    int pool = new_pool("stack.default", 1);
    size_t actual = facts_of(pool).stack_size;
    CHECK(actual >= expected && actual <= expected + 128 * 1024);

    /* A change counts for threads that start after it. */
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 512 * 1024), 1);
    CHECK(facts_of(pool).stack_size >= expected);
    ec_thread_pool_auto_shrink(pool);
    POLL(stats_of(pool).num_threads == 0);
    actual = facts_of(pool).stack_size;
    CHECK(actual >= 512 * 1024 && actual <= 640 * 1024);
    POLL(stats_of(pool).num_threads == 0);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 0), 1);
    CHECK(facts_of(pool).stack_size >= expected);
    POLL(threads_named("stack.default") == 0); /* none is left to end under the hooks of a later test */
}

static void thread_names_say_the_pool(void)
{
    int named = new_pool("Gardeners", 3);
    struct thread_facts facts = facts_of(named);
    CHECK(strncmp(facts.name, "Gardeners", 9) == 0);
    CHECK(threads_named("Gardeners") >= 1);
    use_all_threads(named, 3);
    CHECK_EQ(threads_named("Gardeners"), 3);
    int longer = new_pool("A pool with a very long name", 2);
    facts = facts_of(longer);
    CHECK(strncmp(facts.name, "A pool with", 11) == 0);
    CHECK(strlen(facts.name) <= 15);
    CHECK(strncmp(facts_of(ECTP_CLASS_CPU).name, "CPU", 3) == 0);
    int utf8 = new_pool("ÄÖÜäöüßéèêàâç", 1); /* cut, not crashed */
    CHECK(strlen(facts_of(utf8).name) > 0);
}

/* ---- hooks ---- */

struct hooks {
    long started, ended, wrong;
    int expected_class; /* FJ_ALL_POOLS: any */
};
static _Thread_local struct hooks *t_started;

static void on_start(int job_class, void *closure)
{
    struct hooks *hooks = closure;
    if (t_started != NULL || (hooks->expected_class != FJ_ALL_POOLS && hooks->expected_class != job_class)) {
        add(&hooks->wrong, 1);
    }
    t_started = hooks;
    add(&hooks->started, 1);
}

static void on_exit_of_worker(int job_class, void *closure)
{
    struct hooks *hooks = closure;
    if (t_started != hooks || (hooks->expected_class != FJ_ALL_POOLS && hooks->expected_class != job_class)) {
        add(&hooks->wrong, 1);
    }
    t_started = NULL;
    add(&hooks->ended, 1);
}

static void expect_started(ec_async_job *job, void *hooks)
{
    (void)job;
    CHECK(t_started == hooks); /* before the first job of the thread */
}

static void hooks_run_in_each_worker_of_the_pool(void)
{
    int pool = new_pool("hooked", 4);
    static struct hooks hooks;
    hooks.expected_class = pool;
    CHECK_EQ(fj_pool_set_worker_hooks(pool, on_start, on_exit_of_worker, &hooks), 1);
    CHECK_EQ(get(&hooks.started), 0);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, expect_started, &hooks, &s_done));
    AWAIT(&s_done);
    use_all_threads(pool, 4);
    CHECK_EQ(get(&hooks.started), 4);
    CHECK_EQ(get(&hooks.ended), 0);
    ec_thread_pool_auto_shrink(pool);
    POLL(get(&hooks.ended) == 4);
    use_all_threads(pool, 4);
    POLL(threads_named("hooked-") == 0);
    POLL(get(&hooks.started) == get(&hooks.ended));
    CHECK_EQ(get(&hooks.wrong), 0);
    CHECK_EQ(fj_pool_set_worker_hooks(pool, NULL, NULL, NULL), 1);
    long started = get(&hooks.started);
    use_all_threads(pool, 4);
    CHECK_EQ(get(&hooks.started), started);
}

static void hooks_of_all_pools_include_later_pools(void)
{
    static struct hooks hooks = {.expected_class = FJ_ALL_POOLS};
    int before = new_pool("hooked.before", 1);
    CHECK_EQ(fj_pool_set_worker_hooks(FJ_ALL_POOLS, on_start, on_exit_of_worker, &hooks), 1);
    int after = new_pool("hooked.after", 1);
    ec_async_job job;
    int pools[] = {before, after};
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&job, pools[i], expect_started, &hooks, &s_done));
        AWAIT(&s_done);
        CHECK_EQ(get(&hooks.started), i + 1);
        ec_thread_pool_auto_shrink(pools[i]);
        POLL(get(&hooks.ended) == i + 1);
    }
    CHECK_EQ(get(&hooks.wrong), 0);
    CHECK_EQ(fj_pool_set_worker_hooks(FJ_ALL_POOLS, NULL, NULL, NULL), 1);
}

static void queue_in_start_hook(int job_class, void *closure)
{
    static ec_async_job job;
    (void)job_class;
    QUEUE(job_with_semaphore(&job, ECTP_CLASS_CPU, do_nothing, NULL, closure));
}

static void a_hook_may_use_the_library(void)
{
    int pool = new_pool("hooked.using", 1);
    sem_t from_hook;
    CHECK_EQ(fj_pool_set_worker_hooks(pool, queue_in_start_hook, NULL, new_semaphore(&from_hook, 0)), 1);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    AWAIT(&from_hook);
    sem_destroy(&from_hook);
}

/* ---- jobs that end their thread ---- */

static void end_thread(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    pthread_exit(NULL);
}

static void a_worker_that_a_job_ends_is_replaced(void)
{
    enum { KILLS = 40 };
    int pool = new_pool("killed", 2);
    static struct hooks hooks;
    hooks.expected_class = pool;
    fj_pool_set_worker_hooks(pool, on_start, on_exit_of_worker, &hooks);
    static ec_async_job kills[KILLS], jobs[KILLS];
    for (int i = 0; i < KILLS; i++) {
        job_init(&kills[i], pool, end_thread, NULL);
        QUEUE(&kills[i]);
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    AWAIT_TIMES(&s_done, KILLS);
    POLL(stats_of(pool).invocations == 2 * KILLS);
    use_all_threads(pool, 2); /* both places are still there */
    POLL(stats_of(pool).num_active_threads == 0);
    CHECK_EQ(stats_of(pool).num_threads, 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    CHECK_EQ(get(&hooks.ended), 0); /* not for a thread that a job ended */
    CHECK_EQ(get(&hooks.started), KILLS + 2);
    fj_pool_set_worker_hooks(pool, NULL, NULL, NULL);
}

static void end_thread_and_post(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(closure);
    pthread_exit(NULL);
}

static void check_scheduler_and_post(ec_async_job *job, void *closure)
{
    (void)job;
    CHECK_EQ(fj_is_scheduler_thread(), 1);
    sem_post(closure);
}

static void the_scheduler_thread_that_a_completion_ends_is_replaced(void)
{
    ec_async_job jobs[20];
    for (int i = 0; i < 20; i++) {
        job_with_callback(&jobs[i], ECTP_CLASS_CPU, do_nothing, NULL,
                          i % 2 == 0 ? end_thread_and_post : check_scheduler_and_post, &s_done);
        jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&jobs[i]);
    }
    AWAIT_TIMES(&s_done, 20);
    CHECK_EQ(fj_is_scheduler_thread(), 0);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(with_auto_shrink_idle_threads_end);
    RUN(with_an_idle_timeout_idle_threads_end);
    RUN(stack_sizes_are_kept);
    RUN(thread_names_say_the_pool);
    RUN(hooks_run_in_each_worker_of_the_pool);
    RUN(hooks_of_all_pools_include_later_pools);
    RUN(a_hook_may_use_the_library);
    RUN(a_worker_that_a_job_ends_is_replaced);
    RUN(the_scheduler_thread_that_a_completion_ends_is_replaced);
    return check_report();
}
