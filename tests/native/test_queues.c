/*
 * test_queues.c - named queues: add, wait, results, order, ids, cancel, delete, close.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

/* ---- results ---- */

static void a_job_that_is_waited_for_gives_its_result_and_its_state_back(void)
{
    struct state state = {.result = "forty-two"};
    begin_queue(1);
    fj_job_id id = ADD(queue, &state);
    CHECK_EQ(id.number, 0);
    fj_job_result result;
    CHECK_OR_RETURN(fj_queue_wait(queue, id, -1, &result));
    CHECK_EQ(result.outcome, FJ_OUTCOME_COMPLETED);
    CHECK_EQ(result.code, 0);
    CHECK_EQ(result.size, 9);
    CHECK_STR(result.bytes, "forty-two"); /* a 0 byte follows */
    CHECK(result.state == &state);
    CHECK_EQ(get(&state.released), 0); /* it is ours until we free the result */
    fj_job_result_free(&result);
    CHECK_EQ(get(&state.released), 1);
    fj_job_result_free(&result); /* zeros now */
    fj_job_result_free(NULL);
    CHECK_EQ(get(&state.released), 1);
    FAILS(fj_queue_wait(queue, id, -1, &result), FJ_ENOJOB, "no such job: job0");
    end_queue();
}

static void a_code_fails_a_job_and_keeps_its_result(void)
{
    struct state states[] = {{.code = 7}, {.code = -3, .result = "why"}, {.result = ""}};
    begin_queue(1);
    fj_job_id silent = ADD(queue, &states[0]);
    fj_job_id speaks = ADD(queue, &states[1]);
    fj_job_id empty = ADD(queue, &states[2]);
    EXPECT(queue, empty, FJ_OUTCOME_COMPLETED, 0, "");
    EXPECT(queue, speaks, FJ_OUTCOME_FAILED, -3, "why");
    EXPECT(queue, silent, FJ_OUTCOME_FAILED, 7, NULL);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(get(&states[i].released), 1);
    end_queue();
}

static int set_twice(fj_run *run, void *closure)
{
    (void)closure;
    CHECK_EQ(fj_run_set_result(run, "first", 5), 1);
    CHECK_EQ(fj_run_set_result(run, "a\0b", 3), 1);
    FAILS(fj_run_set_result(run, NULL, 1), FJ_EINVAL, "fj_run_set_result: the bytes are NULL");
    return 0;
}

static void the_last_result_counts_and_may_hold_zeros(void)
{
    static const fj_work work = {sizeof(fj_work), NULL, set_twice, NULL, NULL};
    fj_job_result result;
    begin_queue(1);
    fj_job_id id = ADD_WORK(queue, &work, NULL);
    CHECK_OR_RETURN(fj_queue_wait(queue, id, -1, &result));
    CHECK_EQ(result.size, 3);
    CHECK(memcmp(result.bytes, "a\0b\0", 4) == 0);
    fj_job_result_free(&result);
    id = ADD_WORK(queue, &work, NULL);
    CHECK_EQ(fj_queue_wait(queue, id, -1, NULL), 1); /* who does not want the result */
    end_queue();
}

/* ---- waiting ---- */

static void a_wait_that_timed_out_can_be_repeated(void)
{
    struct gate gate = GATE_CLOSED;
    struct state state = {.gate = &gate};
    begin_queue(1);
    fj_job_id id = ADD(queue, &state);
    FAILS(fj_queue_wait(queue, id, 0, NULL), FJ_ETIMEDOUT, "Wait timed out.");
    FAILS(fj_queue_wait(queue, id, 5, NULL), FJ_ETIMEDOUT, "Wait timed out.");
    FAILS(fj_queue_wait_any(queue, 5), FJ_ETIMEDOUT, "Wait timed out.");
    gate_open(&gate);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_exists(queue, id), 1); /* it collects nothing */
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(fj_queue_exists(queue, id), 0);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1); /* none is left */
    end_queue();
}

static void *wait_in_thread(void *id)
{
    EXPECT(queue, *(fj_job_id *)id, FJ_OUTCOME_COMPLETED, 0, NULL);
    return NULL;
}

static int waited_for(const fj_job_info *job, void *closure)
{
    *(int *)closure = job->waited_for;
    return 0;
}

static int is_waited_for(fj_job_id id)
{
    int waited = 0;
    return fj_queue_visit_job(queue, id, waited_for, &waited) && waited;
}

static void one_waits_for_a_job(void)
{
    struct gate gate = GATE_CLOSED;
    struct state state = {.gate = &gate};
    begin_queue(1);
    fj_job_id id = ADD(queue, &state);
    pthread_t waiter = start_thread(wait_in_thread, &id);
    POLL(is_waited_for(id));
    FAILS(fj_queue_wait(queue, id, -1, NULL), FJ_EWAITED, "can't wait on waited job: job0");
    CHECK_EQ(fj_queue_cancel(queue, id), -1);
    CHECK_EQ(fj_last_error_code(), FJ_EWAITED);
    CHECK_STR(fj_last_error(), "can't cancel job \"job0\", someone is waiting on it");
    gate_open(&gate);
    JOIN(waiter);
    CHECK_EQ(get(&state.released), 1);
    end_queue();
}

static int wait_for_another(fj_run *run, void *closure)
{
    (void)run;
    EXPECT(queue, *(fj_job_id *)closure, FJ_OUTCOME_COMPLETED, 0, "inner");
    return 0;
}

static void a_job_waits_for_another_one_of_its_own_queue(void)
{
    static const fj_work work = {sizeof(fj_work), "outer", wait_for_another, NULL, NULL};
    struct state inner = {.result = "inner"};
    begin_queue(1);
    CHECK_EQ(fj_queue_pause(queue), 1);
    fj_job_id inner_id = {1, NULL};
    fj_job_id outer_id = ADD_WORK(queue, &work, &inner_id);
    CHECK_EQ(ADD(queue, &inner).number, 1);
    CHECK_EQ(fj_queue_resume(queue), 1);
    EXPECT(queue, outer_id, FJ_OUTCOME_COMPLETED, 0, NULL);
    end_queue();
}

/* ---- cancelling ---- */

static void a_job_that_waits_is_cancelled_and_never_runs(void)
{
    struct state states[2] = {{.ran = 0}, {.ran = 0}};
    begin_queue(1);
    fj_queue_pause(queue);
    fj_job_id kept = ADD(queue, &states[0]);
    fj_job_id detached = ADD_WITH(queue, &states[1], OPTIONS(.detached = 1));
    CHECK_EQ(fj_queue_cancel(queue, kept), 0);
    CHECK_EQ(fj_queue_cancel(queue, kept), 0); /* done, and stays so */
    CHECK_EQ(fj_queue_cancel(queue, detached), 0);
    CHECK_EQ(get(&states[1].released), 1);
    CHECK_EQ(fj_queue_cancel(queue, detached), -1);
    CHECK_STR(fj_last_error(), "no such job: job1");
    fj_queue_resume(queue);
    EXPECT(queue, kept, FJ_OUTCOME_CANCELLED, 0, NULL);
    CHECK_EQ(get(&states[0].ran) + get(&states[1].ran), 0);
    CHECK_EQ(get(&states[0].released), 1);
    end_queue();
}

struct loop {
    sem_t runs;
    long stops;
};

static int run_until_cancelled(fj_run *run, void *closure)
{
    struct loop *loop = closure;
    sem_post(&loop->runs);
    POLL(fj_run_is_cancelled(run));
    CHECK_EQ(fj_run_set_result(run, "half", 4), 1);
    return 5;
}

static void stop_loop(fj_run *run, void *closure)
{
    struct loop *loop = closure;
    CHECK_EQ(fj_run_is_cancelled(run), 1);
    add(&loop->stops, 1);
}

static void a_job_that_runs_is_told_to_stop(void)
{
    static const fj_work work = {sizeof(fj_work), "loop", run_until_cancelled, stop_loop, NULL};
    struct loop loop = {.stops = 0};
    new_semaphore(&loop.runs, 0);
    begin_queue(1);
    fj_job_id id = ADD_WORK(queue, &work, &loop);
    AWAIT(&loop.runs);
    CHECK_EQ(fj_queue_cancel(queue, id), 1);
    EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 5, "half");
    CHECK_EQ(get(&loop.stops), 1);
    sem_destroy(&loop.runs);
    end_queue();
}

/* ---- the end of a queue ---- */

static void a_deleted_queue_is_gone_with_its_last_job(void)
{
    struct state state = {.result = "last"};
    begin_queue(1);
    fj_job_id id = ADD(queue, &state);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_delete(queue), 1);
    CHECK_EQ(info_of(queue).deleting, 1);
    FAILS(fj_queue_add(queue, &work_on_state, &state, NULL, NULL), FJ_EREFUSED,
          "The specified queue is being deleted or the system is stopping.");
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, "last");
    FAILS(fj_queue_add(queue, &work_on_state, &state, NULL, NULL), FJ_ENOQUEUE, "no such queue: q");
    FAILS(fj_queue_wait(queue, id, 0, NULL), FJ_ENOQUEUE, "no such queue: q");
    FAILS(fj_queue_delete(queue), FJ_ENOQUEUE, "no such queue: q");
    FAILS(fj_queue_find(queues, "q"), FJ_ENOQUEUE, "no such queue: q");
    fj_queue *another = queue_in(queues, "q", 2); /* the name is free */
    CHECK(another != NULL);
    fj_queue_release(another);
    CHECK_EQ(get(&state.released), 1);
    end_queue();
}

int main(void)
{
    RUN(a_job_that_is_waited_for_gives_its_result_and_its_state_back);
    RUN(a_code_fails_a_job_and_keeps_its_result);
    RUN(the_last_result_counts_and_may_hold_zeros);
    RUN(a_wait_that_timed_out_can_be_repeated);
    RUN(one_waits_for_a_job);
    RUN(a_job_waits_for_another_one_of_its_own_queue);
    RUN(a_job_that_waits_is_cancelled_and_never_runs);
    RUN(a_job_that_runs_is_told_to_stop);
    RUN(a_deleted_queue_is_gone_with_its_last_job);
    return check_report();
}
