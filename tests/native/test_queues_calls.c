/*
 * test_queues_calls.c - what the library calls when a job ends (a callback, the release of its state, the
 * log) may take its time and may wait for other jobs: nobody else is held up by it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static fj_queue_set *queues;
static fj_queue *queue;

/* ---- calls that wait for a job of the same queue ---- */

static fj_job_id other;
static sem_t called;
static long waited, runs, most;

static int count_at_once(fj_run *run, void *closure)
{
    (void)run;
    raise_to(&most, add(&runs, 1));
    if (closure != NULL)
        GATE_PASS((struct gate *)closure);
    add(&runs, -1);
    return 0;
}

static const fj_work counting = {sizeof(fj_work), "counting", count_at_once, NULL, NULL};

static void wait_for_the_other(void)
{
    set(&waited, fj_queue_wait(queue, other, WAIT_SECONDS * 1000, NULL));
    sem_post(&called);
}

static void wait_in_callback(fj_job_result *result, void *closure)
{
    (void)closure;
    fj_job_result_free(result);
    wait_for_the_other();
}

static void wait_in_release(void *state)
{
    (void)state;
    wait_for_the_other();
}

static const fj_work waiting_release = {sizeof(fj_work), "a release that waits", count_at_once, NULL,
                                        wait_in_release};

static void wait_in_log(const fj_queue_event *event, void *closure)
{
    (void)closure;
    if (event->kind == FJ_QUEUE_FAILED)
        wait_for_the_other();
}

static int fail(fj_run *run, void *closure)
{
    return count_at_once(run, closure) + 1;
}

static const fj_work failing = {sizeof(fj_work), "failing", fail, NULL, NULL};

static void begin(const fj_queue_set_options *options)
{
    new_semaphore(&called, 0);
    set(&most, 0);
    set(&waited, 0);
    queues = fj_queue_set_create(options);
    queue = queue_in(queues, "q", 1);
}

/* The queue is let go of when no hook uses it any more. */
static void end(void)
{
    CHECK_EQ(fj_queue_set_close(queues, WAIT_SECONDS * 1000), 0);
    fj_queue_release(queue);
    fj_queue_set_free(queues);
}

/* The first job's end calls what waits for the other one, which is the next in the queue; more come
 * meanwhile. */
static void expect_a_wait(const fj_work *first, int detached, int callback)
{
    struct gate gate = GATE_CLOSED;
    fj_job_id id;
    CHECK_EQ(fj_queue_add(queue, first, &gate, OPTIONS(.detached = detached), &id), 1);
    if (callback)
        CHECK_EQ(fj_queue_on_done(queue, id, wait_in_callback, NULL), 1);
    GATE_AWAIT(&gate, 1);
    other = ADD_WORK(queue, &counting, NULL);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(fj_queue_add(queue, &counting, NULL, OPTIONS(.detached = 1), NULL), 1);
    gate_open(&gate);
    AWAIT(&called);
    CHECK_EQ(get(&waited), 1);
    POLL(info_of(queue).running == 0 && info_of(queue).scheduled == 0);
    CHECK_EQ(get(&most), 1);
}

static void a_callback_waits_for_a_job_of_its_queue(void)
{
    begin(NULL);
    expect_a_wait(&counting, 0, 1);
    end();
}

static void a_release_waits_for_a_job_of_its_queue(void)
{
    begin(NULL);
    expect_a_wait(&waiting_release, 1, 0);
    end();
}

static void the_log_waits_for_a_job_of_its_queue(void)
{
    fj_queue_set_options options = {.struct_size = sizeof options, .log = wait_in_log};
    begin(&options);
    expect_a_wait(&failing, 1, 0);
    end();
}

/* ---- calls that take long ---- */

static struct gate *long_call;

static void take_long(fj_job_result *result, void *closure)
{
    (void)closure;
    fj_job_result_free(result);
    GATE_PASS(long_call);
}

static void take_long_after_job(void *thread_state, void *closure)
{
    (void)thread_state;
    (void)closure;
    struct gate *gate = __atomic_exchange_n(&long_call, NULL, __ATOMIC_ACQ_REL);
    if (gate != NULL)
        GATE_PASS(gate);
}

/* While the call lasts the queue's other place is taken, and the other queue has a thread nevertheless. */
static void expect_no_hindrance(const fj_queue_set_options *options, fj_job_done done)
{
    struct gate call = GATE_CLOSED;
    struct gate gate = GATE_CLOSED;
    struct state first = {.result = "first"};
    struct state second = {.gate = &gate};
    struct state third = {.result = "third"};
    __atomic_store_n(&long_call, &call, __ATOMIC_RELEASE);
    begin(options);
    fj_queue *free_queue = queue_in(queues, "free", 1);
    fj_queue_pause(queue);
    fj_job_id id = ADD(queue, &first);
    if (done != NULL)
        CHECK_EQ(fj_queue_on_done(queue, id, done, NULL), 1);
    fj_queue_resume(queue);
    GATE_AWAIT(&call, 1);
    fj_queue_set_concurrency(queue, 2);
    ADD(queue, &second);
    GATE_AWAIT(&gate, 1);
    fj_queue_set_concurrency(queue,
                             1); /* what runs and what is called have two threads, and the limit is one */
    EXPECT(free_queue, ADD(free_queue, &third), FJ_OUTCOME_COMPLETED, 0, "third");
    gate_open(&gate);
    gate_open(&call);
    fj_queue_release(free_queue);
    end();
}

static void a_callback_that_takes_long_is_no_hindrance_to_another_queue(void)
{
    expect_no_hindrance(NULL, take_long);
}

static void nor_is_the_hook_after_a_job(void)
{
    fj_queue_set_options options = {.struct_size = sizeof options, .after_job = take_long_after_job};
    expect_no_hindrance(&options, NULL);
}

int main(void)
{
    RUN(a_callback_waits_for_a_job_of_its_queue);
    RUN(a_release_waits_for_a_job_of_its_queue);
    RUN(the_log_waits_for_a_job_of_its_queue);
    RUN(a_callback_that_takes_long_is_no_hindrance_to_another_queue);
    RUN(nor_is_the_hook_after_a_job);
    return check_report();
}
