/*
 * test_queues_cancel.c - a cancel ends the wait that a job is in, or its next one, and only that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static fj_queue_set *queues;
static fj_queue *queue, *other;
static struct gate gate;
static struct state blocked; /* a job of the other queue that stands at the gate */
static fj_job_id blocked_id;

static void begin(void)
{
    queues = new_set();
    queue = queue_in(queues, "q", 1);
    other = queue_in(queues, "other", 1);
    gate = (struct gate)GATE_CLOSED;
    blocked = (struct state){.gate = &gate, .result = "in the end"};
    blocked_id = ADD(other, &blocked);
    GATE_AWAIT(&gate, 1);
}

static void end(void)
{
    fj_queue_release(queue);
    fj_queue_release(other);
    end_set(queues);
}

/* ---- each call that blocks ---- */

static long thread; /* of the job, once it is about to wait */

static int wait_for_job(void)
{
    return fj_queue_wait(other, blocked_id, -1, NULL);
}

static int wait_for_any(void)
{
    return fj_queue_wait_any(other, -1);
}

static int wait_for_all(void)
{
    fj_job_result result = {.outcome = FJ_OUTCOME_NONE};
    fj_queued_id queued = {other, blocked_id};
    return fj_queue_wait_all(&queued, 1, -1, &result);
}

static int wait_for_feed(void)
{
    fj_job_id id;
    fj_queue_feed *feed = fj_queue_feed_open(other);
    int got = fj_queue_feed_next(feed, -1, &id);
    fj_queue_feed_close(feed);
    return got;
}

static int wait_for_output(void)
{
    char byte;
    fj_job_output *output = fj_queue_output(other, blocked_id);
    long long got = fj_job_output_read(output, &byte, 1, -1);
    fj_job_output_close(output);
    return got != -1;
}

static int wait_in_own_queue(void)
{
    fj_job_id itself = fj_run_id(fj_run_current());
    itself.number++; /* one that waits behind this one */
    return fj_queue_wait(queue, itself, 60000, NULL);
}

static int block(fj_run *run, void *closure)
{
    int (*const *call)(void) = closure;
    set(&thread, thread_id());
    CHECK_EQ((*call)(), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ECANCELED);
    CHECK_STR(fj_last_error(), "the job that waits was cancelled");
    CHECK_EQ(fj_run_is_cancelled(run), 1);
    OVER();
    return 0;
}

static const fj_work blocks = {sizeof(fj_work), "blocks", block, NULL, NULL};

static void a_cancel_ends(int (*call)(void))
{
    begin();
    set(&thread, 0);
    fj_job_id id = ADD_WORK(queue, &blocks, &call);
    POLL(get(&thread) != 0 && thread_sleeps(get(&thread)));
    CHECK_EQ(fj_queue_cancel(queue, id), 1);
    EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 0, NULL);
    CHECK_EQ(fj_queue_exists(other, blocked_id), 1); /* it goes on and can be waited for */
    gate_open(&gate);
    EXPECT(other, blocked_id, FJ_OUTCOME_COMPLETED, 0, "in the end");
    end();
}

static void a_cancel_ends_each_call_that_blocks(void)
{
    a_cancel_ends(wait_for_job);
    a_cancel_ends(wait_for_any);
    a_cancel_ends(wait_for_all);
    a_cancel_ends(wait_for_feed);
    a_cancel_ends(wait_for_output);
}

static void a_cancel_ends_a_wait_for_a_job_of_the_own_queue(void)
{
    struct state behind = {.gate = &gate};
    int (*call)(void) = wait_in_own_queue;
    begin();
    set(&thread, 0);
    fj_queue_pause(queue);
    fj_job_id id = ADD_WORK(queue, &blocks, &call);
    fj_job_id behind_id = ADD(queue, &behind);
    fj_queue_resume(queue);
    GATE_AWAIT(&gate, 2); /* it has got the place of the one that waits */
    CHECK_EQ(fj_queue_cancel(queue, id), 1);
    EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 0, NULL);
    gate_open(&gate);
    EXPECT(queue, behind_id, FJ_OUTCOME_COMPLETED, 0, NULL);
    EXPECT(other, blocked_id, FJ_OUTCOME_COMPLETED, 0, "in the end");
    end();
}

/* ---- only one ---- */

static int wait_twice(fj_run *run, void *closure)
{
    (void)closure;
    set(&thread, thread_id());
    POLL(fj_run_is_cancelled(run));
    FAILS(fj_queue_wait(other, blocked_id, -1, NULL), FJ_ECANCELED, "the job that waits was cancelled");
    FAILS(fj_queue_wait(other, blocked_id, 1, NULL), FJ_ETIMEDOUT, "Wait timed out.");
    gate_open(&gate);
    EXPECT(other, blocked_id, FJ_OUTCOME_COMPLETED, 0, "in the end");
    OVER();
    return 0;
}

static int wait_once(fj_run *run, void *closure)
{
    (void)closure;
    CHECK_EQ(fj_run_is_cancelled(run), 0);
    FAILS(fj_queue_wait_any(other, 1), FJ_ETIMEDOUT, "Wait timed out.");
    OVER();
    return 0;
}

static void one_wait_is_ended_of_one_job(void)
{
    static const fj_work twice = {sizeof(fj_work), "twice", wait_twice, NULL, NULL};
    static const fj_work once = {sizeof(fj_work), "once", wait_once, NULL, NULL};
    struct gate closed = GATE_CLOSED;
    struct state state = {.gate = &closed};
    begin();
    set(&thread, 0);
    fj_job_id id = ADD_WORK(queue, &twice, NULL);
    POLL(get(&thread) != 0);
    CHECK_EQ(fj_queue_cancel(queue, id), 1);
    EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 0, NULL);
    ADD(other, &state);
    EXPECT(queue, ADD_WORK(queue, &once, NULL), FJ_OUTCOME_COMPLETED, 0, NULL); /* in the same thread */
    gate_open(&closed);
    end();
}

/* ---- cancels that come at any moment ---- */

static int wait_in_vain(fj_run *run, void *closure)
{
    (void)closure;
    do {
        if (fj_queue_wait(other, blocked_id, -1, NULL))
            return 1;
    } while (fj_last_error_code() != FJ_ECANCELED);
    CHECK_EQ(fj_run_is_cancelled(run), 1);
    OVER();
    return 0;
}

static void no_cancel_is_lost(void)
{
    static const fj_work work = {sizeof(fj_work), "in vain", wait_in_vain, NULL, NULL};
    begin();
    for (int i = 0; i < many(20000); i++) {
        fj_job_id id = ADD_WORK(queue, &work, NULL);
        for (volatile int spin = i % 2000; spin > 0; spin--) {
        }
        fj_queue_cancel(queue, id);
        EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 0, NULL);
    }
    gate_open(&gate);
    end();
}

int main(void)
{
    RUN(a_cancel_ends_each_call_that_blocks);
    RUN(a_cancel_ends_a_wait_for_a_job_of_the_own_queue);
    RUN(one_wait_is_ended_of_one_job);
    RUN(no_cancel_is_lost);
    return check_report();
}
