/*
 * test_order_waits.c - pools without a strict order: no call waits for another while a worker is idle.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "order.h"

static sem_t last_ran;

static void post_last(void *unused)
{
    (void)unused;
    sem_post(&last_ran);
}

/* The first call that a worker finds waits for the last one, which may be in any outbox or hand: the other
 * worker has to come by it. */
static void a_call_that_blocks_holds_up_no_other(void)
{
    new_semaphore(&last_ran, 0);
    for (int round = 0; round < many(300); round++) {
        int pool = round % 2 ? ECTP_CLASS_CPU : ECTP_CLASS_IO;
        struct gate held = GATE_CLOSED, gate = GATE_CLOSED;
        long count = 0;
        int before = 1 + round * 7 % (2 * DEEP), behind = round * 13 % DEEP;
        for (int i = 0; i < 2; i++)
            CHECK_EQ(fj_call(pool, pass_gate, &held), 1);
        GATE_AWAIT(&held, 2); /* both workers: what comes now is deep */
        for (int i = 0; i < before; i++)
            CHECK_EQ(fj_call(pool, add_one, &count), 1);
        CHECK_EQ(fj_call(pool, pass_gate, &gate), 1);
        for (int i = 0; i < behind; i++)
            CHECK_EQ(fj_call(pool, add_one, &count), 1);
        CHECK_EQ(fj_call(pool, post_last, NULL), 1);
        gate_open(&held);
        AWAIT(&last_ran);
        POLL(get(&count) == before + behind); /* all of them: the gate is closed still */
        gate_open(&gate);
        await_empty(pool);
    }
    sem_destroy(&last_ran);
}

/* Beside a thread that submits for ever, what another one has gathered runs. */
static void gathered_calls_do_not_starve(void)
{
    long count = 0;
    struct gate gate = GATE_CLOSED;
    struct crowd crowd = {relaxed_pool("order.starve", 1), 0, &count, 0};
    new_semaphore(&last_ran, 0);
    CHECK_EQ(fj_call(crowd.pool, pass_gate, &gate), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(crowd.pool, add_one, &count), 1);
    CHECK_EQ(fj_call(crowd.pool, post_last, NULL), 1);
    crowd.calls = DEEP;
    pthread_t thread = start_thread(call_often, &crowd); /* the queue is deep after it too */
    JOIN(thread);
    gate_open(&gate);
    AWAIT(&last_ran);
    await_empty(crowd.pool);
    CHECK_EQ(get(&count), 2 * DEEP);
    sem_destroy(&last_ran);
}

static struct {
    int pool;
    long jobs, stop;
} chain;

static void link_of_chain(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    add(&chain.jobs, 1);
    if (get(&chain.stop) != 0)
        return;
    ec_async_job *next = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
    *next = (ec_async_job){
        .job_class = chain.pool, .worker = link_of_chain, .free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB};
    CHECK_EQ(ec_queue_async_job(next), 1);
}

static void *begin_chain(void *unused)
{
    for (int i = 0; i < 3; i++)
        link_of_chain(NULL, unused);
    return NULL;
}

/* The queue is never empty, and who fills it gathers nothing. */
static void gathered_calls_do_not_starve_beside_jobs(void)
{
    long count = 0;
    struct gate gate = GATE_CLOSED;
    chain.pool = relaxed_pool("order.chain", 1);
    new_semaphore(&last_ran, 0);
    CHECK_EQ(fj_call(chain.pool, pass_gate, &gate), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(chain.pool, add_one, &count), 1);
    CHECK_EQ(fj_call(chain.pool, post_last, NULL), 1);
    JOIN(start_thread(begin_chain, NULL));
    gate_open(&gate);
    AWAIT(&last_ran);
    set(&chain.stop, 1);
    await_empty(chain.pool);
    CHECK_EQ(get(&count), DEEP);
    sem_destroy(&last_ran);
}

enum { NUMBERED = 100000, HELD_FROM = 20000, OVERTAKING = 30000, HAND = 64 };
static struct {
    struct gate gate;
    long held; /* the number of the call that blocks, or 0 */
    long count;
    char ran[NUMBERED];
} numbered = {.gate = GATE_CLOSED};

static void run_numbered(void *closure)
{
    long number = (long)(intptr_t)closure, none = 0;
    for (volatile int i = 0; i < 10000; i++) {
    }
    if (number >= HELD_FROM &&
        __atomic_compare_exchange_n(&numbered.held, &none, number, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        GATE_PASS(&numbered.gate);
    __atomic_store_n(&numbered.ran[number], 1, __ATOMIC_RELEASE);
    add(&numbered.count, 1);
}

static int have_run(long from, long to)
{
    while (from < to && __atomic_load_n(&numbered.ran[from], __ATOMIC_ACQUIRE))
        from++;
    return from == to;
}

/* A call blocks, and the queue is never empty: those behind it are overtaken, but not by any number. */
static void calls_in_a_hand_do_not_starve(void)
{
    int pool = relaxed_pool("order.hand", 2);
    long number = 0, count_then = 0, held = 0;
    for (; number < NUMBERED; number++) {
        POLL(number - get(&numbered.count) < 3 * DEEP);
        CHECK_EQ(fj_call(pool, run_numbered, (void *)(intptr_t)number), 1);
        if (held == 0 && (held = get(&numbered.held)) != 0)
            count_then = get(&numbered.count);
        if (held != 0 && get(&numbered.count) - count_then > OVERTAKING)
            break;
    }
    CHECK(held != 0);
    CHECK(have_run(held + 1, held + HAND));
    gate_open(&numbered.gate);
    await_empty(pool);
}

int main(void)
{
    relax_the_predefined();
    RUN(a_call_that_blocks_holds_up_no_other);
    RUN(gathered_calls_do_not_starve);
    RUN(gathered_calls_do_not_starve_beside_jobs);
    RUN(calls_in_a_hand_do_not_starve);
    return check_report();
}
