/*
 * main.c - fileserver DIRECTORY [PORT]: serves the directory's files on 127.0.0.1 until SIGINT or SIGTERM.
 *
 * PORT 0, or none: any free one. It prints the port when it listens.
 */
#include "fileserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fastjobs.h>

static sem_t ended;
static int listener = -1;

static int on_client(Event *event, int eventtype, void *closure, struct timeval *now)
{
    (void)eventtype;
    (void)now;
    for (;;) {
        int fd = accept4(event->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            connection_begin(closure, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            return E_READ; /* EAGAIN: all are accepted. EMFILE: tried again until a connection ends */
    }
}

static void on_empty(struct server *server)
{
    (void)server;
    sem_post(&ended);
}

/* In the scheduler's thread, so that nothing runs at the same time. */
static int on_signal(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct server *server = closure;
    (void)event;
    (void)eventtype;
    (void)now;
    event_free(clear_event_by_fd(listener));
    close(listener);
    if (server->connections == 0) {
        server->stopping = 1;
        on_empty(server);
    } else {
        connections_end(server);
    }
    return 0;
}

static int fail(const char *what)
{
    fprintf(stderr, "fileserver: %s: %s\n", what, strerror(errno));
    return 1;
}

static int listen_on(int port, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int yes = 1;
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(listener, (struct sockaddr *)address, sizeof *address) == 0 &&
           listen(listener, SOMAXCONN) == 0 &&
           getsockname(listener, (struct sockaddr *)address, &length) == 0;
}

int main(int argc, char **argv)
{
    char *rest = "";
    long port = argc > 2 ? strtol(argv[2], &rest, 10) : 0;
    if (argc < 2 || argc > 3 || *rest != '\0' || port < 0 || port > 65535) {
        fprintf(stderr, "usage: fileserver DIRECTORY [PORT]\n");
        return 2;
    }

    static struct server server = {.on_empty = on_empty};
    server.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (server.root < 0)
        return fail(argv[1]);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    /* Blocked before the first thread starts, so that every thread inherits it. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    struct sockaddr_in address;
    if (signal_fd < 0 || sem_init(&ended, 0, 0) != 0 || !listen_on((int)port, &address))
        return fail("cannot listen");

    if (!schedule_event(build_fd_event(signal_fd, E_READ, E_AGGRESSIVE_NONE, on_signal, &server)) ||
        !schedule_event(build_fd_event(listener, E_READ, E_AGGRESSIVE_NONE, on_client, &server))) {
        fprintf(stderr, "fileserver: %s\n", fj_last_error());
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    while (sem_wait(&ended) != 0) {
    }
    int clean = ec_thread_pool_shutdown();
    close(signal_fd);
    close(server.root);
    return clean ? 0 : 1;
}
