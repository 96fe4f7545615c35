using System.Runtime.InteropServices;

namespace FastJobs.Channels;

/// <summary>
/// What the tail word says. Positions count items since the channel was made; 56 bits last 22 years at 100 million
/// items a second. The flags live in the same word as the position so that one atomic add both takes a position and
/// learns whether a reader must be told: docs/protocols.md#wake.
/// </summary>
internal readonly struct TailWord(long raw)
{
    /// <summary>How many readers are searching: awake, without an item, and bound to look before they sleep.</summary>
    public const long SearcherOne = 1;
    public const long SearcherMask = 0xF;

    /// <summary>A reader sleeps (or could be started) and a writer that sees no searcher must notify.</summary>
    public const long Sleepers = 0x10;

    /// <summary>The next writer notes the time: docs/protocols.md#ages.</summary>
    public const long Stamp = 0x20;

    /// <summary>No more writes; the position where the items end is frozen elsewhere.</summary>
    public const long Closed = 0x40;

    /// <summary>A writer takes positions without this word, whose own is an old one: docs/protocols.md#lease.</summary>
    public const long Leased = 0x80;

    public const int PositionShift = 8;
    public const long PositionOne = 1L << PositionShift;
    public const long FlagMask = PositionOne - 1;

    public long Position => raw >>> PositionShift;

    public int Searchers => (int)(raw & SearcherMask);

    public bool HasSleepers => (raw & Sleepers) != 0;

    public bool WantsStamp => (raw & Stamp) != 0;

    public bool IsClosed => (raw & Closed) != 0;

    public bool IsLeased => (raw & Leased) != 0;

    /// <summary>Whether the writer that took this word's position has more to do than to publish.</summary>
    public bool NeedsAttention => (raw & FlagMask) is >= Sleepers and (Sleepers or >= Stamp);

    /// <summary>Sleepers and nobody searching: the writer must notify after it has published.</summary>
    public bool NeedsNotify => (raw & (Sleepers | SearcherMask)) == Sleepers;
}

/// <summary>What the head word says: the position of the next item to be claimed, and why claims must look up.</summary>
internal readonly struct HeadWord(long raw)
{
    /// <summary>A writer waits for room: whoever claims an item must let it in.</summary>
    public const long WritersWait = 1;

    /// <summary>The channel is closed: whoever claims the last item completes it.</summary>
    public const long Closing = 2;

    /// <summary>Nothing may be claimed for a moment: docs/protocols.md#pause.</summary>
    public const long Paused = 4;

    /// <summary>
    /// Whose hand holds the items before the head: while it is not zero only that one claims. docs/protocols.md#hand.
    /// </summary>
    public const int HolderShift = 3;
    public const long HolderMask = 0xF << HolderShift;

    /// <summary>The name of no hand: nobody claims, until what was taken out of one has begun.</summary>
    public const int Recalled = 15;

    public long Raw => raw;

    public long Position => raw >>> TailWord.PositionShift;

    public bool HasFlags => (raw & TailWord.FlagMask) != 0;

    public int Holder => (int)((raw & HolderMask) >> HolderShift);

    /// <summary>Whether only a few may claim, or nobody.</summary>
    public bool IsBarred => (raw & (Paused | HolderMask)) != 0;

    public bool HasWritersWaiting => (raw & WritersWait) != 0;

    public bool IsClosing => (raw & Closing) != 0;

    public bool IsPaused => (raw & Paused) != 0;
}

/// <summary>A word alone on its cache lines (128 bytes: processors prefetch lines in pairs).</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct PaddedWord
{
    [FieldOffset(128)]
    public long Value;

    /// <summary>A second value that only the owners of the first one touch.</summary>
    [FieldOffset(136)]
    public long Cached;

    /// <summary>Whose turn it is, how many changes of hands are not looked at, and how many the next time: see Turns.</summary>
    [FieldOffset(144)]
    public nint Owner;

    [FieldOffset(152)]
    public int Pass;

    [FieldOffset(156)]
    public int NextPass;
}
