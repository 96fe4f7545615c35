/*
 * suspend.c - a connection that suspends itself while a job works for it.
 *
 * The connection's callback runs in the scheduler's thread, where nothing may block. When it has read the
 * name of a file it duplicates its Event, queues an IO job that is to wake the duplicate, and returns 0: the
 * connection waits for nothing. When the job has measured the file, the scheduler calls the duplicate's
 * callback, which answers and waits for the next name.
 *
 *     suspend FILE...     prints the size of each file, as the connection has answered
 */
#define _GNU_SOURCE
#include <ec_config.h>
#include <ec_malloc.h>
#include <ec_thread_pool.h>
#include <event.h>
#include <fastjobs.h>
#include <scheduler.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The job is the first member: the library hands it back, and it is the connection. */
struct connection {
    ec_async_job job;
    char name[4096];
    long long size;
    int error;
};

/* In a worker of the IO pool: may block. */
static void measure(ec_async_job *job, void *closure)
{
    struct connection *connection = (struct connection *)job;
    struct stat status;
    (void)closure;
    connection->error = stat(connection->name, &status) == 0 ? 0 : errno;
    connection->size = connection->error ? 0 : (long long)status.st_size;
}

static int hang_up(Event *event)
{
    event_close(event);
    return 0; /* the scheduler frees the Event */
}

/* Returns whether the connection is suspended now. */
static int suspend(Event *event, struct connection *connection)
{
    Event *session = ec_malloc(MEMTYPE_EVENT);
    if (session == NULL) {
        return 0;
    }
    memcpy(session, event, sizeof *session);
    event_post_dup(session, event);
    memset(&connection->job, 0, sizeof connection->job);
    connection->job.job_class = ECTP_CLASS_IO;
    connection->job.worker = measure;
    ec_async_wake_event(&connection->job, session, E_ASYNC);
    if (!ec_queue_async_job(&connection->job)) {
        event_free(session);
        return 0;
    }
    return 1;
}

static int serve(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct connection *connection = closure;
    int needmask = 0;
    (void)now;
    if (eventtype & E_ASYNC) { /* the job is done */
        char answer[5000];
        int length =
            connection->error
                ? snprintf(answer, sizeof answer, "%s: %s\n", connection->name, strerror(connection->error))
                : snprintf(answer, sizeof answer, "%s: %lld bytes\n", connection->name, connection->size);
        return event_write(event, answer, length, &needmask) == length ? E_READ : hang_up(event);
    }
    int length = event_read(event, connection->name, (int)sizeof connection->name - 1, &needmask);
    if (length < 0 && errno == EAGAIN) {
        return needmask;
    }
    if (length <= 0) {
        return hang_up(event);
    }
    connection->name[length] = '\0';
    return suspend(event, connection) ? 0 : hang_up(event);
}

int main(int argc, char **argv)
{
    static struct connection connection;
    int ends[2]; /* packets, so that a name comes in one piece */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        perror("suspend: socketpair");
        return 1;
    }
    Event *event = build_fd_event(ends[0], E_READ, E_AGGRESSIVE_NONE, serve, &connection);
    if (event == NULL || !schedule_event(event)) {
        fprintf(stderr, "suspend: %s\n", fj_last_error());
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        char answer[5000];
        ssize_t length = -1;
        if (send(ends[1], argv[i], strlen(argv[i]), MSG_NOSIGNAL) >= 0) {
            length = recv(ends[1], answer, sizeof answer, 0);
        }
        if (length <= 0 || fwrite(answer, 1, (size_t)length, stdout) != (size_t)length) {
            fprintf(stderr, "suspend: the connection has ended\n");
            return 1;
        }
    }
    close(ends[1]); /* the connection reads the end, and goes */
    return !ec_thread_pool_shutdown();
}
