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
        long index = 0;
        while (true)
        {
            using (_lock.Hold())
            {
                JobTable.Chunk? chunk = _table.ChunkFrom(index);
                if (_ownOrder?.First is not null && index == 0)
                {
                    VisitAll(chunk, visit); // between the numbers, which cannot be found again after the lock was free
                    index = long.MaxValue;
                }
                else if (chunk is null)
                {
                    return;
                }
                else
                {
                    index = chunk.Index + 1;
                    LinkedListNode<JobExtras>? none = null;
                    VisitChunk(chunk, ref none, visit);
                }
            }

            if (between?.Invoke() == false || index == long.MaxValue)
            {
                return;
            }
        }
    }

    private void VisitAll(JobTable.Chunk? chunk, JobVisitor visit)
    {
        LinkedListNode<JobExtras>? own = _ownOrder?.First;
        for (; chunk is not null; chunk = chunk.Next)
        {
            VisitChunk(chunk, ref own, visit);
        }

        VisitOwn(long.MaxValue, ref own, visit);
    }

    private static void VisitChunk(JobTable.Chunk chunk, ref LinkedListNode<JobExtras>? own, JobVisitor visit)
    {
        long start = chunk.Index << JobTable.ChunkShift;
        for (int place = 0; place < chunk.Jobs.Length; place++)
        {
            if (chunk.Jobs[place] is { } job)
            {
                VisitOwn(start + place, ref own, visit);
                visit(new JobKey(start + place, null), job);
            }
        }
    }

    private static void VisitOwn(long before, ref LinkedListNode<JobExtras>? own, JobVisitor visit)
    {
        for (; own is not null && own.Value.Before <= before; own = own.Next)
        {
            visit(own.Value.Key, own.Value.Job);
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

            VisitAll(_table.ChunkFrom(0), (key, job) =>
            {
                if (job.State == JobFlags.Done)
                {
                    feed.Add(key);
                }
            });
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
