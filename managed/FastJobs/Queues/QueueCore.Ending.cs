using System.Diagnostics;

namespace FastJobs.Queues;

/// <summary>Cancelling jobs, pausing and deleting the queue, the end of the engine.</summary>
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
        lock (_lock)
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
        lock (_lock)
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
            after.Output = output;
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
        lock (_lock)
        {
            job.Flags &= ~JobFlags.Canceling;
            Complete(job, key, outcome, ref after);
            Settle(ref after);
        }

        after.Do(this);
    }

    public bool Exists(JobKey wanted)
    {
        lock (_lock)
        {
            return FindLocked(wanted, out _) is not null;
        }
    }

    /// <summary>No job starts until <see cref="Resume"/>; those that run go on.</summary>
    public void Pause() => SetPaused(true);

    public void Resume() => SetPaused(false);

    private void SetPaused(bool paused)
    {
        Aftermath after = default;
        lock (_lock)
        {
            _paused = paused;
            Settle(ref after);
        }

        after.Do(this);
    }

    /// <summary>Takes no more jobs, and is gone once those that it has are collected.</summary>
    public void Delete()
    {
        Aftermath after = default;
        lock (_lock)
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

    /// <summary>The engine is stopping: takes no more jobs.</summary>
    public void Refuse()
    {
        lock (_lock)
        {
            _refusing = true;
        }
    }

    /// <summary>
    /// The engine has no more time: all that waits ends as discarded, what runs is told to end. Returns how many waited.
    /// </summary>
    public long DiscardWaiting()
    {
        long discarded = 0;
        Aftermath after = default;
        lock (_lock)
        {
            _refusing = _discarding = true;
            Settle(ref after);
        }

        after.Do(this);

        foreach (JobKey key in Keys())
        {
            discarded += Discard(key) ? 1 : 0;
        }

        return discarded;
    }

    private bool Discard(JobKey key)
    {
        Aftermath after = default;
        QueuedJob? job;
        bool drop;
        nint kept = 0;
        lock (_lock)
        {
            job = FindLocked(key, out key);
            if (job is null || job.State == JobFlags.Done || job.Is(JobFlags.Canceling))
            {
                return false;
            }

            if (job.State == JobFlags.Running)
            {
                drop = false;
            }
            else
            {
                kept = job.Keep();
                drop = Unschedule(job, key, JobFlags.Discarded, ref after);
                Settle(ref after);
                job = null;
            }
        }

        if (job is not null)
        {
            Cancel(key, evenIfWaited: true, out _);
            return false;
        }

        _system.Host.Log(new QueueEvent(QueueEventKind.Discarded, this, key, null, null, default, kept));
        if (drop)
        {
            DropDiscarded(key);
        }

        after.Do(this);
        return true;
    }

    private void DropDiscarded(JobKey key)
    {
        QueuedJob? job;
        lock (_lock)
        {
            job = FindLocked(key, out key); // it is there: nobody takes a job away that is neither waiting nor done
        }

        DropAndComplete(job!, key, JobFlags.Discarded, drop: true);
    }

    /// <summary>The engine ends: nobody waits any longer, and what runs is left behind.</summary>
    /// <param name="leaveRunning">Whoever waits for a job that runs is told when it ends.</param>
    public void EndWaits(bool leaveRunning)
    {
        List<JobWaiter> waiters = [];
        List<FinishedFeed>? feeds;
        List<JobKey> keys = Keys();
        lock (_lock)
        {
            _refusing = _ended = true;
            _leftRunning = leaveRunning;
            while (_anyWaiters is { } any)
            {
                TakeOff(any);
                waiters.Add(any);
            }

            foreach (JobKey key in keys)
            {
                if (FindLocked(key, out _) is { Waiter: { } waiter } job && !(leaveRunning && job.State == JobFlags.Running))
                {
                    TakeOff(waiter);
                    waiters.Add(waiter);
                }
            }

            feeds = _feeds;
            _feeds = null;
        }

        foreach (JobWaiter waiter in waiters)
        {
            waiter.Done(null, QueueStatus.Stopped);
        }

        feeds?.ForEach(static feed => feed.End());
    }

    /// <summary>Nobody will collect jobs any more: those that are done are forgotten, and those that run once they end.</summary>
    public void Abandon()
    {
        List<JobKey> keys = Keys();
        lock (_lock)
        {
            _abandoned = true;
        }

        foreach (JobKey wanted in keys)
        {
            Aftermath after = default;
            lock (_lock)
            {
                if (FindLocked(wanted, out JobKey key) is not { State: JobFlags.Done } job)
                {
                    continue;
                }

                _done--;
                RemoveLocked(job, key, ref after);
                after.Recycle = job;
                Settle(ref after);
            }

            after.Do(this);
        }
    }
}
