/*
 * test_io_waiting.c - read jobs that wait: FIFOs, pipes, sockets, and a cancel of each kind of wait.
 */
#define _GNU_SOURCE
#include "io.h"

/* ---- FIFOs, pipes, sockets ---- */

static void *feed_fifo(void *path)
{
    int fifo = open(path, O_WRONLY); /* waits for the reader */
    char *bytes = pattern(300000);
    CHECK(fifo >= 0);
    write_all(fifo, bytes, 300000);
    close(fifo);
    free(bytes);
    return NULL;
}

static void a_fifo_waits_for_its_writer_and_ends_with_it(void)
{
    struct reading reading;
    char *bytes = pattern(300000);
    char path[128];
    snprintf(path, sizeof(path), "%s/fifo", s_directory);
    CHECK_EQ(mkfifo(path, 0600), 0);
    start_reading(&reading, io_wrapper_create_read_job(path));
    CHECK(!comes_within(&reading.done, 0.05)); /* it is not taken for empty */
    pthread_t writer = start_thread(feed_fifo, path);
    has_read(&reading, bytes, 300000);
    JOIN(writer);
    end_reading(&reading);
    free(bytes);
}

static void a_descriptor_is_read_to_its_end_and_stays_open(void)
{
    struct reading reading;
    int ends[2];
    char *bytes = pattern(200000);
    CHECK_EQ(pipe(ends), 0);
    int flags = fcntl(ends[0], F_GETFL);
    start_reading(&reading, fj_io_create_read_job_fd(ends[0]));
    CHECK(strncmp(reading.job->filename, "descriptor ", 11) == 0);
    for (int i = 0; i < 10; i++) {
        write_all(ends[1], bytes + 20000 * i, 20000);
    }
    close(ends[1]);
    has_read(&reading, bytes, 200000);
    CHECK_EQ(fcntl(ends[0], F_GETFL), flags);
    close(ends[0]);
    end_reading(&reading);

    write_file(path_of("file"), "0123456789", 10);
    int file = open(path_of("file"), O_RDONLY);
    CHECK_EQ(lseek(file, 4, SEEK_SET), 4);
    start_reading(&reading, fj_io_create_read_job_fd(file));
    has_read(&reading, "456789", 6);
    CHECK_EQ(close(file), 0);
    end_reading(&reading);
    free(bytes);
}

static void a_socket_pair_is_read(void)
{
    struct reading reading;
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    start_reading(&reading, fj_io_create_read_job_fd(ends[0]));
    write_all(ends[1], "hello ", 6);
    write_all(ends[1], "world", 5);
    CHECK_EQ(shutdown(ends[1], SHUT_WR), 0);
    has_read(&reading, "hello world", 11);
    close(ends[0]);
    close(ends[1]);
    end_reading(&reading);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQ(listen(listener, 0), 0);
    return listener;
}

static void a_socket_is_connected_to_by_its_path(void)
{
    struct reading reading;
    int listener = listen_at(path_of("socket"));
    start_reading(&reading, io_wrapper_create_read_job(path_of("socket")));
    int peer = accept(listener, NULL, NULL);
    write_all(peer, "from a socket", 13);
    close(peer);
    has_read(&reading, "from a socket", 13);
    end_reading(&reading);

    /* A queue that is full: the job waits for its place. */
    struct reading many[4];
    for (int i = 0; i < 4; i++) {
        start_reading(&many[i], io_wrapper_create_read_job(path_of("socket")));
    }
    for (int i = 0; i < 4; i++) {
        peer = accept(listener, NULL, NULL);
        write_all(peer, "x", 1);
        close(peer);
    }
    for (int i = 0; i < 4; i++) {
        has_read(&many[i], "x", 1);
        end_reading(&many[i]);
    }
    close(listener);
    start_reading(&reading, io_wrapper_create_read_job(path_of("socket")));
    ends_as(&reading, IOJ_OPEN_FAILED, ECONNREFUSED);
    end_reading(&reading);
}

/* ---- cancel ---- */

/* The wait may or may not have begun when the cancel comes: both are tried, in turn. */

static int unread(int descriptor)
{
    int bytes = -1;
    CHECK_EQ(ioctl(descriptor, FIONREAD, &bytes), 0);
    return bytes;
}

/* Whether this process has a file open. */
static int is_open(const char *path)
{
    int found = 0;
    struct stat wanted;
    CHECK_EQ(stat(path, &wanted), 0);
    DIR *all = opendir("/proc/self/fd");
    struct dirent *entry;
    while (all != NULL && !found && (entry = readdir(all)) != NULL) {
        struct stat one;
        found = fstatat(dirfd(all), entry->d_name, &one, 0) == 0 && one.st_dev == wanted.st_dev &&
                one.st_ino == wanted.st_ino;
    }
    if (all != NULL) {
        closedir(all);
    }
    return found;
}

static void a_silent_pipe_is_cancelled(void)
{
    int before = open_descriptors();
    for (int round = 0; round < 20; round++) {
        struct reading reading;
        int ends[2];
        CHECK_EQ(pipe(ends), 0);
        write_all(ends[1], "part", 4);
        start_reading(&reading, fj_io_create_read_job_fd(ends[0]));
        if (round % 2 == 0) {
            POLL(unread(ends[0]) == 0);
            CHECK(!comes_within(&reading.done, 0.01));
        }
        CHECK_EQ(fj_io_cancel_read_job(reading.job), 1);
        await_reading(&reading);
        CHECK_EQ(reading.job->errorcode, ECANCELED);
        CHECK_EQ(reading.job->status, IOJ_READ_FAILED);
        CHECK(round % 2 == 1 || reading.text.len == 4); /* what came is kept */
        close(ends[0]);
        close(ends[1]);
        end_reading(&reading);
    }
    CHECK_EQ(open_descriptors(), before);
}

static void a_fifo_without_a_writer_is_cancelled(void)
{
    for (int round = 0; round < 6; round++) {
        struct reading reading;
        start_reading(&reading, io_wrapper_create_read_job(path_of("fifo")));
        if (round % 2 == 0) {
            POLL(is_open(path_of("fifo")));
            CHECK(!comes_within(&reading.done, 0.01));
        }
        CHECK_EQ(fj_io_cancel_read_job(reading.job), 1);
        await_reading(&reading);
        CHECK_EQ(reading.job->errorcode, ECANCELED);
        CHECK(reading.job->status == (round % 2 == 0 ? IOJ_READ_FAILED : reading.job->status));
        end_reading(&reading);
    }
}

static void a_socket_that_nobody_accepts_is_cancelled(void)
{
    struct reading readings[4];
    int listener = listen_at(path_of("full"));
    for (int i = 0; i < 4; i++) {
        start_reading(&readings[i], io_wrapper_create_read_job(path_of("full")));
    }
    CHECK(!comes_within(&readings[0].done, 0.05));
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(fj_io_cancel_read_job(readings[i].job), 1);
    }
    for (int i = 0; i < 4; i++) {
        await_reading(&readings[i]);
        CHECK_EQ(readings[i].job->errorcode, ECANCELED);
        end_reading(&readings[i]);
    }
    close(listener);
}

static void a_job_is_cancelled_before_it_is_queued_and_not_after_its_end(void)
{
    struct reading reading;
    write_file(path_of("file"), "x", 1);
    io_job *job = io_wrapper_create_read_job(path_of("file"));
    CHECK_EQ(fj_io_cancel_read_job(job), 1);
    start_reading(&reading, job);
    ends_as(&reading, IOJ_OPEN_FAILED, ECANCELED);
    CHECK_EQ(fj_io_cancel_read_job(job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    QUEUE(&job->job); /* a cancel is for one run */
    has_read(&reading, "x", 1);
    end_reading(&reading);
}

static void a_job_that_runs_is_not_freed(void)
{
    struct reading reading;
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    write_all(ends[1], "x", 1);
    start_reading(&reading, fj_io_create_read_job_fd(ends[0]));
    POLL(unread(ends[0]) == 0); /* it runs */
    io_wrapper_free_read_job(reading.job);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    close(ends[1]);
    has_read(&reading, "x", 1);
    close(ends[0]);
    end_reading(&reading);
}

/* ---- load ---- */

static void *cancel_all(void *readings)
{
    for (int i = 0; i < 400; i += 2) {
        fj_io_cancel_read_job(((struct reading *)readings)[i].job);
    }
    return NULL;
}

static void many_reads_and_cancels_at_once(void)
{
    enum { COUNT = 400 };
    static struct reading readings[COUNT];
    char *bytes = pattern(100000);
    int before = open_descriptors();
    write_file(path_of("file"), bytes, 100000);
    for (int i = 0; i < COUNT; i++) {
        start_reading(&readings[i], io_wrapper_create_read_job(path_of("file")));
    }
    pthread_t canceller = start_thread(cancel_all, readings);
    for (int i = 0; i < COUNT; i++) {
        await_reading(&readings[i]);
        io_job *job = readings[i].job;
        CHECK(job->status == IOJ_COMPLETED ||
              (i % 2 == 0 && job->errorcode == ECANCELED && job->status != IOJ_MISUSED));
        CHECK(memcmp(readings[i].text.buffer, bytes, (size_t)readings[i].text.len) == 0);
        CHECK(job->status != IOJ_COMPLETED || readings[i].text.len == 100000);
    }
    JOIN(canceller);
    for (int i = 0; i < COUNT; i++) {
        end_reading(&readings[i]);
    }
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(live(MEMTYPE_IO_OBJECT), 0);
    CHECK_EQ(live(MEMTYPE_STRING), 0);
    free(bytes);
}

int main(void)
{
    begin_in_a_directory();
    RUN(a_fifo_waits_for_its_writer_and_ends_with_it);
    RUN(a_descriptor_is_read_to_its_end_and_stays_open);
    RUN(a_socket_pair_is_read);
    RUN(a_socket_is_connected_to_by_its_path);
    RUN(a_silent_pipe_is_cancelled);
    RUN(a_fifo_without_a_writer_is_cancelled);
    RUN(a_socket_that_nobody_accepts_is_cancelled);
    RUN(a_job_is_cancelled_before_it_is_queued_and_not_after_its_end);
    RUN(a_job_that_runs_is_not_freed);
    RUN(many_reads_and_cancels_at_once);
    end_directory();
    return check_report();
}
