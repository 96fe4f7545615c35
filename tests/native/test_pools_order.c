/*
 * test_pools_order.c - in which order the jobs of a pool start.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pools.h"

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

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(one_worker_keeps_the_order);
    RUN(producers_that_wait_for_each_other_keep_the_order);
    RUN(several_workers_overtake_by_less_than_their_number);
    return check_report();
}
