using FastJobs.Parking;

namespace FastJobs.Queues;

/// <summary>
/// A named queue: its jobs, in which order they run, how many at once, and who waits for them. This part has the fields,
/// handing in, and what follows from a change; Tickets, Picking, Running, Waiting, Ending and Listing have the rest. Any thread.
/// docs/protocols.md#queued-job.
/// </summary>
/// <remarks>
/// One short lock guards all fields and those of the queue's jobs. Under it no user code runs, no thread that waits for a
/// job is woken and no ticket is handed to the workers: what a change asks for is noted in an <see cref="Aftermath"/> and
/// done after it. (The timer's thread may be woken or started under it, for jobs with a time.)
/// A ticket is the right of a worker to run jobs of this queue. Invariant, at every release of the lock: if a job could
/// run (one waits, the queue is not paused, fewer run than may) a ticket is out whose holder has yet to look.
/// </remarks>
internal sealed partial class QueueCore
{
    private ShortLock _lock;
    private readonly QueueSystem _system;
    private readonly JobTable _table = new();
    private Dictionary<string, JobExtras>? _own; // jobs with an id of their own
    private LinkedList<JobExtras>? _ownOrder; // the same, in the order of queueing
    private long _ownCount; // that there ever were
    private int _ownNumbers; // of them, those whose id looks like a number's
    private LinkedList<JobExtras>? _heads; // the last to come is the first to run
    private LinkedList<JobExtras>? _listed; // own ids, and jobs whose time has come: between the numbers, by Before
    private long _next; // the number of the next job
    private int _concurrency;
    private int _share; // of the threads' limit: at least the concurrency and what is out
    private int _running;
    private int _lent; // jobs that run and wait for a job of this queue: they do not count as running
    private int _leaving; // of the running: their job is over, and what the user wants called then is being called
    private int _tickets; // held by workers that look, or on their way: 0 or 1
    private long _jobs;
    private long _waiting; // could run
    private long _delayed;
    private long _done;
    private bool _paused;
    private bool _deleting;
    private bool _refusing;
    private bool _discarding;
    private bool _ended;
    private bool _leftRunning; // and whoever waits for a job that runs is told when it ends
    private bool _abandoned;
    private bool _holdsQuiet; // jobs wait and no ticket speaks for them
    private volatile bool _gone;
    private JobWaiter? _anyWaiters;
    private List<FinishedFeed>? _feeds;

    public QueueCore(QueueSystem system, string name, string description, int concurrency, long order)
    {
        _system = system;
        Name = name;
        Description = description;
        Order = order;
        _concurrency = _share = concurrency;
    }

    public string Name { get; }

    public string Description { get; }

    /// <summary>Queues are listed by it.</summary>
    public long Order { get; }

    public QueueSystem System => _system;

    /// <summary>What a door shows of the queue to its users.</summary>
    public object? Facade;

    /// <summary>It was deleted, and its last job is gone.</summary>
    public bool IsGone => _gone;

    /// <summary>How many jobs run at once; takes effect at once, or as jobs end.</summary>
    public int Concurrency
    {
        get => Volatile.Read(ref _concurrency);
        set
        {
            Aftermath after = default;
            using (_lock.Hold())
            {
                _concurrency = value;
                Settle(ref after);
            }

            after.Do(this);
        }
    }

    /// <summary>Hands in a job that runs after those that came before, and gives it the next number.</summary>
    public QueueStatus Enqueue(QueuedJob job, bool detached, out JobKey key)
    {
        Aftermath after = default;
        long now = CoarseClock.Milliseconds;
        using (_lock.Hold())
        {
            if (_refusing)
            {
                key = default;
                return QueueStatus.Refused;
            }

            long number = TakeNumber();
            key = new JobKey(number, null);
            job.Flags |= detached ? JobFlags.Detached : 0;
            job.Since = now;
            _table.Add(number, job, plain: true);
            _jobs++;
            _waiting++;
            if (StartsNone || (_tickets == 0 && _running < _concurrency))
            {
                Settle(ref after); // all that one more in the order can change
            }
        }

        after.Do(this);
        return QueueStatus.Ok;
    }

    /// <summary>Hands in a job that is more than that.</summary>
    public QueueStatus Enqueue(QueuedJob job, in Placement placement, out JobKey key)
    {
        Aftermath after = default;
        long now = CoarseClock.Milliseconds;
        using (_lock.Hold())
        {
            key = default;
            if (_refusing)
            {
                return QueueStatus.Refused;
            }

            if (placement.Id is { Length: > 0 } id)
            {
                if (FindLocked(new JobKey(JobKey.NumberIn(id), id), out _) is not null)
                {
                    return QueueStatus.JobExists;
                }

                key = new JobKey(-1, id);
            }
            else
            {
                key = new JobKey(TakeNumber(), null);
            }

            var extras = new JobExtras
            {
                Queue = this,
                Job = job,
                Number = key.Number,
                Id = key.Id,
                Before = _next,
                RunBefore = _next,
                Retry = placement.Retry,
                ExpireAfter = placement.ExpireAfter,
            };
            job.Flags |= placement.Detached ? JobFlags.Detached : 0;
            job.Since = now;
            job.AttachExtras(extras);
            AddLocked(job, extras, placement);
            Settle(ref after);
        }

        after.Do(this);
        return QueueStatus.Ok;
    }

    private void AddLocked(QueuedJob job, JobExtras extras, in Placement placement)
    {
        bool delayed = placement.Delay > TimeSpan.Zero;
        bool plain = !delayed && !placement.Head && extras.Id is null;
        _jobs++;
        if (extras.Id is { } id)
        {
            AddOwn(id, extras);
        }
        else
        {
            _table.Add(extras.Number, job, plain);
        }

        if (delayed)
        {
            job.Flags |= JobFlags.Delayed | (placement.Head ? JobFlags.Head : 0);
            _delayed++;
            Arm(extras, placement.Delay);
            return;
        }

        _waiting++;
        if (placement.Head)
        {
            job.Flags |= JobFlags.Head;
            extras.InOrder = (_heads ??= new()).AddFirst(extras);
        }
        else if (!plain)
        {
            job.Flags |= JobFlags.Listed;
            extras.InOrder = (_listed ??= new()).AddLast(extras);
        }
    }

    // After the deadline of a stop none may start in the place of those that are cancelled.
    private bool StartsNone => _paused || _discarding;

    // Makes the invariants true again. Last under the lock, after every change of what they depend on.
    private void Settle(ref Aftermath after)
    {
        if (_waiting > 0 && _tickets == 0 && _running < _concurrency && !StartsNone)
        {
            _tickets = 1;
            _system.Begin();
            after.WriteTicket();
        }

        if (_share != _concurrency || _tickets + _running + _lent > _share || _gone)
        {
            SettleShare(ref after);
        }

        if ((_delayed > 0 || (StartsNone && _waiting > 0)) != _holdsQuiet)
        {
            SettleQuiet(ref after);
        }
    }

    private void SettleShare(ref Aftermath after)
    {
        int share = Math.Max(_gone ? 0 : _concurrency, _tickets + _running + _lent);
        if (share != _share)
        {
            after.ChangeLimit(share - _share);
            _share = share;
        }
    }

    private void SettleQuiet(ref Aftermath after)
    {
        _holdsQuiet = !_holdsQuiet;
        if (_holdsQuiet)
        {
            _system.Begin();
        }
        else
        {
            // What it stood for has a ticket by now, or is over.
            _system.Over();
            after.LookForQuiet();
        }
    }
}
