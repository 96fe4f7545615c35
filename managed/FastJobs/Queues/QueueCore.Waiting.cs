namespace FastJobs.Queues;

/// <summary>Waiting for one job or for any, and who is told.</summary>
internal sealed partial class QueueCore
{
    /// <summary>
    /// Collects a job that is done, or begins to wait for it. Ok: <paramref name="job"/> is the caller's alone.
    /// </summary>
    /// <param name="wanted">The job.</param>
    /// <param name="waiter">Is attached if the result is Waiting, and not touched again by the caller then.</param>
    /// <param name="mayWait">False: a job that is not done is a time-out, and no waiter is needed.</param>
    /// <param name="job">The job that was done.</param>
    public QueueStatus BeginWait(JobKey wanted, JobWaiter? waiter, bool mayWait, out QueuedJob? job) =>
        BeginWait(wanted, waiter, null, mayWait, out job);

    private const JobFlags LateAsked =
        JobFlags.StateMask | JobFlags.HasExtras | JobFlags.HasWaiter | JobFlags.Detached;

    // If there is no waiter and one is needed it is that of the thread, which most who collect do not need: they come late.
    private QueueStatus BeginWait(
        JobKey wanted, JobWaiter? waiter, Func<QueuedJob, bool>? accepts, bool mayWait, out QueuedJob? job)
    {
        Aftermath after = default;
        using (_lock.Hold())
        {
            // Most come late, for a job of a number that is done and nothing more, and not the queue's last.
            if (wanted.Number >= 0
                && _jobs > 1
                && _table.Find(wanted.Number, out JobTable.Chunk? chunk, out int place) is { } done
                && (done.Flags & LateAsked) == JobFlags.Done
                && waiter?.Accepts(done) != false
                && accepts?.Invoke(done) != false)
            {
                _done--;
                _jobs--;
                chunk!.PrefetchAfter(place); // who collects one mostly collects the next
                if (chunk.After(place) is { State: JobFlags.Done } next)
                {
                    next.PrefetchResult();
                }

                _table.RemoveAt(chunk, place);
                job = done;
                return QueueStatus.Ok;
            }

            job = FindLocked(wanted, out JobKey key);
            QueueStatus status = CheckWait(job, waiter, accepts, mayWait);
            if (status == QueueStatus.Ok)
            {
                Collect(job!, key, ref after);
            }
            else
            {
                if (status == QueueStatus.Waiting)
                {
                    Attach(waiter ?? BlockingWaiter.Begin(), job!, key);
                }

                job = null;
                return status;
            }
        }

        after.Do(this);
        return QueueStatus.Ok;
    }

    // Under the lock: the job is done, and the caller's from now on.
    private void Collect(QueuedJob job, JobKey key, ref Aftermath after)
    {
        _done--;
        RemoveLocked(job, key, ref after);
        if (_gone)
        {
            Settle(ref after); // nothing else changes by it
        }
    }

    private void Attach(JobWaiter waiter, QueuedJob job, JobKey key)
    {
        waiter.Queue = this;
        waiter.Job = job;
        waiter.Key = key;
        job.Attach(waiter);
        ArmWait(waiter);
    }

    private QueueStatus CheckWait(QueuedJob? job, JobWaiter? waiter, Func<QueuedJob, bool>? accepts, bool mayWait) =>
        job is null ? QueueStatus.NoSuchJob
        : job.Is(JobFlags.Detached) ? QueueStatus.Detached
        : job.Is(JobFlags.HasWaiter) ? QueueStatus.Waited
        : waiter?.Accepts(job) == false || accepts?.Invoke(job) == false ? QueueStatus.OtherType
        : job.State == JobFlags.Done ? QueueStatus.Ok
        : _ended && !(_leftRunning && job.State == JobFlags.Running) ? QueueStatus.Stopped
        : waiter is { CanceledEarly: true } ? QueueStatus.WaitCanceled
        : mayWait ? QueueStatus.Waiting
        : QueueStatus.TimedOut;

    /// <summary>Begins to wait until a job is done, unless one is, or there is none.</summary>
    public QueueStatus BeginWaitAny(JobWaiter waiter, bool mayWait)
    {
        using (_lock.Hold())
        {
            if (_jobs == 0 || _done > 0)
            {
                return QueueStatus.Ok;
            }

            if (_ended || waiter.CanceledEarly || !mayWait)
            {
                return _ended ? QueueStatus.Stopped : waiter.CanceledEarly ? QueueStatus.WaitCanceled : QueueStatus.TimedOut;
            }

            waiter.Queue = this;
            waiter.InList = true;
            waiter.Previous = null;
            waiter.Next = _anyWaiters;
            if (_anyWaiters is { } first)
            {
                first.Previous = waiter;
            }

            _anyWaiters = waiter;
            ArmWait(waiter);
            return QueueStatus.Waiting;
        }
    }

    /// <summary>Ends a wait that nobody else has ended: its time is over, or its token was cancelled.</summary>
    public void EndWait(JobWaiter waiter, QueueStatus status)
    {
        using (_lock.Hold())
        {
            if (!ReferenceEquals(waiter.Queue, this) || !waiter.IsAttached)
            {
                return; // it has ended; whoever took it off tells it
            }

            TakeOff(waiter);
        }

        waiter.Done(null, status);
    }

    /// <summary>The waiter's token was cancelled, perhaps before it was attached.</summary>
    public void CancelWait(JobWaiter waiter)
    {
        using (_lock.Hold())
        {
            if (!waiter.IsAttached)
            {
                waiter.CanceledEarly = true;
                return;
            }

            TakeOff(waiter);
        }

        waiter.Done(null, QueueStatus.WaitCanceled);
    }

    /// <summary>Waits in the calling thread. -1: without end.</summary>
    /// <param name="wanted">The job.</param>
    /// <param name="timeoutMilliseconds">How long.</param>
    /// <param name="accepts">Whether the job's result is of the right kind; null: any is. Under the lock.</param>
    /// <param name="job">Where the result is Ok: the job, done and the caller's alone.</param>
    public QueueStatus Wait(JobKey wanted, int timeoutMilliseconds, Func<QueuedJob, bool>? accepts, out QueuedJob? job)
    {
        QueueStatus status = BeginWait(wanted, null, accepts, timeoutMilliseconds != 0, out job);
        return status == QueueStatus.Waiting ? Block(BlockingWaiter.Own, timeoutMilliseconds, out job) : status;
    }

    /// <summary>Waits for any job in the calling thread.</summary>
    public QueueStatus WaitAny(int timeoutMilliseconds)
    {
        BlockingWaiter waiter = BlockingWaiter.Begin();
        QueueStatus status = BeginWaitAny(waiter, timeoutMilliseconds != 0);
        return status == QueueStatus.Waiting ? Block(waiter, timeoutMilliseconds, out _) : status;
    }

    // A job that waits for a job of its own queue lends it its place, or the two would wait for each other. Those of other
    // queues have places of their own.
    private QueueStatus Block(BlockingWaiter waiter, int timeoutMilliseconds, out QueuedJob? job)
    {
        RunSlot? slot = RunSlot.Current;
        bool lends = ReferenceEquals(slot?.Queue, this);
        if (lends)
        {
            Lend(1);
        }

        slot?.BeginBlock(waiter);
        QueueStatus status = waiter.Await(timeoutMilliseconds, out job);
        slot?.EndBlock(status == QueueStatus.WaitCanceled);
        if (lends)
        {
            Lend(-1);
        }

        return status;
    }

    /// <summary>
    /// The calling job waits for others of its queue, which may take its place: 1; and its wait is over: -1.
    /// </summary>
    public void Lend(int by)
    {
        Aftermath after = default;
        using (_lock.Hold())
        {
            _lent += by;
            _running -= by; // on its return there may be one more than allowed, until one of them ends
            Settle(ref after);
        }

        after.Do(this);
    }

    private void ArmWait(JobWaiter waiter)
    {
        if (waiter.TimerDelay != Timeout.InfiniteTimeSpan)
        {
            _system.Timer.Add(waiter, waiter.TimerDelay);
        }
    }

    // Under the lock: whoever does this owes the waiter its Done.
    private void TakeOff(JobWaiter waiter)
    {
        if (waiter.Job is { } job)
        {
            job.DetachWaiter();
            waiter.Job = null;
            return;
        }

        waiter.InList = false;
        if (waiter.Previous is { } previous)
        {
            previous.Next = waiter.Next;
        }
        else
        {
            _anyWaiters = waiter.Next;
        }

        if (waiter.Next is { } next)
        {
            next.Previous = waiter.Previous;
        }

        waiter.Next = waiter.Previous = null;
    }

    // Under the lock.
    private void TakeAnyWaiters(ref Aftermath after)
    {
        while (_anyWaiters is { } waiter)
        {
            TakeOff(waiter);
            after.TellOfAny(waiter);
        }
    }
}
