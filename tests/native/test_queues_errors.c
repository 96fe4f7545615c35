/*
 * test_queues_errors.c - named queues: bad arguments, each with a text that names what was wrong. Nothing of
 * it changes anything.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "queues.h"

static fj_queue_set *queues;
static fj_queue *queue;
static struct state state;

/* Fails with FJ_EINVAL and this in its text. */
#define INVALID(call, part)                                                                                  \
    do {                                                                                                     \
        CHECK(!(call));                                                                                      \
        CHECK_EQ(fj_last_error_code(), FJ_EINVAL);                                                           \
        if (strstr(fj_last_error(), (part)) == NULL)                                                         \
            check_strings(fj_last_error(), (part), __FILE__, __LINE__, "the text");                          \
    } while (0)

static int visit_job(const fj_job_info *job, void *closure)
{
    (void)job;
    (void)closure;
    return 0;
}

static int visit_queue(const fj_queue_info *info, void *closure)
{
    (void)info;
    (void)closure;
    return 0;
}

static void ignore_result(fj_job_result *result, void *closure)
{
    (void)closure;
    fj_job_result_free(result);
}

static void what_is_null_is_named(void)
{
    char buffer[64];
    fj_job_id id = fj_job_number(0);
    fj_queue_settings settings = {.struct_size = sizeof settings};
    fj_queue_threads threads = {.struct_size = sizeof threads};
    fj_queue_options options = {.struct_size = sizeof options, .name = "x"};
    fj_queue_info info = {.struct_size = sizeof info};
    fj_job_result result = {.outcome = FJ_OUTCOME_NONE};
    fj_queued_id queued = {NULL, id};
    INVALID(fj_queue_set_close(NULL, 0) != -1, "fj_queue_set_close: the set of queues is NULL");
    INVALID(fj_queue_set_configure(NULL, &settings), "fj_queue_set_configure: the set of queues is NULL");
    INVALID(fj_queue_set_settings(NULL, &settings), "fj_queue_set_settings: the set of queues is NULL");
    INVALID(fj_queue_set_new_id(NULL, buffer, sizeof buffer), "fj_queue_set_new_id: the set");
    INVALID(fj_queue_set_list(NULL, visit_queue, NULL) != -1, "fj_queue_set_list: the set");
    INVALID(fj_queue_set_list(queues, NULL, NULL) != -1, "fj_queue_set_list: the visitor is NULL");
    INVALID(fj_queue_set_threads(NULL, &threads), "fj_queue_set_threads: the set");
    INVALID(fj_queue_create(NULL, &options), "fj_queue_create: the set");
    INVALID(fj_queue_find(NULL, "q"), "fj_queue_find: the set");
    INVALID(fj_queue_find(queues, NULL), "fj_queue_find: the name is NULL");
    INVALID(fj_queue_delete(NULL), "fj_queue_delete: the queue is NULL");
    INVALID(fj_queue_set_concurrency(NULL, 1), "fj_queue_set_concurrency: the queue is NULL");
    INVALID(fj_queue_pause(NULL), "fj_queue_pause: the queue is NULL");
    INVALID(fj_queue_resume(NULL), "fj_queue_resume: the queue is NULL");
    INVALID(fj_queue_get_info(NULL, &info), "fj_queue_get_info: the queue is NULL");
    INVALID(fj_queue_add(NULL, &work_on_state, &state, NULL, NULL), "fj_queue_add: the queue is NULL");
    INVALID(fj_queue_add(queue, NULL, &state, NULL, NULL), "fj_queue_add: the fj_work is NULL");
    INVALID(fj_queue_wait(NULL, id, 0, NULL), "fj_queue_wait: the queue is NULL");
    INVALID(fj_queue_wait_any(NULL, 0), "fj_queue_wait_any: the queue is NULL");
    INVALID(fj_queue_wait_all(NULL, 1, 0, &result), "fj_queue_wait_all: the jobs are NULL");
    INVALID(fj_queue_wait_all(&queued, 1, 0, NULL), "fj_queue_wait_all: the results are NULL");
    INVALID(fj_queue_wait_all(&queued, 1, 0, &result), "fj_queue_wait_all: the queue is NULL");
    INVALID(fj_queue_on_done(NULL, id, ignore_result, NULL), "fj_queue_on_done: the queue is NULL");
    INVALID(fj_queue_on_done(queue, id, NULL, NULL), "fj_queue_on_done: the function is NULL");
    INVALID(fj_queue_cancel(NULL, id) != -1, "fj_queue_cancel: the queue is NULL");
    INVALID(fj_queue_exists(NULL, id), "fj_queue_exists: the queue is NULL");
    INVALID(fj_queue_list_jobs(NULL, visit_job, NULL) != -1, "fj_queue_list_jobs: the queue is NULL");
    INVALID(fj_queue_list_jobs(queue, NULL, NULL) != -1, "fj_queue_list_jobs: the visitor is NULL");
    INVALID(fj_queue_visit_job(NULL, id, visit_job, NULL), "fj_queue_visit_job: the queue is NULL");
    INVALID(fj_queue_visit_job(queue, id, NULL, NULL), "fj_queue_visit_job: the visitor is NULL");
    INVALID(fj_queue_feed_open(NULL), "fj_queue_feed_open: the queue is NULL");
    INVALID(fj_queue_feed_next(NULL, 0, &id), "fj_queue_feed_next: the feed is NULL");
    INVALID(fj_queue_output(NULL, id), "fj_queue_output: the queue is NULL");
    INVALID(fj_job_output_read(NULL, buffer, 1, 0) != -1, "fj_job_output_read: the output is NULL");
}

static void ids_that_are_none_are_named(void)
{
    fj_job_id none = {-1, NULL};
    fj_job_result result = {.outcome = FJ_OUTCOME_NONE};
    fj_queued_id queued = {queue, none};
    INVALID(fj_queue_wait(queue, none, 0, NULL),
            "fj_queue_wait: the job's id is neither a number nor a text");
    INVALID(fj_queue_wait_all(&queued, 1, 0, &result), "fj_queue_wait_all: the job's id");
    INVALID(fj_queue_on_done(queue, none, ignore_result, NULL), "fj_queue_on_done: the job's id");
    INVALID(fj_queue_cancel(queue, none) != -1, "fj_queue_cancel: the job's id");
    INVALID(fj_queue_exists(queue, none), "fj_queue_exists: the job's id");
    INVALID(fj_queue_visit_job(queue, none, visit_job, NULL), "fj_queue_visit_job: the job's id");
    INVALID(fj_queue_output(queue, none), "fj_queue_output: the job's id");
    FAILS(fj_queue_wait(queue, fj_job_named(""), 0, NULL), FJ_ENOJOB, "no such job: ");
    FAILS(fj_queue_wait(queue, fj_job_named("job01"), 0, NULL), FJ_ENOJOB, "no such job: job01");
    CHECK_EQ(fj_queue_cancel(queue, fj_job_number(3)), -1);
    CHECK_STR(fj_last_error(), "no such job: job3");
    CHECK_EQ(fj_queue_exists(queue, fj_job_number(3)), 0);
}

static void structs_of_another_size_are_named(void)
{
    fj_queue_set_options set_options = {.struct_size = sizeof set_options - 1};
    fj_queue_settings settings = {.struct_size = 8};
    fj_queue_options options = {.struct_size = sizeof options + 8, .name = "x"};
    fj_queue_info info = {.struct_size = 0};
    fj_queue_threads threads = {.struct_size = 1};
    fj_work work = {.struct_size = 4, .run = run_state};
    fj_work nothing = {.struct_size = sizeof nothing};
    char text[128];
    INVALID(fj_queue_set_create(&set_options), "fj_queue_set_options");
    set_options.struct_size = sizeof set_options;
    set_options.settings = &settings;
    INVALID(fj_queue_set_create(&set_options),
            "fj_queue_set_create: struct_size of the fj_queue_settings is 8");
    INVALID(fj_queue_set_configure(queues, &settings), "fj_queue_settings is 8");
    INVALID(fj_queue_set_configure(queues, NULL), "fj_queue_set_configure: the fj_queue_settings is NULL");
    INVALID(fj_queue_set_settings(queues, &settings), "fj_queue_set_settings: struct_size");
    INVALID(fj_queue_set_settings(queues, NULL), "fj_queue_set_settings: the fj_queue_settings is NULL");
    INVALID(fj_queue_create(queues, &options), "fj_queue_create: struct_size of the fj_queue_options is");
    INVALID(fj_queue_create(queues, NULL), "fj_queue_create: the fj_queue_options is NULL");
    INVALID(fj_queue_get_info(queue, &info), "fj_queue_get_info: struct_size of the fj_queue_info is 0");
    INVALID(fj_queue_get_info(queue, NULL), "fj_queue_get_info: the fj_queue_info is NULL");
    INVALID(fj_queue_set_threads(queues, &threads),
            "fj_queue_set_threads: struct_size of the fj_queue_threads");
    INVALID(fj_queue_set_threads(queues, NULL), "fj_queue_set_threads: the fj_queue_threads is NULL");
    INVALID(fj_queue_add(queue, &work, &state, NULL, NULL), "fj_queue_add: struct_size of the fj_work is 4");
    INVALID(fj_queue_add(queue, &nothing, &state, NULL, NULL), "the work's run function is NULL");
    snprintf(text, sizeof text, "struct_size of the fj_job_options is 0, this version knows %zu",
             sizeof(fj_job_options));
    INVALID(fj_queue_add(queue, &work_on_state, &state, &(fj_job_options){.id = "x"}, NULL), text);
}

static void numbers_out_of_their_range_are_named(void)
{
    fj_queue_options options = {.struct_size = sizeof options};
    fj_queue_settings good = {.struct_size = sizeof good, .idle_ms = 300000, .log_min_ms = 1000};
    fj_queue_set_options long_name = {.struct_size = sizeof long_name, .name = "twelve bytes"};
    INVALID(fj_queue_create(queues, &options), "a queue needs a name");
    options.name = "";
    INVALID(fj_queue_create(queues, &options), "a queue needs a name");
    options.name = "x";
    options.concurrency = -2;
    INVALID(fj_queue_create(queues, &options), "queue \"x\": the concurrency is negative: -2");
    INVALID(fj_queue_set_concurrency(queue, 0), "the concurrency is 1 or more, not 0");
    INVALID(fj_queue_set_create(&long_name), "the name has 1 to 11 bytes: \"twelve bytes\"");
    fj_queue_settings bad = good;
    bad.jobs_per_thread = -1;
    INVALID(fj_queue_set_configure(queues, &bad), "jobs_per_thread is negative: -1");
    bad = good;
    bad.idle_ms = -2;
    INVALID(fj_queue_set_configure(queues, &bad), "idle_ms is -1 to 2147483647, not -2");
    bad.idle_ms = 1LL << 40;
    INVALID(fj_queue_set_configure(queues, &bad), "idle_ms is -1 to 2147483647, not 1099511627776");
    bad = good;
    bad.log_min_ms = -2;
    INVALID(fj_queue_set_configure(queues, &bad), "log_min_ms is -1 or more, not -2");
#define INVALID_OPTION(part, ...)                                                                            \
    INVALID(fj_queue_add(queue, &work_on_state, &state, OPTIONS(__VA_ARGS__), NULL), part)
    INVALID_OPTION("delay_ms is 0 or more, not -1", .delay_ms = -1);
    INVALID_OPTION("expire_ms is -1 or more, not -2", .expire_ms = -2);
    INVALID_OPTION("max_attempts is 0 or more, not -1", .max_attempts = -1);
    INVALID_OPTION("retry_ms is 0 or more, not -5", .retry_ms = -5);
    INVALID_OPTION("retry_max_ms is 0 or more, not -5", .retry_max_ms = -5);
    INVALID_OPTION("retry_factor is 1 or more, not 0.5", .retry_factor = 0.5);
    INVALID_OPTION("retry_factor is 1 or more", .retry_factor = 1e300 * 1e300);
}

static void nothing_of_it_has_changed_anything(void)
{
    fj_queue_settings settings = {.struct_size = sizeof settings};
    fj_queue_info info = info_of(queue);
    CHECK_EQ(info.scheduled + info.running + info.done, 0);
    CHECK_EQ(info.concurrency, 1);
    CHECK_EQ(fj_queue_set_settings(queues, &settings), 1);
    CHECK(settings.jobs_per_thread == 0 && settings.idle_ms == 300000 && settings.log_min_ms == 1000);
    CHECK_EQ(fj_queue_set_list(queues, visit_queue, NULL), 1);
    CHECK_EQ(get(&state.ran) + get(&state.released), 0);
}

int main(void)
{
    queues = new_set();
    queue = queue_in(queues, "q", 1);
    RUN(what_is_null_is_named);
    RUN(ids_that_are_none_are_named);
    RUN(structs_of_another_size_are_named);
    RUN(numbers_out_of_their_range_are_named);
    RUN(nothing_of_it_has_changed_anything);
    fj_queue_release(queue);
    end_set(queues);
    return check_report();
}
