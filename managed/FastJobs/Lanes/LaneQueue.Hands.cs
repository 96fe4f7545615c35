using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>What hands need of the queue: when workers may take several jobs at once, and how. docs/protocols.md#hand.</summary>
internal sealed partial class LaneQueue<TJob, TSlot>
{
    private int _hands;

    /// <summary>Whether a worker may have jobs in its hand.</summary>
    public bool HasHands => Volatile.Read(ref _hands) > 0;

    /// <summary>Whether jobs may wait elsewhere than in the queue.</summary>
    public bool IsScattered => IsCollecting || HasHands;

    /// <summary>The hand that alone may claim; 0: none.</summary>
    public int Holder => new HeadWord(Volatile.Read(ref _head.Value)).Holder;

    /// <summary>Whether it is worth while to take several jobs at once, and somebody is there for those that have to wait.</summary>
    public bool IsForHands(HandUse use)
    {
        // One hand: who searches finds it, and cannot go to sleep as long as it is open. Several: nobody may be missing.
        var tail = new TailWord(Volatile.Read(ref _tail.Value));
        bool attended = !tail.HasSleepers || (use == HandUse.One && tail.Searchers > 0);
        return attended && !tail.IsClosed && tail.Position - HeadPosition >= Deep;
    }

    /// <summary>A worker is about to take several jobs at once, or will not do so any more. Full fence.</summary>
    public void CountHands(int hands) => Interlocked.Add(ref _hands, hands);

    /// <summary>Claims several jobs for a worker's hand, as <see cref="SegmentedChannel{T, TSlot}.TryClaimSome"/>.</summary>
    public int TryClaimHand(Span<TJob> jobs, int expected, int holder, out long position) =>
        TryClaimSome(jobs, expected, holder, out position);

    /// <summary>Lets everybody claim again.</summary>
    public void EndHold() => Interlocked.And(ref _head.Value, ~HeadWord.HolderMask);
}

/// <summary>Which workers of a set may take several jobs at once.</summary>
internal enum HandUse
{
    None,

    /// <summary>One of them, and as long as it has some nobody else claims: jobs begin in their order.</summary>
    One,

    /// <summary>Each: jobs may begin in another order.</summary>
    Each,
}
