/*
 * test_io.c - the read jobs of io_wrapper.h: every function, every status, files of any size.
 */
#define _GNU_SOURCE
#include "io.h"

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

int main(void)
{
    begin_in_a_directory();
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
    end_directory();
    return check_report();
}
