/*
 * schedulers.h - what the tests of schedulers share: making them, their figures, callbacks that post and
 * count.
 *
 * Scenarios that need a master of their own have a child process each.
 */
#ifndef FASTJOBS_TESTS_SCHEDULERS_H
#define FASTJOBS_TESTS_SCHEDULERS_H

#include "event.h"

#include "harness.h"

static UNUSED sem_t s_done;

static inline fj_scheduler_stats figures_of(ec_scheduler_inst *inst)
{
    fj_scheduler_stats stats = {.struct_size = sizeof(stats)};
    CHECK_EQ(fj_scheduler_stats_get(inst, &stats), 1);
    return stats;
}

static inline void expect_error(int code, const char *part, const char *file, int line)
{
    check_numbers(fj_last_error_code(), code, file, line, "the error");
    if (strstr(fj_last_error(), part) == NULL) {
        check_strings(fj_last_error(), part, file, line, "the error's text");
    }
}
#define EXPECT_ERROR(code, part) expect_error((code), (part), __FILE__, __LINE__)

static inline ec_scheduler_inst *new_scheduler(const char *name, int kind)
{
    ec_scheduler_inst *inst = fj_scheduler_create(name, kind);
    if (inst == NULL) {
        fprintf(stderr, "%s\n", fj_last_error());
        exit(1);
    }
    return inst;
}

/* Posts what its closure is. */
static inline int post_it(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    sem_post(closure);
    return 0;
}

static inline int count_it(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    add(closure, 1);
    return 0;
}

static inline Event *soon(EventFunc callback, void *closure)
{
    Event *event = build_event_from_now_f(0, -1, callback, closure);
    if (event == NULL) {
        exit(1);
    }
    return event;
}

static inline long live_events(void)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &usage), 1);
    return (long)usage.objects;
}

struct driving {
    ec_scheduler_inst *inst;
    int ran;
};

static inline int stand_in_callback(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)event;
    (void)eventtype;
    (void)now;
    GATE_PASS(closure);
    return 0;
}

static inline void count_delivery(ec_async_job *job, void *closure)
{
    (void)job;
    add(closure, 1);
}

/* ---- scenarios ---- */

#define SCHEDULER(scenario)                                                                                  \
    static void scheduler_##scenario(void)                                                                   \
    {                                                                                                        \
        IN_CHILD(scenario);                                                                                  \
    }
#define RUN_SCENARIO(scenario) RUN(scheduler_##scenario);

#endif
