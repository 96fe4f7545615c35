using System.Diagnostics;
using FastJobs.Parking;

namespace FastJobs.Queues;

/// <summary>Jobs whose time has come: delayed ones, failed ones that are tried again, finished ones that expire.</summary>
internal sealed partial class QueueCore
{
    // Under the lock: the failed job runs once more, if it may, after a while.
    private bool TryAgain(QueuedJob job, JobExtras extras)
    {
        if (extras.Retry is not { } retry
            || extras.Attempt >= retry.MaxAttempts
            || _ended
            || _discarding
            || job.Is(JobFlags.CancelRequested))
        {
            return false;
        }

        TimeSpan delay = retry.DelayAfter(extras.Attempt);
        extras.Attempt++;
        extras.Cancellation = null;
        job.Flags &= ~JobFlags.StateMask;
        job.Since = CoarseClock.Milliseconds;
        job.Aux = 0;
        job.Flags |= JobFlags.Delayed;
        _delayed++;
        Arm(extras, delay);
        return true;
    }

    /// <summary>The time of a delayed job, or of a finished one that nobody collected, has come.</summary>
    public void OnDue(JobExtras extras)
    {
        Aftermath after = default;
        QueuedJob? expired = null;
        using (_lock.Hold())
        {
            if (!extras.Armed || extras.Due > Stopwatch.GetTimestamp())
            {
                return; // it was disarmed as it began to fire, and perhaps armed for another time
            }

            extras.Armed = false;
            QueuedJob job = extras.Job;
            if (job.Is(JobFlags.Delayed))
            {
                job.Flags &= ~JobFlags.Delayed;
                _delayed--;
                _waiting++;
                if (job.Is(JobFlags.Head))
                {
                    extras.InOrder = (_heads ??= new()).AddFirst(extras);
                }
                else
                {
                    extras.RunBefore = _next; // behind all that came meanwhile
                    job.Flags |= JobFlags.Listed;
                    extras.InOrder = (_listed ??= new()).AddLast(extras);
                }
            }
            else
            {
                _done--;
                RemoveLocked(job, extras.Key, ref after);
                expired = job;
            }

            Settle(ref after);
        }

        if (expired is not null)
        {
            _system.Host.Log(new QueueEvent(
                QueueEventKind.Expired, this, extras.Key, expired, null, extras.ExpireAfter ?? default));
            expired.Recycle();
        }

        after.Do(this);
    }

    private void Arm(JobExtras extras, TimeSpan delay)
    {
        extras.Armed = true;
        _system.Timer.Add(extras, delay);
    }

    private void Disarm(JobExtras extras)
    {
        if (extras.Armed)
        {
            extras.Armed = false; // if it is firing already it finds this
            _system.Timer.Remove(extras);
        }
    }
}
