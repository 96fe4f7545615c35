/*
 * scheduler.h - the schedulers: event loops that call Events, completions of jobs and recurrent functions.
 *
 * The master scheduler is the library's own: a thread that starts when it is needed first. A program that has
 * an event loop of its own can instead make a scheduler that it drives itself, and let that be the master
 * (fj_scheduler_adopt). There may be any number of further schedulers, of either kind.
 *
 * A function without an instance acts, in a callback of a scheduler, on that scheduler, and elsewhere on the
 * master. "The scheduler's thread" is its own thread, or the one that drove it last (before that: created
 * it), which may call such functions between two iterations too.
 */
#ifndef FASTJOBS_SCHEDULER_H
#define FASTJOBS_SCHEDULER_H

#include <stddef.h>
#include <sys/time.h>
#include <sys/types.h>

#include "fj_base.h"

#ifndef FJ_NO_UNPREFIXED_NAMES
#define schedule_event fj_schedule_event
#define clear_event_by_fd fj_clear_event_by_fd
#define clear_timed_event fj_clear_timed_event
#define get_event_by_fd fj_get_event_by_fd
#define get_scheduler_pid fj_get_scheduler_pid
#define is_scheduler_thread fj_is_scheduler_thread
#define ping_scheduler fj_ping_scheduler
#define scheduler_recurrent_func_add fj_scheduler_recurrent_func_add
#endif

FJ_BEGIN_DECLS

/** Called once in each iteration; what it returns has no meaning. */
typedef int (*RecurFunc)(void *closure, struct timeval *now);

/* ---- events ---- */

/** Arms an Event: from now on it is the scheduler's. Any thread. Returns 1, or 0 (the Event stays the
 * caller's): NULL, no callback, nothing to wait for, a descriptor that is not open, that cannot be waited
 * for (a regular file) or that has another Event; after the scheduler's end. From another thread the Event
 * is armed by the scheduler's thread: what goes wrong there is told to the callback, called with
 * E_EXCEPTION, and ends the Event. An Event that is armed already is armed anew with its mask and time. */
FJ_API int fj_schedule_event(Event *event);
FJ_API int fj_scheduler_schedule(ec_scheduler_inst *inst, Event *event);

/** Takes a descriptor's Event out of the scheduler and returns it, now the caller's; NULL if it has none. The
 * Event whose callback runs may be cleared by it, which then returns 0; the scheduler frees it as always. The
 * scheduler's thread. */
FJ_API Event *fj_clear_event_by_fd(int fd);
FJ_API Event *fj_scheduler_clear_fd(ec_scheduler_inst *inst, int fd);

/** The Event of a descriptor, or NULL. The scheduler's thread. */
FJ_API Event *fj_get_event_by_fd(int fd);
FJ_API Event *fj_scheduler_get_fd(ec_scheduler_inst *inst, int fd);

/** 1: the Event was scheduled; it is cleared and freed. 0: it was not, and is the caller's to free (unless it
 * is the one whose callback runs). -1 from any thread but the scheduler's: nothing has changed. */
FJ_API int fj_clear_timed_event(Event *event);
FJ_API int fj_scheduler_clear_timed(ec_scheduler_inst *inst, Event *event);

/* ---- the scheduler ---- */

/** 1 in the thread of a scheduler, whichever. Any thread; starts nothing. */
FJ_API int fj_is_scheduler_thread(void);

/** The master's thread as the system counts threads (gettid); in a process's first thread, its pid. Starts
 * the master if need be. 0 on failure. Any thread. */
FJ_API pid_t fj_get_scheduler_pid(void);

/** Makes the master, or a scheduler, go through an iteration now. Any thread. */
FJ_API void fj_ping_scheduler(void);
FJ_API int fj_scheduler_ping(ec_scheduler_inst *inst);

/** Adds a function that is called in each iteration, for good. A scheduler with nothing to do goes through no
 * iterations. Any thread (the original: at the start, in the scheduler's thread). */
FJ_API void fj_scheduler_recurrent_func_add(RecurFunc func, void *closure);
FJ_API int fj_scheduler_recur(ec_scheduler_inst *inst, RecurFunc func, void *closure);

/* ---- instances ---- */

#define FJ_SCHEDULER_THREAD 0 /**< a thread of the library's own drives it */
#define FJ_SCHEDULER_HOST 1   /**< the program drives it: fj_scheduler_run or fj_scheduler_run_once */

/** Makes a scheduler. name: of its thread, NULL: "scheduler". NULL on failure: unknown kind, or no
 * descriptors or threads left; after a shutdown. */
FJ_API ec_scheduler_inst *fj_scheduler_create(const char *name, int kind);

/** Delivers the completions that are pending there, frees its Events without calling them, and ends it. 1, or
 * 0: unknown, the master, from one of its own callbacks (FJ_EDEADLK), or while another thread drives it. A
 * completion that names it afterwards is delivered by the thread that completes the job. */
FJ_API int fj_scheduler_destroy(ec_scheduler_inst *inst);

/** The master. Starts it if need be; NULL on failure. Any thread. */
FJ_API ec_scheduler_inst *fj_scheduler_master(void);

/** Makes a scheduler of kind FJ_SCHEDULER_HOST the master. 1, or 0: there is a master already (FJ_EBUSY): the
 * library's own has started, or another was adopted. */
FJ_API int fj_scheduler_adopt(ec_scheduler_inst *inst);

/** Drives the scheduler until fj_scheduler_stop. 1, or 0: not of kind HOST, or driven already, or called in
 * a job or a callback of a scheduler. */
FJ_API int fj_scheduler_run(ec_scheduler_inst *inst);

/** Drives it for one iteration, which waits up to timeout_ms (-1: without end) for something to do. 1: there
 * was something; 0: there was not; -1 on failure, as fj_scheduler_run. */
FJ_API int fj_scheduler_run_once(ec_scheduler_inst *inst, int timeout_ms);

/** Makes fj_scheduler_run return after the iteration in hand; the next one, if none runs. Any thread. 1 or 0.
 */
FJ_API int fj_scheduler_stop(ec_scheduler_inst *inst);

/** A descriptor that is readable while fj_scheduler_run_once(inst, 0) would find something to do, timers
 * included: for poll, epoll, libuv, libevent. It stays the library's. -1 on failure. */
FJ_API int fj_scheduler_fd(ec_scheduler_inst *inst);

/** Figures of a scheduler. Set struct_size before the call. */
typedef struct fj_scheduler_stats {
    size_t struct_size; /**< sizeof(fj_scheduler_stats), set by the caller */
    unsigned long long iterations;
    unsigned long long callbacks; /**< of Events, completions, recurrent functions */
    unsigned long long posts;     /**< Events and completions that came from other threads */
    unsigned long long wakes; /**< how often a post had to wake the scheduler: once for all that come while
                                 it is busy */
    int fds;                  /**< descriptors that have an Event */
    int timers;               /**< Events that wait for a time */
} fj_scheduler_stats;

/** inst NULL: the master, whose figures are 0 before it starts. 1, or 0 on failure. Any thread; `timers` is
 * exact in the scheduler's thread. */
FJ_API int fj_scheduler_stats_get(ec_scheduler_inst *inst, fj_scheduler_stats *stats);

FJ_END_DECLS
#endif
