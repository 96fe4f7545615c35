/*
 * test_queues_run.c - inside a job and in a worker's thread: what a job can ask and say, the hooks, a job
 * that ends its thread, recycled threads.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static struct hooks {
    long started, ended, after;
} hooks;

static void *on_start(void *closure)
{
    add(&((struct hooks *)closure)->started, 1);
    CHECK(fj_run_current() == NULL);
    return (void *)(size_t)thread_id();
}

static void after_job(void *thread_state, void *closure)
{
    CHECK_EQ((long)(size_t)thread_state, thread_id());
    CHECK(fj_run_current() == NULL);
    add(&((struct hooks *)closure)->after, 1);
}

static void on_exit_of_thread(void *thread_state, void *closure)
{
    CHECK_EQ((long)(size_t)thread_state, thread_id());
    add(&((struct hooks *)closure)->ended, 1);
}

static fj_queue_set *queues;
static fj_queue *queue;

static void begin(int concurrency, const fj_queue_settings *settings)
{
    fj_queue_set_options options = {.struct_size = sizeof options,
                                    .name = "hooked",
                                    .settings = settings,
                                    .on_thread_start = on_start,
                                    .after_job = after_job,
                                    .on_thread_exit = on_exit_of_thread,
                                    .closure = &hooks};
    memset(&hooks, 0, sizeof hooks);
    queues = fj_queue_set_create(&options);
    CHECK(queues != NULL);
    queue = queue_in(queues, "a queue", concurrency);
}

static void end(void)
{
    fj_queue_release(queue);
    end_set(queues);
    CHECK_EQ(get(&hooks.ended), get(&hooks.started));
}

/* ---- the run ---- */

static int look_around(fj_run *run, void *expected_id)
{
    char id[32];
    CHECK(fj_run_current() == run);
    fj_job_id_text(fj_run_id(run), id, sizeof id);
    CHECK_STR(id, expected_id);
    CHECK_STR(fj_run_queue_name(run), "a queue");
    CHECK_EQ(fj_run_attempt(run), 1);
    CHECK_EQ(fj_run_is_cancelled(run), 0);
    CHECK_EQ((long)(size_t)fj_run_thread_state(run), thread_id());
    CHECK_EQ(threads_named("hooked-"), 1);
    OVER();
    return 0;
}

static void a_job_knows_itself(void)
{
    static const fj_work work = {sizeof(fj_work), "look", look_around, NULL, NULL};
    fj_job_id id;
    begin(1, NULL);
    CHECK(fj_run_current() == NULL);
    CHECK(fj_queue_add(queue, &work, "job0", NULL, &id));
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK(fj_queue_add(queue, &work, "an id", OPTIONS(.id = "an id"), &id));
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    POLL(get(&hooks.after) == 2);
    CHECK_EQ(get(&hooks.started), 1);
    end();
    POLL(threads_named("hooked-") == 0); /* the close has waited for their last hook */
}

static void outside_of_a_job_there_is_nothing_to_ask(void)
{
    CHECK_EQ(fj_run_id(NULL).number, -1);
    CHECK(fj_run_id(NULL).text == NULL);
    FAILS(fj_run_queue_name(NULL), FJ_EINVAL, "fj_run_queue_name: the run is NULL");
    FAILS(fj_run_attempt(NULL), FJ_EINVAL, "fj_run_attempt: the run is NULL");
    FAILS(fj_run_is_cancelled(NULL), FJ_EINVAL, "fj_run_is_cancelled: the run is NULL");
    FAILS(fj_run_thread_state(NULL), FJ_EINVAL, "fj_run_thread_state: the run is NULL");
    FAILS(fj_run_set_result(NULL, "", 0), FJ_EINVAL, "fj_run_set_result: the run is NULL");
    FAILS(fj_run_report(NULL, ""), FJ_EINVAL, "fj_run_report: the run is NULL");
    FAILS(fj_run_write(NULL, "", 0), FJ_EINVAL, "fj_run_write: the run is NULL");
}

/* A run is of its worker, so it is there after the job, with nothing to say. */
static fj_run *left_behind;

static int leave_behind(fj_run *run, void *closure)
{
    (void)closure;
    __atomic_store_n(&left_behind, run, __ATOMIC_RELEASE);
    OVER();
    return 0;
}

static void a_run_is_over_with_its_job(void)
{
    static const fj_work work = {sizeof(fj_work), "leave", leave_behind, NULL, NULL};
    begin(1, NULL);
    EXPECT(queue, ADD_WORK(queue, &work, NULL), FJ_OUTCOME_COMPLETED, 0, NULL);
    fj_run *run = __atomic_load_n(&left_behind, __ATOMIC_ACQUIRE);
    FAILS(fj_run_set_result(run, "late", 4), FJ_EINVAL, "fj_run_set_result: the job is over");
    FAILS(fj_run_report(run, "late"), FJ_EINVAL, "fj_run_report: the job is over");
    FAILS(fj_run_write(run, "late", 4), FJ_EINVAL, "fj_run_write: the job is over");
    FAILS(fj_run_queue_name(run), FJ_EINVAL, "fj_run_queue_name: the job is over");
    end();
}

/* ---- signals ---- */

static void check_mask(void)
{
    sigset_t blocked;
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    CHECK(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1));
    CHECK(!sigismember(&blocked, SIGSEGV) && !sigismember(&blocked, SIGPIPE));
}

static int look_at_mask(fj_run *run, void *closure)
{
    (void)run;
    (void)closure;
    check_mask();
    return 0;
}

static void release_in_timer(void *released)
{
    check_mask();
    sem_post(released);
}

static void signals_are_not_for_the_threads_of_queues(void)
{
    static const fj_work work = {sizeof(fj_work), "mask", look_at_mask, NULL, release_in_timer};
    sem_t released;
    new_semaphore(&released, 0);
    begin(1, NULL);
    CHECK(fj_queue_add(queue, &work, &released, OPTIONS(.expire_ms = 1), NULL));
    AWAIT(&released);
    sem_destroy(&released);
    end();
}

/* ---- a job that ends its thread ---- */

static int end_thread(fj_run *run, void *closure)
{
    struct state *state = closure;
    add(&state->ran, 1);
    if (state->result != NULL)
        fj_run_set_result(run, state->result, strlen(state->result));
    OVER();
    pthread_exit(NULL);
}

static const fj_work ends_thread = {sizeof(fj_work), "ends its thread", end_thread, NULL, release_state};

static void a_job_that_ends_its_thread_has_failed_and_another_thread_goes_on(void)
{
    enum { TIMES = 20 };
    struct state ends = {.result = "last words"};
    struct state works = {.result = "goes on"};
    begin(1, NULL);
    for (int i = 0; i < TIMES; i++) {
        fj_job_id end_id = ADD_WORK(queue, &ends_thread, &ends);
        fj_job_id work_id = ADD(queue, &works);
        EXPECT(queue, end_id, FJ_OUTCOME_FAILED, FJ_CODE_THREAD_ENDED, "last words");
        EXPECT(queue, work_id, FJ_OUTCOME_COMPLETED, 0, "goes on");
    }
    CHECK_EQ(get(&ends.ran), TIMES);
    CHECK_EQ(get(&ends.released), TIMES);
    POLL(get(&hooks.ended) == TIMES); /* in the thread itself, which the hook has looked at */
    end();
    CHECK(get(&hooks.started) > TIMES);
}

static void detached_jobs_that_end_their_threads_do_not_hold_up_the_close(void)
{
    enum { JOBS = 50 };
    struct state ends = {.ran = 0};
    begin(4, NULL);
    for (int i = 0; i < JOBS; i++) {
        job_given(&ends);
        CHECK(fj_queue_add(queue, &ends_thread, &ends, OPTIONS(.detached = 1), NULL));
    }
    end();
    CHECK_EQ(get(&ends.released), JOBS);
    CHECK(get(&hooks.started) >= JOBS);
}

static void a_job_that_ends_its_thread_is_tried_again(void)
{
    struct state ends = {.ran = 0};
    begin(1, NULL);
    fj_job_id id = add_at(queue, &ends_thread, &ends, OPTIONS(.max_attempts = 3), __FILE__, __LINE__);
    EXPECT(queue, id, FJ_OUTCOME_FAILED, FJ_CODE_THREAD_ENDED, NULL);
    CHECK_EQ(get(&ends.ran), 3);
    CHECK_EQ(get(&ends.released), 1);
    end();
}

/* ---- settings ---- */

static _Thread_local int jobs_here;

static int count_here(fj_run *run, void *closure)
{
    (void)run;
    raise_to(closure, ++jobs_here);
    OVER();
    return 0;
}

static void a_thread_ends_after_so_many_jobs(void)
{
    static const fj_work work = {sizeof(fj_work), "count", count_here, NULL, NULL};
    fj_queue_settings settings = {
        .struct_size = sizeof settings, .jobs_per_thread = 2, .idle_ms = -1, .log_min_ms = -1};
    long most = 0;
    begin(1, &settings);
    for (int i = 0; i < 10; i++)
        EXPECT(queue, ADD_WORK(queue, &work, &most), FJ_OUTCOME_COMPLETED, 0, NULL);
    POLL(get(&hooks.ended) >= 5);
    CHECK_EQ(get(&most), 2);
    end();
}

static fj_queue_threads threads_of(fj_queue_set *set_of)
{
    fj_queue_threads threads = {.struct_size = sizeof threads};
    CHECK_EQ(fj_queue_set_threads(set_of, &threads), 1);
    return threads;
}

static void idle_threads_end(void)
{
    fj_queue_settings settings = {.struct_size = sizeof settings};
    struct gate gate = GATE_CLOSED;
    struct state state = {.gate = &gate};
    begin(2, NULL);
    CHECK_EQ(fj_queue_set_settings(queues, &settings), 1);
    CHECK_EQ(settings.jobs_per_thread, 0);
    CHECK_EQ(settings.idle_ms, 300000);
    CHECK_EQ(settings.log_min_ms, 1000);
    fj_job_id id = ADD(queue, &state);
    GATE_AWAIT(&gate, 1);
    fj_queue_threads threads = threads_of(queues);
    CHECK_EQ(threads.max_threads, 2);
    CHECK(threads.threads >= 1 && threads.threads <= 2);
    CHECK(threads.idle_threads < threads.threads);
    CHECK_EQ(threads.stopping, 0);
    gate_open(&gate);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    POLL(threads_of(queues).idle_threads == threads_of(queues).threads);
    settings.idle_ms = 1;
    CHECK_EQ(fj_queue_set_configure(queues, &settings), 1);
    settings.idle_ms = 0;
    CHECK_EQ(fj_queue_set_settings(queues, &settings), 1);
    CHECK_EQ(settings.idle_ms, 1);
    POLL(threads_of(queues).threads == 0);
    POLL(get(&hooks.ended) == get(&hooks.started));
    end();
}

int main(void)
{
    RUN(a_job_knows_itself);
    RUN(outside_of_a_job_there_is_nothing_to_ask);
    RUN(a_run_is_over_with_its_job);
    RUN(signals_are_not_for_the_threads_of_queues);
    RUN(a_job_that_ends_its_thread_has_failed_and_another_thread_goes_on);
    RUN(detached_jobs_that_end_their_threads_do_not_hold_up_the_close);
    RUN(a_job_that_ends_its_thread_is_tried_again);
    RUN(a_thread_ends_after_so_many_jobs);
    RUN(idle_threads_end);
    return check_report();
}
