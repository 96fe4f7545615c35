/*
 * test_queues_names.c - named queues: names and ids are bytes that come back as they were.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "one_queue.h"

/* Bytes that are no UTF-8 by themselves, beside a character of four bytes and text that is what they might be
 * taken for. Each is another name and another id. */
static void names_and_ids_that_are_no_utf_8_differ_and_come_back_as_they_were(void)
{
    static const char *const names[] = {
        "\xff", "\xfe", "\xc3", "\xed\xb3\xbf", "\xef\xbf\xbd", "a\xffz\x80", "\xf0\x9f\x98\x80\xff"};
    enum { NAMES = sizeof names / sizeof *names };
    fj_queue *named[NAMES];
    struct state states[NAMES] = {{0}};
    begin_queue(1);
    for (int i = 0; i < NAMES; i++) {
        fj_queue_options options = {.struct_size = sizeof options, .name = names[i]};
        fj_queue_info info = {.struct_size = sizeof info};
        named[i] = fj_queue_create(queues, &options);
        CHECK(named[i] != NULL);
        CHECK(fj_queue_get_info(named[i], &info));
        CHECK_STR(info.name, names[i]);
        fj_job_options job = {.struct_size = sizeof job, .id = names[i]};
        CHECK(fj_queue_add(queue, &work_on_state, &states[i], &job, NULL));
    }
    for (int i = 0; i < NAMES; i++) {
        fj_job_result result;
        fj_queue *found = fj_queue_find(queues, names[i]);
        CHECK(found != NULL);
        fj_queue_release(found);
        fj_queue_release(named[i]);
        CHECK(fj_queue_wait(queue, fj_job_named(names[i]), -1, &result));
        fj_job_result_free(&result);
    }
    end_queue();
}

int main(void)
{
    RUN(names_and_ids_that_are_no_utf_8_differ_and_come_back_as_they_were);
    return check_report();
}
