using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>
/// A multi-producer, multi-consumer FIFO channel on recycled segments. This part is the writers': taking positions,
/// publishing, without a lock and without an allocation. SegmentedChannel.Claiming.cs is the readers',
/// SegmentedChannel.Waiting.cs holds what waits. Lanes derive from it and put workers where the base class has
/// asynchronous readers.
/// </summary>
/// <remarks>
/// The algorithm is a ticket queue over an unbounded array, as in the FAA array queues after Morrison and Afek's LCRQ
/// (PPoPP 2013), but readers claim only what is published, so that no slot is ever abandoned and order is kept:
/// docs/protocols.md#queue. Invariants: head &lt;= tail; a position is taken once (atomic add or compare-exchange on the
/// tail) and claimed once (compare-exchange on the head); count = tail - head never exceeds the capacity except by
/// forced writes.
/// </remarks>
internal partial class SegmentedChannel<T, TSlot> : Channel<T>
    where TSlot : struct, ISlot<T, TSlot>
{
    // How many items ahead a reader asks for the memory behind an item: it comes from the writer's core, which takes as
    // long as a few short jobs.
    private const int PrefetchDistance = 4;

    private readonly SegmentStore<T, TSlot> _store = new();

    // Hints, right most of the time; a segment is believed only if its Base fits the position.
    private Segment<T, TSlot> _tailSegment;
    private Segment<T, TSlot> _headSegment;

    private protected PaddedWord _tail; // Cached: the last head position that a bounded writer saw
    private protected PaddedWord _head;
    private long _capacity;

    public SegmentedChannel(ChannelSettings<T> settings)
    {
        _settings = settings;
        _capacity = settings.Capacity;
        _completion = new TaskCompletionSource(
            settings.RunContinuationsInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
        _tailSegment = _headSegment = new Segment<T, TSlot>();
        Reader = new ReaderSide(this);
        Writer = new WriterSide(this);
    }

    /// <summary>How many items may wait; <see cref="long.MaxValue"/> when unbounded.</summary>
    public long Capacity => Volatile.Read(ref _capacity);

    /// <summary>Items written and not yet claimed.</summary>
    public long Count => Math.Max(0, EndPosition - HeadPosition);

    /// <summary>Items written since the channel was made.</summary>
    public long EndPosition
    {
        get
        {
            var tail = new TailWord(Volatile.Read(ref _tail.Value));
            return tail.IsLeased ? LeasedEnd() : tail.IsClosed ? FrozenEnd() : tail.Position;
        }
    }

    /// <summary>Items claimed since the channel was made.</summary>
    public long HeadPosition => new HeadWord(Volatile.Read(ref _head.Value)).Position;

    /// <summary>Segments allocated; for tests and for memory figures.</summary>
    internal int SegmentCount => _store.Count;

    /// <summary>Writes without regard to the capacity. False only when the channel is closed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWriteForced(T item)
    {
        // Read first, so that the loads overlap with those of the word. Right for the position if the base fits it: a
        // segment is not retired before all its positions are claimed, and this one is not even taken yet.
        Segment<T, TSlot> segment = Volatile.Read(ref _tailSegment);
        long segmentBase = Volatile.Read(ref segment.Base);
        ref TSlot slots = ref segment.At(0);

        nint self = Turns.Self;
        if (_tail.Owner != self)
        {
            Turns.Begin(ref _tail, self);
        }

        // Full fence. Pairs with every Interlocked operation on the tail: a reader that goes to sleep either finds this
        // position in the word or leaves its flag in what was replaced.
        long raw = Interlocked.Add(ref _tail.Value, TailWord.PositionOne) - TailWord.PositionOne;
        var tail = new TailWord(raw);
        if (tail.NeedsAttention)
        {
            return PublishAttentively(tail, item);
        }

        long offset = tail.Position - segmentBase;
        if ((ulong)offset < (ulong)Segment<T, TSlot>.Length)
        {
            // Release. Pairs with the acquire in TryClaim.
            TSlot.Publish(ref Unsafe.Add(ref slots, (nint)offset), item);
        }
        else
        {
            PublishElsewhere(tail.Position, item);
        }

        return true;
    }

    // Takes the positions of all items with one add; otherwise as TryWriteForced. Readers are notified once, so only for
    // readers who wake each other. The items should be few: readers wait for the first as long as it is not published.
    // tail: the caller must call Attend with it, once it holds no lock.
    private protected bool TryWriteAllForced(ReadOnlySpan<T> items, out TailWord tail)
    {
        nint self = Turns.Self;
        if (_tail.Owner != self)
        {
            Turns.Begin(ref _tail, self);
        }

        long positions = TailWord.PositionOne * items.Length;
        tail = new TailWord(Interlocked.Add(ref _tail.Value, positions) - positions); // full fence, as there
        if (tail.IsLeased)
        {
            BreakLease();
            return TryWriteAllForced(items, out tail);
        }

        if (tail.IsClosed)
        {
            return false; // they lie behind the frozen end
        }

        for (int published = 0; published < items.Length;)
        {
            long position = tail.Position + published;
            long offset = position & (Segment<T, TSlot>.Length - 1);
            Segment<T, TSlot> segment = Volatile.Read(ref _tailSegment);
            if (Volatile.Read(ref segment.Base) != position - offset)
            {
                segment = SegmentForWrite(position);
            }

            for (; offset < Segment<T, TSlot>.Length && published < items.Length; offset++)
            {
                TSlot.Publish(ref segment.At(offset), items[published++]); // release, as there
            }
        }

        return true;
    }

    /// <summary>Writes if there is room.</summary>
    /// <param name="item">The item.</param>
    /// <param name="closed">Whether the reason for a failure is that the channel is closed.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWrite(T item, out bool closed)
    {
        if (Capacity == long.MaxValue)
        {
            bool written = TryWriteForced(item);
            closed = !written;
            return written;
        }

        return TryWriteLimited(item, out closed);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool PublishAttentively(TailWord tail, T item)
    {
        if (tail.IsLeased)
        {
            BreakLease(); // what was taken is no position
            return TryWriteForced(item);
        }

        if (tail.IsClosed)
        {
            return false; // the position lies behind the frozen end
        }

        Publish(tail.Position, item);
        Attend(tail);
        return true;
    }

    // Does what a writer has to do besides, once it has published.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private protected void Attend(TailWord tail)
    {
        if (tail.NeedsNotify)
        {
            NotifyReaders();
        }

        if (tail.WantsStamp)
        {
            TakeStamp();
        }
    }

    /// <summary>Called by a writer that found the Stamp flag. May be called under the gate.</summary>
    private protected virtual void TakeStamp()
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Publish(long position, T item)
    {
        Segment<T, TSlot> segment = Volatile.Read(ref _tailSegment);
        long offset = position - Volatile.Read(ref segment.Base);
        if ((ulong)offset >= (ulong)Segment<T, TSlot>.Length)
        {
            segment = SegmentForWrite(position);
            offset = position & (Segment<T, TSlot>.Length - 1);
        }

        // Release. Pairs with the acquire in TryClaim.
        TSlot.Publish(ref segment.At(offset), item);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PublishElsewhere(long position, T item)
    {
        Publish(position, item);
        SegmentBegun(position);
    }

    /// <summary>Called by a writer that has published, in another segment than the one written to last as far as it knew.</summary>
    private protected virtual void SegmentBegun(long position)
    {
    }

    /// <summary>The end of a channel whose tail is leased: docs/protocols.md#lease.</summary>
    private protected virtual long LeasedEnd() => throw new UnreachableException();

    /// <summary>The lease of the tail is in the caller's way: ends it, and there will be fewer. May be called under the gate.</summary>
    public virtual void BreakLease() => throw new UnreachableException();

    /// <summary>The slots from a position on that lie in one segment. The position is the caller's.</summary>
    private protected ref TSlot SlotsFrom(long position, out int count)
    {
        Segment<T, TSlot> segment = SegmentForWrite(position);
        long offset = position & (Segment<T, TSlot>.Length - 1);
        count = Segment<T, TSlot>.Length - (int)offset;
        return ref segment.At(offset);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Segment<T, TSlot> SegmentForWrite(long position)
    {
        Segment<T, TSlot> segment = _store.Install(position, HeadPosition);
        if (Volatile.Read(ref _tailSegment).Base < segment.Base)
        {
            Volatile.Write(ref _tailSegment, segment); // a hint: losing a race costs a look-up
        }

        return segment;
    }
}
