using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>What hands need of the queue: when workers may take several jobs at once, and how. docs/protocols.md#hand.</summary>
internal sealed partial class LaneQueue<TJob, TSlot>
{
    private int _hands;

    /// <summary>Whether a worker may have jobs in its hand.</summary>
    public bool HasHands => Volatile.Read(ref _hands) > 0;

    /// <summary>Whether jobs may wait elsewhere than in the queue, or come to it without a look at who sleeps.</summary>
    public bool IsScattered => IsCollecting || HasHands || IsLeased;

    /// <summary>The hand that alone may claim; 0: none.</summary>
    public int Holder => new HeadWord(Volatile.Read(ref _head.Value)).Holder;

    /// <summary>Whether it is worth while to take several jobs at once, and somebody is there for those that have to wait.</summary>
    public bool IsForHands(HandUse use)
    {
        // One hand: who searches finds it, and cannot go to sleep as long as it is open. Several: nobody may be missing.
        var tail = new TailWord(Volatile.Read(ref _tail.Value));
        bool attended = !tail.HasSleepers || (use == HandUse.One && tail.Searchers > 0);
        return attended && !tail.IsClosed && EndPosition - HeadPosition >= Deep;
    }

    /// <summary>A worker is about to take several jobs at once, or will not do so any more. Full fence.</summary>
    public void CountHands(int hands) => Interlocked.Add(ref _hands, hands);

    /// <summary>Makes the head that of the one hand. False: somebody waits for it, or closes the queue.</summary>
    public bool TryHold(int name)
    {
        while (true)
        {
            long raw = Volatile.Read(ref _head.Value);
            if (new HeadWord(raw).HasFlags)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _head.Value, raw | ((long)name << HeadWord.HolderShift), raw) == raw)
            {
                return true;
            }
        }
    }

    /// <summary>What its holder, or one of several hands (0), would claim: <see cref="SegmentedChannel{T, TSlot}.CopySome"/>.</summary>
    public int CopyHand(Span<TJob> jobs, int holder, out HeadWord head) => CopySome(jobs, holder, out head);

    /// <summary>Claims that. False: the hold has ended, or the head is another one or got a flag.</summary>
    public bool TryClaimCopiedHand(HeadWord head, int jobs, int holder) => TryClaimCopied(head, jobs, holder);

    /// <summary>Nobody claims from now on, not even the holder. Returns what the head was.</summary>
    public HeadWord Bar() => new(Interlocked.Or(ref _head.Value, HeadWord.HolderMask));

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
