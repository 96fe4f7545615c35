/*
 * test_pools.c - pools: what is predefined, concurrency, order, backlog, deferring.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static sem_t s_done;

/* ---- names and settings ---- */

static void the_predefined_pools_are_the_originals(void)
{
    static const struct {
        const char *name;
        int job_class, concurrency;
    } pools[] = {
        {"CPU", ECTP_CLASS_CPU, 4},
        {"IO", ECTP_CLASS_IO, 50},
        {"SwapOut", ECTP_CLASS_SWAPOUT, 5},
        {"SwapIn", ECTP_CLASS_SWAPIN, 5},
        {"Close", ECTP_CLASS_CLOSE, 0},
        {"Unlink", ECTP_CLASS_UNLINK, 6},
        {"Batch_Unlink", ECTP_CLASS_BATCH_UNLINK, 4},
        {"SpoolIn", ECTP_CLASS_SPOOL_IN, 1},
        {"Async_Bounce", ECTP_CLASS_ASYNC_BOUNCE, 4},
        {"Sieve_IO", ECTP_CLASS_SIEVE_IO, 10},
    };
    CHECK_EQ(ec_thread_pool_count(), 10);
    for (int i = 0; i < 10; i++) {
        char other_case[32];
        snprintf(other_case, sizeof(other_case), "%s", pools[i].name);
        for (char *c = other_case; *c != '\0'; c++) {
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        CHECK_EQ(ec_thread_pool_name_to_class(pools[i].name), pools[i].job_class);
        CHECK_EQ(ec_thread_pool_name_to_class(other_case), pools[i].job_class);
        fj_pool_stats stats = stats_of(pools[i].job_class);
        CHECK_STR(stats.name, pools[i].name);
        CHECK_EQ(stats.job_class, pools[i].job_class);
        CHECK_EQ(stats.concurrency, pools[i].concurrency);
        CHECK_EQ(stats.num_threads, 0); /* none before the first job */
        CHECK_EQ(ec_thread_pool_get_queue_size(pools[i].job_class), 0);
    }
    CHECK_EQ(ec_thread_pool_name_to_class("Short_Lived"), ECTP_CLASS_SHORT_LIVED);
    CHECK_EQ(ec_thread_pool_name_to_class("SHORT_LIVED"), ECTP_CLASS_SHORT_LIVED);
}

static void created_pools_get_the_next_numbers(void)
{
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.created.%d", i);
        int expected = ec_thread_pool_count();
        CHECK_EQ(ec_thread_pool_create_module(NULL, name, i, 0, 0), expected);
        memset(name, 'x', 5); /* it was copied */
        CHECK_EQ(ec_thread_pool_count(), expected + 1);
        CHECK_EQ(stats_of(expected).concurrency, i);
        snprintf(name, sizeof(name), "POOLS.created.%d", i);
        CHECK_EQ(ec_thread_pool_name_to_class(name), expected);
        ec_async_job job;
        CHECK(QUEUE(job_with_semaphore(&job, expected, do_nothing, NULL, &s_done)));
        AWAIT(&s_done);
    }
    int utf8 = ec_thread_pool_create_module(NULL, "Straße", 1, 0, 0);
    CHECK(utf8 > 0);
    CHECK_EQ(ec_thread_pool_name_to_class("Straße"), utf8);
    CHECK_STR(stats_of(utf8).name, "Straße");
}

static void a_thousand_idle_pools_cost_no_thread(void)
{
    int threads = all_threads();
    int first = ec_thread_pool_count();
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.many.%d", i);
        CHECK_EQ(ec_thread_pool_create_module(NULL, name, 8, 0, 0), first + i);
    }
    CHECK(all_threads() <= threads);
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, first + 999, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    CHECK(all_threads() <= threads + 1); /* one job, one thread */
    ec_thread_pool_auto_shrink(first + 999);
    POLL(all_threads() <= threads);
}

/* ---- concurrency ---- */

struct crowd {
    long running, most, limit, over, started;
    struct gate gate;
};
#define CROWD(allowed)                                                                                       \
    {                                                                                                        \
        0, 0, (allowed), 0, 0, GATE_CLOSED                                                                   \
    }

static void join_crowd(ec_async_job *job, void *closure)
{
    (void)job;
    struct crowd *crowd = closure;
    long running = add(&crowd->running, 1);
    raise_to(&crowd->most, running);
    if (running > get(&crowd->limit)) {
        add(&crowd->over, 1);
    }
    add(&crowd->started, 1);
    GATE_PASS(&crowd->gate);
    add(&crowd->running, -1);
}

/* Jobs that stay until a post of their closure lets one of them go. */
struct held {
    struct crowd *crowd;
    sem_t leave;
};

static void stay(ec_async_job *job, void *closure)
{
    (void)job;
    struct held *held = closure;
    long running = add(&held->crowd->running, 1);
    raise_to(&held->crowd->most, running);
    if (running > get(&held->crowd->limit)) {
        add(&held->crowd->over, 1);
    }
    add(&held->crowd->started, 1);
    AWAIT(&held->leave);
    add(&held->crowd->running, -1);
}

static void as_many_jobs_run_at_once_as_allowed_and_no_more(void)
{
    static const int limits[] = {1, 2, 3, 8, 40};
    for (int l = 0; l < 5; l++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.limit.%d", limits[l]);
        int pool = new_pool(name, limits[l]);
        enum { JOBS = 200 };
        static ec_async_job jobs[JOBS];
        struct crowd crowd = CROWD(limits[l]);
        for (int i = 0; i < JOBS; i++) {
            QUEUE(job_with_semaphore(&jobs[i], pool, join_crowd, &crowd, &s_done));
        }
        GATE_AWAIT(&crowd.gate, limits[l]);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS - limits[l]);
        CHECK_EQ(stats_of(pool).num_active_threads, limits[l]);
        CHECK_EQ(stats_of(pool).num_threads, limits[l]);
        gate_open(&crowd.gate);
        AWAIT_TIMES(&s_done, JOBS);
        CHECK_EQ(get(&crowd.most), limits[l]);
        CHECK_EQ(get(&crowd.over), 0);
    }
}

static void growing_takes_effect_at_once(void)
{
    enum { JOBS = 40 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("pools.grow", 2);
    struct crowd crowd = CROWD(2);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, join_crowd, &crowd, &s_done));
    }
    GATE_AWAIT(&crowd.gate, 2);
    for (int limit = 3; limit <= 30; limit += 3) {
        set(&crowd.limit, limit);
        CHECK_EQ(fj_pool_set_concurrency(pool, limit), 1);
        GATE_AWAIT(&crowd.gate, limit); /* although no job ends and none is queued */
        CHECK_EQ(stats_of(pool).concurrency, limit);
    }
    gate_open(&crowd.gate);
    AWAIT_TIMES(&s_done, JOBS);
    CHECK_EQ(get(&crowd.over), 0);
    CHECK_EQ(get(&crowd.most), 30);
}

static void shrinking_takes_effect_as_jobs_end(void)
{
    enum { JOBS = 30 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("pools.shrink", 6);
    struct crowd crowd = CROWD(6);
    struct held held = {.crowd = &crowd};
    new_semaphore(&held.leave, 0);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stay, &held, &s_done));
    }
    POLL(get(&crowd.started) == 6); /* and have been compared with the limit */
    CHECK_EQ(fj_pool_set_concurrency(pool, 2), 1);
    set(&crowd.limit, 2); /* every job that starts from now on must find at most one other */
    for (int i = 0; i < JOBS; i++) {
        sem_post(&held.leave);
        AWAIT(&s_done);
        if (i < 4) { /* four go and none comes; a job that came too many would be counted in `over` */
            CHECK_EQ(get(&crowd.started), 6);
        }
    }
    CHECK_EQ(get(&crowd.over), 0);
    POLL(stats_of(pool).num_threads <= 2); /* those not needed end */
    sem_destroy(&held.leave);
}

static void note_thread(ec_async_job *job, void *closure)
{
    (void)job;
    *(pthread_t *)closure = pthread_self();
}

static void with_concurrency_0_jobs_run_in_their_submitter(void)
{
    int pool = new_pool("pools.zero", 3);
    struct gate gate = GATE_CLOSED;
    ec_async_job running, queued[5], job;
    pthread_t thread;
    CHECK_EQ(fj_pool_set_concurrency(pool, 1), 1);
    QUEUE(job_with_semaphore(&running, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    for (int i = 0; i < 5; i++) {
        QUEUE(job_with_semaphore(&queued[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(fj_pool_set_concurrency(pool, 0), 1);
    QUEUE(job_with_callback(&job, pool, note_thread, &thread, do_nothing, NULL));
    CHECK(pthread_equal(thread, pthread_self()));
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 6); /* what was queued is not forgotten */
    CHECK_EQ(fj_pool_set_concurrency(pool, 2), 1);
    QUEUE(job_with_semaphore(&job, pool, note_thread, &thread, &s_done));
    AWAIT(&s_done);
    CHECK(!pthread_equal(thread, pthread_self()));
}

static void *change_concurrency(void *stop)
{
    int pool = ec_thread_pool_name_to_class("pools.changing");
    for (unsigned i = 1; !get(stop); i = i * 1103515245 + 12345) {
        CHECK_EQ(fj_pool_set_concurrency(pool, (int)(i >> 16) % 9), 1); /* 0 to 8 */
    }
    return NULL;
}

static void nothing_is_lost_while_it_changes(void)
{
    int pool = new_pool("pools.changing", 4);
    long stop = 0;
    int rounds = many(50000);
    pthread_t thread = start_thread(change_concurrency, &stop);
    ec_async_job *jobs = calloc((size_t)rounds, sizeof(*jobs));
    for (int i = 0; i < rounds; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    set(&stop, 1);
    JOIN(thread);
    AWAIT_TIMES(&s_done, rounds); /* also if it has ended at 0 */
    POLL(stats_of(pool).invocations == (unsigned long long)rounds);
    free(jobs);
}

/* ---- order ---- */

enum { ORDERED = 50000 };

struct ordered {
    long next, disorder;
};

struct numbered {
    ec_async_job job;
    long number;
    struct ordered *order;
};

static void check_order(ec_async_job *job, void *closure)
{
    struct ordered *order = closure;
    if (order->next != ((struct numbered *)job)->number) {
        order->disorder++;
    }
    order->next++; /* one worker: no lock */
}

static void one_worker_keeps_the_order(void)
{
    static struct numbered jobs[ORDERED];
    int count = many(ORDERED) < ORDERED ? many(ORDERED) : ORDERED;
    int pool = new_pool("pools.order1", 1);
    struct ordered order = {0};
    for (int i = 0; i < count; i++) {
        jobs[i].number = i;
        job_with_semaphore(&jobs[i].job, pool, check_order, &order, &s_done);
        QUEUE(&jobs[i].job);
    }
    AWAIT_TIMES(&s_done, count);
    CHECK_EQ(order.disorder, 0);
    CHECK_EQ(order.next, count);
}

/* Producers that take turns: each queues a few jobs and passes the turn on. */
struct turn_taker {
    pthread_t thread;
    sem_t my_turn, *next_turn;
    struct numbered *jobs;
    long *numbers;
    int rounds, job_class;
    struct ordered *order;
};

static void *take_turns(void *closure)
{
    struct turn_taker *t = closure;
    for (int i = 0; i < t->rounds; i++) {
        AWAIT(&t->my_turn);
        struct numbered *job = &t->jobs[i];
        job->number = (*t->numbers)++;
        job_with_semaphore(&job->job, t->job_class, check_order, t->order, &s_done);
        QUEUE(&job->job);
        sem_post(t->next_turn);
    }
    return NULL;
}

static void producers_that_wait_for_each_other_keep_the_order(void)
{
    enum { PRODUCERS = 3 };
    struct turn_taker takers[PRODUCERS];
    struct ordered order = {0};
    long numbers = 0;
    int rounds = many(5000);
    int pool = new_pool("pools.turns", 1);
    memset(takers, 0, sizeof(takers));
    for (int i = 0; i < PRODUCERS; i++) {
        takers[i].next_turn = &takers[(i + 1) % PRODUCERS].my_turn;
        takers[i].jobs = calloc((size_t)rounds, sizeof(struct numbered));
        takers[i].numbers = &numbers;
        takers[i].rounds = rounds;
        takers[i].job_class = pool;
        takers[i].order = &order;
        new_semaphore(&takers[i].my_turn, i == 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        takers[i].thread = start_thread(take_turns, &takers[i]);
    }
    AWAIT_TIMES(&s_done, PRODUCERS * rounds);
    for (int i = 0; i < PRODUCERS; i++) {
        JOIN(takers[i].thread);
        free(takers[i].jobs);
    }
    CHECK_EQ(order.disorder, 0);
}

enum { OVERTAKERS = 4 };
static int s_started[ORDERED];
static long s_floor, s_most_overtaken;

/* How many jobs submitted before this one have not started, now that it starts. */
static void count_overtaken(ec_async_job *job, void *closure)
{
    (void)closure;
    long mine = ((struct numbered *)job)->number;
    __atomic_store_n(&s_started[mine], 1, __ATOMIC_SEQ_CST);
    long floor = get(&s_floor); /* all before it have started */
    long overtaken = 0;
    long first = mine;
    for (long i = mine - 1; i >= floor; i--) {
        if (!__atomic_load_n(&s_started[i], __ATOMIC_SEQ_CST)) {
            overtaken++;
            first = i;
        }
    }
    raise_to(&s_floor, first);
    raise_to(&s_most_overtaken, overtaken);
}

static void several_workers_overtake_by_less_than_their_number(void)
{
    static struct numbered jobs[ORDERED];
    int count = many(ORDERED) < ORDERED ? many(ORDERED) : ORDERED;
    int pool = new_pool("pools.order4", OVERTAKERS);
    for (int i = 0; i < count; i++) {
        jobs[i].number = i;
        job_with_semaphore(&jobs[i].job, pool, count_overtaken, NULL, &s_done);
        QUEUE(&jobs[i].job);
    }
    AWAIT_TIMES(&s_done, count);
    CHECK(get(&s_most_overtaken) <= OVERTAKERS - 1);
}

/* ---- backlog ---- */

struct submitter {
    pthread_t thread;
    int job_class, jobs;
    long accepted, tid;
    sem_t *done;
    ec_async_job *memory;
};

static void *submit(void *closure)
{
    struct submitter *s = closure;
    set(&s->tid, thread_id());
    for (int i = 0; i < s->jobs; i++) {
        QUEUE(job_with_semaphore(&s->memory[i], s->job_class, do_nothing, NULL, s->done));
        add(&s->accepted, 1);
    }
    return NULL;
}

static void a_full_backlog_blocks_the_submitter_exactly_then(void)
{
    static const size_t limits[] = {1, 2, 10, 100};
    for (int l = 0; l < 4; l++) {
        char name[32];
        snprintf(name, sizeof(name), "pools.backlog.%zu", limits[l]);
        int pool = ec_thread_pool_create_module(NULL, name, 1, 0, l % 2 == 0 ? limits[l] : 0);
        if (l % 2 == 1) {
            CHECK_EQ(ec_thread_pool_set_backlog(pool, limits[l]), 1);
        }
        int limit = (int)limits[l];
        ec_async_job blockers[2];
        struct gate gates[2] = {GATE_CLOSED, GATE_CLOSED};
        for (int i = 0; i < 2; i++) {
            QUEUE(job_with_semaphore(&blockers[i], pool, stand_at_gate, &gates[i], &s_done));
            if (i == 0) {
                GATE_AWAIT(&gates[0], 1); /* it runs: the backlog is empty */
            }
        }
        /* One waits; the submitter finds room for limit - 1 more. */
        struct submitter s = {.job_class = pool, .jobs = limit + 5, .done = &s_done};
        s.memory = calloc((size_t)s.jobs, sizeof(ec_async_job));
        s.thread = start_thread(submit, &s);
        POLL(get(&s.accepted) >= limit - 1 && thread_sleeps(get(&s.tid)));
        CHECK_EQ(get(&s.accepted), limit - 1);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), limit);
        gate_open(&gates[0]); /* the second blocker starts: one place, for one job */
        GATE_AWAIT(&gates[1], 1);
        POLL(get(&s.accepted) >= limit && thread_sleeps(get(&s.tid)));
        CHECK_EQ(get(&s.accepted), limit);
        CHECK_EQ(ec_thread_pool_get_queue_size(pool), limit);
        gate_open(&gates[1]);
        JOIN(s.thread);
        AWAIT_TIMES(&s_done, s.jobs + 2);
        CHECK_EQ(get(&s.accepted), s.jobs);
        free(s.memory);
    }
}

static void the_backlog_of_unlink_is_100(void)
{
    ec_async_job blockers[6];
    struct gate gate = GATE_CLOSED;
    for (int i = 0; i < 6; i++) {
        QUEUE(job_with_semaphore(&blockers[i], ECTP_CLASS_UNLINK, stand_at_gate, &gate, &s_done));
    }
    GATE_AWAIT(&gate, 6);
    struct submitter s = {.job_class = ECTP_CLASS_UNLINK, .jobs = 150, .done = &s_done};
    s.memory = calloc((size_t)s.jobs, sizeof(ec_async_job));
    s.thread = start_thread(submit, &s);
    POLL(get(&s.accepted) >= 100 && thread_sleeps(get(&s.tid)));
    CHECK_EQ(get(&s.accepted), 100);
    gate_open(&gate);
    JOIN(s.thread);
    AWAIT_TIMES(&s_done, s.jobs + 6);
    free(s.memory);
}

static void many_blocked_submitters_all_come_through(void)
{
    enum { SUBMITTERS = 8 };
    struct submitter submitters[SUBMITTERS];
    int pool = ec_thread_pool_create_module(NULL, "pools.crowded", 2, 0, 3);
    int each = many(5000);
    memset(submitters, 0, sizeof(submitters));
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].job_class = pool;
        submitters[i].jobs = each;
        submitters[i].done = &s_done;
        submitters[i].memory = calloc((size_t)each, sizeof(ec_async_job));
        submitters[i].thread = start_thread(submit, &submitters[i]);
    }
    AWAIT_TIMES(&s_done, SUBMITTERS * each);
    for (int i = 0; i < SUBMITTERS; i++) {
        JOIN(submitters[i].thread);
        free(submitters[i].memory);
    }
}

enum { OVER = 20 };

struct over_the_limit {
    ec_async_job job, more[OVER];
    int job_class, size_then;
};

static void queue_more(ec_async_job *job, void *closure)
{
    (void)job;
    struct over_the_limit *o = closure;
    for (int i = 0; i < OVER; i++) {
        QUEUE(job_with_semaphore(&o->more[i], o->job_class, do_nothing, NULL, &s_done));
    }
    o->size_then = ec_thread_pool_get_queue_size(o->job_class);
}

static void queue_more_and_post(ec_async_job *job, void *closure)
{
    queue_more(job, closure);
    sem_post(&s_done);
}

static void own_workers_go_over_the_limit(void)
{
    int pool = ec_thread_pool_create_module(NULL, "pools.over", 1, 0, 2);
    struct over_the_limit o = {.job_class = pool};
    QUEUE(job_with_semaphore(&o.job, pool, queue_more, &o, &s_done));
    AWAIT_TIMES(&s_done, OVER + 1);
    CHECK_EQ(o.size_then, OVER);
    QUEUE(job_with_callback(&o.job, pool, do_nothing, NULL, queue_more_and_post,
                            &o)); /* in its completion too */
    AWAIT_TIMES(&s_done, OVER + 1);
    CHECK_EQ(o.size_then, OVER);
}

static void the_scheduler_thread_never_blocks(void)
{
    int pool = ec_thread_pool_create_module(NULL, "pools.over3", 1, 0, 2);
    struct over_the_limit o = {.job_class = pool};
    ec_thread_pool_defer_spawn(pool, 1);
    job_with_callback(&o.job, ECTP_CLASS_CPU, do_nothing, NULL, queue_more_and_post, &o);
    o.job.completion = ECTP_COMPLETE_CALLBACK_SCHED;
    QUEUE(&o.job);
    AWAIT(&s_done); /* it has queued them all, and none has run */
    CHECK_EQ(o.size_then, OVER);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, OVER);
}

/* ---- deferred ---- */

static void deferred_pools_collect_jobs(void)
{
    enum { JOBS = 50 };
    ec_async_job jobs[JOBS];
    int pool = new_pool("pools.defer", 3);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), JOBS);
    CHECK_EQ(stats_of(pool).num_threads, 0);
    CHECK_EQ(stats_of(pool).queue_sz, JOBS);
    CHECK_EQ(threads_named("pools.defe"), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, JOBS);
}

static void deferring_a_running_pool_lets_jobs_end_and_starts_none(void)
{
    int pool = new_pool("pools.defer2", 2);
    struct crowd crowd = CROWD(2);
    struct held held = {.crowd = &crowd};
    ec_async_job jobs[6];
    new_semaphore(&held.leave, 0);
    for (int i = 0; i < 6; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stay, &held, &s_done));
    }
    POLL(get(&crowd.started) == 2);
    ec_thread_pool_defer_spawn(pool, 1);
    set(&crowd.limit, 0); /* a job that starts now is one too many */
    sem_post(&held.leave);
    sem_post(&held.leave);
    AWAIT_TIMES(&s_done, 2);
    POLL(stats_of(pool).num_active_threads == 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 4);
    CHECK_EQ(get(&crowd.started), 2);
    set(&crowd.limit, 2);
    ec_thread_pool_defer_spawn(pool, 0);
    for (int i = 0; i < 4; i++) {
        sem_post(&held.leave);
    }
    AWAIT_TIMES(&s_done, 4);
    CHECK_EQ(get(&crowd.over), 0);
    sem_destroy(&held.leave);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(the_predefined_pools_are_the_originals);
    RUN(created_pools_get_the_next_numbers);
    RUN(a_thousand_idle_pools_cost_no_thread);
    RUN(as_many_jobs_run_at_once_as_allowed_and_no_more);
    RUN(growing_takes_effect_at_once);
    RUN(shrinking_takes_effect_as_jobs_end);
    RUN(with_concurrency_0_jobs_run_in_their_submitter);
    RUN(nothing_is_lost_while_it_changes);
    RUN(one_worker_keeps_the_order);
    RUN(producers_that_wait_for_each_other_keep_the_order);
    RUN(several_workers_overtake_by_less_than_their_number);
    RUN(a_full_backlog_blocks_the_submitter_exactly_then);
    RUN(the_backlog_of_unlink_is_100);
    RUN(many_blocked_submitters_all_come_through);
    RUN(own_workers_go_over_the_limit);
    RUN(the_scheduler_thread_never_blocks);
    RUN(deferred_pools_collect_jobs);
    RUN(deferring_a_running_pool_lets_jobs_end_and_starts_none);
    return check_report();
}
