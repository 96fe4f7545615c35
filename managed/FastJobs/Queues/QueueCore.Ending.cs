using System.Diagnostics;

namespace FastJobs.Queues;

/// <summary>Cancelling jobs, pausing and deleting the queue.</summary>
internal sealed partial class QueueCore
{
    /// <summary>
    /// Cancels a job. Ok: one that waited is done now and never starts; one that runs is told, and ends as cancelled; one
    /// that is done stays as it is. Waited: somebody waits for it, and it goes on.
    /// </summary>
    /// <param name="wanted">The job.</param>
    /// <param name="evenIfWaited">Cancels it although somebody waits for it, who is told.</param>
    /// <param name="running">Whether it runs.</param>
    public QueueStatus Cancel(JobKey wanted, bool evenIfWaited, out bool running)
    {
        running = false;
        Aftermath after = default;
        CancellationTokenSource? source = null;
        QueuedJob? job;
        JobKey key;
        bool drop = false;
        using (_lock.Hold())
        {
            job = FindLocked(wanted, out key);
            if (job is null)
            {
                return QueueStatus.NoSuchJob;
            }

            if (job.Is(JobFlags.HasWaiter) && !evenIfWaited)
            {
                return QueueStatus.Waited;
            }

            if (job.State == JobFlags.Done || job.Is(JobFlags.Canceling))
            {
                running = job.State == JobFlags.Running;
                return QueueStatus.Ok;
            }

            running = job.State == JobFlags.Running;
            if (running)
            {
                job.Flags |= JobFlags.CancelRequested | JobFlags.Canceling;
                source = job.Extras?.Cancellation;
            }
            else
            {
                drop = Unschedule(job, key, JobFlags.Canceled, ref after);
                Settle(ref after);
            }
        }

        if (running)
        {
            StopRunning(job, source);
        }
        else
        {
            DropAndComplete(job, key, JobFlags.Canceled, drop);
            after.Do(this);
        }

        return QueueStatus.Ok;
    }

    private void StopRunning(QueuedJob job, CancellationTokenSource? source)
    {
        job.StopRunning();
        using (_lock.Hold())
        {
            job.Flags &= ~JobFlags.Canceling; // it may end from now on, and be another job
        }

        try
        {
            source?.Cancel();
        }
        catch (AggregateException)
        {
            // Callbacks of the job's that failed: they have nobody to tell, and the job is cancelled nevertheless.
        }
    }

    // Under the lock: a job that waits ends without having run. True: what its state holds has to be given back first,
    // which is user code; until then it can be found, and is neither waiting nor done.
    private bool Unschedule(QueuedJob job, JobKey key, JobFlags outcome, ref Aftermath after)
    {
        LeaveOrder(job, key);
        job.Since = Stopwatch.GetTimestamp();
        job.Aux = 0;
        if (job.Extras?.Output is { } output)
        {
            after.EndOutput(output, null);
        }

        if (job.HasDrop)
        {
            job.Flags |= JobFlags.Canceling;
            return true;
        }

        job.Inner = null;
        Complete(job, key, outcome, ref after);
        return false;
    }

    private void DropAndComplete(QueuedJob job, JobKey key, JobFlags outcome, bool drop)
    {
        if (!drop)
        {
            return;
        }

        job.Drop();
        Aftermath after = default;
        using (_lock.Hold())
        {
            job.Flags &= ~JobFlags.Canceling;
            Complete(job, key, outcome, ref after);
            Settle(ref after);
        }

        after.Do(this);
    }

    public bool Exists(JobKey wanted)
    {
        using (_lock.Hold())
        {
            return FindLocked(wanted, out _) is not null;
        }
    }

    /// <summary>No job starts until <see cref="Resume"/>; those that run go on. Nothing, once the engine stops.</summary>
    public void Pause() => SetPaused(true);

    public void Resume() => SetPaused(false);

    private void SetPaused(bool paused)
    {
        Aftermath after = default;
        using (_lock.Hold())
        {
            _paused = paused && !_system.PausesNone;
            Settle(ref after);
        }

        after.Do(this);
    }

    /// <summary>Takes no more jobs, and is gone once those that it has are collected.</summary>
    public void Delete()
    {
        Aftermath after = default;
        using (_lock.Hold())
        {
            _deleting = _refusing = true;
            if (_jobs == 0 && !_gone)
            {
                BeGone(ref after);
                Settle(ref after);
            }
        }

        after.Do(this);
    }
}
