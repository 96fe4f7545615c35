/*
 * queues.h - what the tests of named queues share: a set with a queue, works in one line, results.
 */
#ifndef FASTJOBS_TESTS_QUEUES_H
#define FASTJOBS_TESTS_QUEUES_H

#include "harness.h"

/* What jobs have written is the test's once it has heard of their ends: for ThreadSanitizer, see harness.h.
 */
static char jobs_over;
#define OVER() job_given(&jobs_over)

/* ---- making ---- */

static inline fj_queue_set *new_set(void)
{
    fj_queue_set *set = fj_queue_set_create(NULL);
    CHECK(set != NULL);
    return set;
}

static inline fj_queue *queue_in(fj_queue_set *set, const char *name, int concurrency)
{
    fj_queue_options options = {.struct_size = sizeof options, .name = name, .concurrency = concurrency};
    fj_queue *queue = fj_queue_create(set, &options);
    if (queue == NULL)
        check_that(0, __FILE__, __LINE__, fj_last_error());
    return queue;
}

/* Closes and frees it; nothing may have been discarded. */
static inline void end_set(fj_queue_set *set)
{
    CHECK_EQ(fj_queue_set_close(set, WAIT_SECONDS * 1000), 0);
    job_taken(&jobs_over);
    fj_queue_set_free(set);
}

/* ---- jobs ---- */

/* A state that counts what becomes of it. What the tests need of a job is in it. */
struct state {
    long ran, released, stopped;
    int code;           /* what it returns */
    const char *result; /* what it sets; NULL: nothing */
    struct gate *gate;  /* where it stands; NULL: nowhere */
};

static inline int run_state(fj_run *run, void *closure)
{
    struct state *state = closure;
    job_taken(state);
    add(&state->ran, 1);
    if (state->gate != NULL)
        GATE_PASS(state->gate);
    if (state->result != NULL)
        CHECK_EQ(fj_run_set_result(run, state->result, strlen(state->result)), 1);
    int code = state->code;
    OVER();
    return code;
}

static inline void release_state(void *closure)
{
    struct state *state = closure;
    job_taken(state);
    OVER();
    add(&state->released, 1);
}

static UNUSED const fj_work work_on_state = {sizeof(fj_work), "work on a state", run_state, NULL,
                                             release_state};

static inline fj_job_id add_at(fj_queue *queue, const fj_work *work, void *state,
                               const fj_job_options *options, const char *file, int line)
{
    fj_job_id id = {-1, NULL};
    job_given(state);
    if (!fj_queue_add(queue, work, state, options, &id))
        check_that(0, file, line, fj_last_error());
    return id;
}
#define ADD(queue, state) add_at((queue), &work_on_state, (state), NULL, __FILE__, __LINE__)
#define ADD_WITH(queue, state, options)                                                                      \
    add_at((queue), &work_on_state, (state), (options), __FILE__, __LINE__)
#define ADD_WORK(queue, work, state) add_at((queue), (work), (state), NULL, __FILE__, __LINE__)
#define OPTIONS(...) (&(fj_job_options){.struct_size = sizeof(fj_job_options), __VA_ARGS__})

/* Waits, and frees the result. */
static inline void expect_at(fj_queue *queue, fj_job_id id, enum fj_outcome outcome, int code,
                             const char *bytes, const char *file, int line)
{
    fj_job_result result = {.outcome = FJ_OUTCOME_NONE};
    if (!fj_queue_wait(queue, id, WAIT_SECONDS * 1000, &result)) {
        check_that(0, file, line, fj_last_error());
        return;
    }
    job_taken(&jobs_over);
    check_numbers(result.outcome, outcome, file, line, "the outcome");
    check_numbers(result.code, code, file, line, "the code");
    check_strings(result.bytes, bytes, file, line, "the result");
    check_numbers((long long)result.size, bytes == NULL ? 0 : (long long)strlen(bytes), file, line,
                  "its size");
    fj_job_result_free(&result);
    check_that(result.reserved == NULL && result.state == NULL, file, line, "a freed result is zeros");
}
#define EXPECT(queue, id, outcome, code, bytes)                                                              \
    expect_at((queue), (id), (outcome), (code), (bytes), __FILE__, __LINE__)

/* A call that has to fail: the code and the text. */
#define FAILS(call, code, text)                                                                              \
    do {                                                                                                     \
        CHECK(!(call));                                                                                      \
        CHECK_EQ(fj_last_error_code(), (code));                                                              \
        CHECK_STR(fj_last_error(), (text));                                                                  \
    } while (0)

static inline fj_queue_info info_of(fj_queue *queue)
{
    fj_queue_info info = {.struct_size = sizeof info};
    CHECK_EQ(fj_queue_get_info(queue, &info), 1);
    return info;
}

#endif
