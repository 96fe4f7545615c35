using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using FastJobs.Channels;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>A reference to a job. In a struct, so that generic code over it is compiled for it alone.</summary>
internal readonly struct JobRef(Job job)
{
    public Job Job { get; } = job;
}

/// <summary>A job reference, never null: 8 bytes a slot.</summary>
internal struct JobSlot : ISlot<JobRef, JobSlot>
{
    private Job? _job;

    public static void Publish(ref JobSlot slot, JobRef item) => Volatile.Write(ref slot._job, item.Job);

    public static bool IsPublished(ref JobSlot slot) => Volatile.Read(ref slot._job) is not null;

    public static JobRef Peek(ref JobSlot slot) => new(slot._job!);

    public static unsafe void Prefetch(ref JobSlot slot)
    {
        // The reference as an address, which may be stale by the time it is used: prefetching reads nothing.
        if (Sse.IsSupported)
        {
            nint job = Unsafe.As<Job?, nint>(ref slot._job);
            Sse.Prefetch0((void*)job);
            Sse.Prefetch0((void*)(job + 64));
        }
    }

    public static JobRef Take(ref JobSlot slot)
    {
        Job job = slot._job!;
        Volatile.Write(ref slot._job, null);
        return new JobRef(job);
    }
}

/// <summary>What a lane does with a managed job.</summary>
internal readonly struct ManagedJobOps : IJobOps<JobRef>
{
    public static bool Run(JobRef job, Worker? worker)
    {
        if (worker is null)
        {
            return JobContext.RunInline(job.Job);
        }

        bool over = job.Job.Run(worker);
        JobContext.Clean(); // a continuation that ran inline may have changed it too
        return over;
    }

    public static void Discard(JobRef job) => job.Job.Discard();

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

/// <summary>The execution context in which a job's code runs, and the clean one in which a worker goes on.</summary>
internal static class JobContext
{
    private static ExecutionContext? s_default;

    /// <summary>Called first in a new worker thread, whose context is the default one.</summary>
    public static void AdoptDefault() => s_default ??= ExecutionContext.Capture();

    /// <summary>The submitter's context, or null where that is the default one or its flow is suppressed.</summary>
    public static ExecutionContext? Capture()
    {
        ExecutionContext? context = ExecutionContext.Capture();
        return ReferenceEquals(context, s_default) ? null : context;
    }

    /// <summary>
    /// Runs a job in its submitter's thread, which keeps its context; a job without one runs in the default context.
    /// </summary>
    public static bool RunInline(Job job)
    {
        ExecutionContext? own = ExecutionContext.Capture();
        if (own is null)
        {
            return job.Run(null); // the submitter suppressed the flow: there is nothing that could be put back
        }

        if (job.Context is null && !ReferenceEquals(own, Default))
        {
            ExecutionContext.Restore(Default);
        }

        bool over = job.Run(null);
        if (!ReferenceEquals(ExecutionContext.Capture(), own))
        {
            ExecutionContext.Restore(own);
        }

        return over;
    }

    // A new thread has it. Before the first worker there was none.
    private static ExecutionContext Default
    {
        get
        {
            if (s_default is null)
            {
                var thread = new Thread(AdoptDefault);
                thread.UnsafeStart();
                thread.Join();
            }

            return s_default!;
        }
    }

    /// <summary>Undoes what a job that ran without a context of its own changed in its thread's.</summary>
    public static void Clean()
    {
        if (!ReferenceEquals(ExecutionContext.Capture(), s_default))
        {
            ExecutionContext.Restore(s_default!);
        }
    }
}
