/*
 * call.c - calls: jobs without a struct. A call that the engine does not take as one word (because of a
 * trace, a check or a sanitizer, which want to see a job; an odd closure; too many functions) is made a job
 * here.
 */
#include <stdlib.h>

#include "outbox.h"

struct call {
    ec_async_job job;
    fj_call_func function; /* right behind the job: Calls.cs looks for it there */
    void *closure;
};

/* The struct goes first: the function may end the thread. */
static void run_call(ec_async_job *job, void *closure)
{
    struct call call = *(struct call *)closure;
    (void)job;
    free(closure);
    call.function(call.closure);
}

ec_thread_pool_work_func fj_host_call_worker(void)
{
    return run_call;
}

static int call_as_job(int jobclass, fj_call_func function, void *closure)
{
    struct call *call = malloc(sizeof(*call));
    if (call == NULL) {
        fj_set_error(FJ_ENOMEM, "fj_call: no memory for the job");
        return 0;
    }
    *call = (struct call){.function = function, .closure = closure};
    call->job.job_class = jobclass;
    call->job.worker = run_call;
    call->job.closure = call;
    call->job.completion = ECTP_COMPLETE_NONE;
    if (!fj_engine.queue(&call->job, NULL, 0)) {
        free(call);
        return 0;
    }
    return 1;
}

int fj_call(int jobclass, fj_call_func function, void *closure)
{
    struct fj_outbox *outbox = fj_outbox_self;
    if (fj_outbox_is_for(outbox, jobclass)) {
        uintptr_t word = fj_call_word(function, closure);
        if (word != 0 && fj_outbox_put_call(outbox, word))
            return 1;
    }
    int taken = fj_enter() ? fj_engine.call(jobclass, function, closure) : 0;
    return taken >= 0 ? taken : call_as_job(jobclass, function, closure);
}

int fj_call_each(int jobclass, fj_call_func function, void *const *closures, int count)
{
    int queued = 0;
    if (count < 0 || (count > 0 && closures == NULL)) {
        fj_set_error(FJ_EINVAL,
                     count < 0 ? "fj_call_each: the count is negative" : "fj_call_each: closures is NULL");
        return 0;
    }
    while (queued < count && fj_enter()) {
        int taken = fj_engine.call_each(jobclass, function, closures + queued, count - queued);
        if (taken == 0)
            return queued;
        if (taken < 0 && !call_as_job(jobclass, function, closures[queued]))
            return queued;
        queued += taken < 0 ? 1 : taken;
    }
    return queued;
}
