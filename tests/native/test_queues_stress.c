/*
 * test_queues_stress.c - many threads add, wait, cancel, list and delete at once: no job is lost, each is
 * released once, none runs twice, and nothing is left behind.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static fj_queue_set *queues;

/* Sanitizers keep what was freed. */
#if defined(THREAD_SANITIZER) || defined(ADDRESS_SANITIZER)
#define CHECK_FLAT(before) (void)(before)
#else
#define CHECK_FLAT(before) CHECK(anonymous_kb() < (before) + 8000)
#endif

/* ---- everything at once ---- */

enum { THREADS = 4, QUEUES = 3 };

struct job {
    long ran, released;
    unsigned kind;
};

struct user {
    pthread_t thread;
    int number, jobs;
    long used; /* of them, so far */
    unsigned seed;
    fj_queue *queues[QUEUES];
    struct job *all;
};

static int inside; /* a pool whose jobs run where they are called */

static void end_thread(void *closure)
{
    (void)closure;
    pthread_exit(NULL);
}

static int run_job(fj_run *run, void *closure)
{
    struct job *job = closure;
    add(&job->ran, 1);
    if (job->kind % 7 == 0)
        fj_run_set_result(run, job, sizeof *job);
    if (job->kind % 11 == 0)
        fj_run_report(run, "some of it");
    if (job->kind % 13 == 0)
        fj_run_write(run, "output", 6);
    if (job->kind % 100 == 1)
        pthread_exit(NULL);
    if (job->kind % 100 == 2)
        fj_call(inside, end_thread, NULL); /* it must not, but with frames of the engine between the two */
    for (int i = 0; job->kind % 17 == 0 && i < 1000 && !fj_run_is_cancelled(run); i++) {
    }
    return job->kind % 5 == 0 ? 1 : 0;
}

static void stop_job(fj_run *run, void *closure)
{
    struct job *job = closure;
    CHECK_EQ(get(&job->released), 0);
    CHECK(fj_run_is_cancelled(run));
}

static void release_job(void *closure)
{
    struct job *job = closure;
    add(&job->released, 1);
}

static const fj_work job_work = {sizeof(fj_work), "stress", run_job, stop_job, release_job};

static int look_at_job(const fj_job_info *info, void *closure)
{
    struct job *job = info->state;
    long *seen = closure;
    (*seen)++;
    CHECK_EQ(get(&job->released), 0); /* it cannot go while we look */
    if (info->phase == FJ_JOB_DONE && info->bytes != NULL)
        CHECK_EQ(info->size, sizeof *job);
    return *seen > 100;
}

static void collect_by_callback(fj_job_result *result, void *closure)
{
    (void)closure;
    CHECK(result->outcome != FJ_OUTCOME_NONE);
    fj_job_result_free(result);
}

static void use_one(struct user *user, int i)
{
    fj_queue *queue = user->queues[(unsigned)rand_r(&user->seed) % QUEUES];
    struct job *job = &user->all[i];
    unsigned what = (unsigned)rand_r(&user->seed);
    fj_job_options options = {.struct_size = sizeof options,
                              .detached = what % 6 == 0,
                              .head = what % 10 == 1,
                              .delay_ms = what % 50 == 2,
                              .expire_ms = what % 40 == 3 ? 1 : 0,
                              .max_attempts = what % 30 == 4 ? 2 : 0};
    fj_job_id id;
    long seen = 0;
    job->kind = (unsigned)rand_r(&user->seed);
    if (!CHECK_EQ(fj_queue_add(queue, &job_work, job, what % 3 == 0 ? NULL : &options, &id), 1))
        return;
    switch (what / 64 % 8) {
    case 0:
        fj_queue_cancel(queue, id);
        break;
    case 1:
        fj_queue_wait(queue, id, 0, NULL);
        break;
    case 2:
        fj_queue_wait_any(queue, 1);
        break;
    case 3:
        fj_queue_on_done(queue, id, collect_by_callback, NULL);
        break;
    case 4:
        CHECK(fj_queue_list_jobs(queue, look_at_job, &seen) >= 0);
        break;
    case 5:
        fj_queue_visit_job(queue, id, look_at_job, &seen);
        fj_queue_wait(queue, id, -1, NULL);
        break;
    default:
        fj_queue_wait(queue, id, -1, NULL); /* gone, detached, waited for, or collected by this */
        break;
    }
}

static void *use_queues(void *closure)
{
    struct user *user = closure;
    for (int i = 0; i < user->jobs; i++) {
        use_one(user, i);
        set(&user->used, i + 1);
    }
    return NULL;
}

/* However long it takes, as long as it goes on. */
static void await_users(struct user *users)
{
    for (int t = 0; t < THREADS; t++) {
        long used;
        while ((used = get(&users[t].used)) < users[t].jobs)
            POLL(get(&users[t].used) != used);
        JOIN(users[t].thread);
    }
}

static void no_job_is_lost_and_each_is_released_once(void)
{
    struct user users[THREADS];
    int jobs = many(50000);
    inside = ec_thread_pool_create_module(NULL, "inside", 0, 0, 0);
    CHECK(inside >= 0);
    queues = new_set();
    fj_queue_settings settings = {
        .struct_size = sizeof settings, .jobs_per_thread = 500, .idle_ms = 1000, .log_min_ms = -1};
    CHECK_EQ(fj_queue_set_configure(queues, &settings), 1);
    for (int t = 0; t < THREADS; t++) {
        users[t] = (struct user){.number = t, .jobs = jobs, .seed = 17u + (unsigned)t};
        users[t].all = calloc((size_t)jobs, sizeof *users[t].all);
        for (int q = 0; q < QUEUES; q++) {
            char name[16];
            snprintf(name, sizeof name, "q%d", q);
            users[t].queues[q] = t == 0 ? queue_in(queues, name, q + 1) : fj_queue_find(queues, name);
        }
    }
    for (int t = 0; t < THREADS; t++)
        users[t].thread = start_thread(use_queues, &users[t]);
    await_users(users);
    for (int q = 0; q < QUEUES; q++)
        CHECK_EQ(fj_queue_delete(users[0].queues[q]), 1);
    end_set(queues);
    for (int t = 0; t < THREADS; t++) {
        long wrong = 0;
        for (int i = 0; i < jobs; i++)
            wrong += get(&users[t].all[i].released) != 1 || get(&users[t].all[i].ran) > 2;
        CHECK_EQ(wrong, 0);
        for (int q = 0; q < QUEUES; q++)
            fj_queue_release(users[t].queues[q]);
        free(users[t].all);
    }
}

/* ---- queues that come and go ---- */

static void *make_and_delete(void *closure)
{
    int *number = closure;
    char name[32];
    for (int i = 0; i < many(10000); i++) {
        struct state state = {.result = "x"};
        snprintf(name, sizeof name, "%d of %d", i, *number);
        fj_queue *queue = queue_in(queues, name, 1 + i % 3);
        fj_job_id id = ADD(queue, &state);
        CHECK_EQ(fj_queue_delete(queue), 1);
        EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, "x");
        CHECK_EQ(fj_queue_exists(queue, id), 0);
        CHECK_EQ(fj_last_error_code(), FJ_ENOQUEUE);
        fj_queue_release(queue);
        CHECK_EQ(get(&state.released), 1);
    }
    return NULL;
}

static void queues_that_come_and_go_leave_nothing_behind(void)
{
    enum { MAKERS = 3 };
    pthread_t threads[MAKERS];
    int numbers[MAKERS];
    queues = new_set();
    long before = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MAKERS; i++) {
            numbers[i] = i;
            threads[i] = start_thread(make_and_delete, &numbers[i]);
        }
        for (int i = 0; i < MAKERS; i++)
            JOIN(threads[i]);
        if (round == 0)
            before = anonymous_kb();
    }
    CHECK_FLAT(before);
    fj_queue_threads figures = {.struct_size = sizeof figures};
    POLL(fj_queue_set_threads(queues, &figures) && figures.max_threads == 0);
    end_set(queues);
}

/* ---- waits that are given up ---- */

static void waits_that_are_given_up_leave_nothing_behind(void)
{
    struct gate gate = GATE_CLOSED;
    struct state state = {.gate = &gate};
    queues = new_set();
    fj_queue *queue = queue_in(queues, "q", 1);
    fj_job_id id = ADD(queue, &state);
    long before = 0;
    for (int i = 0; i < many(300000); i++) {
        CHECK_EQ(fj_queue_wait(queue, id, 0, NULL), 0);
        if (i % 100 == 0)
            CHECK_EQ(fj_queue_wait(queue, id, i % 1000 == 0, NULL), 0);
        if (i == many(30000))
            before = anonymous_kb();
    }
    CHECK_FLAT(before);
    gate_open(&gate);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    fj_queue_release(queue);
    end_set(queues);
}

int main(void)
{
    RUN(no_job_is_lost_and_each_is_released_once);
    RUN(queues_that_come_and_go_leave_nothing_behind);
    RUN(waits_that_are_given_up_leave_nothing_behind);
    return check_report();
}
