using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>Whoever wakes or starts workers when a job was published and nobody is searching.</summary>
internal interface ISleepers
{
    void Wake();
}

/// <summary>
/// The lock-free channel with a worker set in place of asynchronous readers: what workers do to the tail word when they
/// start to search, find, and go to sleep. docs/protocols.md#wake has the protocol and the proof.
/// </summary>
/// <param name="settings">The queue's capacity.</param>
/// <param name="sleepers">Whoever is woken.</param>
/// <param name="mayBeTakenSoon">Whether workers are threads, which between two jobs are about to look.</param>
internal sealed partial class LaneQueue<TJob, TSlot>(
    ChannelSettings<TJob> settings, ISleepers sleepers, bool mayBeTakenSoon = true)
    : SegmentedChannel<TJob, TSlot>(settings)
    where TSlot : struct, ISlot<TJob, TSlot>
{
    /// <summary>Whose queue it is.</summary>
    public int LaneId { get; init; }

    /// <summary>
    /// Whether a job is in the queue, published or about to be, or may be in an outbox or a hand, or come from a lessee.
    /// </summary>
    public bool HasWork => IsScattered || EndPosition > HeadPosition;

    /// <summary>Whether some worker is searching.</summary>
    public bool HasSearchers => new TailWord(Volatile.Read(ref _tail.Value)).Searchers > 0;

    /// <summary>Writes several jobs, one behind the other, without regard to the capacity. False: the queue is closed.</summary>
    public bool TryWriteAll(ReadOnlySpan<TJob> jobs)
    {
        FlushMine(jobs.Length);
        bool written = TryWriteAllForced(jobs, out TailWord tail);
        if (written && tail.NeedsAttention)
        {
            Attend(tail);
        }

        return written;
    }

    /// <summary>Becomes a searcher, unless there are <paramref name="most"/> already.</summary>
    public bool TryBeginSearch(int most)
    {
        while (true)
        {
            long raw = Volatile.Read(ref _tail.Value);
            if (new TailWord(raw).Searchers >= most)
            {
                return false;
            }

            // Full fence. A writer whose add comes after sees the searcher and does not notify; the searcher looks at
            // the queue after this. Pairs with TryWriteForced.
            if (Interlocked.CompareExchange(ref _tail.Value, raw + TailWord.SearcherOne, raw) == raw)
            {
                return true;
            }
        }
    }

    /// <summary>
    /// Stops searching, with a job in hand. True: the last searcher leaves jobs behind, for which writers may not have
    /// notified because they saw it; the caller must wake another worker.
    /// </summary>
    public bool EndSearch()
    {
        // Full fence. Every writer whose add comes before is in the position that this returns; every one after sees
        // that nobody searches. Pairs with TryWriteForced.
        var tail = new TailWord(Interlocked.Add(ref _tail.Value, -TailWord.SearcherOne));
        return tail.NeedsNotify && HasWork;
    }

    /// <summary>Counts a worker that is being woken or started as a searcher. Under the worker set's lock.</summary>
    public void AddSearcher() => Interlocked.Add(ref _tail.Value, TailWord.SearcherOne);

    /// <summary>
    /// Goes from searching (or from a job) to sleep. False: there is a job and nobody else searches, so the caller
    /// remains, as a searcher. Under the worker set's lock, which guards the flag.
    /// </summary>
    public bool TryFallAsleep(bool searching, bool sleepers)
    {
        while (true)
        {
            long raw = Volatile.Read(ref _tail.Value);
            long next = (searching ? raw - TailWord.SearcherOne : raw) & ~TailWord.Sleepers;
            if (sleepers)
            {
                next |= TailWord.Sleepers;
            }

            // Full fence. Pairs with TryWriteForced: a writer whose add comes before is seen by HasWork below, one
            // whose add comes after sees the flag and no searcher, and notifies.
            if (Interlocked.CompareExchange(ref _tail.Value, next, raw) != raw)
            {
                continue;
            }

            if (!sleepers || new TailWord(next).Searchers > 0 || !HasWork)
            {
                return true;
            }

            Interlocked.Add(ref _tail.Value, TailWord.SearcherOne);
            return false;
        }
    }

    /// <summary>Says whether there are workers to be woken or started. Under the worker set's lock.</summary>
    /// <returns>True: there are, a job waits and nobody searches; the caller must wake one.</returns>
    public bool SetSleepers(bool sleepers)
    {
        // Full fence in both branches; pairs with TryWriteForced as in TryFallAsleep.
        long raw = sleepers
            ? Interlocked.Or(ref _tail.Value, TailWord.Sleepers) | TailWord.Sleepers
            : Interlocked.And(ref _tail.Value, ~TailWord.Sleepers) & ~TailWord.Sleepers;
        return new TailWord(raw).NeedsNotify && HasWork;
    }

    /// <summary>
    /// A worker between two jobs does not count as a searcher at once, so it may be about to take the job: waking another
    /// one costs more than a short look. Once no job waits there is nobody to be woken for.
    /// </summary>
    protected override void NotifyReaders()
    {
        for (int look = 0; mayBeTakenSoon && look < Spinning.SubmitterLooks; look++)
        {
            if (!HasWork)
            {
                return;
            }

            Spinning.Once();
        }

        sleepers.Wake();
    }
}
