namespace FastJobs.Channels;

/// <summary>
/// Looking at what waits, and replacing it, while nobody can claim it: docs/protocols.md#pause. Any thread may call.
/// </summary>
internal partial class SegmentedChannel<T, TSlot>
{
    // So many items are looked at while claims wait: some microseconds.
    private const int ItemsAPause = 64;

    /// <summary>
    /// Shows every item that waits, oldest first. Claims are paused for a few items at a time, so an item is not claimed
    /// while the visitor looks at it; items that come or go between two pauses may be missed.
    /// </summary>
    public void VisitQueued<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IItemVisitor<T>
    {
        long next = 0;
        long end = EndPosition; // what comes later is not looked at, or a busy channel would be looked at for ever
        while (VisitSome(ref visitor, ref next, end))
        {
        }
    }

    /// <summary>Shows the next few items from position <paramref name="next"/> on. False: there are none before the end.</summary>
    public bool VisitSome<TVisitor>(ref TVisitor visitor, ref long next, long end)
        where TVisitor : struct, IItemVisitor<T>
    {
        if (next >= end)
        {
            return false;
        }

        lock (_gate)
        {
            // Full fence. Pairs with the exchange in TryClaim, which fails from here on.
            long head = new HeadWord(Interlocked.Or(ref _head.Value, HeadWord.Paused)).Position;
            try
            {
                next = Math.Max(next, head);
                for (long stop = Math.Min(end, next + ItemsAPause); next < stop; next++)
                {
                    if (_store.Find(next) is { } segment)
                    {
                        ref TSlot slot = ref segment.At(next & (Segment<T, TSlot>.Length - 1));
                        if (TSlot.IsPublished(ref slot) && visitor.Visit(ref slot, next))
                        {
                            LowerClearFrom(segment, head);
                        }
                    }
                }
            }
            finally
            {
                Interlocked.And(ref _head.Value, ~HeadWord.Paused);
            }
        }

        return true;
    }

    // An item of the segment was replaced. A reader may have copied it before the pause: from the head on all find out, when
    // their claim has succeeded, that they have to look again.
    private static void LowerClearFrom(Segment<T, TSlot> segment, long head) =>
        Volatile.Write(ref segment.ClearFrom, Math.Min(segment.ClearFrom, Math.Max(head, segment.Base)));

    /// <summary>
    /// Puts another item in the place of the first one that equals <paramref name="item"/>. Items are compared, never looked
    /// into, so it may be one that is long gone. False: it does not wait here, or a reader has it already.
    /// </summary>
    public bool TryReplace(T item, T replacement)
    {
        var replacer = new Replacer<T>(item, replacement);
        long next = 0;
        long end = EndPosition;
        while (!replacer.Found && VisitSome(ref replacer, ref next, end))
        {
        }

        return replacer.Found;
    }
}

/// <summary>Looks at the slots of a channel. Called under the channel's gate: must be short and must not throw.</summary>
/// <remarks>It gets the slot, not the item: it may publish another one there.</remarks>
internal interface IItemVisitor<T>
{
    /// <summary>The slot is published, and nobody can claim it before this returns.</summary>
    /// <returns>Whether it published another item there.</returns>
    bool Visit<TSlot>(ref TSlot slot, long position)
        where TSlot : struct, ISlot<T, TSlot>;
}

/// <summary>Replaces one item.</summary>
internal struct Replacer<T>(T item, T replacement) : IItemVisitor<T>
{
    /// <summary>Whether the item was there.</summary>
    public bool Found { get; private set; }

    public bool Visit<TSlot>(ref TSlot slot, long position)
        where TSlot : struct, ISlot<T, TSlot>
    {
        if (Found || !EqualityComparer<T>.Default.Equals(TSlot.Peek(ref slot), item))
        {
            return false;
        }

        TSlot.Publish(ref slot, replacement);
        return Found = true;
    }
}
