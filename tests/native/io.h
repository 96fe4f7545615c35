/*
 * io.h - what the tests of read jobs share: a directory, and one job with its string.
 */
#ifndef FASTJOBS_TESTS_IO_H
#define FASTJOBS_TESTS_IO_H

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

static inline const char *path_of(const char *name)
{
    static char path[2][128];
    static int next;
    next = 1 - next;
    snprintf(path[next], sizeof(path[next]), "%s/%s", s_directory, name);
    return path[next];
}

/* Bytes that show when one is missing, double or in the wrong place. */
static inline char *pattern(size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)((i * 2654435761u) >> 13);
    }
    return bytes;
}

static inline void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    CHECK_OR_RETURN(file != NULL);
    CHECK_EQ(fwrite(bytes, 1, size, file), size);
    CHECK_EQ(fclose(file), 0);
}

static inline void write_all(int descriptor, const char *bytes, size_t size)
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

static inline int open_descriptors(void)
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

static inline size_t live(int memtype)
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

static inline void start_reading(struct reading *reading, io_job *job)
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

static inline void await_reading(struct reading *reading)
{
    AWAIT(&reading->done);
}

static inline void end_reading(struct reading *reading)
{
    io_wrapper_free_read_job(reading->job);
    string_destroy(&reading->text);
    sem_destroy(&reading->done);
}

static inline void ends_as(struct reading *reading, int status, int errorcode)
{
    await_reading(reading);
    CHECK_EQ(reading->job->status, status);
    CHECK_EQ(reading->job->errorcode, errorcode);
}

static inline void has_read(struct reading *reading, const char *bytes, size_t size)
{
    ends_as(reading, IOJ_COMPLETED, 0);
    CHECK_EQ(reading->text.len, size);
    CHECK(reading->text.allocd > reading->text.len);
    CHECK(reading->text.buffer != NULL && memcmp(reading->text.buffer, bytes, size) == 0 &&
          reading->text.buffer[size] == '\0');
}

static inline void begin_in_a_directory(void)
{
    if (mkdtemp(s_directory) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
}

static inline void end_directory(void)
{
    const char *left[] = {"file", "fifo", "socket", "full"};
    for (int i = 0; i < 4; i++) {
        unlink(path_of(left[i]));
    }
    CHECK_EQ(rmdir(s_directory), 0);
}

#endif
