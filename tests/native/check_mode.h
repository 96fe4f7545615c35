/*
 * check_mode.h - for tests that run a second time with FASTJOBS_CHECK=1, which is read once in a process.
 */
#ifndef CHECK_MODE_H
#define CHECK_MODE_H

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the program with the argument "check" in check mode. Returns what waitpid says of its end, or -1. */
static inline int exit_status_in_check_mode(const char *program)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        setenv("FASTJOBS_CHECK", "1", 1);
        execl(program, program, "check", (char *)NULL);
        _exit(127);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}

#endif
