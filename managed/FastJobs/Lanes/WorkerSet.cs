global using SharedQueue = FastJobs.Lanes.LaneQueue<FastJobs.Lanes.Worker, FastJobs.Channels.ReferenceSlot<FastJobs.Lanes.Worker>>;

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
    private int _control;
    private int _limit;
    private int _claimers;
    private int _held;
    private int _numbers;
    private int _recycled; // workers that were asked to end after the job in hand and have not come by yet
    private bool _deferred;
    private bool _ending;

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
        get => Volatile.Read(ref _deferred);
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
    private void UpdateControl()
    {
        int control = (_claimers > Allowed ? OverLimit : 0) | (_ending ? Ending : 0) | (_recycled > 0 ? Recycling : 0);
        Volatile.Write(ref _control, control);
        if (control != 0)
        {
            RecallHands(before: long.MaxValue); // a worker that has one looks at nothing else
        }
    }

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
                Queue.EndLease(); // whoever has it would not try again to wake somebody
            }
        }

        Queue.SetSleepers(CanAddClaimer);
        return added;
    }
}
