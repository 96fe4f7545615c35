global using SharedQueue = FastJobs.Lanes.LaneQueue<FastJobs.Lanes.Worker, FastJobs.Channels.ReferenceSlot<FastJobs.Lanes.Worker>>;

using System.Diagnostics;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>
/// The workers that serve one queue: how many there may be, which of them sleep, and who is woken when. Called by its
/// lane and by its own workers. docs/protocols.md#wake.
/// </summary>
/// <remarks>
/// A claimer is a worker that may take jobs: it runs one or searches. Invariants, at every release of the lock: the
/// tail's Sleepers flag is set exactly if <see cref="CanAddClaimer"/>; the control word is non-zero if some claimer has to
/// stop (too many for the limit, or the set ends). A claim itself takes no lock.
/// </remarks>
internal sealed partial class WorkerSet<TJob, TSlot, TOps> : ISleepers, IWorkerHost
    where TSlot : struct, ISlot<TJob, TSlot>
    where TOps : struct, IJobOps<TJob>
{
    private const int OverLimit = 1;
    private const int Ending = 2;
    private const int Recycling = 4;

    private readonly Lock _lock = new();
    private readonly List<Worker> _workers = [];
    private readonly List<Worker> _parked = []; // the last to park is the first to be woken: its caches are warm
    private readonly WaitingRing<TJob> _urgent = new();
    private int _urgentCount;
    private long _urgentPushed;
    private int _control;
    private int _limit;
    private int _claimers;
    private int _held;
    private int _numbers;
    private int _recycled; // workers that were asked to end after the job in hand and have not come by yet
    private bool _deferred;
    private bool _ending;

    // Figures of workers that are gone, and jobs that ended outside of any worker.
    private long _pastJobs;
    private long _canceledJobs; // among them
    private long _pastBusyTicks;

    public WorkerSet(WorkerSetSettings settings, ChannelSettings<TJob> queueSettings)
    {
        Settings = settings;
        _limit = settings.Limit;
        Queue = new LaneQueue<TJob, TSlot>(queueSettings, this, mayBeTakenSoon: settings.Shared is null) { LaneId = settings.LaneId };
        lock (_lock)
        {
            Rebalance();
        }
    }

    public WorkerSetSettings Settings { get; }

    public LaneQueue<TJob, TSlot> Queue { get; }

    public int LaneId => Settings.LaneId;

    public object? Owner { get; init; }

    public SharedQueue? Shared => Settings.Shared;

    /// <summary>How many jobs may run at once; with 0 what is queued still runs, one job at a time.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set
        {
            lock (_lock)
            {
                Volatile.Write(ref _limit, value);
                Rebalance();
            }

            TellOfMissingThread();
        }
    }

    /// <summary>While true no job starts.</summary>
    public bool Deferred
    {
        get => _deferred;
        set
        {
            lock (_lock)
            {
                _deferred = value;
                Rebalance();
            }

            TellOfMissingThread();
        }
    }

    /// <summary>Whether the set has threads now or had some before.</summary>
    public bool HasSpunUp => Volatile.Read(ref _numbers) > 0;

    /// <summary>Called, not under a lock, when a worker has run out of work or a job has ended elsewhere.</summary>
    public Action? Idled { get; set; }

    /// <summary>
    /// Called, not under a lock, with the name of a thread that could not be started, and why. Once until one can be again.
    /// </summary>
    public Action<string, Exception>? ThreadMissing { get; set; }

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

    private int Allowed => _deferred ? 0 : Math.Max(0, Math.Max(_limit, 1) - _held);

    private bool CanAddClaimer => !_ending && _claimers < Allowed;

    /// <summary>A job was published and nobody was searching: wakes or starts a worker, if that is still so.</summary>
    public void Wake()
    {
        Worker? sleeper;
        lock (_lock)
        {
            if (!CanAddClaimer || Queue.HasSearchers)
            {
                Queue.SetSleepers(CanAddClaimer);
                return;
            }

            TryAddClaimer(out sleeper);
        }

        Unpark(sleeper);
        TellOfMissingThread();
    }

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
        }

        Wake();
    }

    public void Hold()
    {
        lock (_lock)
        {
            // Nobody is woken: the calling worker is a claimer and looks for the next job itself, here or by way of its
            // checkpoint. If it woke one for each job that it starts, a thousand pending jobs would cost a thousand threads.
            _held++;
            UpdateControl();
            Queue.SetSleepers(CanAddClaimer);
        }
    }

    public void Release()
    {
        lock (_lock)
        {
            _held--;
            _pastJobs++;
            Rebalance();
        }

        Idled?.Invoke();
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

    /// <summary>A job ended its worker's thread: another one takes its place.</summary>
    /// <returns>The worker, for what its job has to give back.</returns>
    public Worker? OnWorkerKilled(int number)
    {
        Worker? worker;
        lock (_lock)
        {
            worker = _workers.Find(worker => worker.Number == number);
            if (worker is null)
            {
                return null;
            }

            worker.BecomeIdle();
            worker.CountJob();
            _claimers--;
            if (worker.EndRequested)
            {
                _recycled--; // it was to end anyway, and cannot come by any more
            }

            Forget(worker);
            Rebalance();
        }

        RecallHands(); // its own may have jobs
        TellOfMissingThread();
        Idled?.Invoke();
        return worker.Guest is { } guest ? guest.Host.OnWorkerKilled(guest.Number) : worker;
    }

    /// <summary>
    /// Ends the thread of a worker after the job in hand, which calls this; if more jobs wait another one takes its place.
    /// </summary>
    public void Recycle(Worker worker)
    {
        lock (_lock)
        {
            if (!worker.EndRequested)
            {
                worker.EndRequested = true;
                _recycled++;
                UpdateControl();
            }
        }
    }

    // Under the lock.
    private void UpdateControl() =>
        Volatile.Write(
            ref _control,
            (_claimers > Allowed ? OverLimit : 0) | (_ending ? Ending : 0) | (_recycled > 0 ? Recycling : 0));

    // Makes the invariants true again after a change of what they depend on. Under the lock.
    private void Rebalance()
    {
        UpdateControl();
        while (Queue.SetSleepers(CanAddClaimer) || (CanAddClaimer && _urgentCount > 0 && !Queue.HasSearchers))
        {
            // Jobs wait and nobody searches. One is enough: it wakes the next when it has found a job.
            if (!TryAddClaimer(out Worker? sleeper))
            {
                return;
            }

            Unpark(sleeper);
        }
    }

    // Under the lock: adds a claimer, a sleeper that the caller unparks or a new thread. It counts as a searcher from now
    // on, so that one submit wakes one worker. False: there is no thread to be had. The job stays queued then: the next
    // submit tries again, and so does whichever worker of the set runs out of work.
    private bool TryAddClaimer(out Worker? sleeper)
    {
        _claimers++;
        Queue.AddSearcher();
        bool added = true;
        if (_parked.Count > 0)
        {
            sleeper = _parked[^1];
            _parked.RemoveAt(_parked.Count - 1);
        }
        else if (Shared is not null)
        {
            sleeper = new Worker(this, ++_numbers, ownsThread: false);
            _workers.Add(sleeper);
        }
        else
        {
            sleeper = null;
            if (!TryStartWorker())
            {
                added = false;
                _claimers--;
                Queue.EndSearch();
            }
        }

        Queue.SetSleepers(CanAddClaimer);
        return added;
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

/// <summary>What a worker set is told when it is made; what is settable may change while it runs.</summary>
internal sealed class WorkerSetSettings
{
    public required string Name { get; init; }

    public required int LaneId { get; init; }

    public required int Limit { get; init; }

    /// <summary>The queue of the set whose threads are used; null: the set has its own.</summary>
    public SharedQueue? Shared { get; init; }

    /// <summary>Bytes; 0 means the system's default. For threads started after a change.</summary>
    public int StackSize { get; set; }

    /// <summary>How long an idle worker stays; -1 for ever, 0 not at all.</summary>
    public int IdleTimeoutMilliseconds { get; set; } = -1;

    /// <summary>
    /// A worker that searches does not offer its core meanwhile. Where jobs are handed from worker to worker one by one, as in
    /// a named queue, that costs a quarter of the throughput.
    /// </summary>
    public bool KeepsCore { get; init; }

    /// <summary>Called in a worker's thread, first and last. Must not throw.</summary>
    public Action? OnWorkerStart { get; init; }

    public Action? OnWorkerExit { get; init; }
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
