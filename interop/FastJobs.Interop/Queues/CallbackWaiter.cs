using FastJobs.Interop.Generated;
using FastJobs.Jobs;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>A C function that waits for a job in the place of a thread. It has no time-out, so it can be pooled.</summary>
internal sealed unsafe class CallbackWaiter : JobWaiter
{
    private static readonly JobPool<CallbackWaiter> s_pool = new(static pool => new CallbackWaiter(pool));

    private delegate* unmanaged[Cdecl]<fj_job_result*, void*, void> _done;
    private void* _closure;

    private CallbackWaiter(int pool)
        : base(pool)
    {
    }

    public static CallbackWaiter Get(delegate* unmanaged[Cdecl]<fj_job_result*, void*, void> done, void* closure)
    {
        CallbackWaiter waiter = s_pool.Get();
        waiter._done = done;
        waiter._closure = closure;
        if (closure != null && CEngine.Current.IsSanitized)
        {
            Sanitizer.Given(closure);
        }

        return waiter;
    }

    public void Recycle()
    {
        _done = null;
        _closure = null;
        Queue = null;
        Key = default;
        s_pool.Return(this);
    }

    public override bool CallsUser => true;

    public override void Done(QueuedJob? job, QueueStatus status)
    {
        delegate* unmanaged[Cdecl]<fj_job_result*, void*, void> done = _done;
        void* closure = _closure;
        Recycle();
        if (closure != null && CEngine.Current.IsSanitized)
        {
            Sanitizer.Taken(closure);
        }

        fj_job_result result = default;
        if (job is not null)
        {
            ((CQueuedJob)job).HandOver(&result);
        }

        done(&result, closure); // no job: the set ended first, which it does for no job that runs
    }
}
