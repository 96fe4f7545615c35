using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// A kind of channel that the suites run over: how to make one, and what it promises. The BCL's kinds are the oracle:
/// a promise that one of them does not keep is a flag here, and the suites say at the case why.
/// </summary>
internal abstract class ChannelKind
{
    /// <summary>The name in every test's name: <c>Bcl.Bounded7.Wait</c>.</summary>
    public abstract string Name { get; }

    /// <summary>How many items fit, or null when the channel is unbounded.</summary>
    public virtual int? Capacity => null;

    /// <summary>What a write to a full channel does.</summary>
    public virtual BoundedChannelFullMode Mode => BoundedChannelFullMode.Wait;

    /// <summary>Bounded, and a write to a full channel waits.</summary>
    public bool Waits => Capacity is not null && Mode == BoundedChannelFullMode.Wait;

    /// <summary>Bounded, and a write to a full channel drops an item.</summary>
    public bool Drops => Capacity is not null && Mode != BoundedChannelFullMode.Wait;

    /// <summary>
    /// Whether the slow cases that measure memory run over this kind: one of each implementation is enough, since
    /// capacity and full mode do not change how waits and items are kept.
    /// </summary>
    public bool IsMeasured => Capacity is null || (Waits && Capacity == 7);

    /// <summary>
    /// No allocation in the steady state, waits with a cancellable token included. The BCL's waits allocate.
    /// </summary>
    public virtual bool AllocatesNothing => true;

    /// <summary>
    /// A second fill after a growth allocates nothing. The BCL's unbounded channel lets its memory go.
    /// </summary>
    public virtual bool RecyclesMemory => true;

    /// <summary>A cancelled wait is forgotten, even when no write or read ever follows.</summary>
    public virtual bool ForgetsCancelledWaits => true;

    /// <summary>An item that was peeked at and then read is not kept alive.</summary>
    public virtual bool ForgetsPeekedItems => true;

    /// <summary>
    /// An item that was handed to a waiting reader, or taken from a waiting writer, is not kept alive by the object
    /// that stood for the wait. The BCL's pooled ones hold theirs until the next wait.
    /// </summary>
    public virtual bool ForgetsServedWaits => true;

    /// <summary>
    /// A continuation of Completion that runs inline in the read of the last item runs outside every lock. The BCL's
    /// bounded channel runs it under the channel's lock.
    /// </summary>
    public virtual bool CompletesOutsideLocks => true;

    /// <summary>
    /// A continuation that runs inline in a cancel keeps nobody out. In .NET 9's unbounded channel a writer that meets
    /// the cancelled reader waits for the cancel's callbacks, so it waits for the continuation.
    /// </summary>
    public virtual bool CancelsOutsideLocks => true;

    /// <summary>
    /// A wait that is cancelled while it starts is cancelled and nothing else. .NET 10's operations ask their own
    /// registration whether they can be cancelled; a cancel that comes before the constructor has stored it reserves
    /// nothing, so a cancelled read still swallows an item and a cancelled write still writes.
    /// </summary>
    public virtual bool CancelsAtomically => true;

    /// <summary>How many of <paramref name="wanted"/> items fit at once.</summary>
    public int Fitting(int wanted) => Math.Min(wanted, Capacity ?? int.MaxValue);

    /// <summary>Makes an empty channel.</summary>
    /// <param name="inline">Whether continuations may run inline.</param>
    /// <param name="dropped">Told of every dropped item; kinds that do not drop ignore it.</param>
    public abstract Channel<T> Create<T>(bool inline = false, Action<T>? dropped = null);
}
