/*
 * test_inspect.c - listings, reports, trace and log, cancel, and waiting for an empty pool: fj_inspect.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/resource.h>

#include "harness.h"

static sem_t s_done;

/* ---- listings ---- */

struct seen {
    int count, stop_after;
    fj_queued_job jobs[64];
    char labels[64][64];
};

static int note(const fj_queued_job *job, void *closure)
{
    struct seen *seen = closure;
    CHECK_EQ(job->struct_size, sizeof(*job));
    if (seen->count < 64) {
        seen->jobs[seen->count] = *job;
        snprintf(seen->labels[seen->count], sizeof(seen->labels[0]), "%s", job->label);
    }
    seen->count++;
    return seen->count == seen->stop_after;
}

static struct seen list(int pool)
{
    struct seen seen;
    memset(&seen, 0, sizeof(seen));
    long long shown = fj_pool_list_jobs(pool, note, &seen);
    CHECK_EQ(shown, seen.count);
    return seen;
}

static void queue_from(ec_async_job *job, const char *file, int line)
{
    CHECK_EQ(ec_queue_async_job_(job, file, line, 0), 1);
}

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

/* Not static: the test is linked with -rdynamic, so that it has a name. */
void a_worker_with_a_name(ec_async_job *job, void *closure);
void a_worker_with_a_name(ec_async_job *job, void *closure)
{
    do_nothing(job, closure);
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
    POLL(list(pool).count == JOBS - 1 && list(pool).jobs[0].state == FJ_JOB_WAITS_FOR_SLOT);
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

/* On a machine that is busy with other things a thread may come late in one round, not in each of ten. */
static void check_ages(const char *name, sem_t *slots)
{
    int pool = new_pool(name, 2);
    double best = 1e9;
    for (int round = 0; round < 10 && best > 0.010; round++) {
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

/* ---- under load: jobs are freed as they complete, and a listing or a cancel must not read a freed one ----
 */

struct load {
    int pool;
    long stop, queued, freed, canceled, lost;
    sem_t slots;
    pthread_mutex_t lock;
    ec_async_job *recent[32]; /* addresses only: the jobs may be gone */
};

static void free_job(ec_async_job *job, void *closure)
{
    struct load *load = closure;
    memset(job, 0xdd, sizeof(*job)); /* who reads it now has wild pointers */
    free(job);
    add(&load->freed, 1);
}

static void pass_on(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
}

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

/* Cancels whatever it sees waiting: the address, which may be gone by then. What is taken back it frees. Only
 * one thread queues, and waits meanwhile, so an address is not used again between the two. */
static int remember(const fj_queued_job *job, void *closure)
{
    struct load *load = closure;
    load->recent[job->position % 32] = job->job;
    return 0;
}

static void cancels_under_load_end_each_job_once(void)
{
    struct load load = {.pool = new_pool("inspect.cancels", 3)};
    new_semaphore(&load.slots, 2);
    long cancels = 0;
    for (int round = 0; round < many(1000) || cancels < 100; round++) {
        for (int i = 0; i < 50; i++) {
            ec_async_job *job = malloc(sizeof(*job));
            job_init(job, load.pool, free_job, &load);
            if (i % 2 == 0) {
                job_with_callback(job, load.pool, pass_on, NULL, free_job, &load);
            }
            job->concurrency = i % 3 == 0 ? &load.slots : NULL;
            queue_from(job, "load.c", 0);
            load.queued++;
        }
        memset(load.recent, 0, sizeof(load.recent));
        fj_pool_list_jobs(load.pool, remember, &load);
        for (int i = 0; i < 32; i++) {
            if (load.recent[i] != NULL && fj_cancel_job(load.recent[i])) {
                memset(load.recent[i], 0xdd, sizeof(*load.recent[i]));
                free(load.recent[i]);
                cancels++;
            }
        }
        if (round % 10 == 0) {
            CHECK_EQ(fj_pool_wait_empty(load.pool, WAIT_SECONDS * 1000), 1);
            CHECK_EQ(get(&load.freed) + cancels, load.queued);
            CHECK_EQ(ec_thread_pool_get_queue_size(load.pool), 0);
        }
    }
    CHECK_EQ(fj_pool_wait_empty(load.pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(get(&load.freed) + cancels, load.queued);
    CHECK_EQ(semaphore_value(&load.slots), 2);
    POLL(stats_of(load.pool).invocations == (unsigned long long)(load.queued - cancels));
}

/* ---- cancel ---- */

static void a_queued_job_can_be_cancelled(void)
{
    int pool = new_pool("inspect.cancel", 1);
    ec_async_job jobs[4];
    long ran = 0;
    CHECK_EQ(fj_cancel_job(NULL), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 4; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, &ran, &s_done));
    }
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    memset(&jobs[1], 0xdd, sizeof(jobs[1])); /* it is ours */
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 3);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    struct seen seen = list(pool);
    CHECK_EQ(seen.count, 3);
    CHECK(seen.jobs[0].job == &jobs[0] && seen.jobs[1].job == &jobs[2]);
    fj_job_kind kinds[8];
    CHECK_EQ(fj_pool_job_kinds(pool, kinds, 8), 1);
    CHECK_EQ(kinds[0].job_num_queued, 3);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&s_done), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 0);
    POLL(stats_of(pool).invocations == 3);
    CHECK_EQ(fj_cancel_job(&jobs[0]), 0);                                 /* over */
    QUEUE(job_with_semaphore(&jobs[1], pool, do_nothing, &ran, &s_done)); /* and again */
    AWAIT(&s_done);
}

static void a_running_job_cannot_be_cancelled(void)
{
    int pool = new_pool("inspect.running", 1);
    struct gate gate = GATE_CLOSED;
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(fj_cancel_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    gate_open(&gate);
    AWAIT(&s_done);
}

static void a_job_behind_a_semaphore_can_be_cancelled(void)
{
    int pool = new_pool("inspect.behind", 1);
    sem_t slots;
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[6], blocker;
    new_semaphore(&slots, 0);
    for (int i = 0; i < 6; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        jobs[i].concurrency = &slots;
        QUEUE(&jobs[i]);
    }
    POLL(list(pool).count == 6 && list(pool).jobs[0].state == FJ_JOB_WAITS_FOR_SLOT);
    CHECK_EQ(fj_cancel_job(&jobs[0]), 1); /* the first, one in the middle, the last */
    CHECK_EQ(fj_cancel_job(&jobs[3]), 1);
    CHECK_EQ(fj_cancel_job(&jobs[5]), 1);
    CHECK_EQ(fj_cancel_job(&jobs[3]), 0);
    CHECK_EQ(ec_thread_pool_get_queue_size(pool), 3);
    CHECK_EQ(list(pool).count, 3);
    CHECK_EQ(fj_pool_wait_empty(pool, 20), 0); /* they wait still */

    /* One that has got a slot and no worker: its slot goes to the next. */
    QUEUE(job_with_semaphore(&blocker, pool, stand_at_gate, &gate, &s_done));
    GATE_AWAIT(&gate, 1);
    sem_post(&slots);
    POLL(list(pool).jobs[0].state == FJ_JOB_HAS_SLOT);
    CHECK(list(pool).jobs[0].job == &jobs[1]);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    POLL(list(pool).jobs[0].state == FJ_JOB_HAS_SLOT && list(pool).jobs[0].job == &jobs[2]);
    CHECK_EQ(list(pool).count, 2);
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 3); /* the blocker, and one after the other with the one slot */
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&slots), 1);
    POLL(stats_of(pool).invocations == 3);
}

struct blocked {
    int pool;
    ec_async_job job;
    long queued;
};

static void *queue_blocked(void *closure)
{
    struct blocked *blocked = closure;
    QUEUE(job_with_semaphore(&blocked->job, blocked->pool, do_nothing, NULL, &s_done));
    set(&blocked->queued, 1);
    return NULL;
}

static void a_cancel_makes_room_in_the_backlog(void)
{
    struct blocked blocked = {.pool = ec_thread_pool_create_module(NULL, "inspect.room", 1, 0, 2)};
    ec_async_job jobs[2];
    ec_thread_pool_defer_spawn(blocked.pool, 1);
    for (int i = 0; i < 2; i++) {
        QUEUE(job_with_semaphore(&jobs[i], blocked.pool, do_nothing, NULL, &s_done));
    }
    pthread_t thread = start_thread(queue_blocked, &blocked);
    pause_ms(20);
    CHECK_EQ(get(&blocked.queued), 0);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 1);
    JOIN(thread);
    CHECK_EQ(get(&blocked.queued), 1);
    CHECK_EQ(ec_thread_pool_get_queue_size(blocked.pool), 2);
    ec_thread_pool_defer_spawn(blocked.pool, 0);
    AWAIT_TIMES(&s_done, 2);
}

static void never_resumed(validate_context *context, ec_async_job *job, void *closure)
{
    (void)context;
    (void)job;
    (void)closure;
    CHECK(!"the context of a cancelled job is not resumed");
}

static void count_kinds(const fj_trace_event *event, void *closure)
{
    long *kinds = closure;
    kinds[event->kind]++; /* by this test's thread alone: nothing runs */
}

static void a_cancelled_job_gives_its_context_up(void)
{
    long kinds[FJ_TRACE_DROPPED + 1] = {0};
    ec_async_job job = {.job_class = new_pool("inspect.module", 1), .worker = do_nothing};
    ec_async_job second = job;
    CHECK_EQ(fj_trace_set(count_kinds, kinds), 1);
    validate_context *context = fj_validate_context_create(never_resumed, NULL, NULL);
    ec_thread_pool_defer_spawn(job.job_class, 1);
    ec_async_wake_validation_module(&job, context);
    QUEUE(&job);
    CHECK_EQ(fj_validate_context_is_suspended(context), 1);
    ec_async_wake_validation_module(&second, context);
    CHECK_EQ(ec_queue_async_job(&second), 0); /* and the context stays the first one's */
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    CHECK_EQ(fj_validate_context_is_suspended(context), 1);
    CHECK_EQ(kinds[FJ_TRACE_DROPPED], 1);
    CHECK_EQ(fj_cancel_job(&job), 1);
    CHECK_EQ(kinds[FJ_TRACE_DROPPED], kinds[FJ_TRACE_QUEUED]);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(fj_validate_context_is_suspended(context), 0);
    CHECK_EQ(fj_validate_context_destroy(context), 1);
    ec_thread_pool_defer_spawn(job.job_class, 0);
}

static void a_shutdown_does_not_wait_for_cancelled_jobs(void)
{
    static ec_async_job jobs[100];
    sem_t slots;
    int pool = new_pool("inspect.shutdown", 2);
    new_semaphore(&slots, 0);
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 100; i++) {
        job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done);
        jobs[i].concurrency = i % 2 == 0 ? &slots : NULL;
        QUEUE(&jobs[i]);
    }
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(fj_cancel_job(&jobs[i]), 1);
    }
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 25);
    for (int i = 50; i < 100; i += 2) {
        while (!fj_cancel_job(&jobs[i])) { /* on its way from the queue to the semaphore */
            pause_ms(1);
        }
    }
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(fj_cancel_job(&jobs[1]), 0);
}

/* ---- waiting for an empty pool ---- */

static void wait_in_job(ec_async_job *job, void *closure)
{
    *(long *)closure = fj_pool_wait_empty(job->job_class, -1) == 0 && fj_last_error_code() == FJ_EDEADLK;
}

static void an_empty_pool_is_waited_for(void)
{
    int pool = new_pool("inspect.empty", 2);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[10];
    CHECK_EQ(fj_pool_wait_empty(pool, 0), 1);
    for (int i = 0; i < 10; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, stand_at_gate, &gate, &s_done));
    }
    double start = seconds_now();
    CHECK_EQ(fj_pool_wait_empty(pool, 30), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ETIMEDOUT);
    CHECK(seconds_now() - start >= 0.029);
    gate_open(&gate);
    CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
    CHECK_EQ(semaphore_value(&s_done), 10);
    AWAIT_TIMES(&s_done, 10);
    CHECK_EQ(fj_pool_wait_empty(-9, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);

    long refused = 0;
    QUEUE(job_with_semaphore(&jobs[0], pool, wait_in_job, &refused, &s_done));
    AWAIT(&s_done);
    CHECK_EQ(refused, 1);
}

static void waits_for_an_empty_pool_are_not_lost(void)
{
    int pool = new_pool("inspect.waits", 2);
    ec_async_job jobs[3];
    for (int i = 0; i < many(3000); i++) {
        for (int j = 0; j < 3; j++) {
            QUEUE(job_with_semaphore(&jobs[j], pool, do_nothing, NULL, &s_done));
        }
        CHECK_EQ(fj_pool_wait_empty(pool, WAIT_SECONDS * 1000), 1);
        CHECK_EQ(semaphore_value(&s_done), 3);
        AWAIT_TIMES(&s_done, 3);
    }
}

/* ---- reports ---- */

static char *s_text;

static int report_has(const char *part)
{
    return s_text != NULL && strstr(s_text, part) != NULL;
}

static int report(int of_queue, int argument, int limit)
{
    size_t length = 0;
    free(s_text);
    s_text = NULL;
    FILE *out = open_memstream(&s_text, &length);
    int result = of_queue ? fj_report_queue(out, argument, limit) : fj_report_stats(out, argument);
    fclose(out);
    return result;
}

static void statistics_by_name_and_all(void)
{
    int pool = new_pool("inspect.byname", 3);
    fj_pool_stats stats = {.struct_size = sizeof(stats)};
    ec_async_job job;
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    POLL(stats_of(pool).invocations == 1);
    CHECK_EQ(fj_pool_stats_get_by_name("INSPECT.byname", &stats), 1);
    CHECK_EQ(stats.job_class, pool);
    CHECK_EQ(stats.invocations, 1);
    CHECK_EQ(fj_pool_stats_get_by_name("inspect.nobody", &stats), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_pool_stats_reset_by_name("inspect.BYNAME"), 1);
    CHECK_EQ(stats_of(pool).invocations, 0);
    CHECK_EQ(fj_pool_stats_reset_by_name(NULL), 0);
    QUEUE(job_with_semaphore(&job, pool, do_nothing, NULL, &s_done));
    AWAIT(&s_done);
    POLL(stats_of(pool).invocations == 1);
    CHECK_EQ(fj_pool_stats_reset(FJ_ALL_POOLS), 1);
    CHECK_EQ(stats_of(pool).invocations, 0);
}

static void a_report_of_the_statistics(void)
{
    int busy = new_pool("inspect.busy", 7);
    new_pool("inspect.idle", 7);
    struct gate gate = GATE_CLOSED;
    ec_async_job jobs[9];
    for (int i = 0; i < 9; i++) {
        job_with_semaphore(&jobs[i], busy, stand_at_gate, &gate, &s_done);
        queue_from(&jobs[i], "report.c", 77);
    }
    GATE_AWAIT(&gate, 7);
    CHECK_EQ(report(0, 0, 0), 1);
    CHECK(report_has("Invocations") && report_has("inspect.busy") && report_has("inspect.idle"));
    CHECK(report_has("(inactive)") && !report_has("report.c"));
    CHECK_EQ(report(0, FJ_REPORT_BUSY_ONLY | FJ_REPORT_KINDS, 0), 1);
    CHECK(report_has("inspect.busy") && !report_has("inspect.idle") && !report_has("(inactive)"));
    CHECK(report_has("report.c:77  queued 2, running 7"));
    CHECK_EQ(report(0, 64, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_report_stats(NULL, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        setvbuf(full, NULL, _IONBF, 0);
        CHECK_EQ(fj_report_stats(full, 0), 0);
        CHECK_EQ(fj_last_error_code(), FJ_EIO);
        fclose(full);
    }
    gate_open(&gate);
    AWAIT_TIMES(&s_done, 9);
}

static void a_report_of_a_queue(void)
{
    int pool = new_pool("inspect.queue", 1);
    ec_async_job jobs[5];
    ec_thread_pool_defer_spawn(pool, 1);
    for (int i = 0; i < 5; i++) {
        job_with_semaphore(&jobs[i], pool, i == 0 ? a_worker_with_a_name : do_nothing, NULL, &s_done);
        queue_from(&jobs[i], "queue.c", i);
    }
    CHECK_EQ(report(1, pool, 0), 1);
    CHECK(report_has("inspect.queue: 5 waiting"));
    CHECK(report_has("a_worker_with_a_name (queue.c:0)") && report_has("queue.c:4"));
    CHECK(!report_has("more"));
    CHECK_EQ(report(1, pool, 2), 1);
    CHECK(report_has("queue.c:1") && !report_has("queue.c:2") && report_has("and 3 more"));
    CHECK_EQ(report(1, pool, -1), 0);
    CHECK_EQ(report(1, -9, 0), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ENOCLASS);
    CHECK_EQ(fj_report_queue(NULL, pool, 0), 0);
    ec_thread_pool_defer_spawn(pool, 0);
    AWAIT_TIMES(&s_done, 5);
    free(s_text);
    s_text = NULL;
}

/* ---- trace ---- */

struct trace {
    int pool;
    long kinds[5];
    long wrong, after_removal, removed;
    long last[16]; /* by line: the kind told last, + 1 */
};

static void tell(const fj_trace_event *event, void *closure)
{
    struct trace *trace = closure;
    if (event->job_class != trace->pool) {
        return;
    }
    add(&trace->kinds[event->kind], 1);
    add(&trace->after_removal, get(&trace->removed));
    int ordered =
        event->struct_size == sizeof(*event) && strcmp(event->file, "trace.c") == 0 && event->line < 16;
    if (ordered) {
        long before = get(&trace->last[event->line]);
        ordered = before == (event->kind == FJ_TRACE_DROPPED ? 1 : (long)event->kind);
        set(&trace->last[event->line], (long)event->kind + 1);
    }
    add(&trace->wrong, !ordered);
}

static void nothing_more(ec_async_job *job, void *closure)
{
    (void)job;
    (void)closure;
    sem_post(&s_done);
}

static void a_trace_is_told_of_each_step(void)
{
    struct trace trace = {.pool = new_pool("inspect.trace", 2)};
    ec_async_job jobs[8];
    CHECK_EQ(fj_trace_set(tell, &trace), 1);
    ec_thread_pool_defer_spawn(trace.pool, 1);
    for (int i = 0; i < 8; i++) {
        switch (i % 4) {
        case 0:
            job_with_semaphore(&jobs[i], trace.pool, do_nothing, NULL, &s_done);
            break;
        case 1:
            job_with_callback(&jobs[i], trace.pool, pass_on, NULL, nothing_more, NULL);
            break;
        case 2:
            job_init(&jobs[i], trace.pool, nothing_more, NULL);
            break;
        default:
            job_with_callback(&jobs[i], trace.pool, pass_on, NULL, nothing_more, NULL);
            jobs[i].completion = ECTP_COMPLETE_CALLBACK_SCHED;
        }
        queue_from(&jobs[i], "trace.c", i);
    }
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_QUEUED]), 8);
    CHECK_EQ(fj_cancel_job(&jobs[7]), 1);
    ec_thread_pool_defer_spawn(trace.pool, 0);
    AWAIT_TIMES(&s_done, 7);
    CHECK_EQ(fj_pool_wait_empty(trace.pool, WAIT_SECONDS * 1000), 1);
    POLL(get(&trace.kinds[FJ_TRACE_COMPLETED]) == 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_STARTED]), 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_FINISHED]), 7);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_DROPPED]), 1);
    CHECK_EQ(get(&trace.wrong), 0);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    job_init(&jobs[0], trace.pool, nothing_more, NULL);
    QUEUE(&jobs[0]);
    AWAIT(&s_done);
    CHECK_EQ(get(&trace.kinds[FJ_TRACE_QUEUED]), 8);
}

static void *keep_busy(void *closure)
{
    struct load *load = closure;
    while (!get(&load->stop)) {
        ec_async_job *job = malloc(sizeof(*job));
        job_init(job, load->pool, free_job, load);
        add(&load->queued, 1);
        queue_from(job, "trace.c", 0);
        if (get(&load->queued) - get(&load->freed) > 1000) {
            pause_ms(1);
        }
    }
    return NULL;
}

static void tell_of_removal(const fj_trace_event *event, void *closure)
{
    struct trace *trace = closure;
    (void)event;
    add(&trace->kinds[0], 1);
    add(&trace->after_removal, get(&trace->removed));
}

static void reset_from_trace(const fj_trace_event *event, void *closure)
{
    (void)event;
    *(long *)closure += fj_trace_set(NULL, NULL) == 0 && fj_last_error_code() == FJ_EDEADLK;
}

static void a_removed_trace_is_not_called_any_more(void)
{
    struct load load = {.pool = new_pool("inspect.removal", 2)};
    struct trace trace;
    memset(&trace, 0, sizeof(trace));
    pthread_t thread = start_thread(keep_busy, &load);
    for (int i = 0; i < many(500) || get(&trace.kinds[0]) < 100; i++) {
        set(&trace.removed, 0);
        CHECK_EQ(fj_trace_set(tell_of_removal, &trace), 1);
        if (i % 8 == 0) {
            pause_ms(1);
        }
        CHECK_EQ(fj_trace_set(NULL, NULL), 1);
        set(&trace.removed, 1);
    }
    set(&load.stop, 1);
    JOIN(thread);
    POLL(get(&load.freed) == get(&load.queued));
    CHECK_EQ(get(&trace.after_removal), 0);

    long refused = 0;
    ec_async_job job;
    CHECK_EQ(fj_trace_set(reset_from_trace, &refused), 1);
    job_init(&job, ECTP_CLASS_SHORT_LIVED, do_nothing, NULL);
    QUEUE(&job);
    CHECK_EQ(fj_trace_set(NULL, NULL), 1);
    CHECK_EQ(refused, 4); /* queued, started, finished, completed */
}

/* ---- log ---- */

static long s_logged, s_log_refused;
static char s_log[512];

static void log_to_memory(int level, const char *text, void *closure)
{
    (void)closure;
    snprintf(s_log, sizeof(s_log), "%d %s", level, text);
    s_log_refused += fj_log_set(NULL, NULL) == 0 && fj_last_error_code() == FJ_EDEADLK;
    add(&s_logged, 1);
}

/* A thread with a stack of 2 GB cannot be had in 1 GB of addresses: that is told, once; and the job runs when
 * it can. */
static UNUSED void a_thread_that_cannot_be_started_is_logged(void)
{
    ec_async_job jobs[3];
    struct rlimit before, limit;
    CHECK_EQ(fj_log_set(log_to_memory, NULL), 1);
    int pool = new_pool("inspect.log", 1);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 0x7ff00000), 1);
    CHECK_EQ(getrlimit(RLIMIT_AS, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)(status_kb("VmSize") + 1024 * 1024) * 1024;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    for (int i = 0; i < 3; i++) {
        QUEUE(job_with_semaphore(&jobs[i], pool, do_nothing, NULL, &s_done));
    }
    CHECK_EQ(get(&s_logged), 1);
    CHECK(strstr(s_log, "inspect.log") != NULL && s_log[0] == '0' + FJ_LOG_ERROR);
    CHECK_EQ(s_log_refused, 1);
    CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
    CHECK_EQ(ec_thread_pool_set_stack_size(pool, 0), 1);
    ec_thread_pool_defer_spawn(pool, 0); /* looks again */
    AWAIT_TIMES(&s_done, 3);
    CHECK_EQ(fj_log_set(NULL, NULL), 1);
    CHECK_EQ(get(&s_logged), 1);
}

int main(void)
{
    new_semaphore(&s_done, 0);
    IN_CHILD(a_shutdown_does_not_wait_for_cancelled_jobs);
    printf("ok     a_shutdown_does_not_wait_for_cancelled_jobs\n");
    RUN(a_pool_has_a_name);
    RUN(a_listing_shows_what_waits_in_its_order);
    RUN(a_long_queue_is_listed_whole);
    RUN(jobs_behind_a_semaphore_are_listed);
    RUN(ages_are_right_to_10_ms);
    RUN(ages_behind_a_semaphore_are_right_to_10_ms);
    RUN(listings_under_load_read_no_freed_job);
    RUN(a_queued_job_can_be_cancelled);
    RUN(a_running_job_cannot_be_cancelled);
    RUN(a_job_behind_a_semaphore_can_be_cancelled);
    RUN(a_cancelled_job_gives_its_context_up);
    RUN(a_cancel_makes_room_in_the_backlog);
    RUN(cancels_under_load_end_each_job_once);
    RUN(an_empty_pool_is_waited_for);
    RUN(waits_for_an_empty_pool_are_not_lost);
    RUN(statistics_by_name_and_all);
    RUN(a_report_of_the_statistics);
    RUN(a_report_of_a_queue);
    RUN(a_trace_is_told_of_each_step);
    RUN(a_removed_trace_is_not_called_any_more);
#if !defined(THREAD_SANITIZER) && !defined(ADDRESS_SANITIZER)
    RUN(a_thread_that_cannot_be_started_is_logged);
#endif
    return check_report();
}
