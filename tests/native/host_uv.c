/* host_uv.c - a scheduler in a program whose loop is libuv's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <uv.h>

#include "host_loop.h"

static int s_uv_ticks;

static void end_if_done(uv_handle_t *any)
{
    if (all_done() && s_uv_ticks >= 5) {
        uv_stop(any->loop);
    }
}

static void readable(uv_poll_t *handle, int status, int events)
{
    CHECK_EQ(status, 0);
    CHECK(events & UV_READABLE);
    work_arrived();
    end_if_done((uv_handle_t *)handle);
}

static void uv_tick(uv_timer_t *timer)
{
    s_uv_ticks++; /* libuv's own work goes on meanwhile */
    CHECK_EQ(is_scheduler_thread(), 1);
    end_if_done((uv_handle_t *)timer);
}

static void give_up(uv_timer_t *timer)
{
    (void)timer;
    wait_failed(__FILE__, __LINE__, "the scheduler in libuv's loop");
}

static void a_libuv_program_drives_the_scheduler(void)
{
    uv_loop_t loop;
    uv_poll_t poll;
    uv_timer_t ticks, limit;
    CHECK_EQ(uv_loop_init(&loop), 0);
    CHECK_EQ(uv_poll_init(&loop, &poll, host_start()), 0);
    CHECK_EQ(uv_poll_start(&poll, UV_READABLE, readable), 0);
    CHECK_EQ(uv_timer_init(&loop, &ticks), 0);
    CHECK_EQ(uv_timer_start(&ticks, uv_tick, 1, 1), 0);
    CHECK_EQ(uv_timer_init(&loop, &limit), 0);
    CHECK_EQ(uv_timer_start(&limit, give_up, WAIT_SECONDS * 1000, 0), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(all_done());
    CHECK(s_uv_ticks >= 5);
    uv_close((uv_handle_t *)&poll, NULL);
    uv_close((uv_handle_t *)&ticks, NULL);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&loop), 0);
    host_end();
}

int main(void)
{
    RUN(a_libuv_program_drives_the_scheduler);
    return check_report();
}
