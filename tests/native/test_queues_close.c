/*
 * test_queues_close.c - the end of a set: drained, discarded, cancelled, from inside, freed, in a fork, at
 * the process's exit; sets beside pools.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static fj_queue_set *queues;
static fj_queue *queue;
static long discards;

static void count_discards(const fj_queue_event *event, void *closure)
{
    if (event->kind == FJ_QUEUE_DISCARDED) {
        CHECK(event->state != NULL && event->work == &work_on_state);
        CHECK(strstr(event->text, "was discarded: the set was closed before it ran") != NULL);
        add(closure, 1);
    }
}

static void begin(int concurrency)
{
    fj_queue_set_options options = {
        .struct_size = sizeof options, .name = "closing", .log = count_discards, .closure = &discards};
    discards = 0;
    queues = fj_queue_set_create(&options);
    CHECK(queues != NULL);
    queue = queue_in(queues, "q", concurrency);
}

static void free_all(void)
{
    fj_queue_release(queue);
    fj_queue_set_free(queues);
}

static void a_close_runs_what_waits_in_paused_queues_too(void)
{
    enum { JOBS = 100 };
    struct state states[JOBS] = {{.ran = 0}};
    begin(2);
    fj_queue_pause(queue);
    for (int i = 0; i < JOBS; i++)
        ADD_WITH(queue, &states[i], OPTIONS(.detached = i % 2));
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    POLL(threads_named("closing-") == 0);
    FAILS(fj_queue_add(queue, &work_on_state, &states[0], NULL, NULL), FJ_EREFUSED,
          "The specified queue is being deleted or the system is stopping.");
    fj_queue_options late = {.struct_size = sizeof late, .name = "late"};
    FAILS(fj_queue_create(queues, &late), FJ_EREFUSED,
          "The specified queue is being deleted or the system is stopping.");
    fj_queue_threads threads = {.struct_size = sizeof threads};
    CHECK_EQ(fj_queue_set_threads(queues, &threads), 1);
    CHECK_EQ(threads.stopping, 1);
    CHECK_EQ(fj_queue_set_close(queues, 0), 0); /* once more is nothing more */
    EXPECT(queue, fj_job_number(0), FJ_OUTCOME_COMPLETED, 0, NULL);
    free_all(); /* the other results are given back */
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ(get(&states[i].ran), 1);
        CHECK_EQ(get(&states[i].released), 1);
    }
}

static void a_close_without_time_starts_nothing_that_waits_in_a_pause(void)
{
    enum { JOBS = 50 };
    for (int round = 0; round < many(100); round++) {
        struct state states[JOBS] = {{.ran = 0}};
        struct state first = {.ran = 0};
        begin(2);
        ADD_WITH(queue, &first, OPTIONS(.detached = 1));
        POLL(get(&first.released) == 1); /* there is a thread that could run the others */
        fj_queue_pause(queue);
        for (int i = 0; i < JOBS; i++)
            ADD_WITH(queue, &states[i], OPTIONS(.detached = i % 2, .delay_ms = i % 3 == 0 ? 100000 : 0));
        CHECK_EQ(fj_queue_set_close(queues, 0), JOBS);
        CHECK_EQ(get(&discards), JOBS);
        free_all();
        for (int i = 0; i < JOBS; i++) {
            CHECK_EQ(get(&states[i].ran), 0);
            CHECK_EQ(get(&states[i].released), 1);
        }
    }
}

static int run_until_cancelled(fj_run *run, void *closure)
{
    GATE_PASS((struct gate *)closure);
    POLL(fj_run_is_cancelled(run));
    return 0;
}

static const fj_work cancellable = {sizeof(fj_work), "cancellable", run_until_cancelled, NULL, NULL};

static void *expect_discarded(void *id)
{
    EXPECT(queue, *(fj_job_id *)id, FJ_OUTCOME_DISCARDED, 0, NULL);
    return NULL;
}

static void *expect_refused(void *unused)
{
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1); /* one is discarded, and so done */
    return unused;
}

static int note_waited(const fj_job_info *job, void *closure)
{
    *(int *)closure += job->waited_for;
    return 0;
}

static int waited_jobs(void)
{
    int waited = 0;
    CHECK(fj_queue_list_jobs(queue, note_waited, &waited) >= 0);
    return waited;
}

static void a_close_whose_time_is_over_discards_and_cancels(void)
{
    enum { JOBS = 300 };
    struct gate gate = GATE_CLOSED;
    struct state states[JOBS] = {{.ran = 0}};
    fj_job_id waited = {1, NULL};
    gate_open(&gate);
    begin(1);
    fj_job_id runs = ADD_WORK(queue, &cancellable, &gate);
    for (int i = 0; i < JOBS; i++)
        ADD_WITH(queue, &states[i], OPTIONS(.detached = i % 2));
    GATE_AWAIT(&gate, 1);
    pthread_t waiter = start_thread(expect_discarded, &waited);
    POLL(waited_jobs() == 1);
    pthread_t any_waiter = start_thread(expect_refused, NULL);
    CHECK_EQ(fj_queue_set_close(queues, 10), JOBS);
    CHECK_EQ(get(&discards), JOBS);
    JOIN(waiter);
    JOIN(any_waiter);
    EXPECT(queue, runs, FJ_OUTCOME_CANCELLED, 0, NULL);
    EXPECT(queue, fj_job_number(3), FJ_OUTCOME_DISCARDED, 0, NULL);
    free_all();
    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ(get(&states[i].ran), 0);
        CHECK_EQ(get(&states[i].released), 1);
    }
}

/* ---- from inside ---- */

static long closes;

static int close_own_set(fj_run *run, void *closure)
{
    (void)run;
    (void)closure;
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    add(&closes, 1);
    return 0;
}

static void jobs_of_a_set_close_it_and_do_not_wait_for_themselves(void)
{
    static const fj_work work = {sizeof(fj_work), "close", close_own_set, NULL, NULL};
    struct state states[20] = {{.ran = 0}};
    begin(3);
    set(&closes, 0);
    fj_queue_pause(queue);
    for (int i = 0; i < 20; i++)
        ADD(queue, &states[i]);
    fj_job_id ids[2] = {ADD_WORK(queue, &work, NULL), ADD_WORK(queue, &work, NULL)};
    fj_queue_resume(queue);
    for (int i = 0; i < 2; i++)
        EXPECT(queue, ids[i], FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(get(&closes), 2);
    CHECK_EQ(fj_queue_set_close(queues, -1), 0); /* for the threads of the two */
    POLL(threads_named("closing-") == 0);
    free_all();
    for (int i = 0; i < 20; i++)
        CHECK_EQ(get(&states[i].ran), 1);
}

static void a_job_that_closes_its_set_lets_those_behind_it_run(void)
{
    static const fj_work work = {sizeof(fj_work), "close", close_own_set, NULL, NULL};
    struct state states[5] = {{.ran = 0}};
    fj_job_id ids[5];
    begin(1);
    set(&closes, 0);
    fj_queue_pause(queue);
    fj_job_id closing = ADD_WORK(queue, &work, NULL);
    for (int i = 0; i < 5; i++)
        ids[i] = ADD(queue, &states[i]);
    fj_queue_resume(queue);
    for (int i = 4; i >= 0; i--)
        EXPECT(queue, ids[i], FJ_OUTCOME_COMPLETED, 0, NULL);
    EXPECT(queue, closing, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(get(&closes), 1);
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    free_all();
}

/* ---- free ---- */

static void a_set_is_freed_while_a_job_runs(void)
{
    struct gate gate = GATE_CLOSED;
    struct state runs = {.gate = &gate, .result = "nobody sees this"};
    struct state waits = {.ran = 0};
    struct state done = {.result = "done"};
    begin(1);
    fj_job_id id = ADD(queue, &done);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    (void)id;
    ADD(queue, &runs);
    ADD(queue, &waits);
    GATE_AWAIT(&gate, 1);
    fj_queue_set_free(queues);
    fj_queue_release(queue);
    CHECK_EQ(get(&done.released), 1);
    CHECK_EQ(get(&waits.released), 1);
    CHECK_EQ(get(&waits.ran), 0);
    CHECK_EQ(get(&runs.released), 0);
    gate_open(&gate);
    POLL(get(&runs.released) == 1);
    POLL(threads_named("closing-") == 0);
    fj_queue_set_free(NULL);
    fj_queue_release(NULL);
}

/* ---- processes ---- */

static void in_the_child(void)
{
    struct state state = {.ran = 0};
    fj_job_id id = fj_job_number(0);
    CHECK(fj_queue_set_create(NULL) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED);
    CHECK_EQ(fj_queue_add(queue, &work_on_state, &state, NULL, NULL), 0);
    CHECK_EQ(fj_queue_wait(queue, id, -1, NULL), 0);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 0);
    CHECK_EQ(fj_queue_cancel(queue, id), -1);
    CHECK_EQ(fj_queue_exists(queue, id), 0);
    CHECK_EQ(fj_queue_set_close(queues, -1), -1);
    CHECK_EQ(fj_queue_list_jobs(queue, note_waited, NULL), -1);
    fj_queue_release(queue);
    fj_queue_set_free(queues); /* does nothing: the threads are the parent's */
    CHECK_EQ(fj_last_error_code(), FJ_EFORKED);
}

static void a_forked_child_gets_errors(void)
{
    struct state state = {.ran = 0};
    begin(1);
    EXPECT(queue, ADD(queue, &state), FJ_OUTCOME_COMPLETED, 0, NULL);
    IN_CHILD(in_the_child);
    EXPECT(queue, ADD(queue, &state), FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    free_all();
}

static void the_shutdown_of_pools_leaves_queues_alone(void)
{
    struct state state = {.result = "still here"};
    begin(1);
    EXPECT(queue, ADD(queue, &state), FJ_OUTCOME_COMPLETED, 0, "still here");
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    EXPECT(queue, ADD(queue, &state), FJ_OUTCOME_COMPLETED, 0, "still here");
    fj_queue_set *second = new_set();
    fj_queue *in_second = queue_in(second, "q", 1);
    EXPECT(in_second, ADD(in_second, &state), FJ_OUTCOME_COMPLETED, 0, "still here");
    fj_queue_release(in_second);
    end_set(second);
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    free_all();
}

/* Last: nothing is closed, jobs wait and one runs. */
static void the_process_ends_with_jobs_in_its_queues(void)
{
    static struct gate gate = GATE_CLOSED;
    static struct state runs = {.gate = &gate};
    static struct state waits;
    begin(1);
    ADD(queue, &runs);
    ADD(queue, &waits);
    ADD_WITH(queue, &waits, OPTIONS(.delay_ms = 1000000, .id = "later"));
    GATE_AWAIT(&gate, 1);
}

int main(void)
{
    RUN(a_close_runs_what_waits_in_paused_queues_too);
    RUN(a_close_without_time_starts_nothing_that_waits_in_a_pause);
    RUN(a_close_whose_time_is_over_discards_and_cancels);
    RUN(jobs_of_a_set_close_it_and_do_not_wait_for_themselves);
    RUN(a_job_that_closes_its_set_lets_those_behind_it_run);
    RUN(a_set_is_freed_while_a_job_runs);
    RUN(a_forked_child_gets_errors);
    RUN(the_shutdown_of_pools_leaves_queues_alone);
    RUN(the_process_ends_with_jobs_in_its_queues);
    return check_report();
}
