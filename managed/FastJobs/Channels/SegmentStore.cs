using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastJobs.Channels;

/// <summary>A run of slots. It serves one run of positions at a time, named by <see cref="Base"/>.</summary>
internal sealed class Segment<T, TSlot>
    where TSlot : struct, ISlot<T, TSlot>
{
    private readonly TSlot[] _slots = TSlot.IsPinned ? GC.AllocateArray<TSlot>(Length, pinned: true) : new TSlot[Length];

    /// <summary>Slots a segment, a power of two: about 4 KiB for pointers, fewer for large items.</summary>
    public static int Length => Unsafe.SizeOf<TSlot>() <= 16 ? 512 : Unsafe.SizeOf<TSlot>() <= 128 ? 64 : 16;

    /// <summary>A base so far off that no position fits: the segment is spare.</summary>
    public const long NoBase = -(1L << 62);

    /// <summary>The position of the first slot, or <see cref="NoBase"/>.</summary>
    /// <remarks>Written under the store's lock (release), read by everyone (acquire).</remarks>
    public long Base = NoBase;

    /// <summary>The next spare segment.</summary>
    public Segment<T, TSlot>? NextSpare;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TSlot At(long offset) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), (nint)offset);

    /// <summary>
    /// The position from which on readers take their item after the claim and clear its slot. Where slots are
    /// <see cref="ISlot{T, TSelf}.IsReadEarly"/> it is <see cref="NoPosition"/> until an item is replaced while it waits.
    /// </summary>
    /// <remarks>
    /// A position and no offset: whoever looks at it late, when the segment serves later positions, must not take it for
    /// its own. Changed only while claims are paused, and when the segment is not in use.
    /// </remarks>
    public long ClearFrom = FirstClearFrom;

    /// <summary>Behind all positions.</summary>
    public const long NoPosition = long.MaxValue;

    private static long FirstClearFrom => TSlot.IsReadEarly ? NoPosition : 0;

    /// <summary>Makes the slots clear that no reader cleared. Of a segment that is not in use.</summary>
    public void Reset()
    {
        if (TSlot.IsReadEarly)
        {
            Array.Clear(_slots);
            Volatile.Write(ref ClearFrom, NoPosition);
        }
    }

    /// <summary>Whether every reader that has to clear its slot has done so. All positions are claimed.</summary>
    public bool IsConsumed()
    {
        for (long i = Math.Max(0, Volatile.Read(ref ClearFrom) - Base); i < _slots.Length; i++)
        {
            if (TSlot.IsPublished(ref _slots[i]))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>
/// The segments of one channel: which segment serves which positions, and the spare ones. Looking up is lock-free;
/// installing takes a lock, once a segment. Called by the channel only. docs/protocols.md#segments.
/// </summary>
/// <remarks>
/// Invariants: a position that is taken and not yet consumed keeps its segment installed. A segment is used again only
/// when every position it served was claimed and every slot that its reader clears is clear (<see cref="Segment{T, TSlot}.ClearFrom"/>;
/// the others are cleared before the use), so nobody who owns a position can meet a segment of another lap, and whoever
/// owns none validates what it read with the head word.
/// </remarks>
internal sealed class SegmentStore<T, TSlot>
    where TSlot : struct, ISlot<T, TSlot>
{
    private readonly Lock _lock = new();

    // Indexed by (position / Length) & (length - 1). Replaced by a larger one when the live segments outgrow it; an
    // old one is still right for what it holds, because an entry is believed only if its Base fits.
    private Segment<T, TSlot>?[] _directory = new Segment<T, TSlot>?[4];
    private long _oldest;
    private Segment<T, TSlot>? _spare;
    private int _count;

    /// <summary>How many segments there are, spare ones included.</summary>
    public int Count => Volatile.Read(ref _count);

    private static int Length => Segment<T, TSlot>.Length;

    /// <summary>The segment that serves <paramref name="position"/>, or null if none is installed for it.</summary>
    public Segment<T, TSlot>? Find(long position)
    {
        long start = position & -Length;
        Segment<T, TSlot>?[] directory = Volatile.Read(ref _directory);
        Segment<T, TSlot>? segment = Volatile.Read(ref directory[IndexIn(directory, start)]);
        return segment is not null && Volatile.Read(ref segment.Base) == start ? segment : null;
    }

    /// <summary>
    /// The segment for a position that the caller has taken; installs it, and the one after it, so that a writer seldom
    /// waits for the lock. <paramref name="head"/> may be older than the truth: it only decides what is reused.
    /// </summary>
    public Segment<T, TSlot> Install(long position, long head)
    {
        long start = position & -Length;
        if (Find(start) is { } found)
        {
            // Somebody came first. The one after it is prepared here only if that takes no waiting.
            if (Find(start + Length) is null && _lock.TryEnter())
            {
                try
                {
                    InstallCore(start + Length, head);
                }
                catch (OutOfMemoryException)
                {
                    // Whoever needs it will see.
                }
                finally
                {
                    _lock.Exit();
                }
            }

            return found;
        }

        lock (_lock)
        {
            return InstallCore(start, head);
        }
    }

    private static int IndexIn(Segment<T, TSlot>?[] directory, long start) =>
        (int)((start / Length) & (directory.Length - 1));

    private Segment<T, TSlot> InstallCore(long start, long head)
    {
        if (Find(start) is { } found)
        {
            return found;
        }

        Retire(head);
        while ((start - _oldest) / Length >= _directory.Length)
        {
            Grow();
        }

        Segment<T, TSlot>? segment = _spare;
        if (segment is null)
        {
            segment = new Segment<T, TSlot>();
            _count++;
        }
        else
        {
            _spare = segment.NextSpare;
            segment.NextSpare = null;
            segment.Reset(); // here and not when it retires: the slots' lines come to the writer that is about to need them
        }

        Volatile.Write(ref segment.Base, start);
        Volatile.Write(ref _directory[IndexIn(_directory, start)], segment);
        return segment;
    }

    // Moves what was wholly consumed to the spare stack: last in first out, so that the warmest is used first.
    private void Retire(long head)
    {
        while (_oldest + Length <= head)
        {
            ref Segment<T, TSlot>? entry = ref _directory[IndexIn(_directory, _oldest)];
            Segment<T, TSlot> segment = entry!;
            if (!segment.IsConsumed())
            {
                return; // a reader is between its claim and its clear
            }

            Volatile.Write(ref entry, null);
            Volatile.Write(ref segment.Base, Segment<T, TSlot>.NoBase);
            segment.NextSpare = _spare;
            _spare = segment;
            _oldest += Length;
        }
    }

    private void Grow()
    {
        var larger = new Segment<T, TSlot>?[_directory.Length * 2];
        foreach (Segment<T, TSlot>? segment in _directory)
        {
            if (segment is not null)
            {
                larger[IndexIn(larger, segment.Base)] = segment;
            }
        }

        Volatile.Write(ref _directory, larger);
    }
}
