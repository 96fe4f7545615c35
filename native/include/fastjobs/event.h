/*
 * event.h - the Event: a descriptor and a mask, or a time, tied to a callback that a scheduler calls.
 *
 * An Event is allocated by build_* or by the caller (ec_malloc(MEMTYPE_EVENT), memcpy of another, then
 * event_post_dup), handed to a scheduler by schedule_event* (scheduler.h, sp_async.h) and the scheduler's
 * until its callback returns 0, which frees it, or until it is cleared. The functions of this header need
 * no scheduler and may be called from any thread, as long as the Event is the caller's.
 *
 * The names without a prefix are those of the original; other libraries (libevent) have some of them too.
 * Here they are macros for fj_* functions, so one program can link both. A source file that includes both
 * libraries' headers defines FJ_NO_UNPREFIXED_NAMES first and uses the fj_* names.
 */
#ifndef FASTJOBS_EVENT_H
#define FASTJOBS_EVENT_H

#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include "fj_base.h"

#ifndef FJ_NO_UNPREFIXED_NAMES
#define build_event fj_build_event
#define build_fd_event fj_build_fd_event
#define build_event_from_now_f fj_build_event_from_now_f
#define event_accept fj_event_accept
#define event_close fj_event_close
#define event_free fj_event_free
#define event_post_dup fj_event_post_dup
#define event_read fj_event_read
#define event_sendfile fj_event_sendfile
#define event_write fj_event_write
#endif

FJ_BEGIN_DECLS

/** What an Event waits for, and what its callback is told. */
#define E_READ 0x00000001      /**< reading does not block: data, the end, or an error */
#define E_WRITE 0x00000002     /**< writing does not block */
#define E_EXCEPTION 0x00000004 /**< urgent data; or the Event cannot be armed, and ends with this call */
#define E_TIMEOUT 0x00000008   /**< the time `trigger` has come */
#define E_ASYNC 0x00000010     /**< for schedule_event_and_dispatch: an operation elsewhere is done */

/** How often a callback that asks for more I/O is called in a row while there is some. */
#define E_AGGRESSIVE_NONE 0 /**< once in an iteration of the scheduler */
#define E_AGGRESSIVE_LOW 1  /**< up to 4 times */
#define E_AGGRESSIVE_MED 2  /**< up to 16 times */
#define E_AGGRESSIVE_HIGH 3 /**< until there is none: a busy descriptor keeps all others waiting */

/** What `when` of build_event is counted from. */
#define E_FROM_EPOCH 0 /**< a time of the clock on the wall, also if that is set meanwhile */
#define E_FROM_NOW 1   /**< a span: it ends after so long, however the clock is set */

/** eventtype: what has happened. now: when this iteration of the scheduler began. Returns the mask to arm the
 * Event with again, or 0: the Event has ended and the scheduler frees it (but does not close its descriptor).
 * Runs in the scheduler's thread and must not block. */
typedef int (*EventFunc)(Event *event, int eventtype, void *closure, struct timeval *now);

/** How an Event reads, writes and closes, if not as read(2), write(2) and close(2) do: through TLS, say.
 * -1 with errno EAGAIN, and in *needmask what to wait for, where it would block. */
typedef int (*fj_event_accept_func)(Event *event, struct sockaddr *address, socklen_t *length, int *needmask);
typedef int (*fj_event_read_func)(Event *event, char *buffer, int length, int *needmask);
typedef int (*fj_event_write_func)(Event *event, const char *buffer, int length, int *needmask);
typedef int (*fj_event_close_func)(Event *event);
typedef int (*fj_event_sendfile_func)(Event *event, int file, off_t *offset, size_t length, int *needmask);

/** The library calls event_read, event_write and event_close; NULL: the system's own. The other two stand
 * here because they do in the original. */
typedef struct ec_event_io_opset {
    fj_event_accept_func event_accept;
    fj_event_read_func event_read;
    fj_event_write_func event_write;
    fj_event_close_func event_close;
    fj_event_sendfile_func event_sendfile;
} event_io_opset;

struct _Event {
    struct timeval trigger;   /**< with E_TIMEOUT in the mask: when, since the epoch */
    void *io_data;            /**< the opset's */
    event_io_opset *io_opset; /**< NULL: the plain descriptor */
    int aggressive : 4;       /**< E_AGGRESSIVE_* */
    int trace : 1;
    int unused : 27; /**< the library's: whether trigger is a span, whether fd is a socket */
    int mask;        /**< what to wait for */
    int fd;          /**< -1 if none */
    EventFunc callback;
    void *closure;
    pthread_t scheduled_thread; /**< 0, or the thread of the scheduler that has the Event */
};

/** Each creates an Event that waits for nothing yet. NULL (fj_last_error): no callback, a descriptor that is
 * none, an unknown mask, whence or aggressive, a time that is none, or no memory. */
FJ_API Event *fj_build_fd_event(int fd, int mask, int aggressive, EventFunc callback, void *closure);
FJ_API Event *fj_build_event(struct timeval when, int whence, int fd, EventFunc callback, void *closure);
FJ_API Event *fj_build_event_from_now_f(double seconds, int fd, EventFunc callback, void *closure);
#define build_event_from_epoch(when, fd, callback, closure)                                                  \
    fj_build_event((when), E_FROM_EPOCH, (fd), (callback), (closure))
#define build_event_from_now(when, fd, callback, closure)                                                    \
    fj_build_event((when), E_FROM_NOW, (fd), (callback), (closure))

/** Makes dst, a memcpy of src, an Event of its own: one that no scheduler has. */
FJ_API void fj_event_post_dup(Event *dst, Event *src);

/** Frees an Event that no scheduler has. One that is scheduled or being called is kept and reported by
 * fj_last_error. NULL is allowed. */
FJ_API void fj_event_free(Event *event);

/** Closes the Event's descriptor and returns what close(2) or the opset's event_close does. */
FJ_API int fj_event_close(Event *event);

/** As read(2) and write(2), without SIGPIPE on sockets. Where they would block: -1, errno EAGAIN, and in
 * *needmask the mask to wait for. *needmask is that mask after a success, too: a callback may return it. */
FJ_API int fj_event_read(Event *event, char *buffer, int length, int *needmask);
FJ_API int fj_event_write(Event *event, const char *buffer, int length, int *needmask);

FJ_END_DECLS
#endif
