using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>
/// Validate contexts: what a job of completion MODULE suspends when it is queued and resumes when it is done. Opaque to C
/// programs, a number that is never used again. Any thread.
/// </summary>
internal static unsafe class ValidateContexts
{
    private const int HandleShift = 4;

    private static readonly ConcurrentDictionary<nint, Context> s_contexts = new();
    private static long s_numbers;

    public static nint Create(nint resume, nint closure, nint inst)
    {
        if (resume == 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_validate_context_create: the resume callback is NULL");
            return 0;
        }

        if (inst != 0 && !Schedulers.TryFind(inst, out _))
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_validate_context_create: there is no such scheduler, or it was destroyed");
            return 0;
        }

        nint handle = (nint)(Interlocked.Increment(ref s_numbers) << HandleShift);
        s_contexts[handle] = new Context(resume, closure, inst);
        return handle;
    }

    public static bool Destroy(nint handle)
    {
        if (!s_contexts.TryGetValue(handle, out Context? context))
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "fj_validate_context_destroy: there is no such context");
        }

        // As good as suspended for ever: no job can suspend it any more.
        if (!context.TrySuspend())
        {
            return Errors.Fail(fj_error.FJ_EBUSY, "fj_validate_context_destroy: a job has the context suspended");
        }

        s_contexts.TryRemove(handle, out _);
        return true;
    }

    public static int IsSuspended(nint handle)
    {
        if (s_contexts.TryGetValue(handle, out Context? context))
        {
            return context.IsSuspended ? 1 : 0;
        }

        Errors.Fail(fj_error.FJ_EINVAL, "fj_validate_context_is_suspended: there is no such context");
        return -1;
    }

    public static bool IsKnown(nint handle) => s_contexts.ContainsKey(handle);

    /// <summary>0: the master; also for a context that is unknown, which has nothing to resume.</summary>
    public static nint SchedulerOf(nint handle) => s_contexts.TryGetValue(handle, out Context? context) ? context.Scheduler : 0;

    /// <summary>Suspends the context of a job that is being queued. False: another job has it, or it is gone.</summary>
    public static bool TrySuspend(ec_thread_pool_job* job) =>
        s_contexts.TryGetValue((nint)job->r.e.ctx, out Context? context) && context.TrySuspend();

    /// <summary>The job will not complete: its context is as before.</summary>
    public static void GiveUp(ec_thread_pool_job* job)
    {
        if (s_contexts.TryGetValue((nint)job->r.e.ctx, out Context? context))
        {
            context.Resume();
        }
    }

    /// <summary>The completion of a job.</summary>
    public static void Resume(ec_thread_pool_job* job)
    {
        nint handle = (nint)job->r.e.ctx;
        if (s_contexts.TryGetValue(handle, out Context? context))
        {
            context.Resume(); // first: the callback may queue the next job
            ((delegate* unmanaged[Cdecl]<nint, ec_thread_pool_job*, nint, void>)context.Callback)(handle, job, context.Closure);
        }
    }

    private sealed class Context(nint callback, nint closure, nint scheduler)
    {
        private int _suspended;

        public nint Callback => callback;

        public nint Closure => closure;

        public nint Scheduler => scheduler;

        public bool IsSuspended => Volatile.Read(ref _suspended) != 0;

        // Full fence; pairs with the release in Resume: who suspends sees what the one before did.
        public bool TrySuspend() => Interlocked.CompareExchange(ref _suspended, 1, 0) == 0;

        public void Resume() => Volatile.Write(ref _suspended, 0);
    }
}
