using FastJobs.Queues;

namespace FastJobs;

/// <summary>
/// Names a job in its queue: <c>job0</c>, <c>job1</c> and so on, or the id that it was given. A number is never given
/// twice in a queue, so an id that is too old finds nothing.
/// </summary>
public readonly struct QueuedJobId : IEquatable<QueuedJobId>
{
    internal QueuedJobId(JobKey key) => Key = key.Id is { } id ? new JobKey(JobKey.NumberIn(id), id) : key;

    /// <summary>From its text.</summary>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    public QueuedJobId(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        Key = new JobKey(JobKey.NumberIn(id), id);
    }

    internal JobKey Key { get; }

    /// <summary>From its text.</summary>
    public static implicit operator QueuedJobId(string id) => new(id);

    /// <summary>Whether both name the same job of a queue.</summary>
    public static bool operator ==(QueuedJobId left, QueuedJobId right) => left.Equals(right);

    /// <summary>Whether they name different jobs.</summary>
    public static bool operator !=(QueuedJobId left, QueuedJobId right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(QueuedJobId other) =>
        Key.Number == other.Key.Number && (Key.Number >= 0 || Key.Id == other.Key.Id);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is QueuedJobId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Key.Number >= 0 ? Key.Number.GetHashCode() : Key.Id!.GetHashCode(StringComparison.Ordinal);

    /// <summary>The id's text.</summary>
    public override string ToString() => Key.ToString();
}

/// <summary>Where a queued job is in its life.</summary>
public enum QueuedJobState
{
    /// <summary>It waits, for a worker or for its time.</summary>
    Scheduled,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It has ended and was not collected yet.</summary>
    Done,
}

/// <summary>How a queued job ended.</summary>
public enum QueuedJobOutcome
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>It returned.</summary>
    Completed,

    /// <summary>It threw.</summary>
    Failed,

    /// <summary>It was cancelled, before it ran or while it did.</summary>
    Canceled,

    /// <summary>The engine stopped before it could run.</summary>
    Discarded,
}

/// <summary>A job of a queue at one moment.</summary>
public sealed record QueuedJobInfo
{
    /// <summary>Its id.</summary>
    public required QueuedJobId Id { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required QueuedJobState State { get; init; }

    /// <summary>How it ended; None until it is done.</summary>
    public required QueuedJobOutcome Outcome { get; init; }

    /// <summary>What it returned, once it is done; null if it returned nothing.</summary>
    public object? Result { get; init; }

    /// <summary>What it threw, once it has failed.</summary>
    public Exception? Error { get; init; }

    /// <summary>The state it was queued with.</summary>
    public object? WorkState { get; init; }

    /// <summary>Whether nobody collects it.</summary>
    public required bool IsDetached { get; init; }

    /// <summary>Whether somebody waits for it.</summary>
    public required bool IsWaitedFor { get; init; }

    /// <summary>Whether it waits for its time: a delay, or the pause before it is tried again.</summary>
    public required bool IsDelayed { get; init; }

    /// <summary>The managed id of the thread in which it runs; 0: it does not.</summary>
    public required int ThreadId { get; init; }

    /// <summary>Since it was queued, while it is scheduled; since it started, while it runs; then how long it ran.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>When it was queued, and once it has started when it did; to the millisecond.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>When it ended, or null.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>What it last said of its progress.</summary>
    public object? Progress { get; init; }

    /// <summary>How often it was tried, this time included.</summary>
    public required int Attempt { get; init; }
}

/// <summary>A queue at one moment.</summary>
public sealed record JobQueueInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its description.</summary>
    public required string Description { get; init; }

    /// <summary>How many of its jobs run at once.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Jobs that run.</summary>
    public required long Running { get; init; }

    /// <summary>Jobs that wait, for a worker or for their time.</summary>
    public required long Scheduled { get; init; }

    /// <summary>Jobs that are done and were not collected.</summary>
    public required long Done { get; init; }

    /// <summary>Whether no job starts.</summary>
    public required bool IsPaused { get; init; }

    /// <summary>Whether it takes no more jobs and is gone once those it has are collected.</summary>
    public required bool IsDeleting { get; init; }
}

/// <summary>The workers that all queues share, at one moment.</summary>
/// <param name="MaxThreads">How many threads there may be: the sum over the queues.</param>
/// <param name="Threads">How many there are.</param>
/// <param name="IdleThreads">Of them, those without a job.</param>
/// <param name="IsStopping">Whether the engine is being stopped.</param>
public readonly record struct JobPoolInfo(long MaxThreads, int Threads, int IdleThreads, bool IsStopping);
