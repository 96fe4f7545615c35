/*
 * sp_async.h - what ties jobs to schedulers: Events that go on when a job is done, and modules that are
 * suspended while one runs.
 */
#ifndef FASTJOBS_SP_ASYNC_H
#define FASTJOBS_SP_ASYNC_H

#include "ec_thread_pool.h"
#include "fj_base.h"

#ifndef FJ_NO_UNPREFIXED_NAMES
#define schedule_event_and_dispatch fj_schedule_event_and_dispatch
#endif

FJ_BEGIN_DECLS

/** Hands an Event to the scheduler, to be armed; with a mask other than 0 its callback is called first, with
 * that mask, in the scheduler's thread as soon as possible. Any thread. 1, or 0 as schedule_event. */
FJ_API int fj_schedule_event_and_dispatch(Event *event, int dispatch_mask);
FJ_API int fj_scheduler_dispatch(ec_scheduler_inst *inst, Event *event, int dispatch_mask);

/** Makes the job, when it is done, re-schedule the Event on the master scheduler and call it with the mask:
 * sets its completion to EVENT, and the context. The Event must be one that no scheduler has: a connection
 * that suspends itself duplicates its own. */
FJ_API void ec_async_wake_event(ec_async_job *job, Event *event, int mask);

/** Makes the job suspend the context when it is queued, and resume it when it is done: sets its completion to
 * MODULE, and the context. */
FJ_API void ec_async_wake_validation_module(ec_async_job *job, validate_context *ctx);

/** Called in the scheduler's thread when the job that had suspended the context is done. The context may be
 * suspended again at once. */
typedef void (*fj_resume_func)(validate_context *ctx, ec_async_job *job, void *closure);

/** Makes a context that can be suspended by one job at a time. inst: whose thread resumes it, NULL: the
 * master's. NULL on failure. Any thread. */
FJ_API validate_context *fj_validate_context_create(fj_resume_func resume, void *closure,
                                                    ec_scheduler_inst *inst);

/** 1, or 0: unknown, or suspended (FJ_EBUSY). Any thread. */
FJ_API int fj_validate_context_destroy(validate_context *ctx);

/** 1 while a job has the context suspended, 0 while none has, -1 if it is unknown. Any thread. */
FJ_API int fj_validate_context_is_suspended(validate_context *ctx);

FJ_END_DECLS
#endif
