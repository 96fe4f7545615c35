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
        using (_lock.Hold())
        {
            return new QueueFigures(
                _jobs, _waiting, _delayed, _running + _lent - _leaving, _done, _concurrency, _paused, _deleting);
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
        var at = default(Visited);
        try
        {
            bool more;
            do
            {
                using (_lock.Hold())
                {
                    more = VisitSome(ref at, visit);
                    LeaveMark(ref at);
                }
            }
            while (between?.Invoke() != false && more);
        }
        finally
        {
            if (at.Mark is not null)
            {
                using (_lock.Hold())
                {
                    _ownOrder!.Remove(at.Mark);
                }
            }
        }
    }

    // How far a visit is: the next number, and the next job with an id of its own. While the lock is free a node without a
    // job stands before that one, which may go meanwhile.
    private struct Visited
    {
        public bool Began;
        public long Next;
        public LinkedListNode<JobExtras>? Own;
        public LinkedListNode<JobExtras>? Mark;
    }

    // Under the lock: the rest of a chunk with what is between its jobs, but not many of these. False: there are no more.
    private bool VisitSome(ref Visited at, JobVisitor visit)
    {
        if (!at.Began)
        {
            at.Began = true;
            at.Own = _ownOrder?.First;
        }
        else if (at.Mark is { } mark)
        {
            at.Own = mark.Next;
            _ownOrder!.Remove(mark);
            at.Mark = null;
        }

        JobTable.Chunk? chunk = _table.ChunkFrom(at.Next >> JobTable.ChunkShift);
        long start = chunk is null ? 0 : chunk.Index << JobTable.ChunkShift;
        long end = chunk is null ? long.MaxValue : start + chunk.Jobs.Length;
        at.Next = chunk is null ? long.MaxValue : Math.Max(at.Next, start);
        for (int own = 0; own < JobTable.ChunkLength;)
        {
            if (at.Own is { } node && (node.Value is null || node.Value.Before <= at.Next))
            {
                at.Own = node.Next;
                own++;
                if (node.Value is { } extras)
                {
                    visit(extras.Key, extras.Job);
                }
            }
            else if (at.Next >= end)
            {
                at.Next = start + JobTable.ChunkLength; // those that come yet are not waited for
                return chunk is not null;
            }
            else
            {
                if (chunk!.Jobs[at.Next - start] is { } job)
                {
                    visit(new JobKey(at.Next, null), job);
                }

                at.Next++;
            }
        }

        return true;
    }

    // Under the lock, which is about to be free.
    private void LeaveMark(ref Visited at)
    {
        if (at.Own is { } own)
        {
            at.Mark = _ownOrder!.AddBefore(own, (JobExtras)null!);
            at.Own = null;
        }
    }

    private List<JobKey> Keys()
    {
        List<JobKey> keys = [];
        VisitJobs((key, _) => keys.Add(key));
        return keys;
    }

    /// <summary>Whether there is such a job, and it is done.</summary>
    public bool IsDone(JobKey wanted)
    {
        using (_lock.Hold())
        {
            return FindLocked(wanted, out _) is { State: JobFlags.Done };
        }
    }

    /// <summary>Visits one job. False: there is none.</summary>
    public bool TryVisit(JobKey wanted, JobVisitor visit)
    {
        using (_lock.Hold())
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
        using (_lock.Hold())
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
        using (_lock.Hold())
        {
            if (!_gone && !_ended)
            {
                (_feeds ??= []).Add(feed);
            }

            var at = default(Visited);
            while (VisitSome(ref at, (key, job) =>
                {
                    if (job.State == JobFlags.Done)
                    {
                        feed.Add(key);
                    }
                }))
            {
            }

            if (_gone || _ended)
            {
                feed.End();
            }
        }
    }

    public void RemoveFeed(FinishedFeed feed)
    {
        using (_lock.Hold())
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
