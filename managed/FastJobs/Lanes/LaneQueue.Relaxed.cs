using System.Diagnostics;
using System.Runtime.CompilerServices;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>
/// A queue whose owner has given up order between submitters: while it is deep, threads that submit gather jobs in outboxes, and
/// one add takes the positions of all of them. docs/protocols.md#outbox.
/// </summary>
internal sealed partial class LaneQueue<TJob, TSlot>
{
    /// <summary>The capacity of a queue without a limit and without order between submitters.</summary>
    public const long Relaxed = long.MaxValue - 1;

    // As long as so many jobs wait, nobody starves because some more are on their way.
    private const int Deep = 256;

    // A submitter looks for what others have left in their outboxes once in so many positions.
    private const int PositionsALook = 512;

    private readonly Lock _collectingLock = new(); // taken within an outbox's lock; takes none itself
    private readonly List<Outbox<TJob, TSlot>> _collecting = [];
    private int _collectingCount;
    private bool _mayCollect; // whether submitters may begin to; guarded by the lock
    private bool _ended;

    /// <summary>Whether a submitter may be gathering jobs.</summary>
    public bool IsCollecting => Volatile.Read(ref _collectingCount) > 0;

    /// <summary>Jobs submitted and not written yet. Read before <see cref="SegmentedChannel{T, TSlot}.EndPosition"/> no job is missed.</summary>
    public long GatheredJobs
    {
        get
        {
            long jobs = 0;
            if (IsCollecting)
            {
                lock (_collectingLock)
                {
                    foreach (Outbox<TJob, TSlot> outbox in _collecting)
                    {
                        jobs += outbox.Count;
                    }
                }
            }

            return jobs;
        }
    }

    /// <summary>Changes how many jobs may wait, and admits submitters for whom there is room now. One caller at a time.</summary>
    public void SetCapacity(long capacity)
    {
        lock (_collectingLock)
        {
            _mayCollect &= capacity == Relaxed;
        }

        // As long as the capacity says Relaxed a submitter writes what it has gathered before a job that goes another way. So it
        // says so until there is nothing gathered and nobody begins to, and before anybody may begin.
        Gather();
        AdmitWriters(capacity);
        lock (_collectingLock)
        {
            _mayCollect = capacity == Relaxed && !_ended;
        }
    }

    /// <summary>Takes no more jobs. Those that submitters have gathered are in the queue then.</summary>
    public void Close()
    {
        lock (_collectingLock)
        {
            _ended = true;
            _mayCollect = false;
        }

        EndLeasing();
        Gather();
        TryClose(null);
    }

    /// <summary>Moves what submitters have gathered to the queue; they gather no more for now. False: there was nothing.</summary>
    public bool Gather() => IsCollecting && Gather(long.MaxValue, null);

    /// <summary>
    /// Moves what the calling thread has gathered, for jobs of its that go to the queue another way, and once in a while what
    /// others have left.
    /// </summary>
    public void FlushMine(int jobs)
    {
        if (IsCollecting && (Outbox<TJob, TSlot>.Mine ?? Outbox<TJob, TSlot>.MakeMine()) is { } mine)
        {
            if (ReferenceEquals(mine.Collector, this))
            {
                Flush(mine);
            }

            mine.Direct += jobs;
            if (mine.Direct >= Outbox<TJob, TSlot>.Room)
            {
                mine.Direct = 0;
                Gather(HeadPosition, mine);
            }
        }
    }

    private protected override bool TryWriteLimited(TJob job, out bool closed) =>
        Capacity == Relaxed ? TryWriteRelaxed(job, out closed) : base.TryWriteLimited(job, out closed);

    // A job that its submitter did not put into its outbox.
    private bool TryWriteRelaxed(TJob job, out bool closed)
    {
        Outbox<TJob, TSlot>? mine = Outbox<TJob, TSlot>.Mine ?? Outbox<TJob, TSlot>.MakeMine();
        if (mine is not null && ReferenceEquals(mine.Collector, this))
        {
            Flush(mine); // a thread's jobs keep their order
        }

        closed = !TryWriteForced(job);
        if (mine is not null && !closed && ++mine.Direct >= Outbox<TJob, TSlot>.Room)
        {
            mine.Direct = 0;
            LookAround(mine, begins: mine.Takes(job));
        }

        return !closed;
    }

    /// <summary>The owner's: writes what it has gathered. False: somebody has done it, and it collects no more.</summary>
    public bool Flush(Outbox<TJob, TSlot> mine)
    {
        bool look;
        TailWord tail;
        using (mine.Lock.Hold())
        {
            if (!ReferenceEquals(mine.Collector, this))
            {
                return false;
            }

            if (mine.Count == 0)
            {
                return true;
            }

            long before = mine.Since;
            tail = Write(mine.Jobs(mine.Count));
            mine.Empty();
            mine.Since = EndPosition;
            if (mine.Since - HeadPosition < Deep)
            {
                EndCollecting(mine);
            }

            look = (before ^ mine.Since) >= PositionsALook;
        }

        Attend(tail);
        if (look)
        {
            Gather(HeadPosition, mine);
        }

        return true;
    }

    /// <summary>The owner's: writes what it has gathered, and collects no more.</summary>
    public void Leave(Outbox<TJob, TSlot> mine) => TryGather(mine, long.MaxValue, isMine: true);

    // A submitter that gathers no jobs, once in a while.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void LookAround(Outbox<TJob, TSlot> mine, bool begins)
    {
        long head = HeadPosition;
        if (IsCollecting)
        {
            Gather(head, mine);
        }

        if (!begins || EndPosition - head < Deep)
        {
            return;
        }

        if (!mine.TryFree())
        {
            return;
        }

        using (mine.Lock.Hold())
        {
            lock (_collectingLock)
            {
                if (!_mayCollect)
                {
                    return;
                }

                _collecting.Add(mine);
                Interlocked.Increment(ref _collectingCount); // full fence, before the first job is put in
            }

            mine.Collector = this;
            mine.Since = EndPosition;
            if (!mine.TryBegin(this))
            {
                EndCollecting(mine);
            }
        }
    }

    // Empties the outboxes, except for one, whose jobs began to gather when the queue's end was at a position or before.
    private bool Gather(long since, Outbox<TJob, TSlot>? except)
    {
        bool found = false;
        for (int i = int.MaxValue; ;)
        {
            Outbox<TJob, TSlot> outbox;
            lock (_collectingLock)
            {
                i = Math.Min(i, _collecting.Count) - 1; // from the end on: those that are taken out do not change the rest
                if (i < 0)
                {
                    return found;
                }

                outbox = _collecting[i];
            }

            if (!ReferenceEquals(outbox, except))
            {
                found |= TryGather(outbox, since, isMine: false);
            }
        }
    }

    private bool TryGather(Outbox<TJob, TSlot> outbox, long since, bool isMine)
    {
        TailWord tail;
        using (outbox.Lock.Hold())
        {
            if (!ReferenceEquals(outbox.Collector, this) || outbox.Since > since)
            {
                return false;
            }

            int jobs = isMine ? outbox.Count : outbox.Stop();
            bool any = jobs > 0;
            tail = any ? Write(outbox.Jobs(jobs)) : default;
            EndCollecting(outbox);
            if (!any)
            {
                return false;
            }
        }

        Attend(tail);
        return true;
    }

    // With the outbox's lock. Its jobs are in the queue.
    private void EndCollecting(Outbox<TJob, TSlot> outbox)
    {
        lock (_collectingLock)
        {
            _collecting.Remove(outbox); // whoever counts the jobs of those in the list does not look at it any more
            Interlocked.Decrement(ref _collectingCount);
        }

        outbox.End();

        // Release: its thread, which may put jobs elsewhere as soon as it sees this, finds the outbox ended.
        Volatile.Write(ref outbox.Collector, null);
    }

    // With the outbox's lock; without it the caller attends to what this returns, which may start threads and call the host.
    private TailWord Write(ReadOnlySpan<TJob> jobs)
    {
        bool written = TryWriteAllForced(jobs, out TailWord tail);
        Debug.Assert(written, "a queue is closed once nobody gathers jobs for it");
        return tail;
    }
}
