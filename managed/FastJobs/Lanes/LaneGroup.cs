using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>
/// The lanes of one engine, by job class and by name. Finding a lane takes no lock; adding one does. Lanes are never
/// removed, so a job class means the same lane for the life of the engine.
/// </summary>
internal sealed class LaneGroup<TJob, TSlot, TOps>
    where TSlot : struct, ISlot<TJob, TSlot>
    where TOps : struct, ILaneOps<TJob>
{
    private readonly Lock _lock = new();
    private readonly QuietWatch _quiet;
    private readonly Func<WorkerSetSettings, long, Lane<TJob, TSlot, TOps>> _create;
    private readonly List<WorkerSet<Worker, ReferenceSlot<Worker>, GuestOps<TJob, TOps>>> _shared = [];
    private readonly AgeTicker _ages;
    private Lane<TJob, TSlot, TOps>[] _lanes = [];
    private IJobAccount[] _others = [];
    private int _ownJobs;
    private bool _closed;

    /// <param name="create">Makes a lane with the settings and the backlog.</param>
    public LaneGroup(Func<WorkerSetSettings, long, Lane<TJob, TSlot, TOps>> create)
    {
        _create = create;
        _quiet = new QuietWatch(IsQuiet);
        _ages = new AgeTicker(static () => TOps.BeforeThreadStart(), static () => TOps.AfterThreadStart());
    }

    public ReadOnlySpan<Lane<TJob, TSlot, TOps>> Lanes => Volatile.Read(ref _lanes);

    /// <summary>Called, not under a lock, with the name of a thread that could not be started, and why.</summary>
    public Action<string, Exception>? ThreadMissing { get; set; }

    /// <summary>The lane of a job class, or null.</summary>
    public Lane<TJob, TSlot, TOps>? Find(int id)
    {
        Lane<TJob, TSlot, TOps>[] lanes = Volatile.Read(ref _lanes);
        return (uint)id < (uint)lanes.Length ? lanes[id] : null;
    }

    /// <summary>The lane with this name, whatever the case of its letters, or null.</summary>
    public Lane<TJob, TSlot, TOps>? Find(string name)
    {
        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            if (string.Equals(lane.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return lane;
            }
        }

        return null;
    }

    /// <summary>Adds the lanes that every engine has.</summary>
    public void AddPredefined()
    {
        foreach ((string name, int concurrency, int backlog) in PredefinedLanes.All)
        {
            TryAdd(id => new WorkerSetSettings { Name = name, LaneId = id, Limit = concurrency }, backlog, out _);
        }
    }

    /// <summary>Adds a lane; its job class is the next number. False: the name is taken, by the lane that is returned.</summary>
    public bool TryAdd(Func<int, WorkerSetSettings> settings, long backlog, out Lane<TJob, TSlot, TOps> lane)
    {
        lock (_lock)
        {
            WorkerSetSettings made = settings(_lanes.Length);
            if (Find(made.Name) is { } taken)
            {
                lane = taken;
                return false;
            }

            lane = _create(made, backlog);
            lane.Workers.Idled = (Action)lane.LookWhetherIdle + _quiet.Look;
            lane.Workers.ThreadMissing = (thread, error) => ThreadMissing?.Invoke(thread, error);
            lane.Queue.KeepAges(_ages);
            if (_closed)
            {
                lane.Close();
            }

            Volatile.Write(ref _lanes, [.. _lanes, lane]);
            return true;
        }
    }

    /// <summary>Adds threads that lanes can share: <see cref="WorkerSetSettings.Shared"/>. They end with the group.</summary>
    public WorkerSet<Worker, ReferenceSlot<Worker>, GuestOps<TJob, TOps>> AddShared(WorkerSetSettings settings)
    {
        var set = new WorkerSet<Worker, ReferenceSlot<Worker>, GuestOps<TJob, TOps>>(settings, new ChannelSettings<Worker>());
        lock (_lock)
        {
            _shared.Add(set);
        }

        return set;
    }

    /// <summary>Makes "nothing is in flight" include another lane, one that has no job class of this group.</summary>
    public void Include(Lane<TJob, TSlot, TOps> other)
    {
        Include((IJobAccount)other);
        other.Workers.Idled = _quiet.Look;
    }

    /// <summary>As above, for what is not a lane; whoever ends a job there calls <see cref="Look"/>.</summary>
    public void Include(IJobAccount other)
    {
        lock (_lock)
        {
            Volatile.Write(ref _others, [.. _others, other]);
        }
    }

    /// <summary>Starts deferred lanes and completes when all that was queued, and what that submitted, has run.</summary>
    /// <param name="ownJobs">How many jobs in flight are the caller's own, for which it cannot wait.</param>
    public Task DrainAsync(int ownJobs = 0)
    {
        Volatile.Write(ref _ownJobs, ownJobs);
        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            lane.Workers.Deferred = false;
        }

        return _quiet.WhenQuiet();
    }

    /// <summary>Looks again whether all is quiet; for jobs that end where no lane sees it.</summary>
    public void Look() => _quiet.Look();

    /// <summary>Refuses jobs from now on, in lanes that are yet to be added too.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
            {
                lane.Close();
            }
        }
    }

    /// <summary>Ends all workers after the jobs in hand; returns their threads.</summary>
    public List<Thread> End()
    {
        var threads = new List<Thread>();
        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            threads.AddRange(lane.Workers.End());
        }

        // After the lanes: what lends a lane's worker its thread now finds that the lane ends.
        lock (_lock)
        {
            foreach (var set in _shared)
            {
                threads.AddRange(set.End());
            }
        }

        if (_ages.End() is { } ticker)
        {
            threads.Add(ticker);
        }

        return threads;
    }

    /// <summary>Jobs that were handed in and are not over.</summary>
    public long JobsInFlight()
    {
        long inFlight = 0;
        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            long submitted = lane.SubmittedJobs;
            inFlight += Math.Max(0, submitted - lane.FinishedJobs);
        }

        return inFlight;
    }

    // All finished counts are read before all submitted counts, and no account's finished exceeds its submitted. So if the
    // sums are equal, all accounts were at the moment between the two passes: nothing was in flight then.
    private bool IsQuiet()
    {
        IJobAccount[] others = Volatile.Read(ref _others);
        long finished = Volatile.Read(ref _ownJobs);
        foreach (IJobAccount account in others)
        {
            finished += account.FinishedJobs;
        }

        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            finished += lane.FinishedJobs;
        }

        Interlocked.MemoryBarrier(); // the passes do not mix
        long submitted = 0;
        foreach (IJobAccount account in others)
        {
            submitted += account.SubmittedJobs;
        }

        foreach (Lane<TJob, TSlot, TOps> lane in Lanes)
        {
            submitted += lane.SubmittedJobs;
        }

        return finished == submitted;
    }
}
