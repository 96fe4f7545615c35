namespace FastJobs.Queues;

/// <summary>The end of the engine.</summary>
internal sealed partial class QueueCore
{
    /// <summary>The engine is stopping: takes no more jobs.</summary>
    public void Refuse()
    {
        using (_lock.Hold())
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
        using (_lock.Hold())
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
        using (_lock.Hold())
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
        using (_lock.Hold())
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
        using (_lock.Hold())
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
        using (_lock.Hold())
        {
            _abandoned = true;
        }

        foreach (JobKey wanted in keys)
        {
            Aftermath after = default;
            using (_lock.Hold())
            {
                if (FindLocked(wanted, out JobKey key) is not { State: JobFlags.Done } job)
                {
                    continue;
                }

                _done--;
                RemoveLocked(job, key, ref after);
                after.Recycle(job);
                Settle(ref after);
            }

            after.Do(this);
        }
    }
}
