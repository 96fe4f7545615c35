/*
 * test_slots.c - concurrency semaphores: the caller says how many jobs of a kind may run at once, and no
 * worker waits.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

static sem_t s_done;

/* Jobs that share a semaphore, and how many of them run. */
struct kind {
    sem_t slots;
    long running, most, runs;
    struct gate gate;
};

static void kind_init(struct kind *kind, unsigned slots, int gate_is_open)
{
    static const struct gate closed = GATE_CLOSED;
    memset(kind, 0, sizeof(*kind));
    kind->gate = closed;
    kind->gate.open = gate_is_open;
    new_semaphore(&kind->slots, slots);
}

static void run_with_slot(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    raise_to(&kind->most, add(&kind->running, 1));
    GATE_PASS(&kind->gate);
    add(&kind->runs, 1);
    add(&kind->running, -1);
}

/* As above, without a gate: for large numbers. */
static void run_shortly(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    raise_to(&kind->most, add(&kind->running, 1));
    for (int i = 0; i < 50; i++) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    add(&kind->runs, 1);
    add(&kind->running, -1);
}

static ec_async_job *with_slot(ec_async_job *job, int job_class, ec_thread_pool_work_func worker,
                               struct kind *kind)
{
    job_with_semaphore(job, job_class, worker, kind, &s_done);
    job->concurrency = &kind->slots;
    return job;
}

/* The slot is posted before the completion, so after the last completion all are there. */
static void expect_all_slots_back(struct kind *kind, int slots)
{
    CHECK_EQ(semaphore_value(&kind->slots), slots);
    CHECK_EQ(get(&kind->running), 0);
    CHECK_EQ(sem_destroy(&kind->slots), 0); /* nobody uses it any more */
    memset(&kind->slots, 0xdd, sizeof(kind->slots));
}

static void never_more_than_slots_run_at_once(void)
{
    static const int slots[] = {1, 2, 3, 7};
    int pool = new_pool("slots.limit", 8);
    for (int s = 0; s < 4; s++) {
        int count = many(20000);
        struct kind kind;
        kind_init(&kind, (unsigned)slots[s], 1);
        ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
        for (int i = 0; i < count; i++) {
            QUEUE(with_slot(&jobs[i], pool, run_shortly, &kind));
        }
        AWAIT_TIMES(&s_done, count);
        CHECK_EQ(get(&kind.runs), count);
        CHECK(get(&kind.most) <= slots[s]);
        expect_all_slots_back(&kind, slots[s]);
        free(jobs);
    }
}

static void all_slots_are_used(void)
{
    enum { JOBS = 20, SLOTS = 3 };
    int pool = new_pool("slots.used", 8);
    struct kind kind;
    ec_async_job jobs[JOBS];
    kind_init(&kind, SLOTS, 0);
    for (int i = 0; i < JOBS; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_with_slot, &kind));
    }
    GATE_AWAIT(&kind.gate, SLOTS);
    /* a worker that wakes late takes one more to its place of waiting */
    POLL(ec_thread_pool_get_queue_size(pool) == JOBS - SLOTS);
    POLL(stats_of(pool).queue_sz == JOBS - SLOTS);
    POLL(stats_of(pool).num_active_threads == SLOTS); /* no worker waits for a slot */
    CHECK_EQ(semaphore_value(&kind.slots), 0);
    gate_open(&kind.gate);
    AWAIT_TIMES(&s_done, JOBS);
    CHECK_EQ(get(&kind.most), SLOTS);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    expect_all_slots_back(&kind, SLOTS);
}

static void a_hundred_thousand_waiting_jobs_leave_the_other_workers_free(void)
{
    int count = many(100000);
    int pool = new_pool("slots.crowd", 4);
    struct kind kind;
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    ec_async_job other;
    sem_t other_done;
    new_semaphore(&other_done, 0);
    kind_init(&kind, 2, 0);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_with_slot, &kind));
    }
    GATE_AWAIT(&kind.gate, 2);
    struct gate both = GATE_CLOSED; /* two workers are free for other jobs, both at once */
    ec_async_job pair[2];
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&pair[i], pool, stand_at_gate, &both, &other_done));
    }
    GATE_AWAIT(&both, 2);
    CHECK_EQ(gate_inside(&kind.gate), 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), count - 2);
    gate_open(&both);
    AWAIT_TIMES(&other_done, 2);
    gate_open(&kind.gate);
    for (int i = 0; i < 100; i++) { /* and others pass while the crowd is worked off */
        QUEUE(job_with_semaphore(&other, pool, do_nothing, NULL, &other_done));
        AWAIT(&other_done);
    }
    AWAIT_TIMES(&s_done, count);
    CHECK_EQ(get(&kind.runs), count);
    CHECK_EQ(get(&kind.most), 2);
    expect_all_slots_back(&kind, 2);
    sem_destroy(&other_done);
    free(jobs);
}

static void kinds_do_not_disturb_each_other(void)
{
    int count = many(5000);
    struct kind kinds[3];
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    for (int k = 0; k < 3; k++) {
        kind_init(&kinds[k], (unsigned)k + 1, 1);
    }
    int pool = new_pool("slots.kinds", 4);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pool, run_shortly, &kinds[i % 3]));
    }
    AWAIT_TIMES(&s_done, count);
    long runs = 0;
    for (int k = 0; k < 3; k++) {
        runs += get(&kinds[k].runs);
        CHECK(get(&kinds[k].most) <= k + 1);
        expect_all_slots_back(&kinds[k], k + 1);
    }
    CHECK_EQ(runs, count);
    free(jobs);
}

static void a_slot_that_the_caller_posts_is_noticed(void)
{
    struct kind kind;
    ec_async_job job;
    int late = 0;
    kind_init(&kind, 0, 1);
    for (int i = 0; i < many(50); i++) {
        QUEUE(with_slot(&job, ECTP_CLASS_CPU, run_shortly, &kind));
        POLL(ec_thread_pool_get_queue_size(ECTP_CLASS_CPU) == 1);
        CHECK_EQ(semaphore_value(&s_done), 0);
        double posted = seconds_now();
        sem_post(&kind.slots);
        AWAIT(&s_done);
        late += seconds_now() - posted > 1;        /* 5 ms on a machine that has time */
        CHECK_EQ(semaphore_value(&kind.slots), 1); /* given back */
        CHECK_EQ(sem_trywait(&kind.slots), 0);
    }
    CHECK(late < many(50) / 2); /* a machine that is busy may come late now and then */
    CHECK_EQ(get(&kind.runs), many(50));
    sem_destroy(&kind.slots);
}

static void a_thousand_semaphores_have_waiting_jobs(void)
{
    enum { SEMAPHORES = 1000 };
    static sem_t slots[SEMAPHORES];
    static ec_async_job jobs[2 * SEMAPHORES];
    int pool = new_pool("slots.thousand", 4);
    ec_async_job other;
    for (int i = 0; i < SEMAPHORES; i++) {
        new_semaphore(&slots[i], 0);
        for (int k = 0; k < 2; k++) {
            ec_async_job *job = job_with_semaphore(&jobs[2 * i + k], pool, do_nothing, NULL, &s_done);
            job->concurrency = &slots[i];
            QUEUE(job);
        }
    }
    QUEUE(job_with_semaphore(&other, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done); /* behind all of them, and alone */
    CHECK_EQ(semaphore_value(&s_done), 0);
    /* another worker may be on its way with the last one that it took */
    POLL(ec_thread_pool_get_queue_size(pool) == 2 * SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++) {
        sem_post(&slots[i]); /* one slot for two jobs */
    }
    AWAIT_TIMES(&s_done, 2 * SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++) {
        CHECK_EQ(semaphore_value(&slots[i]), 1);
        sem_destroy(&slots[i]);
    }
}

static void a_posted_slot_counts_while_no_worker_is_free(void)
{
    int pool = new_pool("slots.busy", 1);
    struct kind kind;
    struct gate gate = GATE_CLOSED;
    ec_async_job waiting, running;
    kind_init(&kind, 0, 1);
    QUEUE(with_slot(&waiting, pool, run_shortly, &kind));
    QUEUE(
        job_with_semaphore(&running, pool, stand_at_gate, &gate, &s_done)); /* overtakes the one that waits */
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    sem_post(&kind.slots);
    POLL(semaphore_value(&kind.slots) ==
         0); /* it has been taken for the job, which must wait for the worker */
    fj_job_kind kinds[4];
    POLL(fj_pool_job_kinds(pool, kinds, 4) == 2); /* between the two queues it is in none */
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 1);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 2);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    expect_all_slots_back(&kind, 1);
}

static void a_slot_goes_from_pool_to_pool(void)
{
    enum { POOLS = 4 };
    int count = many(20000);
    int pools[POOLS];
    struct kind kind;
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    for (int i = 0; i < POOLS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "slots.pool%d", i);
        pools[i] = new_pool(name, i + 1);
    }
    kind_init(&kind, 1, 1);
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], pools[i % POOLS], run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, count);
    CHECK_EQ(get(&kind.most), 1);
    CHECK_EQ(get(&kind.runs), count);
    expect_all_slots_back(&kind, 1);
    for (int i = 0; i < POOLS; i++) {
        CHECK_EQ(ec_thread_pool_get_queue_size(pools[i]), 0);
    }
    free(jobs);
}

enum { BACKLOG = 5 };

struct full {
    struct kind kind;
    ec_async_job starter, waiting[BACKLOG], last, late;
    int pool;
    long tid, accepted;
};

/* A pool's own worker goes over the backlog. */
static void fill_backlog(ec_async_job *job, void *closure)
{
    (void)job;
    struct full *full = closure;
    for (int i = 0; i < BACKLOG; i++) {
        QUEUE(with_slot(&full->waiting[i], full->pool, run_shortly, &full->kind));
    }
    QUEUE(job_with_semaphore(&full->last, full->pool, do_nothing, NULL, &s_done));
}

static void *submit_one(void *closure)
{
    struct full *full = closure;
    set(&full->tid, thread_id());
    QUEUE(job_with_semaphore(&full->late, full->pool, do_nothing, NULL, &s_done));
    set(&full->accepted, 1);
    return NULL;
}

static void waiting_jobs_count_in_the_backlog(void)
{
    struct full full = {.pool = ec_thread_pool_create_module(NULL, "slots.backlog", 1, 0, BACKLOG)};
    kind_init(&full.kind, 0, 1);
    job_init(&full.starter, full.pool, fill_backlog, &full);
    QUEUE(&full.starter);
    AWAIT(&s_done); /* the last one has run: the others have been looked at, and wait for a slot */
    CHECK_EQ(ec_thread_pool_get_queue_size(full.pool), BACKLOG);
    pthread_t thread = start_thread(submit_one, &full); /* it needs no slot, but there is no room for it */
    POLL(get(&full.accepted) || (get(&full.tid) != 0 && thread_sleeps(get(&full.tid))));
    CHECK_EQ(get(&full.accepted), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(full.pool), BACKLOG);
    sem_post(&full.kind.slots);
    AWAIT_TIMES(&s_done, BACKLOG + 1);
    JOIN(thread);
    CHECK_EQ(get(&full.accepted), 1);
    expect_all_slots_back(&full.kind, 1);
}

static void sync_jobs_take_a_slot_in_their_submitter(void)
{
    static const int classes[] = {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE};
    struct kind kind;
    kind_init(&kind, 1, 1);
    for (int i = 0; i < 3; i++) {
        ec_async_job job;
        job_init(&job, classes[i], run_shortly, &kind);
        job.completion = ECTP_COMPLETE_SYNC;
        job.concurrency = &kind.slots;
        QUEUE(&job);
        CHECK_EQ(get(&kind.runs), i + 1);
        CHECK_EQ(semaphore_value(&kind.slots), 1);
    }
    expect_all_slots_back(&kind, 1);
}

static void *sync_in_thread(void *closure)
{
    struct kind *kind = closure;
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, run_shortly, kind);
    job.completion = ECTP_COMPLETE_SYNC;
    job.concurrency = &kind->slots;
    for (int i = 0; i < 50; i++) {
        QUEUE(&job);
    }
    return NULL;
}

static void sync_jobs_and_workers_share_the_slots(void)
{
    enum { THREADS = 3 };
    int count = many(2000);
    struct kind kind;
    pthread_t threads[THREADS];
    ec_async_job *jobs = calloc((size_t)count, sizeof(*jobs));
    kind_init(&kind, 2, 1);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(sync_in_thread, &kind);
    }
    for (int i = 0; i < count; i++) {
        QUEUE(with_slot(&jobs[i], ECTP_CLASS_CPU, run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, count);
    for (int i = 0; i < THREADS; i++) {
        JOIN(threads[i]);
    }
    CHECK_EQ(get(&kind.runs), count + THREADS * 50);
    CHECK(get(&kind.most) <= 2);
    expect_all_slots_back(&kind, 2);
    free(jobs);
}

/* ---- short lives: a semaphore in the same memory as the one before ---- */

static void a_semaphore_may_be_destroyed_after_its_last_job(void)
{
    enum { JOBS = 6 };
    for (int round = 0; round < many(3000); round++) {
        struct kind kind;
        ec_async_job jobs[JOBS];
        kind_init(&kind, (unsigned)round % 2 + 1, 1);
        for (int i = 0; i < JOBS; i++) {
            QUEUE(with_slot(&jobs[i], round % 3 == 0 ? ECTP_CLASS_IO : ECTP_CLASS_CPU, run_shortly, &kind));
        }
        AWAIT_TIMES(&s_done, JOBS);
        expect_all_slots_back(&kind, round % 2 + 1);
    }
}

/* ---- other completions ---- */

static void check_slot_is_back(ec_async_job *job, void *closure)
{
    (void)job;
    struct kind *kind = closure;
    CHECK(semaphore_value(&kind->slots) >= 1); /* one job, one slot: posted after the worker, before this */
    sem_post(&s_done);
}

static void the_slot_is_back_before_the_completion(void)
{
    struct kind kind;
    ec_async_job job;
    kind_init(&kind, 1, 1);
    for (int i = 0; i < 200; i++) {
        job_with_callback(&job, ECTP_CLASS_CPU, run_shortly, &kind, check_slot_is_back, &kind);
        job.concurrency = &kind.slots;
        job.completion = i % 2 == 0 ? ECTP_COMPLETE_CALLBACK : ECTP_COMPLETE_CALLBACK_SCHED;
        QUEUE(&job);
        AWAIT(&s_done);
    }
    expect_all_slots_back(&kind, 1);
}

static void free_own_job(ec_async_job *job, void *closure)
{
    memset(job, 0xdd, sizeof(*job));
    free(job);
    add(&((struct kind *)closure)->runs, 1);
}

static void a_job_freed_by_its_worker_gives_its_slot_back(void)
{
    struct kind kind;
    int count = many(5000);
    kind_init(&kind, 2, 1);
    for (int i = 0; i < count; i++) {
        ec_async_job *job = malloc(sizeof(*job));
        CHECK_OR_RETURN(job != NULL);
        job_init(job, ECTP_CLASS_CPU, free_own_job, &kind);
        job->concurrency = &kind.slots;
        QUEUE(job);
    }
    POLL(get(&kind.runs) == count);
    POLL(semaphore_value(&kind.slots) == 2); /* there is no signal for the post of the last one */
}

static void a_tail_does_not_keep_the_slot(void)
{
    struct kind kind;
    ec_async_job job;
    kind_init(&kind, 1, 1);
    with_slot(&job, ECTP_CLASS_CPU, run_shortly, &kind);
    job.skip_completion = 1;
    QUEUE(&job);
    POLL(get(&kind.runs) == 1 && semaphore_value(&kind.slots) == 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    ec_async_complete_tail(&job);
    AWAIT(&s_done);
    sem_destroy(&kind.slots);
}

static void end_thread(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    pthread_exit(NULL);
}

static void a_job_that_ends_its_thread_gives_its_slot_back(void)
{
    enum { PAIRS = 20 };
    struct kind kind;
    ec_async_job kills[PAIRS], jobs[PAIRS];
    kind_init(&kind, 1, 1);
    for (int i = 0; i < PAIRS; i++) {
        job_init(&kills[i], ECTP_CLASS_CPU, end_thread, NULL);
        kills[i].concurrency = &kind.slots;
        QUEUE(&kills[i]);
        QUEUE(with_slot(&jobs[i], ECTP_CLASS_CPU, run_shortly, &kind));
    }
    AWAIT_TIMES(&s_done, PAIRS);
    CHECK_EQ(get(&kind.runs), PAIRS);
    POLL(semaphore_value(&kind.slots) == 1); /* the last one to end may be one that ends its thread */
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(never_more_than_slots_run_at_once);
    RUN(all_slots_are_used);
    RUN(a_hundred_thousand_waiting_jobs_leave_the_other_workers_free);
    RUN(kinds_do_not_disturb_each_other);
    RUN(a_slot_that_the_caller_posts_is_noticed);
    RUN(a_thousand_semaphores_have_waiting_jobs);
    RUN(a_posted_slot_counts_while_no_worker_is_free);
    RUN(a_slot_goes_from_pool_to_pool);
    RUN(waiting_jobs_count_in_the_backlog);
    RUN(sync_jobs_take_a_slot_in_their_submitter);
    RUN(sync_jobs_and_workers_share_the_slots);
    RUN(a_semaphore_may_be_destroyed_after_its_last_job);
    RUN(the_slot_is_back_before_the_completion);
    RUN(a_job_freed_by_its_worker_gives_its_slot_back);
    RUN(a_tail_does_not_keep_the_slot);
    RUN(a_job_that_ends_its_thread_gives_its_slot_back);
    return check_report();
}
