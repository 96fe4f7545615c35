/*
 * test_queues_options.c - how jobs are queued: detached, at the head, with an id, later, again after a
 * failure; how long they stay.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

/* What the log said, of each kind. */
struct said {
    long times[4];
    char text[4][256];
    char id[32], result[32];
    long code;
    const void *state;
    const fj_work *work;
};
static struct said said;
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;

static void note(const fj_queue_event *event, void *closure)
{
    struct said *to = closure;
    CHECK_EQ(event->struct_size, sizeof *event);
    CHECK_STR(event->queue, "q");
    char id[32];
    fj_job_id_text(event->id, id, sizeof id);
    CHECK_STR(id, event->id_text);
    pthread_mutex_lock(&said_lock);
    snprintf(to->text[event->kind], sizeof to->text[0], "%s", event->text);
    snprintf(to->id, sizeof to->id, "%s", event->id_text);
    snprintf(to->result, sizeof to->result, "%.*s", (int)event->size,
             event->bytes == NULL ? "" : (const char *)event->bytes);
    to->code = event->code;
    to->state = event->state;
    to->work = event->work;
    add(&to->times[event->kind], 1); /* the tests poll it */
    pthread_mutex_unlock(&said_lock);
}

static struct said heard(void)
{
    pthread_mutex_lock(&said_lock);
    struct said now = said;
    pthread_mutex_unlock(&said_lock);
    return now;
}

static void begin(int concurrency, int expire_ms)
{
    fj_queue_set_options options = {.struct_size = sizeof options, .log = note, .closure = &said};
    fj_queue_options queue_options = {
        .struct_size = sizeof queue_options, .name = "q", .concurrency = concurrency, .expire_ms = expire_ms};
    pthread_mutex_lock(&said_lock);
    memset(&said, 0, sizeof said);
    pthread_mutex_unlock(&said_lock);
    queues = fj_queue_set_create(&options);
    CHECK(queues != NULL);
    queue = fj_queue_create(queues, &queue_options);
    CHECK(queue != NULL);
}

/* ---- order and ids ---- */

static char order[64];

static int append_letter(fj_run *run, void *letter)
{
    (void)run;
    strncat(order, letter, sizeof order - strlen(order) - 1);
    return 0;
}

static const fj_work letters = {sizeof(fj_work), "letters", append_letter, NULL, NULL};

static void add_letter(const char *letter, const fj_job_options *options)
{
    CHECK_EQ(fj_queue_add(queue, &letters, (void *)(size_t)letter, options, NULL), 1);
}

static void those_at_the_head_run_first_the_last_of_them_first(void)
{
    order[0] = '\0';
    begin(1, 0);
    fj_queue_pause(queue);
    add_letter("A", NULL);
    add_letter("B", OPTIONS(.id = "own"));
    add_letter("C", OPTIONS(.head = 1));
    add_letter("D", OPTIONS(.head = 1, .detached = 1));
    add_letter("E", OPTIONS(.detached = 0));
    fj_queue_resume(queue);
    CHECK_EQ(fj_queue_wait(queue, fj_job_number(3), -1, NULL), 1); /* E is the last of the four numbers */
    CHECK_STR(order, "DCABE");
    for (int i = 0; i < 2; i++) /* the detached one has a number too */
        CHECK_EQ(fj_queue_wait(queue, fj_job_number(i), -1, NULL), 1);
    FAILS(fj_queue_wait(queue, fj_job_number(2), -1, NULL), FJ_ENOJOB, "no such job: job2");
    CHECK_EQ(fj_queue_wait(queue, fj_job_named("own"), -1, NULL), 1);
    end_queue();
}

static void a_job_has_an_id_of_its_own_or_a_number(void)
{
    struct state states[4] = {{.result = "x"}, {.result = "y"}, {.result = "z"}, {.result = "0"}};
    char text[32];
    begin(1, 0);
    fj_job_id own = ADD_WITH(queue, &states[0], OPTIONS(.id = "my job"));
    CHECK_EQ(own.number, -1);
    CHECK_STR(own.text, "my job");
    fj_job_id numbered = ADD_WITH(queue, &states[1], OPTIONS(.id = ""));
    CHECK_EQ(numbered.number, 0); /* the own id took no number */
    CHECK_EQ(fj_job_id_text(numbered, text, sizeof text), 4);
    CHECK_STR(text, "job0");
    CHECK_EQ(fj_job_id_text(own, text, 4), 6); /* as much as there is room for */
    CHECK_STR(text, "my ");
    CHECK_EQ(fj_job_id_text(own, NULL, 0), 6);
    FAILS(fj_queue_add(queue, &work_on_state, &states[2], OPTIONS(.id = "my job"), NULL), FJ_EEXIST,
          "Job my job already exists");
    FAILS(fj_queue_add(queue, &work_on_state, &states[2], OPTIONS(.id = "job0"), NULL), FJ_EEXIST,
          "Job job0 already exists");
    CHECK_EQ(get(&states[2].released), 0); /* it was not queued */
    ADD_WITH(queue, &states[2], OPTIONS(.id = "job1"));
    CHECK_EQ(ADD(queue, &states[3]).number, 2); /* job1 is taken */
    EXPECT(queue, fj_job_named("job0"), FJ_OUTCOME_COMPLETED, 0, "y");
    EXPECT(queue, fj_job_number(2), FJ_OUTCOME_COMPLETED, 0, "0");
    FAILS(fj_queue_wait(queue, fj_job_number(1), -1, NULL), FJ_ENOJOB, "no such job: job1");
    EXPECT(queue, fj_job_named("job1"), FJ_OUTCOME_COMPLETED, 0, "z");
    EXPECT(queue, fj_job_named("my job"), FJ_OUTCOME_COMPLETED, 0, "x");
    CHECK_EQ(fj_queue_exists(queue, fj_job_named("my job")), 0);
    end_queue();
}

static void an_id_in_utf_8_comes_back_as_it_was(void)
{
    static const char id[] = "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"; /* 2, 3 and 4 bytes */
    struct state state = {.code = 1};
    begin(1, 0);
    ADD_WITH(queue, &state, OPTIONS(.id = id, .detached = 1));
    POLL(get(&said.times[FJ_QUEUE_FAILED]) == 1);
    CHECK_STR(heard().id, id);
    end_queue();
}

/* ---- detached ---- */

static void a_detached_job_disappears_and_its_failure_is_logged(void)
{
    struct gate gate = GATE_CLOSED;
    struct state works = {.gate = &gate};
    struct state fails = {.code = 12, .result = "it is broken"};
    begin(1, 0);
    fj_job_id id = ADD_WITH(queue, &works, OPTIONS(.detached = 1));
    FAILS(fj_queue_wait(queue, id, -1, NULL), FJ_EDETACHED, "can't wait on detached job: job0");
    gate_open(&gate);
    POLL(get(&works.released) == 1);
    CHECK_EQ(fj_queue_exists(queue, id), 0);
    ADD_WITH(queue, &fails, OPTIONS(.detached = 1));
    POLL(get(&fails.released) == 1);
    CHECK_EQ(get(&said.times[FJ_QUEUE_FAILED]), 1); /* before the release: its state and result were there */
    CHECK_STR(heard().text[FJ_QUEUE_FAILED],
              "queue \"q\": job job1 failed with code 12 (context: detached job)");
    CHECK_STR(heard().result, "it is broken");
    CHECK_EQ(heard().code, 12);
    CHECK(heard().state == &fails && heard().work == &work_on_state);
    end_queue();
}

/* ---- times ---- */

static int note_delay(const fj_job_info *job, void *closure)
{
    *(int *)closure = job->delayed;
    return 0;
}

static int is_delayed(fj_job_id id)
{
    int delayed = -1;
    CHECK_EQ(fj_queue_visit_job(queue, id, note_delay, &delayed), 1);
    return delayed;
}

/* Whether the other job came before the time of the delayed one. */
static int delay_a_job(void)
{
    double began = seconds_now();
    order[0] = '\0';
    begin(1, 0);
    fj_queue_pause(queue);
    fj_job_id id = {-1, NULL};
    CHECK(fj_queue_add(queue, &letters, "late", OPTIONS(.delay_ms = 40), &id));
    CHECK_EQ(info_of(queue).scheduled, 1);
    add_letter("soon, ", OPTIONS(.detached = 1));
    int in_time = seconds_now() - began < 0.04;
    POLL(!is_delayed(id)); /* and now it is behind the one that came later */
    fj_queue_resume(queue);
    CHECK_EQ(fj_queue_wait(queue, id, -1, NULL), 1);
    CHECK(seconds_now() - began >= 0.04);
    CHECK_STR(order, in_time ? "soon, late" : order);
    end_queue();
    return in_time;
}

static void a_delayed_job_waits_for_its_time_and_then_for_those_before(void)
{
    while (!delay_a_job()) { /* on a busy machine it may be too late for that */
    }
}

static void a_job_that_nobody_collects_expires(void)
{
    struct state states[3] = {{.ran = 0}, {.ran = 0}, {.ran = 0}};
    begin(1, 10);
    fj_job_id by_queue = ADD(queue, &states[0]);
    fj_job_id never = ADD_WITH(queue, &states[1], OPTIONS(.expire_ms = -1));
    POLL(get(&states[0].released) == 1);
    CHECK_EQ(get(&said.times[FJ_QUEUE_EXPIRED]), 1);
    CHECK_STR(heard().text[FJ_QUEUE_EXPIRED], "queue \"q\": job job0 has expired: nobody collected it");
    CHECK(heard().state == &states[0]);
    CHECK_EQ(fj_queue_exists(queue, by_queue), 0);
    ADD_WITH(queue, &states[2], OPTIONS(.expire_ms = 1));
    POLL(get(&states[2].released) == 1);
    EXPECT(queue, never, FJ_OUTCOME_COMPLETED, 0, NULL);
    CHECK_EQ(get(&said.times[FJ_QUEUE_EXPIRED]), 2);
    end_queue();
}

struct tries {
    long runs, released;
    int fails; /* so often */
    double at[8];
};

static int try(fj_run *run, void *closure)
{
    struct tries *tries = closure;
    long n = add(&tries->runs, 1);
    tries->at[n - 1] = seconds_now();
    CHECK_EQ(fj_run_attempt(run), n);
    char text[8];
    snprintf(text, sizeof text, "try %ld", n);
    if (n != tries->fails + 1)
        CHECK_EQ(fj_run_set_result(run, text, strlen(text)), 1);
    int code = n <= tries->fails ? (int)n : 0;
    return code;
}

static void release_tries(void *closure)
{
    add(&((struct tries *)closure)->released, 1);
}

static void a_job_that_fails_is_tried_again_with_longer_pauses(void)
{
    static const fj_work work = {sizeof(fj_work), "tries", try, NULL, release_tries};
    struct tries recovers = {.fails = 2};
    struct tries gives_up = {.fails = 100};
    fj_job_id ids[2];
    begin(2, 0);
    CHECK(fj_queue_add(queue, &work, &recovers, OPTIONS(.max_attempts = 5, .retry_ms = 10, .retry_factor = 3),
                       &ids[0]));
    EXPECT(queue, ids[0], FJ_OUTCOME_COMPLETED, 0, NULL); /* what an attempt set that failed is gone */
    CHECK_EQ(get(&recovers.runs), 3);
    CHECK_EQ(get(&recovers.released), 1);
    CHECK(recovers.at[1] - recovers.at[0] >= 0.010);
    CHECK(recovers.at[2] - recovers.at[1] >= 0.030);
    CHECK(fj_queue_add(queue, &work, &gives_up, OPTIONS(.max_attempts = 4, .retry_ms = 1, .retry_max_ms = 1),
                       &ids[1]));
    EXPECT(queue, ids[1], FJ_OUTCOME_FAILED, 4, "try 4");
    CHECK_EQ(get(&gives_up.runs), 4);
    CHECK_EQ(get(&gives_up.released), 1);
    end_queue();
}

/* ---- the log ---- */

static void a_job_that_takes_long_is_logged(void)
{
    struct gate gate = GATE_CLOSED;
    struct state slow = {.gate = &gate};
    struct state quick = {.ran = 0};
    fj_queue_settings settings = {.struct_size = sizeof settings};
    begin(1, 0);
    CHECK_EQ(fj_queue_set_settings(queues, &settings), 1);
    settings.log_min_ms = 20;
    CHECK_EQ(fj_queue_set_configure(queues, &settings), 1);
    fj_job_id id = ADD(queue, &slow);
    GATE_AWAIT(&gate, 1);
    double since = seconds_now();
    POLL(seconds_now() - since >= 0.03);
    gate_open(&gate);
    POLL(get(&said.times[FJ_QUEUE_SLOW]) == 1);
    CHECK(strncmp(heard().text[FJ_QUEUE_SLOW], "queue \"q\": job job0 took ", 25) == 0);
    CHECK(heard().state == &slow && heard().work == &work_on_state);
    EXPECT(queue, id, FJ_OUTCOME_COMPLETED, 0, NULL);
    settings.log_min_ms = -1;
    CHECK_EQ(fj_queue_set_configure(queues, &settings), 1);
    EXPECT(queue, ADD(queue, &quick), FJ_OUTCOME_COMPLETED, 0, NULL);
    settings.log_min_ms = 0;
    CHECK_EQ(fj_queue_set_configure(queues, &settings), 1);
    EXPECT(queue, ADD(queue, &quick), FJ_OUTCOME_COMPLETED, 0, NULL);
    POLL(get(&said.times[FJ_QUEUE_SLOW]) == 2);
    CHECK_STR(heard().id, "job2");
    POLL(get(&slow.released) == 1);
    end_queue();
}

int main(void)
{
    RUN(those_at_the_head_run_first_the_last_of_them_first);
    RUN(a_job_has_an_id_of_its_own_or_a_number);
    RUN(an_id_in_utf_8_comes_back_as_it_was);
    RUN(a_detached_job_disappears_and_its_failure_is_logged);
    RUN(a_delayed_job_waits_for_its_time_and_then_for_those_before);
    RUN(a_job_that_nobody_collects_expires);
    RUN(a_job_that_fails_is_tried_again_with_longer_pauses);
    RUN(a_job_that_takes_long_is_logged);
    return check_report();
}
