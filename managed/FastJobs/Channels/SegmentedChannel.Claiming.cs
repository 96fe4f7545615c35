using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastJobs.Channels;

/// <summary>How an attempt to claim an item ended.</summary>
internal enum Claim
{
    Empty,
    Claimed,

    /// <summary>A writer has taken the next position and has not published its item yet.</summary>
    Unpublished,

    /// <summary>A hand has claimed items that have not begun, and comes first: docs/protocols.md#hand.</summary>
    Held,

    /// <summary>None is published, and a writer that has leased the tail is about to bring more: docs/protocols.md#lease.</summary>
    Leased,
}

/// <summary>Claiming: how a reader takes the oldest item, or several. docs/protocols.md#queue.</summary>
internal partial class SegmentedChannel<T, TSlot>
{
    /// <summary>Claims the oldest item, if it is published.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Claim TryClaim(out T? item) => TryClaim(out item, out _);

    /// <inheritdoc cref="TryClaim(out T)"/>
    /// <param name="item">The item.</param>
    /// <param name="position">Its position, if it was claimed.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Claim TryClaim(out T? item, out long position)
    {
        HeadWord claimed = default;
        Claim claim = TryClaimCore(out item, ref claimed, out position);
        if (claimed.HasFlags)
        {
            AfterClaim(claimed);
        }

        return claim;
    }

    // claimed: what the head said at the claim; where it has flags the caller must call AfterClaim, once it holds no gate.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryClaimCore(out T? item, ref HeadWord claimed, out long position)
    {
        position = 0;
        nint self = Turns.Self;
        while (true)
        {
            if (_head.Owner != self)
            {
                Turns.Begin(ref _head, self);
            }

            long raw = Volatile.Read(ref _head.Value);
            var head = new HeadWord(raw);
            Segment<T, TSlot>? segment = Volatile.Read(ref _headSegment);
            long offset = head.Position - Volatile.Read(ref segment.Base);
            if ((ulong)offset >= (ulong)Segment<T, TSlot>.Length)
            {
                segment = SegmentForRead(head.Position);
                if (segment is null)
                {
                    item = default;
                    if (NothingAt(raw, out Claim none))
                    {
                        return none;
                    }

                    continue;
                }

                offset = head.Position & (Segment<T, TSlot>.Length - 1);
            }

            ref TSlot slot = ref segment.At(offset);
            if (!TSlot.IsPublished(ref slot))
            {
                item = default;
                if (NothingAt(raw, out Claim none))
                {
                    return none;
                }

                continue;
            }

            if (head.IsBarred)
            {
                if (head.Holder != 0)
                {
                    item = default;
                    return Claim.Held;
                }

                AwaitResume();
                continue;
            }

            item = TSlot.IsReadEarly ? TSlot.Peek(ref slot) : default;

            // Full fence. If it wins, nobody else claimed this position since the head was read, so the segment was not
            // reused and the slot is this position's. Pairs with the Interlocked operations on the head: a writer that
            // waits for room either sees this claim or leaves its flag in the word that was replaced; and whoever replaced
            // the item since it was copied has lowered ClearFrom before it let claims go on.
            if (Interlocked.CompareExchange(ref _head.Value, raw + TailWord.PositionOne, raw) == raw)
            {
                if (!TSlot.IsReadEarly || head.Position >= Volatile.Read(ref segment.ClearFrom))
                {
                    item = TSlot.Take(ref slot); // ends with a release: pairs with SegmentStore.Retire
                }

                TSlot.Prefetch(ref segment.At((offset + PrefetchDistance) & (Segment<T, TSlot>.Length - 1)));
                if (head.HasFlags)
                {
                    claimed = head;
                }

                position = head.Position;
                return Claim.Claimed;
            }
        }
    }

    // What is fetched long before its turn comes is gone from the cache by then: with 512 jobs of 96 bytes a tree of jobs took a
    // fifth longer than with 64.
    private const int MostFetched = 64;

    /// <summary>
    /// Copies the oldest items, as many as fit, are published and lie in one segment: 64 if they have memory to be fetched. They
    /// are not claimed: <see cref="TryClaimCopied"/>. For items that are read early only.
    /// </summary>
    /// <param name="items">Where they are put.</param>
    /// <param name="holder">Whose the head has to be; 0: nobody's.</param>
    /// <param name="head">The head to which this applies.</param>
    /// <returns>How many; 0: there is none, the head is not that holder's, or items were replaced thereabouts.</returns>
    private protected int CopySome(Span<T> items, int holder, out HeadWord head)
    {
        long raw = Volatile.Read(ref _head.Value);
        head = new HeadWord(raw);
        long position = head.Position;
        if ((raw & TailWord.FlagMask) != (long)holder << HeadWord.HolderShift
            || SegmentForRead(position) is not { } segment)
        {
            return 0;
        }

        long offset = position & (Segment<T, TSlot>.Length - 1);
        int most = (int)Math.Min(items.Length, Segment<T, TSlot>.Length - offset);
        ref TSlot slot = ref segment.At(offset);
        int count = 0;
        do
        {
            int end = Math.Min(most, count + MostFetched);
            for (; count < end && TSlot.IsPublished(ref slot); slot = ref Unsafe.Add(ref slot, 1))
            {
                items[count++] = TSlot.Peek(ref slot);
                TSlot.Prefetch(ref slot);
            }

            most = count < end ? count : most;
        }
        while (count < most && TSlot.IsWhole(ref slot));

        return position + count > Volatile.Read(ref segment.ClearFrom) ? 0 : count;
    }

    /// <summary>Claims what was copied, if the head is still as it was then, and makes it a holder's (0: nobody's).</summary>
    private protected bool TryClaimCopied(HeadWord head, int count, int holder)
    {
        // Full fence, and as in TryClaimCore; the word had no flags but the holder's.
        long next = ((head.Position + count) << TailWord.PositionShift) | ((long)holder << HeadWord.HolderShift);
        return Interlocked.CompareExchange(ref _head.Value, next, head.Raw) == head.Raw;
    }

    /// <summary>Claims the oldest item; waits for one that is taken and not yet published.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryRead([MaybeNullWhen(false)] out T item)
    {
        Claim claim = TryClaim(out item);
        return claim == Claim.Claimed || (claim == Claim.Unpublished && TryReadPatiently(out item));
    }

    // Apart, as is all else that yields: with a call to the system in it, each call of a method sets up a frame for that.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadPatiently([MaybeNullWhen(false)] out T item)
    {
        var spinner = default(SpinWait);
        while (true)
        {
            spinner.SpinOnce(); // its writer is between two instructions, or was preempted there
            Claim claim = TryClaim(out item);
            if (claim != Claim.Unpublished)
            {
                return claim == Claim.Claimed;
            }
        }
    }

    // Copies the oldest item without claiming it. Not for a channel that drops the newest: it replaces items in place.
    private bool TryPeekCore([MaybeNullWhen(false)] out T item)
    {
        var spinner = default(SpinWait);
        while (true)
        {
            long raw = Volatile.Read(ref _head.Value);
            long position = new HeadWord(raw).Position;
            Segment<T, TSlot>? segment = SegmentForRead(position);
            if (segment is not null)
            {
                ref TSlot slot = ref segment.At(position & (Segment<T, TSlot>.Length - 1));
                if (TSlot.IsPublished(ref slot))
                {
                    item = TSlot.Peek(ref slot);
                    Thread.MemoryBarrier(); // the copy precedes the second look; pairs with TryClaim's exchange
                    if (new HeadWord(Volatile.Read(ref _head.Value)).Position == position)
                    {
                        return true; // nobody claimed it meanwhile, so the copy is whole
                    }

                    continue;
                }
            }

            if (NothingAt(raw, out Claim none) && none == Claim.Empty)
            {
                item = default;
                return false;
            }

            spinner.SpinOnce();
        }
    }

    private Segment<T, TSlot>? SegmentForRead(long position)
    {
        // The hint may be behind, or far ahead: a segment that was wholly claimed is used again before the next one is looked for.
        Segment<T, TSlot>? segment = _store.Find(position);
        if (segment is not null && !ReferenceEquals(Volatile.Read(ref _headSegment), segment))
        {
            Volatile.Write(ref _headSegment, segment); // losing a race costs a look-up
        }

        return segment;
    }

    // True, with the verdict, if there was nothing to claim at the head that was read; false if the head has moved.
    private bool NothingAt(long headRaw, out Claim claim)
    {
        long end = EndPosition;
        claim = end <= new HeadWord(headRaw).Position ? Claim.Empty : Claim.Unpublished;
        return Volatile.Read(ref _head.Value) == headRaw;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AwaitResume()
    {
        var spinner = default(SpinWait);
        while (new HeadWord(Volatile.Read(ref _head.Value)).IsPaused)
        {
            spinner.SpinOnce();
        }
    }
}
