/*
 * test_queues_order.c - what a program may rely on: what was done before a job is seen by it, and what the
 * job did by whoever learns of it, however he does. The data are plain; it is ThreadSanitizer that looks (the
 * tsan form of this program), and must find nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

struct data {
    long by_job, by_canceller;
    sem_t ends; /* a semaphore orders too: it is used only where that makes no difference */
};

static int change(fj_run *run, void *closure)
{
    (void)run;
    struct data *data = closure;
    data->by_job = 1;
    return 0;
}

static const fj_work changing = {sizeof(fj_work), "changing", change, NULL, NULL};

static void a_wait_without_a_result(void)
{
    struct data data = {.by_job = 0};
    begin_queue(1);
    CHECK_EQ(fj_queue_wait(queue, ADD_WORK(queue, &changing, &data), -1, NULL), 1);
    CHECK_EQ(data.by_job, 1);
    end_queue();
}

static void a_look_whether_a_job_is_there(void)
{
    struct data data = {.by_job = 0};
    fj_job_id id;
    begin_queue(1);
    CHECK_EQ(fj_queue_add(queue, &changing, &data, OPTIONS(.detached = 1), &id), 1);
    POLL(!fj_queue_exists(queue, id));
    CHECK_EQ(data.by_job, 1);
    end_queue();
}

static void a_look_at_the_figures(void)
{
    struct data data = {.by_job = 0};
    begin_queue(1);
    ADD_WORK(queue, &changing, &data);
    POLL(info_of(queue).done == 1);
    CHECK_EQ(data.by_job, 1);
    end_queue();
}

static void a_feed(void)
{
    struct data data = {.by_job = 0};
    fj_job_id id;
    begin_queue(1);
    fj_queue_feed *feed = fj_queue_feed_open(queue);
    ADD_WORK(queue, &changing, &data);
    CHECK_EQ(fj_queue_feed_next(feed, -1, &id), 1);
    CHECK_EQ(data.by_job, 1);
    fj_queue_feed_close(feed);
    end_queue();
}

static int change_and_say(fj_run *run, void *closure)
{
    struct data *data = closure;
    data->by_job = 1;
    CHECK_EQ(fj_run_report(run, "changed"), 1);
    CHECK_EQ(fj_run_write(run, "changed", 7), 1);
    AWAIT(&data->ends);
    return 0;
}

static const fj_work saying = {sizeof(fj_work), "saying", change_and_say, NULL, NULL};

static int see_progress(const fj_job_info *info, void *closure)
{
    if (info->progress != NULL)
        *(long *)closure = ((struct data *)info->state)->by_job;
    return 0;
}

static void progress_and_output(void)
{
    struct data data[2] = {{.by_job = 0}, {.by_job = 0}};
    char text[8];
    long seen = 0;
    begin_queue(1);
    new_semaphore(&data[0].ends, 0);
    new_semaphore(&data[1].ends, 0);
    ADD_WORK(queue, &saying, &data[0]);
    POLL(fj_queue_list_jobs(queue, see_progress, &seen) == 1 && seen == 1);
    sem_post(&data[0].ends);
    fj_job_output *output = fj_queue_output(queue, ADD_WORK(queue, &saying, &data[1]));
    CHECK_EQ(fj_job_output_read(output, text, sizeof text, -1), 7);
    CHECK_EQ(data[1].by_job, 1);
    sem_post(&data[1].ends);
    CHECK_EQ(fj_job_output_read(output, text, sizeof text, -1), 0);
    fj_job_output_close(output);
    end_queue();
}

static int until_cancelled(fj_run *run, void *closure)
{
    struct data *data = closure;
    while (!fj_run_is_cancelled(run))
        pause_ms(1);
    CHECK_EQ(data->by_canceller, 1);
    return 0;
}

static const fj_work cancellable = {sizeof(fj_work), "cancellable", until_cancelled, NULL, NULL};

static void a_cancelled_job(void)
{
    struct data data = {.by_canceller = 0};
    begin_queue(1);
    fj_job_id id = ADD_WORK(queue, &cancellable, &data);
    POLL(info_of(queue).running == 1);
    data.by_canceller = 1;
    CHECK_EQ(fj_queue_cancel(queue, id), 1);
    EXPECT(queue, id, FJ_OUTCOME_CANCELLED, 0, NULL);
    end_queue();
}

/* What `stop` touches is still there, and is the collector's afterwards. */
static void touch(fj_run *run, void *closure)
{
    (void)run;
    ((struct data *)closure)->by_canceller++;
}

static int until_asked(fj_run *run, void *closure)
{
    (void)closure;
    while (!fj_run_is_cancelled(run))
        pause_ms(1);
    return 0;
}

static const fj_work touched = {sizeof(fj_work), "touched", until_asked, touch, free};

static void *cancel_what_runs(void *closure)
{
    (void)closure;
    int cancelled;
    POLL((cancelled = fj_queue_cancel(queue, fj_job_named("it"))) != -1);
    return NULL;
}

static void a_stop_function(void)
{
    begin_queue(1);
    for (int i = 0; i < 50; i++) {
        pthread_t canceller = start_thread(cancel_what_runs, NULL);
        CHECK_EQ(fj_queue_add(queue, &touched, calloc(1, sizeof(struct data)), OPTIONS(.id = "it"), NULL), 1);
        CHECK_EQ(fj_queue_wait_any(queue, -1), 1);
        CHECK_EQ(fj_queue_wait(queue, fj_job_named("it"), -1, NULL), 1);
        JOIN(canceller);
    }
    end_queue();
}

static long exits;

static void count_exit(void *thread_state, void *closure)
{
    (void)thread_state;
    (*(long *)closure)++;
}

static void the_end_of_a_thread(void)
{
    fj_queue_set_options options = {
        .struct_size = sizeof options, .on_thread_exit = count_exit, .closure = &exits};
    struct data data = {.by_job = 0};
    begin_queue_with(&options, 1);
    ADD_WORK(queue, &changing, &data);
    end_queue();
    CHECK_EQ(exits, 1);
    CHECK_EQ(data.by_job, 1);
}

int main(void)
{
    RUN(a_wait_without_a_result);
    RUN(a_look_whether_a_job_is_there);
    RUN(a_look_at_the_figures);
    RUN(a_feed);
    RUN(progress_and_output);
    RUN(a_cancelled_job);
    RUN(a_stop_function);
    RUN(the_end_of_a_thread);
    return check_report();
}
