/*
 * test_order.c - pools whose owner has given up the strict order of jobs (fj_pool_set_order): no call is lost
 * or doubled, none waits for another while a worker is idle, and what is promised of the order holds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <limits.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

enum { DEEP = 2000 }; /* so many that submitters gather */

static void add_one(void *count)
{
    add(count, 1);
}

static void add_one_too(void *count)
{
    add(count, 1);
}

static void pass_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

static int relaxed_pool(const char *name, int workers)
{
    int pool = new_pool(name, workers);
    CHECK_EQ(fj_pool_set_order(pool, FJ_ORDER_RELAXED), 1);
    return pool;
}

static void await_empty(int pool)
{
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

/* ---- order ---- */

enum { THREADS = 4 };
static struct {
    uintptr_t next;
    long wrong;
} line[THREADS];

static void follows(void *closure)
{
    uintptr_t thread = (uintptr_t)closure % THREADS;
    line[thread].wrong += (uintptr_t)closure / THREADS != line[thread].next;
    line[thread].next++;
}

static void follows_too(void *closure)
{
    follows(closure);
}

static void follows_as_job(ec_async_job *job, void *closure)
{
    (void)job;
    follows(closure);
}

struct submitter {
    int pool, thread, calls;
};

/* Calls of two functions, batches and jobs. */
static void *submit_in_all_ways(void *argument)
{
    const struct submitter *me = argument;
    for (uintptr_t i = 0; i < (uintptr_t)me->calls; i++) {
        void *closure = (void *)(i * THREADS + (uintptr_t)me->thread);
        switch (i % 97) {
        case 31: {
            ec_async_job *job = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
            *job = (ec_async_job){.job_class = me->pool,
                                  .worker = follows_as_job,
                                  .closure = closure,
                                  .free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB};
            CHECK_EQ(ec_queue_async_job(job), 1);
            break;
        }
        case 57:
            CHECK_EQ(fj_call_each(me->pool, follows_too, &closure, 1), 1);
            break;
        default:
            CHECK_EQ(fj_call(me->pool, i % 5 == 0 ? follows_too : follows, closure), 1);
        }
    }
    return NULL;
}

static void a_pool_of_one_keeps_the_order_of_each_thread(void)
{
    int pool = relaxed_pool("order.each", 1);
    struct submitter submitters[THREADS];
    pthread_t threads[THREADS];
    memset(line, 0, sizeof(line));
    for (int i = 0; i < THREADS; i++) {
        submitters[i] = (struct submitter){pool, i, many(100000)};
        threads[i] = start_thread(submit_in_all_ways, &submitters[i]);
    }
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    await_empty(pool);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(line[i].next, submitters[i].calls);
        CHECK_EQ(line[i].wrong, 0);
    }
}

/* ---- nothing is lost ---- */

struct crowd {
    int pool, calls;
    long *count, stop;
};

static void *call_often(void *argument)
{
    const struct crowd *crowd = argument;
    for (int i = 0; i < crowd->calls; i++)
        CHECK_EQ(fj_call(crowd->pool, i % 7 == 0 ? add_one_too : add_one, crowd->count), 1);
    return NULL;
}

/* What takes jobs out of outboxes and hands, and what ends the gathering. */
static void *meddle(void *argument)
{
    struct crowd *crowd = argument;
    for (int i = 0; get(&crowd->stop) == 0; i++) {
        switch (i % 7) {
        case 0:
            CHECK(ec_thread_pool_get_queue_size(crowd->pool) >= 0);
            break;
        case 1:
            CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_FIFO), 1);
            break;
        case 2:
            CHECK_EQ(fj_pool_set_order(crowd->pool, FJ_ORDER_RELAXED), 1);
            break;
        case 3:
            CHECK_EQ(fj_pool_set_concurrency(crowd->pool, 1 + i % 4), 1);
            break;
        case 4: {
            ec_async_job none;
            CHECK_EQ(fj_cancel_job(&none), 0);
            break;
        }
        case 5:
            ec_thread_pool_defer_spawn(crowd->pool, i % 2);
            break;
        default:
            pause_ms(1);
        }
    }
    ec_thread_pool_defer_spawn(crowd->pool, 0);
    return NULL;
}

static void many_threads_lose_and_double_no_call(void)
{
    for (int meddler = 0; meddler < 2; meddler++) {
        long count = 0;
        struct crowd crowd = {relaxed_pool(meddler ? "order.meddled" : "order.crowd", 3), many(200000),
                              &count, 0};
        pthread_t threads[THREADS], other;
        if (meddler)
            other = start_thread(meddle, &crowd);
        for (int i = 0; i < THREADS; i++)
            threads[i] = start_thread(call_often, &crowd);
        for (int i = 0; i < THREADS; i++)
            JOIN(threads[i]);
        set(&crowd.stop, 1);
        if (meddler)
            JOIN(other);
        await_empty(crowd.pool);
        CHECK_EQ(get(&count), (long)THREADS * crowd.calls);
        CHECK_EQ(stats_of(crowd.pool).invocations, (unsigned long long)get(&count));
    }
}

static void *call_and_end(void *argument)
{
    const struct crowd *crowd = argument;
    for (int i = 0; i < crowd->calls; i++)
        CHECK_EQ(fj_call(crowd->pool, add_one, crowd->count), 1);
    return NULL;
}

static void calls_of_threads_that_have_ended_run(void)
{
    long count = 0;
    int rounds = many(400) / 4;
    struct gate gate = GATE_CLOSED;
    struct crowd crowd = {relaxed_pool("order.ended", 1), DEEP / 10, &count, 0};
    CHECK_EQ(fj_call(crowd.pool, pass_gate, &gate), 1);
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < rounds; i++)
        JOIN(start_thread(call_and_end, &crowd)); /* later ones find a deep queue */
    CHECK_EQ(ec_thread_pool_get_queue_size(crowd.pool), rounds * crowd.calls);
    gate_open(&gate);
    await_empty(crowd.pool);
    CHECK_EQ(get(&count), (long)rounds * crowd.calls);
}

static void end_thread(void *count)
{
    add(count, 1);
    pthread_exit(NULL);
}

static void calls_behind_one_that_ends_its_thread_run(void)
{
    long count = 0;
    int pool = relaxed_pool("order.killed", 2);
    for (int i = 0; i < many(20000); i++)
        CHECK_EQ(fj_call(pool, i % 700 == 333 ? end_thread : add_one, &count), 1);
    await_empty(pool);
    CHECK_EQ(get(&count), many(20000));
}

/* ---- nobody waits for another ---- */

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

/* ---- settings ---- */

static void gathered_calls_are_seen(void)
{
    long count = 0;
    int pool = relaxed_pool("order.seen", 2);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP + 17; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), DEEP + 17);
    fj_job_kind kinds[4];
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 4), 1);
    CHECK_EQ(kinds[0].job_num_queued, DEEP + 17);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP + 17);
}

struct ages {
    long listed;
    double least;
};

static int note_age(const fj_queued_job *job, void *closure)
{
    struct ages *ages = closure;
    ages->listed++;
    ages->least = job->age < ages->least ? job->age : ages->least;
    CHECK_EQ(job->state, FJ_JOB_QUEUED);
    return 0;
}

static int all_are_old(int pool, long count)
{
    struct ages ages = {0, 1e9};
    CHECK_EQ(fj_pool_list_jobs(pool, note_age, &ages), count);
    CHECK_EQ(ages.listed, count);
    return ages.least >= 0.03;
}

static void call_at_gate(void *gate)
{
    GATE_PASS((struct gate *)gate);
}

/* A listing takes calls out of the hand of a worker that is busy: it knows how old they are. */
static void calls_from_a_hand_are_listed_with_their_age(void)
{
    static struct gate gate = GATE_CLOSED;
    long count = 0;
    int pool = relaxed_pool("order.ages", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_call(pool, call_at_gate, &gate), 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    ec_thread_pool_defer_spawn(pool, 0);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(get(&count), DEEP);
    POLL(all_are_old(pool, DEEP));
    gate_open(&gate);
    await_empty(pool);
    CHECK_EQ(get(&count), 2 * DEEP);
}

static void without_concurrency_calls_run_at_once_again(void)
{
    long count = 0;
    int pool = relaxed_pool("order.inline", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_pool_set_concurrency(pool, 0), 1);
    CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(get(&count), 1); /* the last one, in this thread */
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP + 1);
}

static void note_event(const fj_trace_event *event, void *started)
{
    if (event->kind == FJ_TRACE_STARTED)
        add(started, 1);
}

static void a_trace_sees_calls_that_come_after_it(void)
{
    long count = 0, started = 0;
    int pool = relaxed_pool("order.trace", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    CHECK_EQ(fj_trace_set(note_event, &started), 1);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(get(&count), DEEP + 100);
    CHECK(get(&started) >= 100);
}

static long s_looking;

static void *look_on(void *argument)
{
    const struct crowd *crowd = argument;
    while (get(&s_looking) != 0) {
        CHECK(ec_thread_pool_get_queue_size(crowd->pool) >= 0);
        CHECK(stats_of(crowd->pool).name != NULL);
    }
    return NULL;
}

/* Threads begin to gather while another one counts what is gathered. */
static void counts_are_read_while_threads_begin(void)
{
    long count = 0;
    int rounds = many(500);
    struct crowd crowd = {relaxed_pool("order.begin", 1), DEEP / 10, &count, 0};
    ec_thread_pool_defer_spawn(crowd.pool, 1);
    CHECK_EQ(call_often(&(struct crowd){crowd.pool, DEEP, &count, 0}), NULL);
    set(&s_looking, 1);
    pthread_t other = start_thread(look_on, &crowd);
    for (int i = 0; i < rounds; i++)
        JOIN(start_thread(call_often, &crowd));
    set(&s_looking, 0);
    JOIN(other);
    ec_thread_pool_defer_spawn(crowd.pool, 0);
    await_empty(crowd.pool);
    CHECK_EQ(get(&count), DEEP + (long)rounds * crowd.calls);
}

static void wrong_orders_are_refused(void)
{
    int pool = new_pool("order.wrong", 1);
    CHECK_EQ(fj_pool_set_order(pool, (fj_order)2), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_STR(fj_last_error(), "pool \"order.wrong\": 2 is no order (FJ_ORDER_FIFO, FJ_ORDER_RELAXED)");
    CHECK_EQ(fj_pool_set_order(-77, FJ_ORDER_RELAXED), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    long count = 0;
    CHECK_EQ(fj_call(pool, add_one, &count), 1); /* a function that is known */
    CHECK_EQ(fj_call(INT_MIN, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    await_empty(pool);
    CHECK_EQ(get(&count), 1);
}

static void a_child_process_is_told_that_it_has_no_engine(void)
{
    long count = 0;
    int pool = relaxed_pool("order.fork", 1);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(pool, add_one, &count), 1);
    pid_t child = fork();
    if (child == 0)
        _exit(fj_call(pool, add_one, &count) == 0 && fj_last_error_code() == FJ_EFORKED ? 0 : 1);
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ec_thread_pool_defer_spawn(pool, 0);
    await_empty(pool);
    CHECK_EQ(get(&count), DEEP);
}

/* Last: the engine has ended. */
static void a_shutdown_runs_what_was_gathered(void)
{
    long count = 0;
    struct crowd crowd = {relaxed_pool("order.shutdown", 2), DEEP, &count, 0};
    CHECK_EQ(fj_call(crowd.pool, add_one, &count), 1);
    JOIN(start_thread(call_often, &crowd));
    for (int i = 0; i < DEEP; i++)
        CHECK_EQ(fj_call(crowd.pool, add_one, &count), 1);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&count), 2 * DEEP + 1);
    CHECK_EQ(fj_call(crowd.pool, add_one, &count), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(get(&count), 2 * DEEP + 1);
}

int main(void)
{
    CHECK_EQ(fj_pool_set_order(ECTP_CLASS_CPU, FJ_ORDER_RELAXED), 1);
    CHECK_EQ(fj_pool_set_order(ECTP_CLASS_IO, FJ_ORDER_RELAXED), 1);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_CPU, 2), 1);
    CHECK_EQ(fj_pool_set_concurrency(ECTP_CLASS_IO, 2), 1);
    RUN(a_pool_of_one_keeps_the_order_of_each_thread);
    RUN(many_threads_lose_and_double_no_call);
    RUN(calls_of_threads_that_have_ended_run);
    RUN(calls_behind_one_that_ends_its_thread_run);
    RUN(a_call_that_blocks_holds_up_no_other);
    RUN(gathered_calls_do_not_starve);
    RUN(gathered_calls_do_not_starve_beside_jobs);
    RUN(calls_in_a_hand_do_not_starve);
    RUN(gathered_calls_are_seen);
    RUN(counts_are_read_while_threads_begin);
    RUN(calls_from_a_hand_are_listed_with_their_age);
    RUN(without_concurrency_calls_run_at_once_again);
    RUN(a_trace_sees_calls_that_come_after_it);
    RUN(wrong_orders_are_refused);
    RUN(a_child_process_is_told_that_it_has_no_engine);
    RUN(a_shutdown_runs_what_was_gathered);
    return check_report();
}
