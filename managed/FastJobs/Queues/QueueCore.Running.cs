using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastJobs.Queues;

/// <summary>How jobs are run and ended.</summary>
internal sealed partial class QueueCore
{
    // Ends one job and starts the next in one go; or keeps the place until LeavePlace, if code of the user's is called
    // meanwhile. That may take its time and may wait for jobs of this queue: none of them must be bound to this thread, and
    // the thread must count as one of this queue's, or it would be missing to another one.
    private QueuedJob? Finish(RunSlot slot, RunEnd end, long now, bool mayGoOn)
    {
        Aftermath after = default;
        QueuedJob? next = null;
        bool slow = now - slot.Began >= _system.LogMinTicks;
        bool detachedFailure;
        nint kept = 0;
        EnterWhenStopped(slot.Job!);
        try
        {
            detachedFailure = EndRun(slot, end, now, ref after);
            if (slow)
            {
                kept = slot.Job!.Keep(); // it can be collected from here on
            }

            _running--;
            bool calls = slow || detachedFailure || after.CallsUser;
            if (mayGoOn && !calls)
            {
                next = TryStart(slot, now);
            }

            if (next is null)
            {
                if (calls || _system.Host.HasAfterJob)
                {
                    slot.KeepsPlace = true;
                    _running++;
                    _leaving++;
                }
                else if (mayGoOn && _tickets == 0 && _waiting == 0 && Parking.Spinning.Limit > 0)
                {
                    slot.KeepsTicket = true; // that with which it came
                    _tickets = 1;
                }
            }
            else
            {
                slot.Linger.Found();
            }

            Settle(ref after);
        }
        finally
        {
            _lock.Exit();
        }

        if (slow || detachedFailure)
        {
            LogEnd(slot, now, slow, kept, detachedFailure ? after.Recycled : null);
        }

        after.Do(this);
        if (next is null && !slot.KeepsPlace)
        {
            slot.Clear();
        }

        return next;
    }

    // The slot is still that of the job that has ended: none was started in it. The job is gone, unless it failed.
    private void LogEnd(RunSlot slot, long now, bool slow, nint kept, QueuedJob? failed)
    {
        TimeSpan duration = Stopwatch.GetElapsedTime(slot.Began, now);
        if (slow)
        {
            _system.Host.Log(new QueueEvent(QueueEventKind.Slow, this, slot.Key, null, null, duration, kept));
        }

        if (failed is not null)
        {
            _system.Host.Log(new QueueEvent(QueueEventKind.DetachedFailure, this, slot.Key, failed, slot.Inner, duration));
        }
    }

    // What was called after the job's end is over: another job may have the place, here if the thread may go on.
    private QueuedJob? LeavePlace(RunSlot slot, bool mayGoOn)
    {
        slot.KeepsPlace = false;
        slot.Clear();
        Aftermath after = default;
        QueuedJob? next = null;
        using (_lock.Hold())
        {
            _running--;
            _leaving--;
            if (mayGoOn)
            {
                next = TryStart(slot, Stopwatch.GetTimestamp());
            }

            Settle(ref after);
        }

        after.Do(this);
        return next;
    }

    private void FinishLast(RunSlot slot, RunEnd end)
    {
        Finish(slot, end, Stopwatch.GetTimestamp(), mayGoOn: false);
        if (slot.KeepsPlace)
        {
            LeavePlace(slot, mayGoOn: false);
        }
    }

    /// <summary>A job that went on without its thread has ended. In any thread.</summary>
    public void FinishElsewhere(RunSlot slot, RunEnd end)
    {
        FinishLast(slot, end);
        _system.Over();
        _system.Host.LookForQuiet();
    }

    /// <summary>The running job has ended its thread, and failed. In that thread.</summary>
    public void FinishEnded(RunSlot slot) => FinishLast(slot, RunEnd.Failed);

    /// <summary>The running job goes on without its thread: the drain waits for it nevertheless.</summary>
    public void GoesElsewhere() => _system.Begin();

    // A canceller that is about to stop the job does so first: what it stops must still be this job.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EnterWhenStopped(QueuedJob job)
    {
        _lock.Enter();
        if (job.Is(JobFlags.Canceling))
        {
            LetItBeStopped(job);
        }
    }

    private void LetItBeStopped(QueuedJob job)
    {
        var spin = default(SpinWait);
        do
        {
            _lock.Exit();
            spin.SpinOnce();
            _lock.Enter();
        }
        while (job.Is(JobFlags.Canceling));
    }

    // Under the lock. True: a detached job failed.
    private bool EndRun(RunSlot slot, RunEnd end, long now, ref Aftermath after)
    {
        QueuedJob job = slot.Job!;
        job.Left(slot);
        if (job.Extras is { } extras)
        {
            if (end == RunEnd.Failed && TryAgain(job, extras))
            {
                return false;
            }

            if (extras.Output is { } output)
            {
                after.EndOutput(output, end == RunEnd.Failed ? slot.Inner as Exception : null);
            }
        }

        bool canceled = job.Is(JobFlags.CancelRequested);
        job.Inner = canceled ? null : slot.Inner;
        job.Aux = MillisecondsIn(now - job.Since);
        JobFlags outcome = canceled ? JobFlags.Canceled : end == RunEnd.Completed ? JobFlags.Completed : JobFlags.Failed;
        if (job.Is(JobFlags.Detached | JobFlags.HasWaiter | JobFlags.HasExtras) || _anyWaiters is not null || _feeds is not null || _abandoned)
        {
            Complete(job, slot.Key, outcome, ref after);
            return outcome == JobFlags.Failed && job.Is(JobFlags.Detached);
        }

        job.Flags = JobFlags.Done | outcome; // as Complete does, where nobody is to be told
        _done++;
        return false;
    }

    // Most jobs take less than one, and a division costs as much as the lock.
    private int MillisecondsIn(long ticks) => ticks < _system.TicksAMillisecond
        ? 0
        : (int)Math.Min(int.MaxValue, ticks / _system.TicksAMillisecond);

    // Under the lock. The job is out of the order and does not run: it is done.
    private void Complete(QueuedJob job, JobKey key, JobFlags outcome, ref Aftermath after)
    {
        job.Flags = (job.Flags & ~(JobFlags.StateMask | JobFlags.OutcomeMask)) | JobFlags.Done | outcome;
        if (job.Is(JobFlags.Detached))
        {
            RemoveLocked(job, key, ref after);
            after.Recycle(job);
            return;
        }

        TakeAnyWaiters(ref after);
        if (job.Waiter is { } waiter)
        {
            TakeOff(waiter);
            after.Tell(waiter, job);
            RemoveLocked(job, key, ref after);
            return;
        }

        if (_abandoned)
        {
            RemoveLocked(job, key, ref after);
            after.Recycle(job);
            return;
        }

        _done++;
        if (job.Extras is { ExpireAfter: { } expiry } extras)
        {
            Arm(extras, expiry);
        }

        if (_feeds is { } feeds)
        {
            foreach (FinishedFeed feed in feeds)
            {
                feed.Add(key);
            }
        }
    }
}
