/*
 * scheduler_calls.h - the entry points of the engine that schedulers and validate contexts have.
 * interop/FastJobs.Interop/SchedulerCalls.cs has the same fields in the same order. Where an instance may be
 * NULL it means the scheduler whose callback runs in this thread, else the master.
 */
#ifndef FASTJOBS_SCHEDULER_CALLS_H
#define FASTJOBS_SCHEDULER_CALLS_H

#include "../include/fastjobs/event.h"
#include "../include/fastjobs/scheduler.h"
#include "../include/fastjobs/sp_async.h"

struct fj_scheduler_calls {
    int (*schedule)(ec_scheduler_inst *inst, Event *event, int dispatches, int mask);
    Event *(*find)(ec_scheduler_inst *inst, int fd, int clear);
    int (*clear_timed)(ec_scheduler_inst *inst, Event *event);
    int (*recur)(ec_scheduler_inst *inst, RecurFunc func, void *closure);
    int (*ping)(ec_scheduler_inst *inst);
    int (*thread_id)(void);
    int (*is_thread)(void);
    ec_scheduler_inst *(*create)(const char *name, int kind);
    int (*destroy)(ec_scheduler_inst *inst);
    ec_scheduler_inst *(*master)(void);
    int (*adopt)(ec_scheduler_inst *inst);
    int (*run)(ec_scheduler_inst *inst);
    int (*run_once)(ec_scheduler_inst *inst, int timeout_ms);
    int (*stop)(ec_scheduler_inst *inst);
    int (*fd)(ec_scheduler_inst *inst);
    int (*stats)(ec_scheduler_inst *inst, fj_scheduler_stats *stats);
    validate_context *(*context_create)(fj_resume_func resume, void *closure, ec_scheduler_inst *inst);
    int (*context_destroy)(validate_context *ctx);
    int (*context_is_suspended)(validate_context *ctx);
};

extern struct fj_scheduler_calls fj_schedulers;

#endif
