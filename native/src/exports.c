/*
 * exports.c - the exported functions: enter, call the engine, return what it says. The argument checks are
 * the engine's, so that there is one place for them.
 */
#include "guard.h"
#include "outbox.h"

#ifndef FASTJOBS_VERSION
#error "the build defines FASTJOBS_VERSION"
#endif

const char *fj_version(void)
{
    return FASTJOBS_VERSION;
}

int ec_queue_async_job_(ec_async_job *job, const char *file, int line, int flags)
{
    (void)flags; /* reserved by the original */
    struct fj_outbox *outbox = fj_outbox_self;
    if ((intptr_t)job > 0 && fj_outbox_is_for(outbox, job->job_class) &&
        fj_outbox_put_job(outbox, job, file, line))
        return 1;
    return fj_enter() ? fj_engine.queue(job, file, line) : 0;
}

int ec_queue_async_jobs_(ec_async_job *const *jobs, int count, const char *file, int line)
{
    return fj_enter() ? fj_engine.queue_all(jobs, count, file, line) : 0;
}

void ec_async_complete_tail(ec_async_job *job)
{
    if (fj_enter())
        fj_engine.complete_tail(job);
}

int ec_thread_pool_name_to_class(const char *name)
{
    return fj_enter() ? fj_engine.name_to_class(name) : -2;
}

int ec_thread_pool_create_module(generic_module_infrastructure *self, const char *type, int concurrency,
                                 size_t stack_size, size_t max_queue_len)
{
    (void)self; /* the module that asks; the original names it in its console */
    return fj_enter() ? fj_engine.create(type, concurrency, stack_size, max_queue_len) : -1;
}

int ec_thread_pool_count(void)
{
    return fj_enter() ? fj_engine.count() : 0;
}

void ec_thread_pool_auto_shrink(int jobclass)
{
    if (fj_enter())
        fj_engine.set_auto_shrink(jobclass);
}

void ec_thread_pool_defer_spawn(int jobclass, int defer)
{
    if (fj_enter())
        fj_engine.set_deferred(jobclass, defer);
}

int ec_thread_pool_set_backlog(int jobclass, size_t backlog)
{
    return fj_enter() ? fj_engine.set_backlog(jobclass, backlog) : 0;
}

int ec_thread_pool_set_stack_size(int jobclass, size_t size)
{
    return fj_enter() ? fj_engine.set_stack_size(jobclass, size) : 0;
}

int ec_thread_pool_get_queue_size(int jobclass)
{
    return fj_enter() ? fj_engine.queue_size(jobclass) : -1;
}

int ec_thread_pool_shutdown(void)
{
    return fj_enter() ? fj_engine.shutdown() : 0;
}

int fj_pool_stats_get(int jobclass, fj_pool_stats *stats)
{
    return fj_enter() ? fj_engine.stats(jobclass, stats) : 0;
}

int fj_pool_stats_reset(int jobclass)
{
    return fj_enter() ? fj_engine.stats_reset(jobclass) : 0;
}

int fj_pool_stats_get_by_name(const char *name, fj_pool_stats *stats)
{
    int jobclass = ec_thread_pool_name_to_class(name);
    return jobclass == -2 ? 0 : fj_pool_stats_get(jobclass, stats);
}

int fj_pool_stats_reset_by_name(const char *name)
{
    int jobclass = ec_thread_pool_name_to_class(name);
    return jobclass == -2 ? 0 : fj_pool_stats_reset(jobclass);
}

const char *fj_pool_name(int jobclass)
{
    return fj_enter() ? fj_engine.pool_name(jobclass) : NULL;
}

int fj_pool_wait_empty(int jobclass, int timeout_ms)
{
    return fj_enter() ? fj_engine.wait_empty(jobclass, timeout_ms) : 0;
}

int fj_cancel_job(ec_async_job *job)
{
    return fj_enter() ? fj_engine.cancel_job(job) : 0;
}

int fj_trace_set(fj_trace_func function, void *closure)
{
    return fj_enter() ? fj_engine.set_trace(function, closure) : 0;
}

int fj_pool_job_kinds(int jobclass, fj_job_kind *kinds, int capacity)
{
    return fj_enter() ? fj_engine.job_kinds(jobclass, kinds, capacity) : -1;
}

int fj_pool_set_concurrency(int jobclass, int concurrency)
{
    return fj_enter() ? fj_engine.set_concurrency(jobclass, concurrency) : 0;
}

int fj_pool_set_idle_timeout(int jobclass, int milliseconds)
{
    return fj_enter() ? fj_engine.set_idle_timeout(jobclass, milliseconds) : 0;
}

int fj_pool_is_deferred(int jobclass)
{
    return fj_enter() ? fj_engine.is_deferred(jobclass) : -1;
}

int fj_pool_set_order(int jobclass, fj_order order)
{
    return fj_enter() ? fj_engine.set_order(jobclass, (int)order) : 0;
}

int fj_pool_set_worker_hooks(int jobclass, fj_worker_hook on_start, fj_worker_hook on_exit, void *closure)
{
    return fj_enter() ? fj_engine.set_hooks(jobclass, on_start, on_exit, closure) : 0;
}
