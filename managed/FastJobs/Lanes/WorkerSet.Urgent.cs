using System.Runtime.CompilerServices;

namespace FastJobs.Lanes;

/// <summary>
/// Jobs that left the queue and wait again, before all of it: those that have got a slot, those that were recalled from hands, and
/// those that a worker put back because its set was deferred. docs/protocols.md#wake.
/// </summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    private readonly WaitingRing<TJob> _urgent = new();
    private int _urgentCount;
    private long _urgentPushed;

    /// <summary>Jobs that wait before all others.</summary>
    public int UrgentJobs => Volatile.Read(ref _urgentCount);

    /// <summary>Urgent jobs since the set was made: how a cancel sees that one came while it looked.</summary>
    public long UrgentPushed => Volatile.Read(ref _urgentPushed);

    /// <summary>Calls <paramref name="visit"/> for the next few of them, with the time of their submit; none can be taken
    /// meanwhile. Under the lock: must be short. False: there are no more.</summary>
    public bool VisitSomeUrgent(ref long next, Action<TJob, long> visit)
    {
        const int JobsAtOnce = 64;
        lock (_lock)
        {
            next = Math.Max(next, _urgent.First);
            long stop = Math.Min(_urgent.End, next + JobsAtOnce);
            for (; next < stop; next++)
            {
                if (_urgent.TryGet(next, out TJob? job, out long submittedAt))
                {
                    visit(job!, submittedAt);
                }
            }

            return next < _urgent.End;
        }
    }

    /// <summary>Takes an urgent job out. False: it is not among them.</summary>
    public bool TryRemoveUrgent(TJob job)
    {
        lock (_lock)
        {
            for (long number = _urgent.First; number < _urgent.End; number++)
            {
                if (_urgent.TryGet(number, out TJob? found, out _) && EqualityComparer<TJob>.Default.Equals(found, job))
                {
                    _urgent.Remove(number);
                    Interlocked.Decrement(ref _urgentCount);
                    SettleHold();
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Puts a job before all others of the queue; it keeps its place in the counts.</summary>
    public void PushUrgent(TJob job, long submittedAt)
    {
        lock (_lock)
        {
            _urgent.Enqueue(job, submittedAt);
            Volatile.Write(ref _urgentPushed, _urgentPushed + 1);
            Interlocked.Increment(ref _urgentCount); // full fence: pairs with EndSearch, before the look at searchers
            RecallHands(before: long.MaxValue); // it comes before their jobs too
        }

        Wake();
    }

    private bool TryTakeUrgent(Worker worker, out TJob? job)
    {
        worker.Position = Worker.NoPosition;
        return TryTakeUrgent(out job, out worker.SubmittedAt);
    }

    /// <summary>Takes the first of the urgent jobs.</summary>
    public bool TryTakeUrgent(out TJob? job, out long submittedAt)
    {
        lock (_lock)
        {
            if (!_urgent.TryDequeue(out job, out submittedAt))
            {
                return false;
            }

            Interlocked.Decrement(ref _urgentCount);
            SettleHold();
            return true;
        }
    }

    // A worker that has claimed a job while the set was deferred: the job waits again, before all others. Where the limit has
    // only become smaller, the job is one of those that may just start: putting it back could let a later one overtake it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryPutBack(Worker worker, TJob job)
    {
        lock (_lock)
        {
            if (!_deferred)
            {
                return false;
            }

            _urgent.PutFirst(job, SubmittedAt(worker), worker.Position);
            Volatile.Write(ref _urgentPushed, _urgentPushed + 1);
            Interlocked.Increment(ref _urgentCount); // the checkpoint wakes whoever may take it
            return true;
        }
    }

    /// <summary>About when the job that a worker has taken last was submitted, in Stopwatch ticks. For that worker.</summary>
    public long SubmittedAt(Worker worker) =>
        worker.Position == Worker.NoPosition ? worker.SubmittedAt : Queue.SubmittedAt(worker.Position);

    // Under the lock.
    private void PutBefore(ReadOnlySpan<TJob> jobs, long position)
    {
        foreach (TJob job in jobs)
        {
            _urgent.Enqueue(job, Queue.SubmittedAt(position));
        }

        Volatile.Write(ref _urgentPushed, _urgentPushed + jobs.Length);
        Interlocked.Add(ref _urgentCount, jobs.Length); // full fence: as in PushUrgent
    }
}
