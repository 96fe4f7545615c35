/*
 * io_wrapper.h - jobs that read a file, a FIFO or a socket into memory.
 *
 *     io_job *read = io_wrapper_create_read_job("/etc/motd");
 *     read->buffer = &text;                        (a string of misc/ec_string.h)
 *     read->job.completion = ECTP_COMPLETE_CALLBACK;
 *     read->job.r.cb.func = has_been_read;
 *     ec_queue_async_job(&read->job);
 *
 *     static void has_been_read(ec_async_job *job, void *closure)
 *     {
 *         io_job *read = (io_job *)job;
 *         if (read->status == IOJ_COMPLETED) ...   (the bytes are in read->buffer)
 *         io_wrapper_free_read_job(read);
 *     }
 *
 * The job is an ec_async_job: the caller sets its completion and queues it, again if it likes. It runs in the
 * pool IO unless job_class says otherwise, and keeps a thread of it until all is read: a peer that is silent
 * blocks a thread, until fj_io_cancel_read_job. ec_thread_pool_shutdown waits for it.
 */
#ifndef FASTJOBS_IO_WRAPPER_H
#define FASTJOBS_IO_WRAPPER_H

#include "ec_thread_pool.h"
#include "misc/ec_string.h"

FJ_BEGIN_DECLS

/** A read. job, buffer and the fields of the result are for the caller; made by the functions below only. */
typedef struct _io_job {
    ec_async_job job;          /**< first: a completion gets this pointer */
    const char *filename;      /**< what to open: a file, a FIFO, a device, or a stream socket's path */
    struct _ec_string *buffer; /**< set by the caller; what is read is appended. Lives until the completion */
    int errorcode;             /**< errno of what failed, 0 if nothing; ECANCELED after a cancel */
    enum _io_job_status {
        IOJ_MISUSED,      /**< buffer was not set; also before the job has run */
        IOJ_OPEN_FAILED,  /**< the resource could not be opened */
        IOJ_READ_FAILED,  /**< a read failed, or was cancelled; what came before is in the buffer */
        IOJ_STORE_FAILED, /**< the buffer did not take what was read: ENOMEM, EFBIG, ENOSPC, EINVAL */
        IOJ_COMPLETED     /**< all was read */
    } status;
} io_job;

#ifdef __cplusplus
/** In C the codes are global names; in C++ they are members of the job. Sources use both spellings. */
#define FJ_STATUS_ALIAS(name) static constexpr _io_job::_io_job_status name = _io_job::name
FJ_STATUS_ALIAS(IOJ_MISUSED);
FJ_STATUS_ALIAS(IOJ_OPEN_FAILED);
FJ_STATUS_ALIAS(IOJ_READ_FAILED);
FJ_STATUS_ALIAS(IOJ_STORE_FAILED);
FJ_STATUS_ALIAS(IOJ_COMPLETED);
#undef FJ_STATUS_ALIAS
#endif

/** The original's names, for symbols of ours. */
#define io_wrapper_create_read_job fj_io_wrapper_create_read_job
#define io_wrapper_free_read_job fj_io_wrapper_free_read_job

/** Makes a job of class IO that reads what the name stands for; the name is copied. A FIFO waits for its
 * first writer and ends with its last; a socket is connected to and read until the peer closes. NULL: no name
 * or no memory. Any thread. */
FJ_API io_job *fj_io_wrapper_create_read_job(const char *filename);

/** The same with a descriptor of the caller's, read from where it stands until its end. It stays open, its
 * flags are not changed, and nobody else reads it until the completion. NULL: negative, or no memory. */
FJ_API io_job *fj_io_create_read_job_fd(int descriptor);

/** Frees a job that is not queued and does not run: before it is queued, in its completion, or later. Not its
 * buffer. NULL is allowed. A job that runs is kept, FJ_EBUSY. Instead of calling this, the caller may set
 * job.free_on_completion_memtype to MEMTYPE_IO_OBJECT. Any thread. */
FJ_API void fj_io_wrapper_free_read_job(io_job *job);

/** Ends the read: at once if it waits for bytes, for a writer or for a peer, otherwise before the next chunk
 * or as soon as it starts. The job completes as ever, with ECANCELED (IOJ_OPEN_FAILED before it was opened,
 * else IOJ_READ_FAILED), unless all was read by then. 1; 0: it has ended already (FJ_EBUSY), or is NULL. Any
 * thread, from the job's creation on, as long as nobody frees it meanwhile. */
FJ_API int fj_io_cancel_read_job(io_job *job);

FJ_END_DECLS
#endif
