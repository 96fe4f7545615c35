/*
 * fileserver.h - a server that never blocks its scheduler: it reads files in jobs.
 *
 * A line `GET path` is answered with `OK length`, a newline and the file's content, or `ERR reason`; every
 * other line is sent back. A client may send many lines at once; they are answered in order.
 *
 * main.c         the command line, signals, the end
 * connection.c   a connection: its Event, and how it suspends itself while a job reads a file
 *
 * Everything but the job's worker runs in the scheduler's thread, so nothing here needs a lock.
 */
#ifndef FILESERVER_H
#define FILESERVER_H

#include <stddef.h>

#include <ec_thread_pool.h>
#include <event.h>
#include <scheduler.h>
#include <sp_async.h>

enum {
    LINE_BYTES = 4096,            /* the longest line */
    FILE_BYTES = 64 * 1024 * 1024 /* the longest file */
};

struct server {
    int root; /* a descriptor of the directory that is served */
    int connections;
    int stopping;
    struct connection *first;
    void (*on_empty)(struct server *server); /* the last connection has ended after stopping was set */
};

/* Takes over a connected, non-blocking socket. 1, or 0: no memory; the socket is closed. */
int connection_begin(struct server *server, int fd);

/* Ends all connections: at once those that wait for their client, the others when their job is done. */
void connections_end(struct server *server);

#endif
