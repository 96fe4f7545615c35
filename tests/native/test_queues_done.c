/*
 * test_queues_done.c - how one hears of the end of jobs without a wait for each: callbacks, several at once,
 * a feed; and what a job writes while it runs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

static void *open_gate(void *gate)
{
    gate_open(gate);
    return NULL;
}

/* ---- callbacks ---- */

struct heard {
    fj_job_result result;
    long thread;
    sem_t called;
};

static void hear(fj_job_result *result, void *closure)
{
    struct heard *heard = closure;
    heard->result = *result;
    heard->thread = thread_id();
    sem_post(&heard->called);
}

static void a_callback_gets_a_job_when_it_ends(void)
{
    struct gate gate = GATE_CLOSED;
    struct state state = {.gate = &gate, .result = "called", .code = 2};
    struct state done = {.result = "at once"};
    struct heard heard = {.thread = 0};
    new_semaphore(&heard.called, 0);
    begin_queue(1);
    fj_job_id id = ADD(queue, &state);
    CHECK_EQ(fj_queue_on_done(queue, id, hear, &heard), 1);
    FAILS(fj_queue_on_done(queue, id, hear, &heard), FJ_EWAITED, "can't wait on waited job: job0");
    FAILS(fj_queue_wait(queue, id, 0, NULL), FJ_EWAITED, "can't wait on waited job: job0");
    CHECK_EQ(semaphore_value(&heard.called), 0);
    gate_open(&gate);
    AWAIT(&heard.called);
    CHECK(heard.thread != thread_id());
    CHECK_EQ(heard.result.outcome, FJ_OUTCOME_FAILED);
    CHECK_EQ(heard.result.code, 2);
    CHECK_STR(heard.result.bytes, "called");
    CHECK(heard.result.state == &state);
    CHECK_EQ(fj_queue_exists(queue, id), 0);
    fj_job_result_free(&heard.result);
    CHECK_EQ(get(&state.released), 1);

    id = ADD(queue, &done);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_on_done(queue, id, hear, &heard), 1);
    CHECK_EQ(semaphore_value(&heard.called), 1); /* in this thread */
    CHECK_EQ(heard.thread, thread_id());
    fj_job_result_free(&heard.result);
    CHECK_EQ(get(&done.released), 1);
    FAILS(fj_queue_on_done(queue, id, hear, &heard), FJ_ENOJOB, "no such job: job1");
    end_queue();
}

static void callbacks_get_what_a_close_discards_and_what_a_freed_set_runs(void)
{
    struct gate gate = GATE_CLOSED;
    struct state runs = {.gate = &gate};
    struct state waits = {.ran = 0};
    struct heard of_runs = {.thread = 0};
    struct heard of_waits = {.thread = 0};
    new_semaphore(&of_runs.called, 0);
    new_semaphore(&of_waits.called, 0);
    begin_queue(1);
    CHECK_EQ(fj_queue_on_done(queue, ADD(queue, &runs), hear, &of_runs), 1);
    CHECK_EQ(fj_queue_on_done(queue, ADD(queue, &waits), hear, &of_waits), 1);
    GATE_AWAIT(&gate, 1);
    fj_queue_set_free(queues);
    AWAIT(&of_waits.called);
    CHECK_EQ(of_waits.result.outcome, FJ_OUTCOME_DISCARDED);
    gate_open(&gate);
    AWAIT(&of_runs.called);
    CHECK_EQ(of_runs.result.outcome, FJ_OUTCOME_CANCELLED);
    fj_job_result_free(&of_runs.result);
    fj_job_result_free(&of_waits.result);
    CHECK_EQ(get(&runs.released), 1);
    CHECK_EQ(get(&waits.released), 1);
    fj_queue_release(queue);
}

/* ---- several ---- */

static void several_jobs_of_several_queues_are_waited_for_together(void)
{
    struct gate gate = GATE_CLOSED;
    struct state states[4] = {{.result = "a"}, {.gate = &gate, .result = "b"}, {.code = 9}, {.result = "d"}};
    fj_job_result results[4] = {{.outcome = FJ_OUTCOME_NONE}};
    begin_queue(1);
    fj_queue *other = queue_in(queues, "other", 2);
    fj_queued_id jobs[] = {{queue, ADD(queue, &states[0])},
                           {other, ADD(other, &states[1])},
                           {other, ADD_WITH(other, &states[2], OPTIONS(.id = "third"))},
                           {queue, ADD(queue, &states[3])}};
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_wait_any(other, -1), 1);
    POLL(info_of(queue).done == 2);
    FAILS(fj_queue_wait_all(jobs, 4, 10, results), FJ_ETIMEDOUT, "Wait timed out.");
    CHECK_EQ(results[0].outcome, FJ_OUTCOME_COMPLETED);
    CHECK_EQ(results[1].outcome, FJ_OUTCOME_NONE);
    CHECK_EQ(results[2].outcome, FJ_OUTCOME_FAILED); /* what was done already */
    CHECK_EQ(results[3].outcome, FJ_OUTCOME_COMPLETED);
    gate_open(&gate);
    CHECK_EQ(fj_queue_wait_all(jobs, 4, -1, results), 1); /* for the missing one */
    CHECK_STR(results[0].bytes, "a");
    CHECK_STR(results[1].bytes, "b");
    CHECK_EQ(results[2].code, 9);
    CHECK_STR(results[3].bytes, "d");
    for (int i = 0; i < 4; i++) {
        CHECK(results[i].state == &states[i]);
        fj_job_result_free(&results[i]);
        CHECK_EQ(get(&states[i].released), 1);
    }
    FAILS(fj_queue_wait_all(jobs, 4, -1, results), FJ_ENOJOB, "no such job: job0");
    CHECK_EQ(fj_queue_wait_all(NULL, 0, -1, NULL), 1);
    fj_queue_release(other);
    end_queue();
}

/* ---- the feed ---- */

static void a_feed_tells_of_jobs_that_are_done(void)
{
    struct gate gate = GATE_CLOSED;
    struct state states[3] = {{.ran = 0}, {.ran = 0}, {.gate = &gate}};
    fj_job_id id;
    begin_queue(1);
    ADD(queue, &states[0]);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    fj_queue_feed *feed = fj_queue_feed_open(queue);
    CHECK_OR_RETURN(feed != NULL);
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 1); /* done before */
    CHECK_EQ(id.number, 0);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    FAILS(fj_queue_feed_next(feed, 5, &id), FJ_ETIMEDOUT, "Wait timed out.");
    ADD_WITH(queue, &states[1], OPTIONS(.id = "own"));
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 1);
    CHECK_EQ(id.number, -1);
    CHECK_STR(id.text, "own");
    EXPECT(queue, fj_job_named("own"), FJ_OUTCOME_COMPLETED, 0, NULL);
    id = ADD(queue, &states[2]);
    pthread_t opener = start_thread(open_gate, &gate);
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 1);
    CHECK_EQ(id.number, 1);
    JOIN(opener);
    fj_queue_delete(queue);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOQUEUE);
    fj_queue_feed_close(feed);
    fj_queue_feed_close(NULL);
    FAILS(fj_queue_feed_open(queue), FJ_ENOQUEUE, "no such queue: q");
    end_queue();
}

static void a_closed_feed_hears_nothing_and_a_close_ends_an_open_one(void)
{
    struct state state = {.ran = 0};
    fj_job_id id;
    begin_queue(1);
    fj_queue_feed *closed = fj_queue_feed_open(queue);
    fj_queue_feed *open = fj_queue_feed_open(queue);
    fj_queue_feed_close(closed);
    ADD(queue, &state);
    CHECK_EQ(fj_queue_set_close(queues, -1), 0);
    CHECK_EQ(fj_queue_feed_next(open, -1, &id), 1); /* what was there is told first */
    CHECK_EQ(id.number, 0);
    CHECK_EQ(fj_queue_feed_next(open, -1, &id), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOQUEUE);
    fj_queue_feed_close(open);
    end_queue();
}

/* ---- what a job writes ---- */

struct writer {
    struct gate gates[2];
    size_t size; /* of the last part */
};

static int write_in_parts(fj_run *run, void *closure)
{
    struct writer *writer = closure;
    CHECK_EQ(fj_run_write(run, "first ", 6), 1);
    GATE_PASS(&writer->gates[0]);
    CHECK_EQ(fj_run_write(run, "second", 6), 1);
    GATE_PASS(&writer->gates[1]);
    char *last = malloc(writer->size);
    memset(last, 'x', writer->size);
    CHECK_EQ(fj_run_write(run, last, writer->size), 1);
    free(last);
    FAILS(fj_run_write(run, NULL, 1), FJ_EINVAL, "fj_run_write: the bytes are NULL");
    return 0;
}

static void what_a_job_writes_is_read_while_it_runs_and_after(void)
{
    static const fj_work work = {sizeof(fj_work), "writes", write_in_parts, NULL, NULL};
    struct writer writer = {{GATE_CLOSED, GATE_CLOSED}, 3000000};
    char buffer[4096];
    long long got;
    size_t rest = 0;
    begin_queue(1);
    fj_job_id id = ADD_WORK(queue, &work, &writer);
    fj_job_output *output = fj_queue_output(queue, id);
    CHECK_OR_RETURN(output != NULL);
    FAILS(fj_queue_output(queue, id), FJ_EBUSY, "fj_queue_output: the output of job job0 has its reader");
    CHECK_EQ(fj_job_output_read(output, buffer, 3, -1), 3);
    CHECK(memcmp(buffer, "fir", 3) == 0);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, -1), 3);
    CHECK(memcmp(buffer, "st ", 3) == 0);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, 5), -1);
    CHECK_EQ(fj_last_error_code(), FJ_ETIMEDOUT);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, 0), -1);
    CHECK_EQ(fj_last_error_code(), FJ_ETIMEDOUT);
    pthread_t opener = start_thread(open_gate, &writer.gates[0]);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, -1), 6);
    CHECK(memcmp(buffer, "second", 6) == 0);
    JOIN(opener);
    gate_open(&writer.gates[1]);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    while ((got = fj_job_output_read(output, buffer, sizeof buffer, -1)) > 0) {
        for (long long i = 0; i < got; i++)
            rest += buffer[i] == 'x';
    }
    CHECK_EQ(got, 0);
    CHECK_EQ(rest, writer.size);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, -1), 0); /* and stays so */
    fj_job_output_close(output);
    fj_job_output_close(NULL);
    end_queue();
}

static void output_that_nobody_reads_is_no_hindrance(void)
{
    static const fj_work work = {sizeof(fj_work), "writes", write_in_parts, NULL, NULL};
    struct writer writer = {{GATE_CLOSED, GATE_CLOSED}, 100000};
    begin_queue(1);
    gate_open(&writer.gates[0]);
    fj_job_id id = ADD_WORK(queue, &work, &writer);
    fj_job_output *output = fj_queue_output(queue, id);
    fj_job_output_close(output); /* in the middle of the job */
    gate_open(&writer.gates[1]);
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    FAILS(fj_queue_output(queue, id), FJ_EBUSY, "fj_queue_output: too late, job job0 is done");
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    FAILS(fj_queue_output(queue, id), FJ_ENOJOB, "no such job: job0");
    EXPECT(queue, ADD_WORK(queue, &work, &writer), FJ_OUTCOME_COMPLETED, 0, NULL); /* never asked for */
    end_queue();
}

static void the_output_of_a_job_that_never_runs_ends(void)
{
    struct state state = {.ran = 0};
    char buffer[8];
    begin_queue(1);
    fj_queue_pause(queue);
    fj_job_id id = ADD(queue, &state);
    fj_job_output *output = fj_queue_output(queue, id);
    CHECK_EQ(fj_queue_cancel(queue, id), 0);
    CHECK_EQ(fj_job_output_read(output, buffer, sizeof buffer, -1), 0);
    fj_job_output_close(output);
    fj_queue_resume(queue);
    end_queue();
    CHECK_EQ(get(&state.released), 1);
}

int main(void)
{
    RUN(a_callback_gets_a_job_when_it_ends);
    RUN(callbacks_get_what_a_close_discards_and_what_a_freed_set_runs);
    RUN(several_jobs_of_several_queues_are_waited_for_together);
    RUN(a_feed_tells_of_jobs_that_are_done);
    RUN(a_closed_feed_hears_nothing_and_a_close_ends_an_open_one);
    RUN(what_a_job_writes_is_read_while_it_runs_and_after);
    RUN(output_that_nobody_reads_is_no_hindrance);
    RUN(the_output_of_a_job_that_never_runs_ends);
    return check_report();
}
