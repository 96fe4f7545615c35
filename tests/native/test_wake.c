/*
 * test_wake.c - no job is forgotten: a worker that goes to sleep and a job that comes in never miss each
 * other.
 *
 * A lost wake-up leaves a job in the queue with nobody to run it until the next submit. So each test here has
 * moments at which a single forgotten job stops everything, and the wait says where.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

/* ---- pairs: A runs until B, submitted right behind it, has run ---- */

struct pair {
    ec_async_job a, b;
    sem_t b_ran, both;
};

static void run_a(ec_async_job *job, void *pair)
{
    (void)job;
    AWAIT(&((struct pair *)pair)->b_ran);
}

static void run_b(ec_async_job *job, void *pair)
{
    (void)job;
    sem_post(&((struct pair *)pair)->b_ran);
}

static void run_pairs(int job_class, int pairs)
{
    struct pair pair;
    new_semaphore(&pair.b_ran, 0);
    new_semaphore(&pair.both, 0);
    for (int i = 0; i < pairs; i++) {
        QUEUE(job_with_semaphore(&pair.a, job_class, run_a, &pair, &pair.both));
        QUEUE(job_with_semaphore(&pair.b, job_class, run_b, &pair, &pair.both));
        AWAIT(&pair.both);
        AWAIT(&pair.both);
        if (i % 500 == 499) {
            pause_ms(1); /* long enough for the workers to go to sleep */
        }
    }
    sem_destroy(&pair.b_ran);
    sem_destroy(&pair.both);
}

static void the_second_worker_wakes_for_a_job_behind_a_blocked_one(void)
{
    run_pairs(new_pool("wake.pairs", 2), many(20000));
}

struct pair_producer {
    int job_class, pairs;
};

static void *produce_pairs(void *argument)
{
    struct pair_producer *producer = argument;
    run_pairs(producer->job_class, producer->pairs);
    return NULL;
}

static void four_producers_of_pairs_share_a_pool(void)
{
    enum { PRODUCERS = 4 };
    /* PRODUCERS blocked A jobs leave one worker for the B jobs: with fewer the test itself would deadlock. */
    struct pair_producer producer = {new_pool("wake.pairs4", PRODUCERS + 1), many(5000)};
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        threads[i] = start_thread(produce_pairs, &producer);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        JOIN(threads[i]);
    }
}

/* ---- a chain: every worker waits for the next job; the last to come lets all go ---- */

static void as_many_blocked_jobs_as_workers_all_start(void)
{
    enum { WORKERS = 8 };
    int pool = new_pool("wake.all", WORKERS);
    sem_t done;
    new_semaphore(&done, 0);
    for (int round = 0; round < many(1000); round++) {
        struct gate gate = GATE_CLOSED;
        ec_async_job jobs[WORKERS];
        for (int i = 0; i < WORKERS; i++) {
            QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &done));
        }
        GATE_AWAIT(&gate, WORKERS);
        gate_open(&gate);
        AWAIT_TIMES(&done, WORKERS);
    }
    sem_destroy(&done);
}

/* ---- ping-pong ---- */

struct ball {
    ec_async_job job;
    int here, there;
    long hits;
    sem_t over;
};

static void hit(ec_async_job *job, void *closure)
{
    struct ball *ball = closure;
    if (add(&ball->hits, -1) == 0) {
        sem_post(&ball->over);
        return;
    }
    job->job_class = job->job_class == ball->here ? ball->there : ball->here;
    QUEUE(job);
}

/* However long it takes, as long as it goes on: each hit needs a worker to wake. */
static void await_end(struct ball *ball)
{
    long left;
    while ((left = get(&ball->hits)) > 0) {
        POLL(get(&ball->hits) != left);
    }
    AWAIT(&ball->over);
}

static void two_pools_play_ping_pong(void)
{
    int here = new_pool("wake.ping", 1);
    int there = new_pool("wake.pong", 1);
    struct ball ball = {.here = here, .there = there, .hits = many(20000)};
    new_semaphore(&ball.over, 0);
    job_init(&ball.job, here, hit, &ball);
    QUEUE(&ball.job);
    await_end(&ball);
    CHECK_EQ(get(&ball.hits), 0);
}

static void several_balls_at_once(void)
{
    enum { BALLS = 5 };
    int here = new_pool("wake.ping5", 2);
    int there = new_pool("wake.pong5", 3);
    struct ball balls[BALLS];
    memset(balls, 0, sizeof(balls));
    for (int i = 0; i < BALLS; i++) {
        balls[i].here = here;
        balls[i].there = there;
        balls[i].hits = many(10000);
        new_semaphore(&balls[i].over, 0);
        job_init(&balls[i].job, i % 2 == 0 ? here : there, hit, &balls[i]);
    }
    for (int i = 0; i < BALLS; i++) {
        QUEUE(&balls[i].job);
    }
    for (int i = 0; i < BALLS; i++) {
        await_end(&balls[i]);
    }
}

/* ---- many jobs: none lost, none run twice ---- */

struct counted_job {
    ec_async_job job;
    int runs;
};

struct producer {
    pthread_t thread;
    struct counted_job *jobs;
    int count, job_class, burst;
    long *left;
    sem_t *all_ran;
};

static void count_run(ec_async_job *job, void *closure)
{
    struct producer *producer = closure;
    __atomic_add_fetch(&((struct counted_job *)job)->runs, 1, __ATOMIC_RELAXED);
    if (add(producer->left, -1) == 0) {
        sem_post(producer->all_ran);
    }
}

static void *produce(void *argument)
{
    struct producer *producer = argument;
    for (int i = 0; i < producer->count; i++) {
        job_init(&producer->jobs[i].job, producer->job_class, count_run, producer);
        QUEUE(&producer->jobs[i].job);
        if (producer->burst != 0 && i % producer->burst == producer->burst - 1) {
            pause_ms(1); /* the workers run dry and go to sleep */
        }
    }
    return NULL;
}

static void run_producers(int producers, int each, int concurrency, int burst, const char *pool_name)
{
    struct producer *all = calloc((size_t)producers, sizeof(*all));
    long left = (long)producers * each;
    sem_t all_ran;
    new_semaphore(&all_ran, 0);
    int pool = new_pool(pool_name, concurrency);
    for (int p = 0; p < producers; p++) {
        all[p] = (struct producer){.jobs = calloc((size_t)each, sizeof(struct counted_job)),
                                   .count = each,
                                   .job_class = pool,
                                   .burst = burst,
                                   .left = &left,
                                   .all_ran = &all_ran};
        all[p].thread = start_thread(produce, &all[p]);
    }
    for (int p = 0; p < producers; p++) {
        JOIN(all[p].thread);
    }
    AWAIT(&all_ran);
    POLL(stats_of(pool).invocations >= (unsigned long long)producers * (unsigned long long)each);
    CHECK_EQ(stats_of(pool).invocations, (long long)producers * each);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    int wrong = 0;
    for (int p = 0; p < producers; p++) {
        for (int i = 0; i < each; i++) {
            wrong += __atomic_load_n(&all[p].jobs[i].runs, __ATOMIC_RELAXED) != 1;
        }
        free(all[p].jobs);
    }
    CHECK_EQ(wrong, 0);
    free(all);
    sem_destroy(&all_ran);
}

static void a_million_jobs_of_eight_producers_run_once_each(void)
{
    run_producers(8, many(125000), 4, 0, "wake.million");
}

static void bursts_and_pauses_lose_nothing(void)
{
    run_producers(2, many(5000), 2, 5, "wake.bursts");
    run_producers(1, many(1000), 3, 1, "wake.singles");
}

/* ---- a worker is woken, submits, and goes to sleep at once ---- */

struct tree {
    ec_async_job job;
    struct tree *children[2];
    int job_class;
    long *left;
    sem_t *over;
};

static void grow(ec_async_job *job, void *closure)
{
    (void)job;
    struct tree *tree = closure;
    for (int i = 0; i < 2 && tree->children[i] != NULL; i++) {
        QUEUE(&tree->children[i]->job);
    }
    if (add(tree->left, -1) == 0) {
        sem_post(tree->over);
    }
}

static void jobs_that_submit_jobs_reach_every_leaf(void)
{
    enum { NODES = 1023 };
    static struct tree nodes[NODES];
    int pool = new_pool("wake.tree", 4);
    sem_t over;
    new_semaphore(&over, 0);
    for (int round = 0; round < many(200); round++) {
        long left = NODES;
        for (int i = 0; i < NODES; i++) {
            nodes[i] = (struct tree){.job_class = pool, .left = &left, .over = &over};
            for (int c = 0; c < 2; c++) {
                nodes[i].children[c] = 2 * i + 1 + c < NODES ? &nodes[2 * i + 1 + c] : NULL;
            }
            job_init(&nodes[i].job, pool, grow, &nodes[i]);
        }
        QUEUE(&nodes[0].job);
        AWAIT(&over);
    }
    sem_destroy(&over);
}

/* ---- idle time-outs race with submits ---- */

static void a_worker_that_leaves_does_not_take_a_job_along(void)
{
    int pool = new_pool("wake.leaving", 2);
    sem_t done;
    new_semaphore(&done, 0);
    CHECK_EQ(fj_pool_set_idle_timeout(pool, 1), 1);
    for (int i = 0; i < many(1000); i++) {
        ec_async_job job;
        QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &done));
        AWAIT(&done);
        pause_ms(1); /* about as long as the time-out */
    }
    ec_thread_pool_auto_shrink(pool);
    for (int i = 0; i < many(2000); i++) {
        ec_async_job job;
        QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &done));
        AWAIT(&done);
    }
    sem_destroy(&done);
}

int main(void)
{
    RUN(the_second_worker_wakes_for_a_job_behind_a_blocked_one);
    RUN(four_producers_of_pairs_share_a_pool);
    RUN(as_many_blocked_jobs_as_workers_all_start);
    RUN(two_pools_play_ping_pong);
    RUN(several_balls_at_once);
    RUN(a_million_jobs_of_eight_producers_run_once_each);
    RUN(bursts_and_pauses_lose_nothing);
    RUN(jobs_that_submit_jobs_reach_every_leaf);
    RUN(a_worker_that_leaves_does_not_take_a_job_along);
    return check_report();
}
