/*
 * host_libevent.c - a scheduler in a program whose loop is libevent's, and that uses the event_free of both
 * libraries: that of libevent in host_libevent_side.c, and ours here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "host_libevent.h"

#include <fcntl.h>

#include "host_loop.h"

static void a_libevent_program_drives_the_scheduler(void)
{
    CHECK(libevent_loop(host_start(), work_arrived, all_done) >= 3);
    CHECK(all_done());
    fj_memtype_usage before, after;
    Event *event = build_event_from_now_f(1, -1, host_tick, NULL);
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &before), 1);
    event_free(event); /* ours: the memory is the type's again */
    CHECK_EQ(fj_memtype_usage_get(MEMTYPE_EVENT, &after), 1);
    CHECK_EQ(after.objects + 1, before.objects);
    host_end();
}

int main(void)
{
    RUN(a_libevent_program_drives_the_scheduler);
    return check_report();
}
