/*
 * test_call_jobs.c - calls (fj_call.h) are jobs: they count, wait, are listed and traced, and fail as jobs
 * do.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "calls.h"

void wait_at_gate(void *gate); /* not static: listings name it */
void wait_at_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

/* ---- they are jobs ---- */

struct seen {
    int count;
    fj_queued_job last;
    char label[64];
};

static int see(const fj_queued_job *job, void *closure)
{
    struct seen *seen = closure;
    seen->count++;
    seen->last = *job;
    snprintf(seen->label, sizeof(seen->label), "%s", job->label);
    return 0;
}

static void calls_count_and_are_listed_by_their_function(void)
{
    struct gate gate = GATE_CLOSED;
    int pool = new_pool("call.listed", 1);
    fj_job_kind kinds[4];
    struct seen seen = {0};
    fj_call(pool, wait_at_gate, &gate);
    GATE_AWAIT(&gate, 1);
    fj_call(pool, wait_at_gate, &gate);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    CHECK_EQ(fj_pool_list_jobs(pool, see, &seen), 1);
    CHECK_EQ(seen.count, 1);
    CHECK(seen.last.job == NULL);
    CHECK_EQ(seen.last.state, FJ_JOB_QUEUED);
    CHECK_STR(seen.label, "wait_at_gate");
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 1);
    CHECK(kinds[0].file == NULL);
    CHECK_EQ(kinds[0].job_num_queued, 1);
    CHECK_EQ(kinds[0].job_num_running, 1);
    gate_open(&gate);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 0);
    CHECK_EQ(stats_of(pool).invocations, 2);
}

struct waiting_caller {
    int pool, result;
    long done;
    void *closure;
    int each;
};

static void *call_into_full_pool(void *argument)
{
    struct waiting_caller *caller = argument;
    void *closures[] = {caller->closure, caller->closure, caller->closure};
    caller->result = caller->each ? fj_call_each(caller->pool, post_call, closures, 3)
                                  : fj_call(caller->pool, post_call, caller->closure);
    set(&caller->done, 1);
    return NULL;
}

static void a_call_waits_for_room_in_the_backlog(void)
{
    for (int each = 0; each < 2; each++) {
        struct gate gate = GATE_CLOSED;
        sem_t ran;
        int pool = new_pool(each ? "call.full.each" : "call.full", 1);
        struct waiting_caller caller = {.pool = pool, .closure = &ran, .each = each};
        pthread_t thread;
        CHECK_EQ(ec_thread_pool_set_backlog(pool, 1), 1);
        new_semaphore(&ran, 0);
        fj_call(pool, wait_at_gate, &gate);
        GATE_AWAIT(&gate, 1);
        fj_call(pool, post_call, &ran);
        thread = start_thread(call_into_full_pool, &caller);
        pause_ms(20); /* time to be wrong in */
        CHECK_EQ(get(&caller.done), 0);
        gate_open(&gate);
        JOIN(thread);
        CHECK_EQ(caller.result, each ? 3 : 1);
        AWAIT_TIMES(&ran, each ? 4 : 2);
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        sem_destroy(&ran);
    }
}

static pthread_t ran_in;

static void note_thread(void *count)
{
    ran_in = pthread_self();
    add(count, 1);
}

static void a_pool_without_concurrency_runs_calls_at_once(void)
{
    int pools[] = {new_pool("call.inline", 0), ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 2; i++) {
        long count = 0;
        void *closures[] = {&count, &count, &count};
        memset(&ran_in, 0, sizeof(ran_in));
        CHECK_EQ(fj_call(pools[i], note_thread, &count), 1);
        CHECK_EQ(count, 1);
        CHECK(pthread_equal(ran_in, pthread_self()));
        CHECK_EQ(fj_call_each(pools[i], note_thread, closures, 3), 3);
        CHECK_EQ(count, 4);
    }
}

static void clear_next(void *next)
{
    if (next != NULL)
        *(void **)next = NULL;
}

static void a_call_that_runs_at_once_may_change_the_next(void)
{
    int pools[] = {new_pool("call.inline.change", 0), ECTP_CLASS_SHORT_LIVED};
    for (int i = 0; i < 2; i++) {
        void *closures[] = {&closures[1], &closures[2], &closures[0]};
        CHECK_EQ(fj_call_each(pools[i], clear_next, closures, 3), 3);
        CHECK(closures[0] == NULL); /* by the third, which the second did not change */
        CHECK(closures[2] == &closures[0]);
    }
}

static void end_thread(void *semaphore)
{
    sem_post(semaphore);
    pthread_exit(NULL);
}

static sem_t *ended;

static void end_thread_oddly(void *closure)
{
    (void)closure;
    end_thread(ended);
}

static void a_call_may_end_its_thread(void)
{
    int pool = new_pool("call.exit", 1);
    sem_t ran;
    new_semaphore(&ran, 0);
    ended = &ran;
    fj_call(pool, end_thread, &ran);
    fj_call(pool, end_thread_oddly, (void *)UINTPTR_MAX); /* made a job, of which nothing may be left */
    fj_call(pool, post_call, &ran);
    AWAIT_TIMES(&ran, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(stats_of(pool).invocations, 3);
    sem_destroy(&ran);
}

struct traced {
    long kinds[5], others;
};

static void trace(const fj_trace_event *event, void *closure)
{
    struct traced *traced = closure;
    add(&traced->kinds[event->kind], 1);
    add(&traced->others, (uintptr_t)event->worker != (uintptr_t)add_one);
}

static void a_trace_sees_calls(void)
{
    int pool = new_pool("call.trace", 1);
    struct traced traced = {{0}, 0};
    long count = 0;
    void *closures[] = {&count, &count};
    CHECK_EQ(fj_trace_set(trace, &traced), 1);
    fj_call(pool, add_one, &count);
    fj_call_each(pool, add_one, closures, 2);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(get(&count), 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_QUEUED], 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_STARTED], 3);
    CHECK_EQ(traced.kinds[FJ_TRACE_COMPLETED], 3);
    CHECK_EQ(traced.others, 0);
}

/* ---- what fails ---- */

static void wrong_calls_say_what_is_wrong(void)
{
    int pool = new_pool("call.errors", 1);
    long count = 0;
    void *closures[] = {&count};
    CHECK_EQ(fj_call(pool, NULL, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_STR(fj_last_error(), "fj_call: the function is NULL");
    CHECK_EQ(fj_call_each(pool, NULL, closures, 1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_call(12345, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_STR(fj_last_error(), "no pool has job class 12345");
    CHECK_EQ(fj_call(-2, add_one, (void *)-1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_call_each(12345, add_one, closures, 1), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_call_each(pool, add_one, closures, -1), 0);
    CHECK_STR(fj_last_error(), "fj_call_each: the count is negative");
    CHECK_EQ(fj_call_each(pool, add_one, NULL, 1), 0);
    CHECK_STR(fj_last_error(), "fj_call_each: closures is NULL");
    CHECK_EQ(fj_call_each(pool, add_one, NULL, 0), 0);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&count), 0);
}

static void after_a_shutdown_no_call_is_taken(void)
{
    int pool = new_pool("call.shutdown", 2);
    long count = 0;
    void *closures[100];
    for (int i = 0; i < 100; i++)
        closures[i] = &count;
    CHECK_EQ(fj_call_each(pool, add_one, closures, 100), 100);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&count), 100);
    CHECK_EQ(fj_call(pool, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(fj_call_each(pool, add_one, closures, 100), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(get(&count), 100);
}

int main(void)
{
    RUN(calls_count_and_are_listed_by_their_function);
    RUN(a_call_waits_for_room_in_the_backlog);
    RUN(a_pool_without_concurrency_runs_calls_at_once);
    RUN(a_call_that_runs_at_once_may_change_the_next);
    RUN(a_call_may_end_its_thread);
    RUN(a_trace_sees_calls);
    RUN(wrong_calls_say_what_is_wrong);
    RUN(after_a_shutdown_no_call_is_taken);
    return check_report();
}
