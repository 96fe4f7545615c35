using System.Diagnostics;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>
/// Several jobs, possibly of several queues, that are waited for together. Any thread may add; one waits at a time.
/// </summary>
public sealed class JobGroup
{
    private readonly Lock _lock = new();
    private readonly List<(JobQueue Queue, QueuedJobId Id)> _jobs = [];
    private readonly List<FinishedJob> _finished = [];

    /// <summary>Jobs that were added and not collected yet.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _jobs.Count - _finished.Count;
            }
        }
    }

    /// <summary>Adds a job that is not detached; nobody else may wait for it.</summary>
    public void Add(JobQueue queue, QueuedJobId id)
    {
        ArgumentNullException.ThrowIfNull(queue);
        lock (_lock)
        {
            _jobs.Add((queue, id));
        }
    }

    /// <summary>
    /// Waits until all have ended and collects them, however they ended. What was collected before an exception is kept:
    /// the group can be waited for again. A job that nobody can collect any more (it has expired, somebody else has collected
    /// it, it is detached) leaves the group with the exception that says so.
    /// </summary>
    /// <returns>The jobs, in the order in which they were added. The group is empty then.</returns>
    /// <exception cref="JobQueueException">There is no such job, or somebody else waits for it, or it is detached.</exception>
    /// <exception cref="TimeoutException">The time is over.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<IReadOnlyList<FinishedJob>> WaitAllAsync(
        TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        long began = Stopwatch.GetTimestamp();
        while (true)
        {
            (JobQueue Queue, QueuedJobId Id) next;
            lock (_lock)
            {
                if (_finished.Count == _jobs.Count)
                {
                    FinishedJob[] all = [.. _finished];
                    _jobs.Clear();
                    _finished.Clear();
                    return all;
                }

                next = _jobs[_finished.Count];
            }

            TimeSpan left = timeout;
            if (timeout != Timeout.InfiniteTimeSpan)
            {
                left = timeout - Stopwatch.GetElapsedTime(began);
                left = left < TimeSpan.Zero ? TimeSpan.Zero : left; // what is done already is taken nevertheless
            }

            FinishedJob finished;
            try
            {
                finished = await next.Queue.WaitForEndAsync(next.Id, left, cancellationToken).ConfigureAwait(false);
            }
            catch (JobQueueException e) when (e.Error is JobQueueError.NoSuchJob or JobQueueError.DetachedJob)
            {
                lock (_lock)
                {
                    _jobs.RemoveAt(_finished.Count); // or those after it could never be waited for
                }

                throw;
            }

            lock (_lock)
            {
                _finished.Add(finished);
            }
        }
    }

    /// <summary>As <see cref="WaitAllAsync(TimeSpan, CancellationToken)"/>, without a time-out.</summary>
    public ValueTask<IReadOnlyList<FinishedJob>> WaitAllAsync(CancellationToken cancellationToken = default) =>
        WaitAllAsync(Timeout.InfiniteTimeSpan, cancellationToken);
}
