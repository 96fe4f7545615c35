using System.Threading.Channels;
using FastJobs.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Every kind of channel the suites run over: the same bounds and modes for the BCL's channels and for ours.
/// </summary>
internal static class ChannelKinds
{
    public static IReadOnlyList<ChannelKind> All { get; } =
    [
        new BclUnbounded(),
        .. Bounds((capacity, mode) => new BclBounded(capacity, mode)),
        new LockFreeUnbounded(),
        .. Bounds((capacity, mode) => new LockFreeBounded(capacity, mode)),
    ];

    /// <summary>One item (the edge), a bound that is no power of two, and one that is.</summary>
    private static IEnumerable<ChannelKind> Bounds(Func<int, BoundedChannelFullMode, ChannelKind> make) =>
        from mode in Enum.GetValues<BoundedChannelFullMode>()
        from capacity in new[] { 1, 7, 64 }
        select make(capacity, mode);
}

internal sealed class BclUnbounded : BclKind
{
    public override string Name => "Bcl.Unbounded";

    // A ConcurrentQueue that was peeked at no longer clears the slots of that segment.
    public override bool ForgetsPeekedItems => false;

    public override bool CancelsOutsideLocks => IsNet10;

    public override Channel<T> Create<T>(bool inline = false, Action<T>? dropped = null) =>
        Channel.CreateUnbounded<T>(new UnboundedChannelOptions { AllowSynchronousContinuations = inline });
}

internal sealed class BclBounded(int capacity, BoundedChannelFullMode mode) : BclKind
{
    public override string Name => $"Bcl.Bounded{capacity}.{mode}";

    public override int? Capacity => capacity;

    public override BoundedChannelFullMode Mode => mode;

    public override bool CompletesOutsideLocks => false;

    public override Channel<T> Create<T>(bool inline = false, Action<T>? dropped = null) => Channel.CreateBounded(
        new BoundedChannelOptions(capacity) { FullMode = mode, AllowSynchronousContinuations = inline }, dropped);
}

/// <summary>What the BCL's channels do not promise.</summary>
internal abstract class BclKind : ChannelKind
{
    protected static bool IsNet10 => Environment.Version.Major >= 10;

    public override bool AllocatesNothing => false;

    public override bool RecyclesMemory => false;

    public override bool ForgetsServedWaits => false;

    // Measured on 10.0.12: about one item in 100,000 was lost or came twice; none on 9.0.
    public override bool CancelsAtomically => !IsNet10;

    // .NET 9 forgets a cancelled wait when traffic comes, .NET 10 some time later on the pool: 10 s were not always enough.
    public override bool ForgetsCancelledWaits => false;
}

internal sealed class LockFreeUnbounded : ChannelKind
{
    public override string Name => "LockFree.Unbounded";

    public override Channel<T> Create<T>(bool inline = false, Action<T>? dropped = null) =>
        LockFreeChannel.CreateUnbounded<T>(new UnboundedChannelOptions { AllowSynchronousContinuations = inline });
}

internal sealed class LockFreeBounded(int capacity, BoundedChannelFullMode mode) : ChannelKind
{
    public override string Name => $"LockFree.Bounded{capacity}.{mode}";

    public override int? Capacity => capacity;

    public override BoundedChannelFullMode Mode => mode;

    public override Channel<T> Create<T>(bool inline = false, Action<T>? dropped = null) =>
        LockFreeChannel.CreateBounded(
            new BoundedChannelOptions(capacity) { FullMode = mode, AllowSynchronousContinuations = inline }, dropped);
}
