#include "fileserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ec_malloc.h>

/* The job is the first member: its worker gets the job, which is the connection. */
struct connection {
    ec_async_job job;
    struct server *server;
    struct connection *next, *previous;
    int fd;
    int suspended; /* a job reads a file; nobody else touches the connection */

    char in[LINE_BYTES]; /* received and not yet answered */
    size_t in_length;

    char path[LINE_BYTES];
    char head[64]; /* what goes before the content; or a whole answer without content */
    char *content;
    const char *out; /* what is left to be sent: of the head, then of the content */
    size_t out_left, content_left;
};

static int on_event(Event *event, int eventtype, void *closure, struct timeval *now);

/* Whether a path stays below the root: relative, and without "..". */
static int stays_inside(const char *path)
{
    if (path[0] == '/')
        return 0;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return 0;
    }
    return 1;
}

static void answer(struct connection *c, const char *bytes, size_t length)
{
    c->out = bytes;
    c->out_left = length;
}

static void answer_head(struct connection *c, const char *text, size_t content)
{
    int length = snprintf(c->head, sizeof c->head, "%s", text);
    answer(c, c->head, (size_t)length);
    c->content_left = content;
}

/* The worker, in a thread of class IO: may block. */
static void read_file(ec_async_job *job, void *closure)
{
    struct connection *c = (struct connection *)job;
    (void)closure;
    char text[64];
    const char *failed = "cannot open";
    struct stat status;
    size_t got = 0;
    int fd = openat(c->server->root, c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        size_t size = (size_t)status.st_size;
        failed = !S_ISREG(status.st_mode) ? "not a file" : size > FILE_BYTES ? "too large" : NULL;
        if (failed == NULL && (c->content = malloc(size + 1)) == NULL)
            failed = "no memory";
        while (failed == NULL && got < size) {
            ssize_t n = read(fd, c->content + got, size - got);
            if (n > 0)
                got += (size_t)n;
            else if (n == 0)
                size = got; /* it has been cut off meanwhile */
            else if (errno != EINTR)
                failed = "cannot read";
        }
    }
    if (fd >= 0)
        close(fd);
    if (failed != NULL)
        snprintf(text, sizeof text, "ERR %s\n", failed);
    else
        snprintf(text, sizeof text, "OK %zu\n", got);
    answer_head(c, text, failed != NULL ? 0 : got);
}

static void connection_free(struct connection *c)
{
    struct server *server = c->server;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        server->first = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    close(c->fd);
    free(c->content);
    free(c);
    if (--server->connections == 0 && server->stopping)
        server->on_empty(server);
}

/* Suspends the connection: a duplicate of its Event goes on when the job is done. 1, or 0: no job. */
static int suspend_for_file(struct connection *c, Event *event)
{
    Event *again = ec_malloc(MEMTYPE_EVENT);
    if (again == NULL)
        return 0;
    memcpy(again, event, sizeof *again);
    event_post_dup(again, event);
    memset(&c->job, 0, sizeof c->job);
    c->job.job_class = ECTP_CLASS_IO;
    c->job.worker = read_file;
    ec_async_wake_event(&c->job, again, E_READ | E_WRITE);
    c->suspended = 1;
    if (ec_queue_async_job(&c->job))
        return 1;
    c->suspended = 0;
    event_free(again);
    return 0;
}

/* Takes the next line and answers it, or has a job answer it. 0: there is no whole line. */
static int next_line(struct connection *c, Event *event)
{
    char *end = memchr(c->in, '\n', c->in_length);
    if (end == NULL)
        return 0;
    size_t length = (size_t)(end - c->in) + 1;
    int is_get = length > 5 && memcmp(c->in, "GET ", 4) == 0;
    memcpy(c->path, c->in, length);
    memmove(c->in, c->in + length, c->in_length - length);
    c->in_length -= length;
    if (!is_get) {
        answer(c, c->path, length);
        return 1;
    }
    c->path[length - 1] = '\0';
    memmove(c->path, c->path + 4, length - 4);
    if (!stays_inside(c->path))
        answer_head(c, "ERR outside of the root\n", 0);
    else if (!suspend_for_file(c, event))
        answer_head(c, "ERR busy\n", 0);
    return 1;
}

/* Sends what is left. 0: done; otherwise the mask to wait for, or -1: the client is gone. */
static int send_rest(struct connection *c, Event *event)
{
    while (c->out_left > 0 || c->content_left > 0) {
        int mask = E_WRITE;
        if (c->out_left == 0) {
            answer(c, c->content, c->content_left);
            c->content_left = 0;
        }
        int n = event_write(event, c->out, (int)c->out_left, &mask);
        if (n < 0)
            return errno == EAGAIN ? mask : -1;
        c->out += n;
        c->out_left -= (size_t)n;
    }
    free(c->content);
    c->content = NULL;
    return 0;
}

/* Receives what is there. 0: something came; otherwise the mask to wait for, or -1: the client is gone. */
static int receive(struct connection *c, Event *event)
{
    int mask = E_READ;
    if (c->in_length == sizeof c->in)
        return -1; /* a line that does not end */
    int n = event_read(event, c->in + c->in_length, (int)(sizeof c->in - c->in_length), &mask);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? mask : -1;
    c->in_length += (size_t)n;
    return 0;
}

/* The connection's callback: goes on from wherever it was. Returning 0 ends this Event, not the connection.
 */
static int on_event(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct connection *c = closure;
    (void)eventtype;
    (void)now;
    c->suspended = 0;
    int wait = c->server->stopping ? -1 : 0;
    while (wait == 0) {
        wait = send_rest(c, event);
        if (wait == 0 && next_line(c, event)) {
            if (c->suspended)
                return 0;
        } else if (wait == 0) {
            wait = receive(c, event);
        }
    }
    if (wait > 0)
        return wait;
    connection_free(c);
    return 0;
}

int connection_begin(struct server *server, int fd)
{
    struct connection *c = calloc(1, sizeof *c);
    Event *event = c == NULL ? NULL : build_fd_event(fd, E_READ, E_AGGRESSIVE_NONE, on_event, c);
    if (event == NULL || !schedule_event(event)) {
        if (event != NULL)
            event_free(event);
        free(c);
        close(fd);
        return 0;
    }
    c->server = server;
    c->fd = fd;
    c->next = server->first;
    if (c->next != NULL)
        c->next->previous = c;
    server->first = c;
    server->connections++;
    return 1;
}

void connections_end(struct server *server)
{
    server->stopping = 1;
    struct connection *next;
    for (struct connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        if (!c->suspended) {
            event_free(clear_event_by_fd(c->fd));
            connection_free(c); /* the last one calls on_empty */
        }
    }
}
