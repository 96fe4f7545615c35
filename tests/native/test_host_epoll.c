/* test_host_epoll.c - a scheduler in a program whose loop is plain epoll. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/epoll.h>

#include "host_loop.h"

static void a_plain_epoll_program_drives_the_scheduler(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int own[2]; /* the host's own work goes on meanwhile */
    int own_bytes = 0;
    CHECK_EQ(pipe(own), 0);
    struct epoll_event one = {.events = EPOLLIN, .data.fd = host_start()};
    int fd = one.data.fd;
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &one), 0);
    one.data.fd = own[0];
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, own[0], &one), 0);
    CHECK_EQ(write(own[1], "123", 3), 3);
    double end = seconds_now() + WAIT_SECONDS;
    while (!all_done() || own_bytes < 3) {
        struct epoll_event ready[2];
        int count = epoll_wait(epoll, ready, 2, WAIT_SECONDS * 1000);
        if (count == 0 || seconds_now() > end) {
            wait_failed(__FILE__, __LINE__, "the scheduler's descriptor");
        }
        for (int i = 0; i < count; i++) {
            char byte;
            if (ready[i].data.fd == fd) {
                work_arrived();
            } else if (read(own[0], &byte, 1) == 1) {
                own_bytes++;
            }
        }
    }
    host_end();
    close(epoll);
    close(own[0]);
    close(own[1]);
}

int main(void)
{
    RUN(a_plain_epoll_program_drives_the_scheduler);
    return check_report();
}
