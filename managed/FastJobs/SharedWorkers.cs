using FastJobs.Jobs;
using FastJobs.Lanes;

namespace FastJobs;

/// <summary>What shared workers are told when they are added.</summary>
public sealed class SharedWorkersOptions
{
    /// <summary>Shown in thread names.</summary>
    public required string Name { get; init; }

    /// <summary>How many threads there may be: so many jobs of all lanes together run at once.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The stack of a thread in bytes, at least 16,384; 0: the system's default.</summary>
    public int StackSize { get; init; }

    /// <summary>Idle threads end after this time; zero: at once; <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public TimeSpan IdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Called in each thread before its first job. An exception ends the process.</summary>
    public Action? OnWorkerStart { get; init; }

    /// <summary>Called in each thread after its last job. An exception ends the process.</summary>
    public Action? OnWorkerExit { get; init; }

    internal WorkerSetSettings ToSettings() => new()
    {
        Name = Name,
        LaneId = PredefinedLanes.Shared,
        Limit = Threads,
        StackSize = StackSize,
        IdleTimeoutMilliseconds = LaneOptions.ToMilliseconds(IdleTimeout),
        OnWorkerStart = OnWorkerStart,
        OnWorkerExit = OnWorkerExit,
    };

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Name);
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1);
        LaneOptions.ValidateStackSize(StackSize);
        LaneOptions.ToMilliseconds(IdleTimeout);
    }
}

/// <summary>
/// Threads that several lanes share: a thousand lanes are not a thousand threads. Each lane keeps its own order and its
/// own limit; lanes with waiting jobs take turns at the threads, so that a long backlog in one holds up no other.
/// </summary>
/// <remarks>
/// All members are safe to use from any thread. A job that blocks takes a thread from all the lanes: a lane whose jobs
/// may block for long wants its own. A job that submits into a full lane on the same threads goes over the limit: those
/// who would make room might all be waiting like it.
/// </remarks>
public sealed class SharedWorkers
{
    private readonly WorkerSet<Worker, Channels.ReferenceSlot<Worker>, GuestOps<JobRef, ManagedJobOps>> _set;

    internal SharedWorkers(
        JobEngine engine, WorkerSet<Worker, Channels.ReferenceSlot<Worker>, GuestOps<JobRef, ManagedJobOps>> set)
    {
        Engine = engine;
        _set = set;
    }

    /// <summary>Their name.</summary>
    public string Name => _set.Settings.Name;

    /// <summary>How many threads there may be. Growing takes effect at once, shrinking as jobs end.</summary>
    public int Threads
    {
        get => _set.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _set.Limit = value;
        }
    }

    /// <summary>How many threads there are now.</summary>
    public int RunningThreads => _set.GetFigures().Threads;

    internal JobEngine Engine { get; }

    internal SharedQueue Queue => _set.Queue;
}
