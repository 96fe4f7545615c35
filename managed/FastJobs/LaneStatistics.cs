namespace FastJobs;

/// <summary>Figures of one lane since it was made or they were reset. A snapshot: not all read at the same instant.</summary>
public readonly record struct LaneStatistics
{
    /// <summary>The lane's name.</summary>
    public required string Name { get; init; }

    /// <summary>How many jobs may run at once.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Jobs that ended.</summary>
    public required long Invocations { get; init; }

    /// <summary>Threads that were busy, on average.</summary>
    public required double AverageConcurrency { get; init; }

    /// <summary>The average concurrency in percent of the limit.</summary>
    public required double Saturation { get; init; }

    /// <summary>Time that a thread was busy for a job, on average.</summary>
    public required TimeSpan AverageWallclockPerOperation { get; init; }

    /// <summary>Jobs that wait now.</summary>
    public required long QueuedJobs { get; init; }

    /// <summary>Threads now.</summary>
    public required int Threads { get; init; }

    /// <summary>Threads that run a job now.</summary>
    public required int ActiveThreads { get; init; }

    /// <summary>Threads without a job now.</summary>
    public int InactiveThreads => Threads - ActiveThreads;

    /// <summary>Asynchronous jobs that hold a slot and no thread now.</summary>
    public required int PendingAsyncJobs { get; init; }
}
