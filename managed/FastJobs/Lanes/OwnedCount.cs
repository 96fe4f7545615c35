using System.Runtime.CompilerServices;

namespace FastJobs.Lanes;

/// <summary>
/// A count that one thread, its owner, changes without a locked operation, and that another one can stop. An asymmetric form of
/// Dekker's protocol: the owner stores the count and looks at the stop; who stops sets that, makes every processor pass a
/// barrier, and looks at the count. docs/protocols.md#owned-count.
/// </summary>
/// <remarks>
/// A struct, to be beside what it counts: never copy it. "With the lock": that of whoever stops it, which the owner takes too
/// when it is told that it was stopped. Laid out for the C layer: hand.h.
/// </remarks>
internal struct OwnedCount
{
    private int _value;
    private int _isStopped; // 0 or 1
    private int _stoppedAt; // guarded by the lock

    /// <summary>What the owner set last, as far as the caller sees.</summary>
    public readonly int Value => Volatile.Read(in _value);

    /// <summary>
    /// The owner's: changes the count. False: it was stopped, and only <see cref="HasCounted"/> tells whether before this.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySet(int value)
    {
        // Releases what is counted. The look must come after the store; that the processor may take it the other way round is
        // made up for by the barrier in Stop, which is why this one can do without.
        Volatile.Write(ref _value, value);
        return Volatile.Read(ref _isStopped) == 0;
    }

    /// <summary>With the lock, once it was stopped: whether what the owner set last was seen by whoever stopped it.</summary>
    public readonly bool HasCounted(int value) => _stoppedAt == value;

    /// <summary>With the lock: stops the count and returns it. Costs some microseconds, to all processors.</summary>
    public int Stop()
    {
        Volatile.Write(ref _isStopped, 1);

        // The owner's next look sees the stop, or its store has come before this barrier, and is seen below.
        Interlocked.MemoryBarrierProcessWide();
        return _stoppedAt = Volatile.Read(ref _value);
    }

    /// <summary>The owner's, with the lock, once it was stopped: 0, and still stopped.</summary>
    public void Clear() => _value = 0;

    /// <summary>The owner's, with the lock: from 0 on again.</summary>
    public void Restart()
    {
        _value = 0;
        _isStopped = 0;
    }
}
