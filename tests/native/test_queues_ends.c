/*
 * test_queues_ends.c - two things at once: a cancel and a job's time, a pause and a close, a job and another
 * one of its id.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

static int pause_queue(fj_run *run, void *closure)
{
    (void)run;
    GATE_PASS((struct gate *)closure);
    CHECK_EQ(fj_queue_pause(queue), 1);
    return 0;
}

static const fj_work pausing = {sizeof(fj_work), "pausing", pause_queue, NULL, NULL};

static void *close_set(void *discarded)
{
    set(discarded, (long)fj_queue_set_close(queues, WAIT_SECONDS * 1000));
    return NULL;
}

static int is_stopping(void)
{
    fj_queue_threads threads = {.struct_size = sizeof threads};
    CHECK_EQ(fj_queue_set_threads(queues, &threads), 1);
    return threads.stopping;
}

static void a_pause_does_not_hold_up_a_close(void)
{
    struct gate gate = GATE_CLOSED;
    struct state state = {.ran = 0};
    long discarded = -1;
    begin_queue(1);
    ADD_WORK(queue, &pausing, &gate);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < 5; i++)
        ADD(queue, &state);
    pthread_t closer = start_thread(close_set, &discarded);
    POLL(is_stopping());
    fj_queue *at_work = fj_queue_find(queues, "q");
    CHECK_EQ(fj_queue_pause(at_work), 1);
    gate_open(&gate);
    JOIN(closer);
    CHECK_EQ(discarded, 0);
    CHECK_EQ(get(&state.ran), 5);
    fj_queue_release(at_work);
    fj_queue_release(queue);
    fj_queue_set_free(queues);
}

static void a_job_cancelled_as_its_time_comes_does_not_expire_for_that(void)
{
    enum { JOBS = 64 };
    fj_job_id ids[JOBS];
    struct state state = {.ran = 0};
    unsigned seed = 1;
    begin_queue(1);
    fj_queue_pause(queue);
    for (int round = 0; round < many(1000); round++) {
        double began = seconds_now();
        for (int i = 0; i < JOBS; i++)
            CHECK_EQ(fj_queue_add(queue, &work_on_state, &state, OPTIONS(.delay_ms = 1, .expire_ms = 3600000),
                                  &ids[i]),
                     1);
        double moment = began + 0.0009 + (rand_r(&seed) % 1000) * 1e-6;
        while (seconds_now() < moment) {
        }
        for (int i = 0; i < JOBS; i++)
            fj_queue_cancel(queue, ids[i]);
        while (seconds_now() < moment + 0.0005) { /* what was about to happen has */
        }
        for (int i = 0; i < JOBS; i++)
            CHECK_OR_RETURN(fj_queue_wait(queue, ids[i], 0, NULL));
    }
    fj_queue_resume(queue);
    end_queue();
}

static void a_feed_does_not_tell_of_a_job_that_has_the_id_of_one_before(void)
{
    struct gate gate = GATE_CLOSED;
    struct state before = {.ran = 0};
    struct state state = {.gate = &gate};
    fj_job_id id;
    begin_queue(1);
    fj_queue_feed *feed = fj_queue_feed_open(queue);
    ADD_WITH(queue, &before, OPTIONS(.id = "mine"));
    CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
    CHECK_EQ(fj_queue_wait(queue, fj_job_named("mine"), -1, NULL), 1);
    ADD_WITH(queue, &state, OPTIONS(.id = "mine"));
    FAILS(fj_queue_feed_next(feed, 20, &id), FJ_ETIMEDOUT, "Wait timed out.");
    gate_open(&gate);
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 1);
    CHECK_STR(id.text, "mine");
    fj_queue_feed_close(feed);
    end_queue();
}

static long timer_threads[2];

static void note_thread(const fj_queue_event *event, void *closure)
{
    (void)closure;
    if (event->kind == FJ_QUEUE_EXPIRED)
        set(&timer_threads[get(&timer_threads[0]) == 0 ? 0 : 1], thread_id());
}

static void one_timer_after_the_other_has_the_same_thread(void)
{
    fj_queue_set_options options = {.struct_size = sizeof options, .log = note_thread};
    struct state state = {.ran = 0};
    begin_queue_with(&options, 1);
    double began;
    do { /* a thread without a timer waits two seconds for the next one */
        began = seconds_now();
        set(&timer_threads[0], 0);
        set(&timer_threads[1], 0);
        set(&state.released, 0);
        for (int i = 0; i < 2; i++) {
            ADD_WITH(queue, &state, OPTIONS(.expire_ms = 10));
            POLL(get(&timer_threads[i]) != 0);
            POLL(get(&state.released) == i + 1);
        }
    } while (seconds_now() - began > 1);
    CHECK_EQ(timer_threads[0], timer_threads[1]);
    end_queue();
}

int main(void)
{
    RUN(a_pause_does_not_hold_up_a_close);
    RUN(a_job_cancelled_as_its_time_comes_does_not_expire_for_that);
    RUN(a_feed_does_not_tell_of_a_job_that_has_the_id_of_one_before);
    RUN(one_timer_after_the_other_has_the_same_thread);
    return check_report();
}
