using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>
/// The host's trace function. A change waits until the calls of the function before are over, so that its closure, or the
/// library that it is in, can go. docs/protocols.md#trace.
/// </summary>
internal static unsafe class Trace
{
    private static readonly Lock s_lock = new();
    private static Hook? s_hook;
    private static long s_calls; // threads that may use a hook

    [ThreadStatic]
    private static int t_depth;

    public static bool Set(delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void> function, void* closure)
    {
        if (t_depth > 0)
        {
            return Errors.Fail(fj_error.FJ_EDEADLK, "fj_trace_set was called by the trace function: it would wait for itself");
        }

        lock (s_lock)
        {
            // First none, so that the calls come to an end. SetSpecial is a full fence between that and the look at the calls;
            // pairs with the increment in Tell: whoever is not counted yet sees that there is no hook.
            Volatile.Write(ref s_hook, null);
            CEngine.Current.SetSpecial(Special.Tracing, false);
            var spinner = default(SpinWait);
            while (Volatile.Read(ref s_calls) != 0)
            {
                spinner.SpinOnce();
            }

            if (function != null)
            {
                Volatile.Write(ref s_hook, new Hook(function, closure));
                CEngine.Current.SetSpecial(Special.Tracing, true);
            }
        }

        return true;
    }

    public static void Tell(fj_trace_kind kind, in WatchedJob job)
    {
        Interlocked.Increment(ref s_calls); // full fence: see Set
        if (Volatile.Read(ref s_hook) is { } hook)
        {
            var told = new fj_trace_event
            {
                struct_size = (nuint)sizeof(fj_trace_event),
                kind = kind,
                job_class = job.JobClass,
                job = (ec_thread_pool_job*)job.Job,
                worker = (delegate* unmanaged[Cdecl]<ec_thread_pool_job*, void*, void>)job.Worker,
                file = (sbyte*)job.File,
                line = job.Line,
            };
            t_depth++;
            hook.Function(&told, hook.Closure);
            t_depth--;
        }

        Interlocked.Decrement(ref s_calls);
    }

    private sealed class Hook(delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void> function, void* closure)
    {
        public readonly delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void> Function = function;
        public readonly void* Closure = closure;
    }
}
