using System.Runtime.CompilerServices;
using FastJobs.Jobs;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>Collecting results, and listing.</summary>
public sealed partial class JobQueue
{
    /// <summary>Waits until the job is done and collects its result.</summary>
    /// <exception cref="JobQueueException">
    /// There is no such job; it is detached; somebody waits for it; its result is of another type; the engine has ended.
    /// </exception>
    /// <exception cref="QueuedJobException">The job failed.</exception>
    /// <exception cref="QueuedJobCanceledException">The job was cancelled.</exception>
    /// <exception cref="JobDiscardedException">The engine stopped before the job could run.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled. The job goes on and can be waited for.</exception>
    public ValueTask<TResult> WaitAsync<TResult>(QueuedJobId id, CancellationToken cancellationToken = default) =>
        TypedWaiter<TResult, TakeResult<TResult>>.Wait(Core, id.Key, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>As <see cref="WaitAsync{TResult}(QueuedJobId, CancellationToken)"/>, for a time.</summary>
    /// <exception cref="TimeoutException">The time is over. The job goes on and can be waited for.</exception>
    public ValueTask<TResult> WaitAsync<TResult>(
        QueuedJobId id, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        TypedWaiter<TResult, TakeResult<TResult>>.Wait(Core, id.Key, timeout, cancellationToken);

    /// <summary>As <see cref="WaitAsync{TResult}(QueuedJobId, CancellationToken)"/>, whatever the result.</summary>
    public ValueTask WaitAsync(QueuedJobId id, CancellationToken cancellationToken = default) =>
        WaitAsync(id, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>As <see cref="WaitAsync{TResult}(QueuedJobId, TimeSpan, CancellationToken)"/>, whatever the result.</summary>
    public ValueTask WaitAsync(QueuedJobId id, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        TypedWaiter<Nothing, TakeNothing>.WaitOnly(Core, id.Key, timeout, cancellationToken);

    /// <summary>
    /// Waits until the job has ended, and collects it however that was: failures are told, not thrown.
    /// </summary>
    /// <exception cref="JobQueueException">As for the other waits.</exception>
    /// <exception cref="TimeoutException">The time is over. The job goes on and can be waited for.</exception>
    public ValueTask<FinishedJob> WaitForEndAsync(
        QueuedJobId id, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        TypedWaiter<FinishedJob, TakeFinished>.Wait(Core, id.Key, timeout, cancellationToken);

    /// <summary>
    /// Waits until some job of the queue gets done. Completes at once if one is, or if the queue has no job. Collects
    /// nothing.
    /// </summary>
    /// <exception cref="TimeoutException">The time is over.</exception>
    /// <exception cref="JobQueueException">The engine has ended.</exception>
    public ValueTask WaitAnyAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        TypedWaiter<Nothing, TakeNothing>.WaitOnly(Core, null, timeout, cancellationToken);

    /// <summary>As <see cref="WaitAnyAsync(TimeSpan, CancellationToken)"/>, without a time-out.</summary>
    public ValueTask WaitAnyAsync(CancellationToken cancellationToken = default) =>
        WaitAnyAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>As <see cref="WaitAsync{TResult}(QueuedJobId, CancellationToken)"/>, in the calling thread.</summary>
    public TResult Wait<TResult>(QueuedJobId id) => Wait<TResult>(id, Timeout.InfiniteTimeSpan);

    /// <summary>As <see cref="WaitAsync{TResult}(QueuedJobId, TimeSpan, CancellationToken)"/>, in the calling thread.</summary>
    public TResult Wait<TResult>(QueuedJobId id, TimeSpan timeout)
    {
        QueueStatus status = Core.Wait(id.Key, ToMilliseconds(timeout), TakeResult<TResult>.Accepts, out QueuedJob? job);
        if (status != QueueStatus.Ok)
        {
            throw TypedWaiter<TResult, TakeResult<TResult>>.ErrorOf(status, Core, id.Key, default);
        }

        TResult result = TakeResult<TResult>.Take(Core, id.Key, job, out Exception? error);
        job!.Recycle();
        return error is null ? result : throw error;
    }

    /// <summary>As <see cref="WaitAnyAsync(TimeSpan, CancellationToken)"/>, in the calling thread.</summary>
    public void WaitAny(TimeSpan timeout)
    {
        QueueStatus status = Core.WaitAny(ToMilliseconds(timeout));
        if (status != QueueStatus.Ok)
        {
            throw TypedWaiter<Nothing, TakeNothing>.ErrorOf(status, Core, new JobKey(-1, ""), default);
        }
    }

    /// <summary>
    /// Collects jobs as they get done, those first that are done already, until the queue is gone or the engine ends. Jobs
    /// that somebody waits for go to him.
    /// </summary>
    public async IAsyncEnumerable<FinishedJob> CollectAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var feed = new ChannelFeed();
        Core.AddFeed(feed);
        try
        {
            await foreach (JobKey key in feed.Keys.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if (Core.BeginWait(key, null, mayWait: false, out QueuedJob? job) == QueueStatus.Ok)
                {
                    FinishedJob finished = TakeFinished.Take(Core, key, job, out _);
                    job!.Recycle();
                    yield return finished;
                }
            }
        }
        finally
        {
            Core.RemoveFeed(feed);
        }
    }

    /// <summary>
    /// The jobs in the order of queueing. Each is seen as it was at one moment, but not all at the same one.
    /// </summary>
    public IReadOnlyList<QueuedJobInfo> GetJobs()
    {
        List<QueuedJobInfo> jobs = [];
        Core.VisitJobs((key, job) => jobs.Add(ToInfo(key, job)));
        return jobs;
    }

    /// <summary>One job, or null if there is none of this id.</summary>
    public QueuedJobInfo? GetJob(QueuedJobId id)
    {
        QueuedJobInfo? info = null;
        Core.TryVisit(id.Key, (key, job) => info = ToInfo(key, job));
        return info;
    }

    internal static QueuedJobOutcome ToOutcome(JobFlags outcome) => outcome switch
    {
        0 => QueuedJobOutcome.None,
        JobFlags.Completed => QueuedJobOutcome.Completed,
        JobFlags.Failed => QueuedJobOutcome.Failed,
        JobFlags.Canceled => QueuedJobOutcome.Canceled,
        _ => QueuedJobOutcome.Discarded,
    };

    private static int ToMilliseconds(TimeSpan timeout) =>
        timeout == Timeout.InfiniteTimeSpan ? -1
        : timeout < TimeSpan.Zero
            ? throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A time-out is zero or longer, or infinite.")
            : (int)Math.Min(int.MaxValue - 1, Math.Ceiling(timeout.TotalMilliseconds));

    // Under the queue's lock.
    private static QueuedJobInfo ToInfo(JobKey key, QueuedJob job)
    {
        bool running = job.State == JobFlags.Running;
        bool done = job.State == JobFlags.Done;
        TimeSpan since = job.Elapsed;
        DateTimeOffset start = DateTimeOffset.UtcNow - since;
        JobExtras? extras = job.Extras;
        return new QueuedJobInfo
        {
            Id = new QueuedJobId(key),
            State = running ? QueuedJobState.Running : done ? QueuedJobState.Done : QueuedJobState.Scheduled,
            Outcome = ToOutcome(job.Outcome),
            Result = job.BoxedResult,
            Error = job.Outcome == JobFlags.Failed ? job.Inner as Exception : null,
            WorkState = job.BoxedState,
            IsDetached = job.Is(JobFlags.Detached),
            IsWaitedFor = job.Is(JobFlags.HasWaiter),
            IsDelayed = job.Is(JobFlags.Delayed),
            ThreadId = running ? job.Aux : 0,
            Time = done ? TimeSpan.FromMilliseconds(job.Aux) : since,
            StartTime = start,
            EndTime = done ? start + TimeSpan.FromMilliseconds(job.Aux) : null,
            Progress = extras?.Progress,
            Attempt = extras?.Attempt ?? 1,
        };
    }
}

/// <summary>A job that has ended and was collected.</summary>
public sealed record FinishedJob
{
    /// <summary>Its queue.</summary>
    public required JobQueue Queue { get; init; }

    /// <summary>Its id.</summary>
    public required QueuedJobId Id { get; init; }

    /// <summary>How it ended.</summary>
    public required QueuedJobOutcome Outcome { get; init; }

    /// <summary>What it returned; null if it returned nothing.</summary>
    public object? Result { get; init; }

    /// <summary>What a wait for it would have thrown; null if it has completed.</summary>
    public Exception? Error { get; init; }

    /// <summary>How long it ran, to the millisecond.</summary>
    public required TimeSpan Duration { get; init; }
}
