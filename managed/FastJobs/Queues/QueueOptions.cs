using FastJobs.Queues;

namespace FastJobs;

/// <summary>When a job that failed is tried again.</summary>
/// <param name="MaxAttempts">How often it is tried in all.</param>
/// <param name="FirstDelay">How long after the first failure.</param>
public sealed record RetryPolicy(int MaxAttempts, TimeSpan FirstDelay)
{
    /// <summary>By what the delay grows from one failure to the next; 1: it stays the same.</summary>
    public double BackOff { get; init; } = 2;

    /// <summary>No delay is longer.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The delay after the n-th attempt has failed.</summary>
    public TimeSpan DelayAfter(int attempt)
    {
        double ticks = FirstDelay.Ticks * Math.Pow(BackOff, attempt - 1);
        return ticks >= MaxDelay.Ticks ? MaxDelay : TimeSpan.FromTicks((long)ticks);
    }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FirstDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDelay, TimeSpan.Zero);
        if (!(BackOff >= 1) || double.IsInfinity(BackOff))
        {
            throw new ArgumentOutOfRangeException(nameof(BackOff), BackOff, "A delay grows by a factor of 1 or more.");
        }
    }
}

/// <summary>How a job is queued. May be used for any number of jobs; only <see cref="Id"/> can be there once.</summary>
public sealed record QueuedJobOptions
{
    /// <summary>Nobody collects the job: it disappears when it ends, and a failure is logged.</summary>
    public bool Detached { get; init; }

    /// <summary>The job runs before all that wait, the last such job first.</summary>
    public bool Head { get; init; }

    /// <summary>An id of its own; null or empty: the next number.</summary>
    public string? Id { get; init; }

    /// <summary>The job does not start before this has passed; then it is behind those that wait.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>When the job is tried again after a failure; null: never.</summary>
    public RetryPolicy? Retry { get; init; }

    /// <summary>
    /// So long after its end the job and its result disappear if nobody collects them; null: as its queue says;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan? ExpireAfter { get; init; }

    internal Placement ToPlacement(TimeSpan? expireAfter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Delay, TimeSpan.Zero);
        Retry?.Validate();
        TimeSpan? expiry = ExpireAfter ?? expireAfter;
        if (expiry < TimeSpan.Zero && expiry != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(ExpireAfter), expiry, "A job expires after its end, not before.");
        }

        return new Placement(Id, Detached, Head, Delay, Retry, expiry == Timeout.InfiniteTimeSpan ? null : expiry);
    }
}

/// <summary>How a queue is made.</summary>
public sealed record JobQueueOptions
{
    /// <summary>Its name, unique in its engine.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for.</summary>
    public string Description { get; init; } = "";

    /// <summary>How many of its jobs run at once, at least 1.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>So long after their end jobs and their results disappear if nobody collects them; null: never.</summary>
    public TimeSpan? ExpireAfter { get; init; }
}

/// <summary>The settings of an engine's queues. They hold for workers and jobs from then on.</summary>
public sealed record JobQueueSettings
{
    /// <summary>After so many jobs a worker's thread ends, and another one takes its place; 0: never.</summary>
    public long JobsPerThread { get; init; }

    /// <summary>A worker without a job ends after this; <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Jobs that take as long or longer are logged.</summary>
    public TimeSpan LogMinDuration { get; init; } = TimeSpan.FromSeconds(1);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(JobsPerThread);
        LaneOptions.ToMilliseconds(IdleTimeout);
        ArgumentOutOfRangeException.ThrowIfLessThan(LogMinDuration, TimeSpan.Zero);
    }
}

/// <summary>What an engine is told about its queues when it is made.</summary>
public sealed class JobQueuesOptions
{
    /// <summary>The settings to begin with.</summary>
    public JobQueueSettings Settings { get; init; } = new();

    /// <summary>
    /// Gets what nobody is told otherwise, in the thread in which it happens. Without it failures and discarded jobs are
    /// written to the standard error. An exception in it is ignored.
    /// </summary>
    public Action<JobQueueLogEntry>? Log { get; init; }

    /// <summary>
    /// Called in each worker's thread before its first job; jobs find what it returns in
    /// <see cref="QueuedJobContext.WorkerState"/>.
    /// </summary>
    public Func<object?>? OnWorkerStart { get; init; }

    /// <summary>
    /// Called in a worker's thread after each job: to clean up for the next one. The job's waiter was told already.
    /// </summary>
    public Action<object?>? AfterJob { get; init; }

    /// <summary>Called in a worker's thread last.</summary>
    public Action<object?>? OnWorkerExit { get; init; }
}

/// <summary>What a log entry is about.</summary>
public enum JobQueueLogKind
{
    /// <summary>A job took <see cref="JobQueueSettings.LogMinDuration"/> or longer.</summary>
    SlowJob,

    /// <summary>A detached job failed.</summary>
    DetachedFailure,

    /// <summary>A job was discarded because the engine stopped.</summary>
    Discarded,

    /// <summary>A finished job that nobody collected has expired.</summary>
    Expired,

    /// <summary>A hook of <see cref="JobQueuesOptions"/> failed.</summary>
    HookFailure,
}

/// <summary>Something that nobody is told otherwise.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Queue">The queue's name; empty where it is about none.</param>
/// <param name="Job">The job; null where it is about none.</param>
/// <param name="Duration">How long the job ran.</param>
/// <param name="Error">What was thrown, or null.</param>
/// <param name="Message">The same as a text.</param>
public sealed record JobQueueLogEntry(
    JobQueueLogKind Kind, string Queue, QueuedJobId? Job, TimeSpan Duration, Exception? Error, string Message);
