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
    // A lease that was ended although it had not lasted for so many segments was in the way: so many segments are begun before
    // the next one, four times as many after each such one.
    private const int SegmentsOfARun = 8;
    private const int MostPause = 1024;

    // Who writes a segment in less time is quick: 0.12 µs a job.
    private static readonly long s_quickTicks = (long)(120e-9 * Segment<TJob, TSlot>.Length * Stopwatch.Frequency);

    // Guards the lease; taken within the gate's, the set's and the ages' locks; takes the one of the segments.
    private readonly Lock _leaseLock = new();
    private Outbox<TJob, TSlot>? _lessee;
    private bool _mayLease;
    private int _leasedSegments;
    private int _leaseBackOff = 1;
    private int _leasePause;

    // Who began a segment last, at which position, and when. Hints: threads that begin segments write them as they come.
    private Outbox<TJob, TSlot>? _beginner;
    private long _begunAt;
    private long _begunTime;

    /// <summary>Whether a submitter has leased the tail.</summary>
    public bool IsLeased => new TailWord(Volatile.Read(ref _tail.Value)).IsLeased;

    /// <summary>Whether a submitter may lease the tail. Afterwards, if not, none has.</summary>
    public bool MayLease
    {
        set
        {
            lock (_leaseLock)
            {
                _mayLease = value;
            }

            if (!value)
            {
                EndLease();
            }
        }
    }

    /// <summary>Ends the lease, if there is one. Costs some microseconds, to all processors.</summary>
    public void EndLease() => EndLease(wasInTheWay: false);

    /// <summary>The lease is in the way of the caller: ends it, and there will be fewer.</summary>
    public void BreakLease() => EndLease(wasInTheWay: true);

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
            bool goesOn = false;
            try
            {
                mine.MoveTo(ref SlotsFrom(mine.Base, out int room), room);
                goesOn = true;
            }
            finally
            {
                if (!goesOn)
                {
                    Return(mine, mine.Base); // no memory
                }
            }
        }
    }

    /// <summary>The lock of the lease, for a lessee that was stopped.</summary>
    public Lock LeaseLock => _leaseLock;

    private protected override long LeasedEnd()
    {
        lock (_leaseLock)
        {
            return _lessee is { } lessee ? lessee.Base + lessee.Count : new TailWord(Volatile.Read(ref _tail.Value)).Position;
        }
    }

    private protected override void TakeBackTail() => BreakLease();

    private protected override void SegmentBegun(long position)
    {
        if (!_mayLease || (Outbox<TJob, TSlot>.Mine ?? Outbox<TJob, TSlot>.MakeMine()) is not { } mine)
        {
            return;
        }

        long now = Stopwatch.GetTimestamp();
        bool isQuick = ReferenceEquals(_beginner, mine)
            && position - _begunAt == Segment<TJob, TSlot>.Length
            && now - _begunTime < s_quickTicks;
        _beginner = mine;
        _begunAt = position;
        _begunTime = now;
        if (isQuick && --_leasePause < 0)
        {
            mine.Collector?.Leave(mine);
            mine.Lessor?.EndLease();
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
                _leaseBackOff = _leasedSegments >= SegmentsOfARun ? 1 : Math.Min(_leaseBackOff * 4, MostPause);
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
        lessee.Lessor = null;
        lessee.End();
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
