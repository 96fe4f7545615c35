/*
 * test_inspect_list.c - listings of what waits in a pool: fj_pool_list_jobs, the order, places and ages of
 * the jobs, the pool's name.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "inspect.h"

/* ---- listings ---- */

static void a_pool_has_a_name(void)
{
    CHECK_STR(fj_pool_name(ECTP_CLASS_IO), "IO");
    int pool = new_pool("inspect.name", 1);
    CHECK_STR(fj_pool_name(pool), "inspect.name");
    CHECK_EQ(ec_thread_pool_name_to_class(fj_pool_name(pool)), pool);
    CHECK(fj_pool_name(pool) == fj_pool_name(pool));
    CHECK(fj_pool_name(ec_thread_pool_count()) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
}

static void a_listing_shows_what_waits_in_its_order(void)
{
    int pool = new_pool("inspect.list", 2);
    ec_async_job jobs[5];
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 5; i++) {
        job_with_semaphore(&jobs[i], pool, i == 1 ? a_worker_with_a_name : do_nothing, NULL, &s_done);
        queue_from(&jobs[i], i == 4 ? NULL : "some/file.c", 100 + i);
    }
    struct seen seen = list(pool);
    CHECK_EQ(seen.count, 5);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(seen.jobs[i].position, i + 1);
        CHECK_EQ(seen.jobs[i].state, FJ_JOB_QUEUED);
        CHECK(seen.jobs[i].job == &jobs[i]);
        CHECK(seen.jobs[i].worker == jobs[i].worker);
        CHECK_EQ(seen.jobs[i].line, 100 + i);
        CHECK(seen.jobs[i].age >= 0 && seen.jobs[i].age < WAIT_SECONDS);
    }
    CHECK_STR(seen.jobs[0].file, "some/file.c");
    CHECK_STR(seen.labels[0], "some/file.c:100");
    CHECK_STR(seen.jobs[1].function, "a_worker_with_a_name");
    CHECK_STR(seen.labels[1], "a_worker_with_a_name");
    CHECK(seen.jobs[4].file == NULL && seen.jobs[4].function == NULL);
    CHECK(strncmp(seen.labels[4], "0x", 2) == 0);

    struct seen few = {.stop_after = 2};
    CHECK_EQ(fj_pool_list_jobs(pool, note, &few), 2);
    CHECK_EQ(few.count, 2);
    CHECK_EQ(list(ECTP_CLASS_SWAPIN).count, 0);
    CHECK_EQ(fj_pool_list_jobs(pool, NULL, NULL), -1);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_pool_list_jobs(-7, note, &few), -1);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 5);
    POLL(list(pool).count == 0);
}

static void a_long_queue_is_listed_whole(void)
{
    enum { JOBS = 5000 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("inspect.long", 2);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < JOBS; i++) {
        queue_from(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done), "long.c", i);
    }
    CHECK_EQ(list(pool).count, JOBS);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, JOBS);
}

static void jobs_behind_a_semaphore_are_listed(void)
{
    enum { JOBS = 200 };
    static ec_async_job jobs[JOBS];
    int pool = new_pool("inspect.slots", 2);
    sem_t slots, other;
    struct gate gate = GATE_CLOSED;
    new_semaphore(&slots, 1);
    new_semaphore(&other, 0);
    for (int i = 0; i < JOBS; i++) {
        job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done);
        jobs[i].concurrency = i % 2 == 0 ? &slots : &other;
        queue_from(&jobs[i], "slots.c", i);
    }
    GATE_AWAIT(&gate, 1);
    POLL(all_wait_for_slots(pool, JOBS - 1)); /* the queue comes first */
    long long sum = 0;
    struct seen seen = list(pool);
    for (int i = 0; i < 64; i++) {
        CHECK_EQ(seen.jobs[i].state, FJ_JOB_WAITS_FOR_SLOT);
        CHECK(seen.jobs[i].line > 0 && seen.jobs[i].line < JOBS);
        sum += seen.jobs[i].line;
    }
    CHECK(sum > 0);

    /* With all workers at the gate, jobs that get a slot have to wait still, before all others. */
    sem_t free_slots;
    ec_async_job more;
    new_semaphore(&free_slots, 1);
    queue_from(job_with_semaphore(&more, pool, stand_at_gate, &gate, &s_done), "slots.c", 1000);
    GATE_AWAIT(&gate, 2);
    sem_post(&other);
    POLL(list(pool).jobs[0].state == FJ_JOB_HAS_SLOT);
    CHECK_EQ(list(pool).count, JOBS - 1);
    gate_open(&gate);
    for (int i = 0; i < JOBS; i++) {
        sem_post(&other);
    }
    AWAIT_TIMES(&s_done, JOBS + 1);
    POLL(list(pool).count == 0);
    POLL(semaphore_value(&slots) == 1 && semaphore_value(&other) == JOBS + 1);
    sem_destroy(&free_slots);
}

/* ---- ages ---- */

struct stamped {
    double before[40], after[40]; /* when each job was queued */
    double listed_before, listed_after, worst;
};

static int check_age(const fj_queued_job *job, void *closure)
{
    struct stamped *at = closure;
    double least = at->listed_before - at->after[job->line];
    double most = seconds_now() - at->before[job->line];
    double error = job->age < least ? least - job->age : job->age > most ? job->age - most : 0;
    if (error > at->worst) {
        at->worst = error;
    }
    return 0;
}

/* The error of the ages in one round: bursts, and pauses of several lengths. */
static double worst_age(int pool, sem_t *slots)
{
    enum { JOBS = 40 };
    static const int pauses[] = {0, 0, 1, 0, 3, 7, 0, 20, 0, 45};
    ec_async_job jobs[JOBS];
    struct stamped at;
    memset(&at, 0, sizeof(at));
    ec_thread_pool_defer_spawn(pool, slots == NULL);
    for (int i = 0; i < JOBS; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        jobs[i].concurrency = slots;
        at.before[i] = seconds_now();
        queue_from(&jobs[i], "ages.c", i);
        at.after[i] = seconds_now();
        pause_ms(pauses[i % 10]);
    }
    if (slots != NULL) {
        POLL(list(pool).jobs[0].state == FJ_JOB_WAITS_FOR_SLOT); /* the queue comes first */
    }
    at.listed_before = seconds_now();
    CHECK_EQ(fj_pool_list_jobs(pool, check_age, &at), JOBS);
    ec_thread_pool_defer_spawn(pool, 0);
    for (int i = 0; slots != NULL && i < JOBS; i++) {
        sem_post(slots);
    }
    AWAIT_TIMES(&s_done, JOBS);
    if (slots != NULL) {
        POLL(semaphore_value(slots) == JOBS);
        for (int i = 0; i < JOBS; i++) {
            sem_wait(slots);
        }
    }
    return at.worst;
}

/* On a machine that is busy with other things a thread may come late in one round or in many, not in each of
 * as many as can be had. */
static void check_ages(const char *name, sem_t *slots)
{
    int pool = new_pool(name, 2);
    double best = 1e9;
    for (double end = seconds_now() + WAIT_SECONDS / 2; best > 0.010 && seconds_now() < end;) {
        double worst = worst_age(pool, slots);
        best = worst < best ? worst : best;
    }
    CHECK(best <= 0.010);
}

static void ages_are_right_to_10_ms(void)
{
    check_ages("inspect.ages", NULL);
}

static void ages_behind_a_semaphore_are_right_to_10_ms(void)
{
    sem_t slots;
    check_ages("inspect.ages2", new_semaphore(&slots, 0));
}

/* ---- under load ---- */

static void *queue_freed_jobs(void *closure)
{
    struct load *load = closure;
    for (long i = 0; !get(&load->stop); i++) {
        if (i % 64 == 0) {
            POLL(ec_thread_pool_get_queue_size(load->pool) < 1000);
        }
        ec_async_job *job = malloc(sizeof(*job));
        job_init(job, load->pool, free_job, load);
        if (i % 2 == 0) {
            job_with_callback(job, load->pool, pass_on, NULL, free_job, load);
        }
        job->concurrency = i % 5 == 0 ? &load->slots : NULL;
        add(&load->queued, 1);
        queue_from(job, "load.c", (int)(i % 7));
    }
    return NULL;
}

static int is_plausible(const fj_queued_job *job, void *closure)
{
    struct load *load = closure;
    int known = job->worker == free_job || job->worker == pass_on;
    if (!known || job->file == NULL || strcmp(job->file, "load.c") != 0 || job->line < 0 || job->line > 6 ||
        job->age < 0 || job->age > WAIT_SECONDS) {
        add(&load->lost, 1);
    }
    return 0;
}

static void listings_under_load_read_no_freed_job(void)
{
    enum { PRODUCERS = 2 };
    struct load load = {.pool = new_pool("inspect.load", 3)};
    pthread_t threads[PRODUCERS];
    new_semaphore(&load.slots, 2);
    for (int i = 0; i < PRODUCERS; i++) {
        threads[i] = start_thread(queue_freed_jobs, &load);
    }
    for (int i = 0; i < many(2000) || get(&load.freed) < 1000; i++) {
        CHECK(fj_pool_list_jobs(load.pool, is_plausible, &load) >= 0);
    }
    set(&load.stop, 1);
    for (int i = 0; i < PRODUCERS; i++) {
        JOIN(threads[i]);
    }
    CHECK_EQ(get(&load.lost), 0);
    POLL(get(&load.freed) == get(&load.queued));
}

int main(void)
{
    new_semaphore(&s_done, 0);
    RUN(a_pool_has_a_name);
    RUN(a_listing_shows_what_waits_in_its_order);
    RUN(a_long_queue_is_listed_whole);
    RUN(jobs_behind_a_semaphore_are_listed);
    RUN(ages_are_right_to_10_ms);
    RUN(ages_behind_a_semaphore_are_right_to_10_ms);
    RUN(listings_under_load_read_no_freed_job);
    return check_report();
}
