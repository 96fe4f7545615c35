/*
 * test_io.c - the read jobs of io_wrapper.h and the strings of misc/ec_string.h: every function, every
 * status, files, FIFOs, sockets and descriptors, and a cancel of each kind of wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "harness.h"
#include "io_wrapper.h"

static char s_directory[] = "/tmp/fastjobs-io-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][128];
    static int next;
    next = 1 - next;
    snprintf(path[next], sizeof(path[next]), "%s/%s", s_directory, name);
    return path[next];
}

/* Bytes that show when one is missing, double or in the wrong place. */
static char *pattern(size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)((i * 2654435761u) >> 13);
    }
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    CHECK_OR_RETURN(file != NULL);
    CHECK_EQ(fwrite(bytes, 1, size, file), size);
    CHECK_EQ(fclose(file), 0);
}

static void write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (!CHECK(written > 0)) {
            return;
        }
        bytes += written;
        size -= (size_t)written;
    }
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all != NULL && readdir(all) != NULL) {
        count++;
    }
    if (all != NULL) {
        closedir(all);
    }
    return count;
}

static size_t live(int memtype)
{
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(memtype, &usage), 1);
    return usage.objects;
}

/* ---- one job and its string ---- */

struct reading {
    io_job *job;
    struct _ec_string text;
    sem_t done;
};

static void start_reading(struct reading *reading, io_job *job)
{
    memset(reading, 0, sizeof(*reading));
    sem_init(&reading->done, 0, 0);
    CHECK_EQ(string_init_type(&reading->text, 16, STRING_TYPE_ECSTRING), 1);
    reading->job = job;
    CHECK_OR_RETURN(job != NULL);
    CHECK_EQ(job->status, IOJ_MISUSED);
    CHECK_EQ(job->job.job_class, ECTP_CLASS_IO);
    job->buffer = &reading->text;
    job->job.completion = ECTP_COMPLETE_SEMAPHORE;
    job->job.r.sema = &reading->done;
    QUEUE(&job->job);
}

static void await_reading(struct reading *reading)
{
    AWAIT(&reading->done);
}

static void end_reading(struct reading *reading)
{
    io_wrapper_free_read_job(reading->job);
    string_destroy(&reading->text);
    sem_destroy(&reading->done);
}

static void ends_as(struct reading *reading, int status, int errorcode)
{
    await_reading(reading);
    CHECK_EQ(reading->job->status, status);
    CHECK_EQ(reading->job->errorcode, errorcode);
}

static void has_read(struct reading *reading, const char *bytes, size_t size)
{
    ends_as(reading, IOJ_COMPLETED, 0);
    CHECK_EQ(reading->text.len, size);
    CHECK(reading->text.allocd > reading->text.len);
    CHECK(reading->text.buffer != NULL && memcmp(reading->text.buffer, bytes, size) == 0 &&
          reading->text.buffer[size] == '\0');
}

/* ---- files ---- */

static void files_of_any_size_are_read(void)
{
    size_t sizes[] = {0, 1, 15, 16, 4096, 65535, 65536, 65537, 1000000, 10000000};
    int before = open_descriptors();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct reading reading;
        char *bytes = pattern(sizes[i]);
        write_file(path_of("file"), bytes, sizes[i]);
        start_reading(&reading, io_wrapper_create_read_job(path_of("file")));
        has_read(&reading, bytes, sizes[i]);
        end_reading(&reading);
        free(bytes);
    }
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(live(MEMTYPE_IO_OBJECT), 0);
    CHECK_EQ(live(MEMTYPE_STRING), 0);
}

static void files_of_proc_are_read(void)
{
    struct reading reading;
    start_reading(&reading, io_wrapper_create_read_job("/proc/self/status"));
    ends_as(&reading, IOJ_COMPLETED, 0);
    CHECK(strncmp(reading.text.buffer, "Name:", 5) == 0);
    end_reading(&reading);
    start_reading(&reading, io_wrapper_create_read_job("/dev/null"));
    has_read(&reading, "", 0);
    end_reading(&reading);
}

static void a_job_may_be_queued_again_and_appends(void)
{
    struct reading reading;
    write_file(path_of("file"), "one ", 4);
    start_reading(&reading, io_wrapper_create_read_job(path_of("file")));
    has_read(&reading, "one ", 4);
    write_file(path_of("file"), "two", 3);
    CHECK_EQ(QUEUE(&reading.job->job), 1);
    has_read(&reading, "one two", 7);
    reading.text.len = 0;
    CHECK_EQ(QUEUE(&reading.job->job), 1);
    has_read(&reading, "two", 3);
    end_reading(&reading);
}

static void the_name_is_copied_and_need_not_be_utf8(void)
{
    struct reading reading;
    char name[128];
    snprintf(name, sizeof(name), "%s/\xff\xfe", s_directory);
    write_file(name, "x", 1);
    io_job *job = io_wrapper_create_read_job(name);
    CHECK_STR(job->filename, name);
    CHECK(job->filename != name);
    start_reading(&reading, job);
    has_read(&reading, "x", 1);
    end_reading(&reading);
    CHECK_EQ(unlink(name), 0);
}

static void free_by_the_pool(ec_async_job *job, void *done)
{
    io_job *read = (io_job *)job;
    CHECK_EQ(read->status, IOJ_COMPLETED);
    CHECK_STR(read->buffer->buffer, "x");
    sem_post(done);
}

static void the_pool_may_free_the_job(void)
{
    struct _ec_string text;
    sem_t done;
    sem_init(&done, 0, 0);
    write_file(path_of("file"), "x", 1);
    CHECK_EQ(string_init_type(&text, 1, STRING_TYPE_MALLOC), 1);
    io_job *job = io_wrapper_create_read_job(path_of("file"));
    job->buffer = &text;
    job->job.completion = ECTP_COMPLETE_CALLBACK;
    job->job.r.cb.func = free_by_the_pool;
    job->job.r.cb.closure = &done;
    job->job.free_on_completion_memtype = MEMTYPE_IO_OBJECT;
    QUEUE(&job->job);
    AWAIT(&done);
    POLL(live(MEMTYPE_IO_OBJECT) == 0);
    string_destroy(&text);
    sem_destroy(&done);
}

/* ---- failures ---- */

static void a_job_without_a_buffer_is_misused(void)
{
    sem_t done;
    sem_init(&done, 0, 0);
    io_job *job = io_wrapper_create_read_job("/etc/passwd");
    job->job.completion = ECTP_COMPLETE_SEMAPHORE;
    job->job.r.sema = &done;
    job->status = IOJ_COMPLETED;
    QUEUE(&job->job);
    AWAIT(&done);
    CHECK_EQ(job->status, IOJ_MISUSED);
    CHECK_EQ(job->errorcode, EINVAL);
    io_wrapper_free_read_job(job);
    sem_destroy(&done);
}

static void what_cannot_be_opened_says_why(void)
{
    struct reading reading;
    start_reading(&reading, io_wrapper_create_read_job("/no/such/file"));
    ends_as(&reading, IOJ_OPEN_FAILED, ENOENT);
    end_reading(&reading);
    start_reading(&reading, io_wrapper_create_read_job("/etc/passwd/x"));
    ends_as(&reading, IOJ_OPEN_FAILED, ENOTDIR);
    end_reading(&reading);
}

static void what_cannot_be_read_says_why(void)
{
    struct reading reading;
    start_reading(&reading, io_wrapper_create_read_job(s_directory));
    ends_as(&reading, IOJ_READ_FAILED, EISDIR);
    end_reading(&reading);
    start_reading(&reading, fj_io_create_read_job_fd(1000000));
    ends_as(&reading, IOJ_READ_FAILED, EBADF);
    end_reading(&reading);
}

static void what_cannot_be_stored_says_why(void)
{
    char room[8] = "";
    struct _ec_string full = {0, (int)sizeof(room), room, STRING_TYPE_STATIC, NULL};
    struct reading reading;
    write_file(path_of("file"), "12345678", 8);
    start_reading(&reading, io_wrapper_create_read_job(path_of("file")));
    await_reading(&reading);
    reading.job->buffer = &full;
    QUEUE(&reading.job->job);
    ends_as(&reading, IOJ_STORE_FAILED, ENOSPC);
    CHECK_EQ(full.len, 0);

    full = (struct _ec_string){0, 0, NULL, MEMTYPE_EC_ASYNC_JOB, NULL}; /* a type of fixed size */
    QUEUE(&reading.job->job);
    ends_as(&reading, IOJ_STORE_FAILED, EINVAL);
    end_reading(&reading);
}

static void wrong_arguments_fail(void)
{
    CHECK(io_wrapper_create_read_job(NULL) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK(io_wrapper_create_read_job("") == NULL);
    CHECK(fj_io_create_read_job_fd(-1) == NULL);
    CHECK_STR(fj_last_error(), "fj_io_create_read_job_fd: -1 is no descriptor");
    CHECK_EQ(fj_io_cancel_read_job(NULL), 0);
    io_wrapper_free_read_job(NULL);
}

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

/* ---- strings ---- */

static void strings_grow_under_each_type(void)
{
    int types[] = {STRING_TYPE_MALLOC, STRING_TYPE_ECSTRING, STRING_TYPE_MESSAGE_BODY};
    for (int i = 0; i < 3; i++) {
        struct _ec_string text;
        CHECK_EQ(string_init_type(&text, 1, types[i]), 1);
        CHECK_EQ(text.len, 0);
        CHECK_STR(text.buffer, "");
        for (int j = 0; j < 1000; j++) {
            CHECK_EQ(stringwrite2(&text, "0123456789", 10), 10);
        }
        CHECK_EQ(text.len, 10000);
        CHECK_EQ(strlen(text.buffer), 10000);
        CHECK(text.allocd > 10000);
        CHECK(types[i] < 0 || live(types[i]) == 1);
        CHECK_EQ(string_destroy(&text), 1);
        CHECK(text.buffer == NULL && text.len == 0 && text.allocd == 0);
        CHECK(types[i] < 0 || live(types[i]) == 0);
        CHECK_EQ(stringwrite2(&text, "again", 5), 5);
        CHECK_STR(text.buffer, "again");
        string_destroy(&text);
    }
    CHECK_EQ(string_destroy(NULL), 1);
}

static void static_strings_are_full_or_move(void)
{
    char room[8];
    struct _ec_string fixed = {0, (int)sizeof(room), room, STRING_TYPE_STATIC, NULL};
    CHECK_EQ(stringwrite2(&fixed, "1234567", 7), 7);
    CHECK_STR(room, "1234567");
    errno = 0;
    CHECK_EQ(stringwrite2(&fixed, "8", 1), -1);
    CHECK_EQ(errno, ENOSPC);
    CHECK_EQ(fixed.len, 7);
    string_destroy(&fixed);
    CHECK(fixed.buffer == room && fixed.len == 0);

    struct _ec_string moving = {0, (int)sizeof(room), room, STRING_TYPE_GROWABLE_STATIC, NULL};
    CHECK_EQ(stringwrite2(&moving, "1234567", 7), 7);
    CHECK(moving.buffer == room);
    CHECK_EQ(stringwrite2(&moving, "89", 2), 2);
    CHECK_EQ(moving.type, STRING_TYPE_ECSTRING);
    CHECK_STR(moving.buffer, "123456789");
    string_destroy(&moving);
    CHECK_EQ(live(MEMTYPE_STRING), 0);
}

static void wrong_strings_fail(void)
{
    struct _ec_string text = {0, 0, NULL, STRING_TYPE_ECSTRING, NULL};
    CHECK_EQ(string_init_type(NULL, 1, STRING_TYPE_MALLOC), 0);
    CHECK_EQ(string_init_type(&text, 0, STRING_TYPE_MALLOC), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(string_init_type(&text, 1, -101), 0);
    CHECK_STR(fj_last_error(), "string_init_type: strings of type -101 cannot be made here");
    CHECK_EQ(string_init_type(&text, 1, MEMTYPE_EC_ASYNC_JOB), 0);
    CHECK_EQ(string_init_type(&text, 1, 1000000), 0);
    CHECK_EQ(stringwrite2(NULL, "x", 1), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(stringwrite2(&text, NULL, 1), -1);
    text.len = 5;
    CHECK_EQ(stringwrite2(&text, "x", 1), -1); /* it says that it has bytes and no room */
    text.len = 0;
    CHECK_EQ(stringwrite2(&text, "x", (size_t)INT_MAX), -1);
    CHECK_EQ(errno, EFBIG);
    CHECK(text.buffer == NULL);
    CHECK_EQ(stringwrite2(&text, NULL, 0), 0);
    CHECK_STR(text.buffer, "");
    string_destroy(&text);
}

int main(void)
{
    if (mkdtemp(s_directory) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    RUN(strings_grow_under_each_type);
    RUN(static_strings_are_full_or_move);
    RUN(wrong_strings_fail);
    RUN(files_of_proc_are_read); /* first: a runtime that has read once has all the descriptors it wants */
    RUN(files_of_any_size_are_read);
    RUN(a_job_may_be_queued_again_and_appends);
    RUN(the_name_is_copied_and_need_not_be_utf8);
    RUN(the_pool_may_free_the_job);
    RUN(a_job_without_a_buffer_is_misused);
    RUN(what_cannot_be_opened_says_why);
    RUN(what_cannot_be_read_says_why);
    RUN(what_cannot_be_stored_says_why);
    RUN(wrong_arguments_fail);
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
    const char *left[] = {"file", "fifo", "socket", "full"};
    for (int i = 0; i < 4; i++) {
        unlink(path_of(left[i]));
    }
    CHECK_EQ(rmdir(s_directory), 0);
    return check_report();
}
