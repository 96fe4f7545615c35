/*
 * test_batch.c - ec_queue_async_jobs: every job of a batch is queued as if by itself, in order, up to the
 * first that cannot be.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

enum { MOST = 400 };

struct numbered {
    ec_async_job job;
    int number;
    struct order *order;
};

struct order {
    int next, wrong;
    long freed;
};

static void follows(ec_async_job *job, void *closure)
{
    struct numbered *one = closure;
    (void)job;
    one->order->wrong += one->number != one->order->next;
    one->order->next++;
}

static struct numbered *number(struct numbered *one, int pool, int number, struct order *order)
{
    job_init(&one->job, pool, follows, one);
    one->number = number;
    one->order = order;
    return one;
}

static void a_batch_runs_in_order_in_a_pool_of_one(void)
{
    static struct numbered jobs[MOST];
    static ec_async_job *batch[MOST];
    int pool = new_pool("batch.order", 1);
    for (int size = 0; size <= MOST; size += size < 70 ? 1 : 33) {
        struct order order = {0, 0, 0};
        for (int i = 0; i < size; i++)
            batch[i] = &number(&jobs[i], pool, i, &order)->job;
        CHECK_EQ(ec_queue_async_jobs(batch, size), size);
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        CHECK_EQ(order.next, size);
        CHECK_EQ(order.wrong, 0);
    }
}

static void pass_semaphore(ec_async_job *job, void *closure)
{
    (void)job;
    sem_post(closure);
}

static void jobs_of_any_pool_and_mode_may_be_mixed(void)
{
    enum { KINDS = 6, ROUNDS = 40 };
    static ec_async_job jobs[KINDS * ROUNDS];
    static ec_async_job *batch[KINDS * ROUNDS];
    int first = new_pool("batch.first", 2), second = new_pool("batch.second", 1);
    sem_t ran, completed, slots;
    new_semaphore(&ran, 0);
    new_semaphore(&completed, 0);
    new_semaphore(&slots, 1);
    for (int i = 0; i < KINDS * ROUNDS; i++) {
        ec_async_job *job = batch[i] = &jobs[i];
        switch (i % KINDS) {
        case 0:
            job_init(job, first, pass_semaphore, &ran);
            break;
        case 1:
            job_with_semaphore(job, second, pass_semaphore, &ran, &completed);
            break;
        case 2:
            job_init(job, ECTP_CLASS_SHORT_LIVED, pass_semaphore, &ran);
            break;
        case 3:
            job_with_callback(job, first, pass_semaphore, &ran, pass_semaphore, &completed);
            job->completion = ECTP_COMPLETE_SYNC;
            break;
        case 4:
            job_with_callback(job, first, pass_semaphore, &ran, pass_semaphore, &completed);
            job->completion = ECTP_COMPLETE_CALLBACK_SCHED;
            break;
        default:
            job_with_semaphore(job, second, pass_semaphore, &ran, &completed);
            job->concurrency = &slots;
        }
    }
    CHECK_EQ(ec_queue_async_jobs(batch, KINDS * ROUNDS), KINDS * ROUNDS);
    AWAIT_TIMES(&ran, KINDS * ROUNDS);
    AWAIT_TIMES(&completed, 3 * ROUNDS);
    CHECK_EQ(fj_pool_wait_empty(first, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(fj_pool_wait_empty(second, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&slots), 1);
    CHECK_EQ(stats_of(first).invocations, 3 * ROUNDS);
    CHECK_EQ(stats_of(second).invocations, 2 * ROUNDS);
}

static void change_next(ec_async_job *job, void *next)
{
    (void)job;
    ((ec_async_job *)next)->job_class = ECTP_CLASS_SHORT_LIVED;
}

static void a_job_that_runs_at_once_may_change_the_next(void)
{
    int pool = new_pool("batch.inline", 0);
    ec_async_job jobs[3], *batch[] = {&jobs[0], &jobs[1], &jobs[2]};
    for (int i = 0; i < 3; i++)
        job_init(&jobs[i], pool, change_next, &jobs[i < 2 ? i + 1 : 0]);
    CHECK_EQ(ec_queue_async_jobs(batch, 3), 3);
    CHECK_EQ(stats_of(pool).invocations, 1);
}

static void a_batch_stops_at_the_first_wrong_job(void)
{
    static struct numbered jobs[MOST];
    ec_async_job *batch[MOST];
    int pool = new_pool("batch.errors", 1);
    int wrong_at[] = {0, 1, 63, 64, 65, 200};
    for (int i = 0; i < 6; i++) {
        struct order order = {0, 0, 0};
        for (int k = 0; k < MOST; k++)
            batch[k] = &number(&jobs[k], pool, k, &order)->job;
        batch[wrong_at[i]]->worker = NULL;
        CHECK_EQ(ec_queue_async_jobs(batch, MOST), wrong_at[i]);
        CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        CHECK_EQ(order.next, wrong_at[i]);
        number(&jobs[wrong_at[i]], 4711, wrong_at[i], &order);
        CHECK_EQ(ec_queue_async_jobs(batch + wrong_at[i], 1), 0);
        CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
        batch[wrong_at[i]] = NULL;
        CHECK_EQ(ec_queue_async_jobs(batch + wrong_at[i], 1), 0);
        CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    }
    CHECK_EQ(ec_queue_async_jobs(NULL, 1), 0);
    CHECK_STR(fj_last_error(), "ec_queue_async_jobs: the array is NULL");
    CHECK_EQ(ec_queue_async_jobs(batch, -1), 0);
    CHECK_STR(fj_last_error(), "ec_queue_async_jobs: the count is negative");
    CHECK_EQ(ec_queue_async_jobs(NULL, 0), 0);
}

static void who_queued_a_batch_is_known(void)
{
    struct gate gate = GATE_CLOSED;
    static ec_async_job jobs[3];
    ec_async_job *batch[3];
    fj_job_kind kind;
    int pool = new_pool("batch.kinds", 1), line;
    for (int i = 0; i < 3; i++)
        batch[i] = (job_init(&jobs[i], pool, stand_at_gate, &gate), &jobs[i]);
    line = __LINE__ + 1;
    CHECK_EQ(ec_queue_async_jobs(batch, 3), 3);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(fj_pool_job_kinds(pool, &kind, 1), 1);
    CHECK_STR(kind.file, __FILE__);
    CHECK_EQ(kind.line, line);
    CHECK_EQ(kind.job_num_queued, 2);
    CHECK_EQ(kind.job_num_running, 1);
    gate_open(&gate);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
}

struct filler {
    int pool, result;
    long done;
    sem_t *ran;
};

static void *fill(void *argument)
{
    struct filler *filler = argument;
    static ec_async_job jobs[5];
    ec_async_job *batch[5];
    for (int i = 0; i < 5; i++)
        batch[i] = (job_init(&jobs[i], filler->pool, pass_semaphore, filler->ran), &jobs[i]);
    filler->result = ec_queue_async_jobs(batch, 5);
    set(&filler->done, 1);
    return NULL;
}

static void a_batch_waits_for_room_in_the_backlog(void)
{
    struct gate gate = GATE_CLOSED;
    ec_async_job blocker;
    sem_t ran;
    int pool = new_pool("batch.full", 1);
    struct filler filler = {.pool = pool, .ran = new_semaphore(&ran, 0)};
    pthread_t thread;
    CHECK_EQ(ec_thread_pool_set_backlog(pool, 2), 1);
    job_init(&blocker, pool, stand_at_gate, &gate);
    QUEUE(&blocker);
    GATE_AWAIT(&gate, 1);
    thread = start_thread(fill, &filler);
    POLL(ec_thread_pool_get_queue_size(pool) == 2);
    CHECK_EQ(get(&filler.done), 0);
    gate_open(&gate);
    JOIN(thread);
    CHECK_EQ(filler.result, 5);
    AWAIT_TIMES(&ran, 5);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    sem_destroy(&ran);
}

struct crowd {
    int pool, batches;
    long *ran;
};

static void count_and_free(ec_async_job *job, void *count)
{
    add(count, 1);
    ec_free(MEMTYPE_EC_ASYNC_JOB, job);
}

static void *queue_batches(void *argument)
{
    const struct crowd *crowd = argument;
    for (int i = 0; i < crowd->batches; i++) {
        ec_async_job *batch[90];
        int size = 1 + (i * 7) % 90;
        for (int k = 0; k < size; k++) {
            batch[k] = ec_malloc(MEMTYPE_EC_ASYNC_JOB);
            job_init(batch[k], crowd->pool, count_and_free, crowd->ran);
        }
        CHECK_EQ(ec_queue_async_jobs(batch, size), size);
    }
    return NULL;
}

static void batches_of_many_threads_lose_and_double_nothing(void)
{
    enum { THREADS = 4 };
    long ran = 0, expected = 0;
    struct crowd crowd = {new_pool("batch.crowd", 3), many(2000), &ran};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(queue_batches, &crowd);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    for (int i = 0; i < crowd.batches; i++)
        expected += THREADS * (1 + (i * 7) % 90);
    CHECK_EQ(fj_pool_wait_empty(crowd.pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&ran), expected);
}

static void after_a_shutdown_none_of_a_batch_is_taken(void)
{
    static struct numbered jobs[MOST];
    ec_async_job *batch[MOST];
    struct order order = {0, 0, 0};
    int pool = new_pool("batch.shutdown", 1);
    for (int i = 0; i < MOST; i++)
        batch[i] = &number(&jobs[i], pool, i, &order)->job;
    CHECK_EQ(ec_queue_async_jobs(batch, MOST), MOST);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(order.next, MOST);
    CHECK_EQ(ec_queue_async_jobs(batch, MOST), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(order.next, MOST);
}

int main(void)
{
    RUN(a_batch_runs_in_order_in_a_pool_of_one);
    RUN(jobs_of_any_pool_and_mode_may_be_mixed);
    RUN(a_job_that_runs_at_once_may_change_the_next);
    RUN(a_batch_stops_at_the_first_wrong_job);
    RUN(who_queued_a_batch_is_known);
    RUN(a_batch_waits_for_room_in_the_backlog);
    RUN(batches_of_many_threads_lose_and_double_nothing);
    RUN(after_a_shutdown_none_of_a_batch_is_taken);
    return check_report();
}
