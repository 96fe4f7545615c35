using System.Diagnostics;
using FastJobs.Channels;
using FastJobs.Stats;

namespace FastJobs.Lanes;

/// <summary>How many jobs were handed in and how many are over.</summary>
internal interface IJobAccount
{
    long SubmittedJobs { get; }

    long FinishedJobs { get; }
}

/// <summary>
/// A queue plus a limit, served by a worker set: where the jobs of one class wait and run. Any thread may call.
/// </summary>
internal partial class Lane<TJob, TSlot, TOps> : IJobAccount
    where TSlot : struct, ISlot<TJob, TSlot>
    where TOps : struct, ILaneOps<TJob>
{
    private readonly Lock _capacityLock = new();
    private bool _isAdjusting; // guarded by it
    private bool _adjustAgain; // guarded by it
    private long _backlog;
    private volatile bool _isRelaxed;
    private long _waiting;
    private long _inlineStarted;
    private long _inlineFinished;
    private volatile bool _closed;
    private WorkerSetFigures _baseline;
    private readonly QuietWatch _idle;

    public Lane(WorkerSetSettings settings, long backlog)
    {
        _backlog = backlog;
        _baseline.Timestamp = Stopwatch.GetTimestamp();
        Workers = new WorkerSet<TJob, TSlot, TOps>(
            settings,
            new ChannelSettings<TJob> { Capacity = backlog == 0 ? long.MaxValue : backlog })
        {
            Owner = this,
        };
        Queue = Workers.Queue;
        _idle = new QuietWatch(IsIdle);
        AdjustCapacity();
    }

    public int Id => Workers.Settings.LaneId;

    public string Name => Workers.Settings.Name;

    public WorkerSet<TJob, TSlot, TOps> Workers { get; }

    public LaneQueue<TJob, TSlot> Queue { get; }

    /// <summary>How many jobs may wait; 0: any number.</summary>
    public long Backlog
    {
        get => Volatile.Read(ref _backlog);
        set
        {
            Volatile.Write(ref _backlog, value);
            AdjustCapacity();
        }
    }

    /// <summary>How many jobs may run at once; with 0 further ones run in their submitter.</summary>
    public int Limit
    {
        get => Workers.Limit;
        set
        {
            Workers.Limit = value;
            AdjustCapacity(); // a submitter that gathers jobs does not look at the limit
        }
    }

    /// <summary>Whether jobs of different submitters may start in any order. Has no effect while there is a backlog.</summary>
    public bool IsRelaxed
    {
        get => _isRelaxed;
        set
        {
            _isRelaxed = value;
            AdjustCapacity();
        }
    }

    /// <summary>Jobs that wait, those included that were taken off the queue and wait for something else.</summary>
    public long WaitingJobs => Math.Max(
        0, Queue.GatheredJobs + Queue.Count + Workers.HeldJobs + Volatile.Read(ref _waiting) + Workers.UrgentJobs);

    /// <summary>Counts jobs that left the queue and still wait; they count in the backlog.</summary>
    public void AddWaiting(int jobs)
    {
        Interlocked.Add(ref _waiting, jobs);
        if (Backlog != 0)
        {
            AdjustCapacity();
        }
    }

    /// <summary>
    /// Takes a job that waits in the queue out of the counts, and puts a tombstone in its place: docs/protocols.md#cancel.
    /// The job is compared, never looked into. False: it does not wait there.
    /// </summary>
    public bool TryCancelQueued(TJob job, TJob tombstone)
    {
        Queue.Gather();
        Workers.BarHands(true); // a hand has copies of jobs before it claims them, and would not see that one is replaced
        bool replaced = Queue.TryReplace(job, tombstone);
        Workers.BarHands(false);
        if (!replaced)
        {
            if (!Workers.TryRemoveUrgent(job))
            {
                return false;
            }

            Workers.CountCanceled();
            return true;
        }

        AddWaiting(-1); // its room is free at once
        Workers.CountCanceled();
        return true;
    }

    /// <summary>
    /// Brings the jobs that are gathered, or in workers' hands, where they can be seen: in the queue and before it. A lessee's are
    /// there; those that it submits next come by the engine.
    /// </summary>
    public void Settle()
    {
        Queue.EndLease();
        Queue.Gather();
        Workers.RecallHands();
    }

    /// <summary>A worker has claimed a tombstone, which counts nothing: it left the queue only now.</summary>
    public void ClaimTombstone() => AddWaiting(1);

    private void AdjustCapacity()
    {
        lock (_capacityLock) // what is computed last is set last
        {
            _adjustAgain = true;
            if (_isAdjusting)
            {
                return; // this thread, in the host's log function, which is called below: done by the loop that it came from
            }

            _isAdjusting = true;
            try
            {
                while (_adjustAgain)
                {
                    _adjustAgain = false;
                    Adjust();
                }
            }
            finally
            {
                _isAdjusting = false;
            }
        }
    }

    private void Adjust()
    {
        bool relaxed = _isRelaxed && Backlog == 0 && Limit > 0;
        Workers.HandUse = relaxed ? HandUse.Each : Backlog == 0 && Limit > 0 ? HandUse.One : HandUse.None;
        Queue.SetCapacity(
            Backlog != 0 ? Math.Max(0, Backlog - Volatile.Read(ref _waiting))
            : relaxed ? LaneQueue<TJob, TSlot>.Relaxed
            : long.MaxValue);
        Queue.AllowLeases(Backlog == 0 && Limit > 0 && !relaxed); // who has leased the tail looks at none of these
    }

    /// <summary>Jobs handed in since the lane was made.</summary>
    public long SubmittedJobs => Queue.GatheredJobs + Queue.EndPosition + Volatile.Read(ref _inlineStarted);

    /// <summary>Jobs that are over. Read before <see cref="SubmittedJobs"/>: equal means that nothing was in flight.</summary>
    public long FinishedJobs => Workers.FinishedJobs + Volatile.Read(ref _inlineFinished);

    /// <summary>A task with whether there was a moment at which no job of the lane waited or ran.</summary>
    public Task<bool> WhenIdleAsync(TimeSpan timeout, CancellationToken token) => _idle.WhenQuietAsync(timeout, token);

    /// <summary>As <see cref="WhenIdleAsync"/>; blocks.</summary>
    public bool WaitUntilIdle(int milliseconds) => _idle.WaitUntilQuiet(milliseconds);

    /// <summary>Called after a job was counted as finished.</summary>
    public void LookWhetherIdle() => _idle.Look();

    // Finished first: neither falls, so equal means that they were at the moment between the two.
    private bool IsIdle()
    {
        long finished = FinishedJobs;
        Interlocked.MemoryBarrier();
        return finished == SubmittedJobs;
    }

    /// <summary>The lane's figures since it was made or they were reset.</summary>
    public LaneFigures GetFigures()
    {
        WorkerSetFigures now = Workers.GetFigures();
        now.Jobs += Volatile.Read(ref _inlineFinished);
        lock (Workers)
        {
            return new LaneFigures(now, _baseline);
        }
    }

    public void ResetFigures()
    {
        WorkerSetFigures now = Workers.GetFigures();
        now.Jobs += Volatile.Read(ref _inlineFinished);
        lock (Workers)
        {
            _baseline = now;
        }
    }

    /// <summary>Refuses jobs from now on.</summary>
    public void Close()
    {
        _closed = true;
        Queue.Close();
    }

    /// <summary>Takes the queued jobs off and discards them. Returns how many there were.</summary>
    public long DiscardQueued()
    {
        long discarded = 0;
        while (Workers.TryTakeUrgent(out TJob? job, out _) || Queue.TryRead(out job))
        {
            TOps.Discard(job!);
            discarded++;
        }

        Workers.CountElsewhere(discarded);
        return discarded;
    }
}
