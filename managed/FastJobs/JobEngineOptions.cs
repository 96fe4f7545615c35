using FastJobs.Lanes;

namespace FastJobs;

/// <summary>What an engine is told when it is made.</summary>
public sealed class JobEngineOptions
{
    /// <summary>
    /// Gets the exceptions of jobs that nobody awaits, in the thread of the job. Without a handler they are written to
    /// the standard error. An exception in the handler is ignored.
    /// </summary>
    public Action<UnhandledJobException>? UnhandledException { get; init; }

    /// <summary>For <see cref="JobEngine.Queues"/>.</summary>
    public JobQueuesOptions Queues { get; init; } = new();
}

/// <summary>An exception of a job that nobody awaits.</summary>
/// <param name="Exception">What the job threw.</param>
/// <param name="Lane">Where it ran.</param>
public readonly record struct UnhandledJobException(Exception Exception, JobLane Lane);

/// <summary>How an engine ended.</summary>
/// <param name="Discarded">Jobs that waited, in the queue or for room in it, and did not run.</param>
/// <param name="StillRunning">Jobs that did not end in time, asynchronous ones included; they are left behind.</param>
public readonly record struct StopReport(long Discarded, int StillRunning);

/// <summary>What a job's awaiter gets when the engine stopped before the job could run.</summary>
public sealed class JobDiscardedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="lane">The name of the lane in which the job waited.</param>
    public JobDiscardedException(string lane)
        : base($"The job was discarded: its engine stopped while it waited in lane \"{lane}\".")
    {
    }

    internal JobDiscardedException(string queue, Queues.JobKey job)
        : base($"The job was discarded: its engine stopped while it waited (job {job} of queue \"{queue}\").")
    {
    }
}

/// <summary>How a job with an awaiter goes on.</summary>
[Flags]
public enum JobOptions
{
    /// <summary>The awaiter continues on the ThreadPool, and the ExecutionContext flows into the job.</summary>
    None = 0,

    /// <summary>The awaiter continues in the worker, whose lane waits meanwhile: for short continuations.</summary>
    ContinueInline = 1,

    /// <summary>The ExecutionContext (AsyncLocal values) of the submitter does not flow into the job.</summary>
    SuppressFlow = 2,
}

/// <summary>What a lane is told when it is added.</summary>
public sealed class LaneOptions
{
    /// <summary>The lane's name: unique in its engine, whatever the case of its letters; shown in thread names.</summary>
    public required string Name { get; init; }

    /// <summary>How many jobs run at once; 0: each runs in the thread that submits it.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>How many jobs may wait before a submitter must; 0: any number.</summary>
    public int Backlog { get; init; }

    /// <summary>The stack of a worker in bytes, at least 16,384; 0: the system's default.</summary>
    public int StackSize { get; init; }

    /// <summary>Idle workers end after this time; zero: at once; <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public TimeSpan IdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Jobs pile up and none starts until <see cref="JobLane.Deferred"/> is set to false.</summary>
    public bool Deferred { get; init; }

    /// <summary>
    /// The threads that run the lane's jobs, shared with other lanes; null: its own. Stack, idle time-out and hooks are
    /// those of the shared threads then, and must not be set here.
    /// </summary>
    public SharedWorkers? Workers { get; init; }

    /// <summary>Called in each worker's thread before its first job. An exception ends the process.</summary>
    public Action? OnWorkerStart { get; init; }

    /// <summary>Called in each worker's thread after its last job. An exception ends the process.</summary>
    public Action? OnWorkerExit { get; init; }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Name);
        ArgumentOutOfRangeException.ThrowIfNegative(Concurrency);
        ArgumentOutOfRangeException.ThrowIfNegative(Backlog);
        ValidateStackSize(StackSize);
        ToMilliseconds(IdleTimeout);
        if (Workers is not null
            && (StackSize != 0 || IdleTimeout != Timeout.InfiniteTimeSpan || OnWorkerStart is not null || OnWorkerExit is not null))
        {
            throw new ArgumentException(
                $"Lane \"{Name}\" shares the workers \"{Workers.Name}\": the stack, the idle time-out and the hooks are set there.");
        }
    }

    internal static void ValidateStackSize(int stackSize)
    {
        if (stackSize is not 0 and < 16384)
        {
            throw new ArgumentOutOfRangeException(
                nameof(stackSize), stackSize, "A stack has at least 16,384 bytes; 0 means the system's default.");
        }
    }

    internal static int ToMilliseconds(TimeSpan idleTimeout) =>
        idleTimeout == Timeout.InfiniteTimeSpan ? -1
        : idleTimeout < TimeSpan.Zero || idleTimeout.TotalMilliseconds > int.MaxValue
            ? throw new ArgumentOutOfRangeException(nameof(idleTimeout), idleTimeout, "An idle time-out is from 0 to 24 days, or infinite.")
            : (int)idleTimeout.TotalMilliseconds;

    internal WorkerSetSettings ToSettings(int laneId) => new()
    {
        Name = Name,
        LaneId = laneId,
        Limit = Concurrency,
        Shared = Workers?.Queue,
        StackSize = StackSize,
        IdleTimeoutMilliseconds = ToMilliseconds(IdleTimeout),
        OnWorkerStart = OnWorkerStart,
        OnWorkerExit = OnWorkerExit,
    };
}
