/*
 * fj_call.h - calls: jobs that are a function and a closure and nothing else. Included by fastjobs.h.
 */
#ifndef FASTJOBS_FJ_CALL_H
#define FASTJOBS_FJ_CALL_H

#include "fj_base.h"

FJ_BEGIN_DECLS

/** It may do whatever a job's worker may, pthread_exit included. */
typedef void (*fj_call_func)(void *closure);

/** Has a thread of the pool call function(closure), once. 1, or 0 (fj_last_error tells why: NULL function,
 * unknown class, after a shutdown). Any thread. Blocks as ec_queue_async_job does, and stands in the same
 * order: a call is a job in all figures and limits.
 *
 * There is no struct to allocate, to fill in and to get back, so it costs about half of what a job costs, and
 * 8 bytes while it waits. In return it has no completion, no concurrency semaphore, cannot be cancelled, and
 * says nothing of who made it: listings and traces show its function where they show a job's worker, and the
 * address of its job is NULL in a listing.
 *
 * That is so if closure is NULL or an address, in programs that call at most some hundreds of functions, and
 * without FASTJOBS_CHECK, a trace or ThreadSanitizer. Otherwise a call works as well, and costs what a job
 * costs. */
FJ_API int fj_call(int jobclass, fj_call_func function, void *closure);

/** The same for each of the closures, in their order, for little more than the price of one. Returns how many
 * were queued, the first so many; if fewer than count, fj_last_error tells why. Other threads' jobs may come
 * between them. */
FJ_API int fj_call_each(int jobclass, fj_call_func function, void *const *closures, int count);

FJ_END_DECLS
#endif
