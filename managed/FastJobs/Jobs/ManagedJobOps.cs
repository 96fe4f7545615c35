using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using FastJobs.Channels;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>
/// What a managed lane's queue holds: a pooled job, or, where nothing more has to be known, the work and its state
/// themselves. Of those nothing is taken from a pool, so no object travels from core to core and back.
/// </summary>
internal readonly struct JobRef
{
    private static readonly object s_isJob = new();

    public JobRef(Job job)
    {
        Work = job;
        State = s_isJob;
    }

    /// <summary>From a slot, as it was.</summary>
    public JobRef(object work, object? state)
    {
        Work = work;
        State = state;
    }

    public object Work { get; }

    public object? State { get; }

    /// <summary>The pooled job, or null if the work stands here itself.</summary>
    public Job? Job => ReferenceEquals(State, s_isJob) ? Unsafe.As<Job>(Work) : null;

    /// <summary>
    /// Work with a state that is a reference, in the default context: such delegates are all called alike, whatever the
    /// static type of the reference.
    /// </summary>
    public static JobRef Direct<TState>(Action<TState> work, object? state)
    {
        Debug.Assert(!typeof(TState).IsValueType, "a value has no place in the slot");
        return new JobRef(work, state);
    }

    public void RunDirect() => Unsafe.As<Action<object?>>(Work)(State);
}

/// <summary>A job: 16 bytes a slot, and for fire and forget nothing beyond them.</summary>
internal struct JobSlot : ISlot<JobRef, JobSlot>
{
    private object? _work;
    private object? _state;

    public static void Publish(ref JobSlot slot, JobRef item)
    {
        slot._state = item.State;
        Volatile.Write(ref slot._work, item.Work);
    }

    public static bool IsPublished(ref JobSlot slot) => Volatile.Read(ref slot._work) is not null;

    public static JobRef Peek(ref JobSlot slot) => new(slot._work!, slot._state);

    public static unsafe void Prefetch(ref JobSlot slot)
    {
        // The reference as an address, which may be stale by the time it is used: prefetching reads nothing.
        if (Sse.IsSupported)
        {
            nint job = Unsafe.As<object?, nint>(ref slot._work);
            Sse.Prefetch0((void*)job);
            Sse.Prefetch0((void*)(job + 64));
        }
    }

    public static JobRef Take(ref JobSlot slot)
    {
        var job = new JobRef(slot._work!, slot._state);
        slot._state = null;
        Volatile.Write(ref slot._work, null);
        return job;
    }
}

/// <summary>What a lane does with a managed job.</summary>
internal readonly struct ManagedJobOps : ILaneOps<JobRef>
{
    public static bool Run(JobRef item, Worker worker)
    {
        bool over = true;
        worker.Begin(item.Work);
        if (item.Job is { } job)
        {
            over = job.Run(worker);
        }
        else
        {
            RunDirect(item, worker);
        }

        worker.End();
        JobContext.Clean(worker); // a continuation that ran inline may have changed it too
        return over;
    }

    public static bool RunInline(JobRef item, object lane)
    {
        if (item.Job is { } job)
        {
            return JobContext.RunInline(job);
        }

        // The lane had workers when the job was made.
        DetachedJob<object?> pooled = DetachedJob<object?>.Jobs.Get();
        pooled.Set(Unsafe.As<Action<object?>>(item.Work), item.State);
        pooled.Lane = (ManagedLane)lane;
        return JobContext.RunInline(pooled);
    }

    private static void RunDirect(JobRef item, Worker worker)
    {
        try
        {
            item.RunDirect();
        }
        catch (Exception e)
        {
            var lane = (ManagedLane)worker.Host.Owner!;
            lane.Reports.ReportUnhandled(e, lane);
        }
    }

    public static void Discard(JobRef item) => item.Job?.Discard();

    public static void BeforeThreadStart()
    {
    }

    public static void AfterThreadStart()
    {
    }

    public static void OnWorkerStart(Worker worker)
    {
        JobContext.AdoptDefault();
        worker.Host.Settings.OnWorkerStart?.Invoke();
    }

    public static void OnWorkerExit(Worker worker) => worker.Host.Settings.OnWorkerExit?.Invoke();
}

/// <summary>A lane of managed jobs, with what its jobs ask of their engine.</summary>
internal sealed class ManagedLane(WorkerSetSettings settings, long backlog, IJobReports reports)
    : Lane<JobRef, JobSlot, ManagedJobOps>(settings, backlog)
{
    private long _refused;

    public IJobReports Reports { get; } = reports;

    /// <summary>Jobs that waited for room when the lane closed.</summary>
    public long RefusedJobs => Volatile.Read(ref _refused);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    /// <summary>Counts the end of a job that went on after its thread was free.</summary>
    public void FinishElsewhere(bool inWorker)
    {
        if (inWorker)
        {
            Workers.Release();
        }
        else
        {
            FinishInline();
        }
    }
}

/// <summary>The engine, as its jobs see it.</summary>
internal interface IJobReports
{
    /// <summary>An exception that nobody awaits. Throws nothing.</summary>
    void ReportUnhandled(Exception exception, ManagedLane lane);
}
