/* host_libevent.h - the half of the program that is written for libevent, as the other half sees it. */
#ifndef FASTJOBS_TESTS_HOST_LIBEVENT_H
#define FASTJOBS_TESTS_HOST_LIBEVENT_H

/* Runs libevent's loop and calls ready() when fd is readable, until done() is true. Returns how often
 * libevent's own timer ticked, or -1. */
int libevent_loop(int fd, void (*ready)(void), int (*done)(void));

#endif
