using System.Diagnostics;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>
/// A thread that submits alone, and quickly, leases the queue's tail: it puts jobs into their slots without a locked operation,
/// and where its door knows how without a way into the engine, until somebody else needs the tail. The order of jobs is what it
/// is without. docs/protocols.md#lease.
/// </summary>
internal sealed partial class LaneQueue<TJob, TSlot>
{
    // A lease that others ended before it had lasted for so many segments was in the way: before the next one twice as many segments
    // are begun as the last time, otherwise one.
    private const int SegmentsOfARun = 4;
    private const int MostPause = 32;

    // Who writes a segment in less time is quick: 0.12 µs a job.
    private static readonly long s_quickTicks = (long)(120e-9 * Segment<TJob, TSlot>.Length * Stopwatch.Frequency);

    // Guards the lease. May be taken within the gate's, the set's, the ages' and an outbox's lock; takes the one of the segments.
    private readonly Lock _leaseLock = new();
    private Outbox<TJob, TSlot>? _lessee;
    private bool _mayLease;
    private bool _isLeasingOver;
    private int _leasedSegments;
    private int _leaseBackOff = 1;
    private int _leasePause;

    // Who began a segment last, at which position, and when. Hints: threads that begin segments write them as they come.
    private Outbox<TJob, TSlot>? _beginner;
    private long _begunAt;
    private long _begunTime;

    /// <summary>Whether a submitter has leased the tail.</summary>
    public bool IsLeased => new TailWord(Volatile.Read(ref _tail.Value)).IsLeased;

    /// <summary>Lets submitters lease the tail, or not: then none has leased it when this returns.</summary>
    public void AllowLeases(bool allowed)
    {
        lock (_leaseLock)
        {
            _mayLease = allowed && !_isLeasingOver;
        }

        if (!allowed)
        {
            EndLease();
        }
    }

    /// <summary>Ends the lease, if there is one. Costs some microseconds, to all processors.</summary>
    public void EndLease() => EndLease(wasInTheWay: false);

    /// <inheritdoc/>
    public override void BreakLease() => EndLease(wasInTheWay: true);

    /// <summary>The lessee's, once all of its places are taken: they are in the next segment now.</summary>
    public void GoOn(Outbox<TJob, TSlot> mine)
    {
        lock (_leaseLock)
        {
            if (!ReferenceEquals(_lessee, mine))
            {
                return;
            }

            _leasedSegments++;
            mine.Base += mine.Count;
            try
            {
                mine.MoveTo(ref SlotsFrom(mine.Base, out int room), room);
            }
            catch (OutOfMemoryException)
            {
                Return(mine, mine.Base); // the next submit tells of it
            }
        }
    }

    /// <summary>The former lessee's, which took a place and found that it was stopped: whether the place is its.</summary>
    /// <param name="mine">Its outbox.</param>
    /// <param name="count">The count with that place.</param>
    public bool HasTaken(Outbox<TJob, TSlot> mine, int count)
    {
        lock (_leaseLock)
        {
            return mine.HasCounted(count);
        }
    }

    private protected override long LeasedEnd()
    {
        lock (_leaseLock)
        {
            return _lessee is { } lessee ? lessee.Base + lessee.Count : EndPosition;
        }
    }

    private void EndLeasing()
    {
        lock (_leaseLock)
        {
            _isLeasingOver = true; // whatever is allowed from now on
        }

        AllowLeases(false);
    }

    private protected override void SegmentBegun(long position)
    {
        try
        {
            if (_mayLease && (Outbox<TJob, TSlot>.Mine ?? Outbox<TJob, TSlot>.MakeMine()) is { } mine)
            {
                SegmentBegun(mine, position);
            }
        }
        catch (OutOfMemoryException)
        {
            // There is no lease then; the job is queued.
        }
    }

    private void SegmentBegun(Outbox<TJob, TSlot> mine, long position)
    {
        long now = Stopwatch.GetTimestamp();
        bool isQuick = ReferenceEquals(_beginner, mine)
            && position - _begunAt == Segment<TJob, TSlot>.Length
            && now - _begunTime < s_quickTicks;
        _beginner = mine;
        _begunAt = position;
        _begunTime = now;
        if (!isQuick)
        {
            return;
        }

        if (_leasePause > 0)
        {
            _leasePause--;
            return;
        }

        if (mine.TryFree())
        {
            TryLease(mine, position + 1);
        }
    }

    // from: the end, unless somebody else has submitted a job meanwhile.
    private void TryLease(Outbox<TJob, TSlot> mine, long from)
    {
        lock (_leaseLock)
        {
            long raw = Volatile.Read(ref _tail.Value);
            var tail = new TailWord(raw);

            // Sleepers are not in the way if somebody searches: that one meets the lease, and wakes them when it finds a job.
            if (!_mayLease || tail.Position != from || tail.NeedsNotify || tail.WantsStamp || tail.IsClosed || tail.IsLeased

                // Full fence. Pairs with that of whoever goes to sleep or searches no more, and sees the lease then.
                || Interlocked.CompareExchange(ref _tail.Value, raw | TailWord.Leased, raw) != raw)
            {
                return;
            }

            _lessee = mine;
            _leasedSegments = 0;
            mine.Base = from;
            mine.Lessor = this;
            bool begun = false;
            try
            {
                begun = mine.TryBegin(this, ref SlotsFrom(from, out int room), room);
            }
            finally
            {
                if (!begun)
                {
                    Return(mine, from);
                }
            }
        }
    }

    private void EndLease(bool wasInTheWay)
    {
        lock (_leaseLock)
        {
            if (_lessee is not { } lessee)
            {
                return;
            }

            // If the caller is the lessee, it is not between the two steps of a put.
            bool isMine = ReferenceEquals(lessee, Outbox<TJob, TSlot>.Mine);
            long end = lessee.Base + (isMine ? lessee.Count : lessee.Stop());
            if (wasInTheWay && !isMine)
            {
                _leaseBackOff = _leasedSegments >= SegmentsOfARun ? 1 : Math.Min(_leaseBackOff * 2, MostPause);
                _leasePause = _leaseBackOff;
            }

            Return(lessee, end);
        }
    }

    // With the lock: from here on positions are taken from the tail word. What others added to it during the lease goes: they
    // see the flag in what their adds returned, and add again.
    private void Return(Outbox<TJob, TSlot> lessee, long end)
    {
        _lessee = null;
        lessee.End();

        // Release: its thread, which may put jobs into another queue as soon as it sees this, finds the outbox ended.
        Volatile.Write(ref lessee.Lessor, null);
        long raw;
        long next;
        do
        {
            raw = Volatile.Read(ref _tail.Value);
            next = (end << TailWord.PositionShift) | (raw & TailWord.FlagMask & ~TailWord.Leased);
        }
        while (Interlocked.CompareExchange(ref _tail.Value, next, raw) != raw);
    }
}
