using System.Diagnostics;
using FastJobs.Stats;

namespace FastJobs;

/// <summary>Seeing inside a lane: what waits, what runs, and when nothing does.</summary>
public sealed partial class JobLane
{
    /// <summary>
    /// The jobs that wait, oldest first, with their place and their age. For people and tests: while it looks, workers that
    /// want a job wait some microseconds for every 64 that it shows. Jobs that come or go meanwhile may be missing.
    /// </summary>
    /// <param name="limit">At most so many.</param>
    /// <returns>A snapshot. Jobs that were cancelled while they waited are not in it, nor those that wait for room.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative.</exception>
    public IReadOnlyList<WaitingJob> GetQueuedJobs(int limit = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        var jobs = new List<WaitingJob>();
        long now = Stopwatch.GetTimestamp();
        foreach ((Delegate work, long submittedAt) in LaneListing.Queued(Inner, limit))
        {
            TimeSpan age = Stopwatch.GetElapsedTime(Math.Min(submittedAt, now), now);
            jobs.Add(new WaitingJob(jobs.Count + 1, MethodNames.Of(work), age));
        }

        return jobs;
    }

    /// <summary>
    /// How many jobs of each kind wait and run, a kind being the method of the job's delegate; most first. Costs as
    /// <see cref="GetQueuedJobs"/>. Asynchronous jobs that have given their thread back are not counted:
    /// <see cref="LaneStatistics.PendingAsyncJobs"/>.
    /// </summary>
    public IReadOnlyList<JobKind> GetJobKinds()
    {
        Dictionary<string, JobKind> kinds = [];
        foreach ((Delegate work, _) in LaneListing.Queued(Inner, int.MaxValue))
        {
            string method = MethodNames.Of(work);
            JobKind kind = kinds.GetValueOrDefault(method, new JobKind(method, 0, 0));
            kinds[method] = kind with { Queued = kind.Queued + 1 };
        }

        foreach (Delegate work in LaneListing.Running(Inner))
        {
            string method = MethodNames.Of(work);
            JobKind kind = kinds.GetValueOrDefault(method, new JobKind(method, 0, 0));
            kinds[method] = kind with { Running = kind.Running + 1 };
        }

        return [.. kinds.Values
            .OrderByDescending(kind => kind.Queued + kind.Running)
            .ThenBy(kind => kind.Method, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Completes at a moment at which no job of the lane waits or runs. A deferred lane is not started; new jobs are taken,
    /// and may keep it from completing. Not for a job of the lane itself, which would wait for its own end.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; the jobs go on.</exception>
    public Task WaitIdleAsync(CancellationToken cancellationToken = default) =>
        Inner.WhenIdleAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>As <see cref="WaitIdleAsync(CancellationToken)"/>. False: the time passed first.</summary>
    /// <param name="timeout">At most 49 days, or <see cref="Timeout.InfiniteTimeSpan"/>; zero: only asks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<bool> WaitIdleAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        if (timeout != Timeout.InfiniteTimeSpan && (timeout < TimeSpan.Zero || timeout.TotalMilliseconds > uint.MaxValue - 1))
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A time-out is from 0 to 49 days, or infinite.");
        }

        return Inner.WhenIdleAsync(timeout, cancellationToken);
    }
}

/// <summary>A job that waits, as a listing saw it.</summary>
/// <param name="Position">Its place in the listing; 1 is the next to start.</param>
/// <param name="Method">The type and the method of its delegate.</param>
/// <param name="Age">How long it has waited, to about 10 ms.</param>
public readonly record struct WaitingJob(int Position, string Method, TimeSpan Age);

/// <summary>The jobs of a lane that have the same method.</summary>
/// <param name="Method">The type and the method.</param>
/// <param name="Queued">How many wait.</param>
/// <param name="Running">How many run.</param>
public readonly record struct JobKind(string Method, int Queued, int Running);
