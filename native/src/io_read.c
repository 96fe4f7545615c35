/*
 * io_read.c - making, cancelling and freeing the read jobs of io_wrapper.h. The engine reads.
 *
 * A job and what belongs to it is one object of MEMTYPE_IO_OBJECT, so that the pool may free it by its type.
 */
#include "io_wrapper.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"

struct read_job {
    io_job io;
    struct fj_read_state state;
    char name[]; /* what io.filename points to */
};

static void run(ec_async_job *job, void *closure)
{
    struct read_job *read = (struct read_job *)job;
    (void)closure;
    if (fj_enter()) {
        fj_engine.read_run(&read->io, &read->state);
    }
}

static io_job *create(const char *name, int descriptor)
{
    size_t length = strlen(name) + 1;
    struct read_job *read = ec_malloc_size(MEMTYPE_IO_OBJECT, sizeof(*read) + length);
    if (read == NULL) {
        return NULL;
    }
    memset(read, 0, sizeof(*read));
    memcpy(read->name, name, length);
    read->io.job.job_class = ECTP_CLASS_IO;
    read->io.job.worker = run;
    read->io.filename = read->name;
    read->io.status = IOJ_MISUSED;
    read->state.descriptor = descriptor;
    return &read->io;
}

io_job *io_wrapper_create_read_job(const char *filename)
{
    if (filename == NULL || filename[0] == '\0') {
        fj_set_error(FJ_EINVAL, "io_wrapper_create_read_job: the name is NULL or empty");
        return NULL;
    }
    return create(filename, -1);
}

io_job *fj_io_create_read_job_fd(int descriptor)
{
    char name[32];
    if (descriptor < 0) {
        fj_set_error(FJ_EINVAL, "fj_io_create_read_job_fd: %d is no descriptor", descriptor);
        return NULL;
    }
    snprintf(name, sizeof(name), "descriptor %d", descriptor);
    return create(name, descriptor);
}

void io_wrapper_free_read_job(io_job *job)
{
    struct read_job *read = (struct read_job *)job;
    if (read == NULL) {
        return;
    }
    if (__atomic_load_n(&read->state.phase, __ATOMIC_ACQUIRE) == FJ_READ_RUNS) {
        fj_set_error(FJ_EBUSY, "io_wrapper_free_read_job: the job that reads %s runs; it is kept",
                     job->filename);
        return;
    }
    ec_free(MEMTYPE_IO_OBJECT, read);
}

int fj_io_cancel_read_job(io_job *job)
{
    struct read_job *read = (struct read_job *)job;
    if (read == NULL) {
        fj_set_error(FJ_EINVAL, "fj_io_cancel_read_job: the job is NULL");
        return 0;
    }
    return fj_enter() ? fj_engine.read_cancel(&read->state) : 0;
}
