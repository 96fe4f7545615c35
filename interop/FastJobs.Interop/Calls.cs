using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>Calls, jobs without a struct, from fj_call to the function: docs/protocols.md#calls.</summary>
internal static unsafe class Calls
{
    private const int Taken = 1;
    private const int Failed = 0;

    /// <summary>The C layer has to make it a job.</summary>
    private const int MustBeJob = -1;

    /// <summary>So many are handed in at once; more than of jobs, since a call is just a word to be written.</summary>
    private const int Most = 256;

    /// <summary>fj_call, as guard.h says.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Call(int jobClass, nint function, nint closure)
    {
        CEngine engine = CEngine.Current;
        CLane? lane = engine.Lanes.Find(jobClass);
        nint handle = engine.CallTable.Pack(function, closure);
        return lane is not null
            && engine.Special == 0
            && handle != 0
            && lane.TrySubmit(handle) is Submitted.Queued or Submitted.RanInline
                ? Taken
                : CallSlowly(engine, jobClass, function, closure);
    }

    /// <summary>fj_call_each, as guard.h says.</summary>
    [SkipLocalsInit]
    public static int CallEach(int jobClass, nint function, ReadOnlySpan<nint> closures)
    {
        CEngine engine = CEngine.Current;
        if (Refused(engine, jobClass, function, out CLane? lane))
        {
            return Failed;
        }

        // All have the same function: only the closures differ.
        nint call = engine.Special == 0 ? engine.CallTable.Pack(function, closure: 0) : 0;
        int most = call == 0 ? 0 : lane.Workers.Limit == 0 ? 1 : Math.Min(closures.Length, Most); // see JobBatch.LaneOf
        nint* handles = stackalloc nint[Most];
        int count = 0;
        for (; count < most && CallTable.IsClosure(closures[count]); count++)
        {
            handles[count] = call | closures[count];
        }

        if (count == 0)
        {
            return MustBeJob;
        }

        int taken = JobBatch.Submit(lane, new ReadOnlySpan<nint>(handles, count));
        return taken > 0 || JobErrors.ShutDown() ? taken : Failed;
    }

    /// <summary>In a worker.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(nint handle, Worker worker)
    {
        Volatile.Write(ref worker.CurrentKind, handle);
        Run(handle);
        Volatile.Write(ref worker.CurrentKind, Worker.NoKind);
    }

    /// <summary>In the submitter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(nint handle)
    {
        var function = (delegate* unmanaged[Cdecl]<nint, void>)CEngine.Current.CallTable.FunctionOf(handle);
        function(CallTable.ClosureOf(handle));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int CallSlowly(CEngine engine, int jobClass, nint function, nint closure)
    {
        if (Refused(engine, jobClass, function, out CLane? lane))
        {
            return Failed;
        }

        nint handle = engine.CallTable.Pack(function, closure);
        if (handle == 0 || engine.Special != 0)
        {
            return MustBeJob;
        }

        // The lane has no room, or is closed, or it is the one of short-lived jobs.
        return JobBatch.Submit(lane, new ReadOnlySpan<nint>(in handle)) == 1 || JobErrors.ShutDown() ? Taken : Failed;
    }

    // True: the error is set.
    private static bool Refused(
        CEngine engine, int jobClass, nint function, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out CLane? lane)
    {
        lane = jobClass == NativeConstants.ECTP_CLASS_SHORT_LIVED ? engine.ShortLived : engine.Lanes.Find(jobClass);
        return function == 0 ? !Errors.Fail(fj_error.FJ_EINVAL, "fj_call: the function is NULL")
            : lane is null && !JobErrors.UnknownClass(jobClass);
    }
}

/// <summary>Calls that the C layer made jobs: struct call in call.c.</summary>
internal static unsafe class CallJobs
{
    private static readonly nint s_worker = Host.CallWorker();

    /// <summary>The function of a call; 0: it is a job of the program's own.</summary>
    public static nint FunctionOf(ec_thread_pool_job* job) => (nint)job->worker == s_worker ? *(nint*)(job + 1) : 0;
}
