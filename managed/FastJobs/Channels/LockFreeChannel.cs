using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>
/// Makes channels whose <c>TryWrite</c> and <c>TryRead</c> take no lock and allocate nothing. They are used wherever a
/// <see cref="Channel{T}"/> is: any number of readers and writers, first in, first out.
/// </summary>
/// <remarks>
/// Waiting, cancelling and closing take a lock; so does moving on to the next segment of 512 slots. A read may have to
/// wait for a writer that has taken a position and not yet published its item. The memory is bounded by the deepest
/// backlog and is used again. All members are safe to use from any thread.
/// </remarks>
public static class LockFreeChannel
{
    /// <summary>Makes a channel that is never full.</summary>
    /// <param name="options">Only <see cref="ChannelOptions.AllowSynchronousContinuations"/> changes anything.</param>
    public static Channel<T> CreateUnbounded<T>(UnboundedChannelOptions? options = null) =>
        Create(new ChannelSettings<T>
        {
            RunContinuationsInline = options?.AllowSynchronousContinuations ?? false,
        });

    /// <summary>Makes a channel in which at most <paramref name="capacity"/> items wait; writers wait for room.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is less than 1.</exception>
    public static Channel<T> CreateBounded<T>(int capacity) => CreateBounded<T>(new BoundedChannelOptions(capacity));

    /// <summary>Makes a channel of exactly the capacity that <paramref name="options"/> name.</summary>
    /// <param name="options">Capacity, what a full channel does, and whether continuations may run inline.</param>
    /// <param name="itemDropped">Called with every item that a full channel drops; never under a lock.</param>
    /// <exception cref="ArgumentNullException">There are no options.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is less than 1.</exception>
    public static Channel<T> CreateBounded<T>(BoundedChannelOptions options, Action<T>? itemDropped = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Capacity, 1, nameof(options));
        return Create(new ChannelSettings<T>
        {
            Capacity = options.Capacity,
            FullMode = options.FullMode,
            RunContinuationsInline = options.AllowSynchronousContinuations,
            ItemDropped = itemDropped,
        });
    }

    private static Channel<T> Create<T>(ChannelSettings<T> settings) =>
        typeof(T).IsValueType
            ? new SegmentedChannel<T, TaggedSlot<T>>(settings)
            : new SegmentedChannel<T, ReferenceSlot<T>>(settings);
}

/// <summary>What a channel is told when it is made.</summary>
internal sealed class ChannelSettings<T>
{
    public long Capacity { get; init; } = long.MaxValue;

    public BoundedChannelFullMode FullMode { get; init; } = BoundedChannelFullMode.Wait;

    public bool RunContinuationsInline { get; init; }

    public Action<T>? ItemDropped { get; init; }
}
