using System.Diagnostics;

namespace FastJobs.Lanes;

/// <summary>What a worker set counts, and how a look at it sees that nothing is in flight.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    // Figures of workers that are gone, and jobs that ended outside of any worker.
    private long _pastJobs;
    private long _canceledJobs; // among them
    private long _pastBusyTicks;

    /// <summary>Jobs that are over. Read before the queue's end, an equal end means that nothing was in flight.</summary>
    public long FinishedJobs
    {
        get
        {
            lock (_lock)
            {
                long sum = _pastJobs;
                foreach (Worker worker in _workers)
                {
                    sum += worker.Jobs;
                }

                return sum;
            }
        }
    }

    /// <summary>Counts a job that ended outside of the workers, so that the set is seen to be quiet.</summary>
    public void CountElsewhere(long jobs = 1)
    {
        lock (_lock)
        {
            _pastJobs += jobs;
        }

        Idled?.Invoke();
    }

    /// <summary>Counts a job that was cancelled while it waited: it is over, and has not run.</summary>
    public void CountCanceled()
    {
        lock (_lock)
        {
            _pastJobs++;
            _canceledJobs++;
        }

        Idled?.Invoke();
    }

    /// <summary>A snapshot of the figures; consistent for each worker, not between them.</summary>
    public WorkerSetFigures GetFigures()
    {
        long now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            var figures = new WorkerSetFigures
            {
                Threads = Shared is null ? _workers.Count : _claimers,
                Jobs = _pastJobs - _canceledJobs,
                BusyTicks = _pastBusyTicks,
                Held = _held,
                Limit = _limit,
                Timestamp = now,
            };
            foreach (Worker worker in _workers)
            {
                figures.Jobs += worker.Jobs;
                figures.BusyTicks += worker.BusyTicks(now);
                figures.ActiveThreads += worker.IsBusy ? 1 : 0;
            }

            return figures;
        }
    }

    /// <summary>Calls <paramref name="visit"/> for every worker. Under the lock: must be short.</summary>
    public void VisitWorkers(Action<Worker> visit)
    {
        lock (_lock)
        {
            foreach (Worker worker in _workers)
            {
                visit(worker);
            }
        }
    }
}

/// <summary>Raw figures of a worker set since it was made.</summary>
internal struct WorkerSetFigures
{
    public int Threads;
    public int ActiveThreads;
    public int Held;
    public int Limit;
    public long Jobs;
    public long BusyTicks;
    public long Timestamp;
}
