/*
 * scheduler.c - the exported functions of scheduler.h and sp_async.h: enter, call the engine, return what it
 * says. An instance that must be given is checked here, because the engine takes NULL for "this one here".
 */
#include "guard.h"

static bool enter_with(const ec_scheduler_inst *inst, const char *function)
{
    if (!fj_enter()) {
        return false;
    }
    if (inst == NULL) {
        fj_set_error(FJ_EINVAL, "%s: the scheduler is NULL", function);
    }
    return inst != NULL;
}

/* ---- events ---- */

int fj_schedule_event(Event *event)
{
    return fj_enter() ? fj_schedulers.schedule(NULL, event, 0, 0) : 0;
}

int fj_scheduler_schedule(ec_scheduler_inst *inst, Event *event)
{
    return enter_with(inst, __func__) ? fj_schedulers.schedule(inst, event, 0, 0) : 0;
}

int fj_schedule_event_and_dispatch(Event *event, int dispatch_mask)
{
    return fj_enter() ? fj_schedulers.schedule(NULL, event, 1, dispatch_mask) : 0;
}

int fj_scheduler_dispatch(ec_scheduler_inst *inst, Event *event, int dispatch_mask)
{
    return enter_with(inst, __func__) ? fj_schedulers.schedule(inst, event, 1, dispatch_mask) : 0;
}

Event *fj_clear_event_by_fd(int fd)
{
    return fj_enter() ? fj_schedulers.find(NULL, fd, 1) : NULL;
}

Event *fj_scheduler_clear_fd(ec_scheduler_inst *inst, int fd)
{
    return enter_with(inst, __func__) ? fj_schedulers.find(inst, fd, 1) : NULL;
}

Event *fj_get_event_by_fd(int fd)
{
    return fj_enter() ? fj_schedulers.find(NULL, fd, 0) : NULL;
}

Event *fj_scheduler_get_fd(ec_scheduler_inst *inst, int fd)
{
    return enter_with(inst, __func__) ? fj_schedulers.find(inst, fd, 0) : NULL;
}

int fj_clear_timed_event(Event *event)
{
    return fj_enter() ? fj_schedulers.clear_timed(NULL, event) : -1;
}

int fj_scheduler_clear_timed(ec_scheduler_inst *inst, Event *event)
{
    return enter_with(inst, __func__) ? fj_schedulers.clear_timed(inst, event) : -1;
}

/* ---- the scheduler ---- */

/* Asking does not start the engine: a process that never queued a job has no scheduler thread. */
int fj_is_scheduler_thread(void)
{
    return atomic_load_explicit(&fj_state, memory_order_acquire) == FJ_READY && fj_schedulers.is_thread();
}

pid_t fj_get_scheduler_pid(void)
{
    return fj_enter() ? fj_schedulers.thread_id() : 0;
}

void fj_ping_scheduler(void)
{
    if (fj_enter()) {
        fj_schedulers.ping(NULL);
    }
}

int fj_scheduler_ping(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.ping(inst) : 0;
}

void fj_scheduler_recurrent_func_add(RecurFunc func, void *closure)
{
    if (fj_enter()) {
        fj_schedulers.recur(NULL, func, closure);
    }
}

int fj_scheduler_recur(ec_scheduler_inst *inst, RecurFunc func, void *closure)
{
    return enter_with(inst, __func__) ? fj_schedulers.recur(inst, func, closure) : 0;
}

/* ---- instances ---- */

ec_scheduler_inst *fj_scheduler_create(const char *name, int kind)
{
    return fj_enter() ? fj_schedulers.create(name, kind) : NULL;
}

int fj_scheduler_destroy(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.destroy(inst) : 0;
}

ec_scheduler_inst *fj_scheduler_master(void)
{
    return fj_enter() ? fj_schedulers.master() : NULL;
}

int fj_scheduler_adopt(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.adopt(inst) : 0;
}

int fj_scheduler_run(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.run(inst) : 0;
}

int fj_scheduler_run_once(ec_scheduler_inst *inst, int timeout_ms)
{
    return enter_with(inst, __func__) ? fj_schedulers.run_once(inst, timeout_ms) : -1;
}

int fj_scheduler_stop(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.stop(inst) : 0;
}

int fj_scheduler_fd(ec_scheduler_inst *inst)
{
    return enter_with(inst, __func__) ? fj_schedulers.fd(inst) : -1;
}

int fj_scheduler_stats_get(ec_scheduler_inst *inst, fj_scheduler_stats *stats)
{
    return fj_enter() ? fj_schedulers.stats(inst, stats) : 0;
}

/* ---- jobs ---- */

void ec_async_wake_event(ec_async_job *job, Event *event, int mask)
{
    if (job == NULL) {
        fj_set_error(FJ_EINVAL, "ec_async_wake_event: the job is NULL");
        return;
    }
    job->completion = ECTP_COMPLETE_EVENT;
    job->r.e.event = event;
    job->r.e.mask = mask;
    job->r.e.ctx = NULL;
    job->r.e.inst = NULL;
}

void ec_async_wake_validation_module(ec_async_job *job, validate_context *ctx)
{
    if (job == NULL) {
        fj_set_error(FJ_EINVAL, "ec_async_wake_validation_module: the job is NULL");
        return;
    }
    job->completion = ECTP_COMPLETE_MODULE;
    job->r.e.event = NULL;
    job->r.e.mask = 0;
    job->r.e.ctx = ctx;
    job->r.e.inst = NULL;
}

validate_context *fj_validate_context_create(fj_resume_func resume, void *closure, ec_scheduler_inst *inst)
{
    return fj_enter() ? fj_schedulers.context_create(resume, closure, inst) : NULL;
}

int fj_validate_context_destroy(validate_context *ctx)
{
    return fj_enter() ? fj_schedulers.context_destroy(ctx) : 0;
}

int fj_validate_context_is_suspended(validate_context *ctx)
{
    return fj_enter() ? fj_schedulers.context_is_suspended(ctx) : -1;
}
