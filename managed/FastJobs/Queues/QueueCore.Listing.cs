namespace FastJobs.Queues;

/// <summary>Looks at a job; under its queue's lock, so it must be short and call nobody.</summary>
internal delegate void JobVisitor(JobKey key, QueuedJob job);

/// <summary>Figures of a queue at one moment.</summary>
internal readonly record struct QueueFigures(
    long Jobs, long Waiting, long Delayed, long Running, long Done, int Concurrency, bool Paused, bool Deleting);

/// <summary>Looking at the queue's jobs and figures; what a running job says of itself.</summary>
internal sealed partial class QueueCore
{
    public QueueFigures GetFigures()
    {
        lock (_lock)
        {
            return new QueueFigures(
                _jobs, _waiting, _delayed, _running + _lent, _done, _concurrency, _paused, _deleting);
        }
    }

    /// <summary>
    /// Visits every job in the order of queueing. A long queue is gone through piece by piece, so that it is not held up:
    /// each job is seen whole, but not all at the same moment.
    /// </summary>
    /// <param name="visit">Under the lock.</param>
    /// <param name="between">Called under no lock after each piece; false: that is enough.</param>
    public void VisitJobs(JobVisitor visit, Func<bool>? between = null)
    {
        Position at = new() { OwnOrder = -1 };
        bool more;
        do
        {
            lock (_lock)
            {
                more = VisitSome(ref at, visit, JobTable.ChunkLength);
            }
        }
        while (between?.Invoke() != false && more);
    }

    // Where a listing stands, so that it can go on after the lock was free.
    private struct Position
    {
        public long Next; // the number
        public LinkedListNode<JobExtras>? Own; // the last of those with an id of their own
        public long OwnOrder;
    }

    // Under the lock. False: there are no more.
    private bool VisitSome(ref Position at, JobVisitor visit, int most)
    {
        LinkedListNode<JobExtras>? own = OwnAfter(at);
        for (JobTable.Chunk? chunk = _table.ChunkFrom(at.Next >> JobTable.ChunkShift); chunk is not null; chunk = chunk.Next)
        {
            long start = chunk.Index << JobTable.ChunkShift;
            for (int place = (int)Math.Max(0, at.Next - start); place < chunk.Jobs.Length; place++)
            {
                if (chunk.Jobs[place] is not { } job)
                {
                    continue;
                }

                if (!VisitOwn(start + place, ref own, ref at, visit, ref most) || most-- == 0)
                {
                    return true;
                }

                visit(new JobKey(start + place, null), job);
                at.Next = start + place + 1;
            }
        }

        return !VisitOwn(long.MaxValue, ref own, ref at, visit, ref most);
    }

    private LinkedListNode<JobExtras>? OwnAfter(in Position at)
    {
        if (at.Own is { List: not null } there)
        {
            return there.Next;
        }

        LinkedListNode<JobExtras>? own = _ownOrder?.First; // that one has gone: they are in order
        while (own is not null && own.Value.OwnOrder <= at.OwnOrder)
        {
            own = own.Next;
        }

        return own;
    }

    // Visits those that were queued before the job of a number. False: enough for one hold of the lock.
    private static bool VisitOwn(
        long before, ref LinkedListNode<JobExtras>? own, ref Position at, JobVisitor visit, ref int most)
    {
        for (; own is not null && own.Value.Before <= before; own = own.Next)
        {
            if (most-- == 0)
            {
                return false;
            }

            visit(own.Value.Key, own.Value.Job);
            at.Own = own;
            at.OwnOrder = own.Value.OwnOrder;
        }

        return true;
    }

    private List<JobKey> Keys()
    {
        List<JobKey> keys = [];
        VisitJobs((key, _) => keys.Add(key));
        return keys;
    }

    /// <summary>Visits one job. False: there is none.</summary>
    public bool TryVisit(JobKey wanted, JobVisitor visit)
    {
        lock (_lock)
        {
            if (FindLocked(wanted, out JobKey key) is not { } job)
            {
                return false;
            }

            visit(key, job);
            return true;
        }
    }

    /// <summary>
    /// Does something to the extras of a job, which are made if it has none. Under the lock. False: there is no such job,
    /// or it is done.
    /// </summary>
    public bool WithExtras<TState>(JobKey wanted, ref TState state, ExtrasAction<TState> act)
        where TState : allows ref struct
    {
        lock (_lock)
        {
            if (FindLocked(wanted, out JobKey key) is not { } job || job.State == JobFlags.Done || job.Is(JobFlags.Canceling) && job.State == 0)
            {
                return false;
            }

            act(job.NeedExtras(this, key.Number), job, ref state);
            return true;
        }
    }

    /// <summary>Tells the feed of every job that is done or gets done.</summary>
    public void AddFeed(FinishedFeed feed)
    {
        lock (_lock)
        {
            if (!_gone && !_ended)
            {
                (_feeds ??= []).Add(feed);
            }

            Position at = new() { OwnOrder = -1 };
            VisitSome(
                ref at,
                (key, job) =>
                {
                    if (job.State == JobFlags.Done)
                    {
                        feed.Add(key);
                    }
                },
                int.MaxValue);
            if (_gone || _ended)
            {
                feed.End();
            }
        }
    }

    public void RemoveFeed(FinishedFeed feed)
    {
        lock (_lock)
        {
            if (_feeds is { } feeds && feeds.Remove(feed) && feeds.Count == 0)
            {
                _feeds = null;
            }
        }
    }
}

/// <summary>See <see cref="QueueCore.WithExtras"/>.</summary>
internal delegate void ExtrasAction<TState>(JobExtras extras, QueuedJob job, ref TState state)
    where TState : allows ref struct;
