using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>Workers that take several jobs at once while many wait. docs/protocols.md#hand.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    private readonly List<Hand<TJob>> _hands = []; // open ones
    private volatile HandUse _handUse;
    private volatile Hand<TJob>? _only; // the one hand, if that is open
    private uint _handNames = 1; // a bit for each that a worker has; 0 is none
    private int _barred;

    /// <summary>
    /// Whether workers may take several jobs at once. Sets without threads of their own do not; nor do those whose jobs are made of
    /// references, which it costs more to copy twice than a claim.
    /// </summary>
    public HandUse HandUse
    {
        get => _handUse;
        set
        {
            HandUse use = Shared is null && TSlot.IsReadEarly ? value : HandUse.None;
            int jobs = 0;
            lock (_lock)
            {
                if (use != _handUse)
                {
                    _handUse = use;
                    jobs = RecallHands(before: long.MaxValue); // those of the other kind
                }
            }

            WakeFor(jobs);
        }
    }

    /// <summary>Jobs that workers have claimed and not started, as far as the caller sees.</summary>
    public int HeldJobs
    {
        get
        {
            if (!Queue.HasHands)
            {
                return 0;
            }

            lock (_lock)
            {
                // The one hand is filled before its jobs are claimed: until then the queue counts them.
                long head = Queue.HeadPosition;
                return _hands.Sum(hand => hand.Name == 0 || hand.EndPosition <= head ? hand.Count : 0);
            }
        }
    }

    /// <summary>Takes the jobs out of all workers' hands and puts them before those of the queue. False: there were none.</summary>
    public bool RecallHands()
    {
        int jobs;
        lock (_lock)
        {
            jobs = RecallHands(before: long.MaxValue);
        }

        WakeFor(jobs);
        return jobs > 0;
    }

    private void WakeFor(int jobs)
    {
        if (jobs > 0)
        {
            Wake();
        }
    }

    // Of a queue that never gets empty nobody runs out of jobs, so nobody would come by those behind a job that takes long.
    private void RecallOverdueHands()
    {
        int jobs;
        lock (_lock)
        {
            // Further than workers get ahead of each other with jobs of one length.
            jobs = RecallHands(before: Queue.HeadPosition - (4 * Hand<TJob>.RoomOfSeveral * (_hands.Count + 1)));
        }

        WakeFor(jobs);
    }

    // Under the lock: of those hands that have jobs from before a position, and all if it is the last one.
    private int RecallHands(long before)
    {
        int jobs = 0;
        for (int i = _hands.Count - 1; i >= 0; i--)
        {
            Hand<TJob> hand = _hands[i];

            // The owner may be filling it: a position that is not the new one yet costs a recall that was not needed.
            if (before == long.MaxValue || (Volatile.Read(ref hand.Position) < before && hand.Count > 0))
            {
                ReadOnlySpan<TJob> rest = hand.Close(out long end);

                // The owner of the one hand fills it before it claims. If it has not claimed it cannot any more: its claim expects
                // its name in the head.
                if (hand.Name == 0 || Queue.Bar().Position == end)
                {
                    PutBefore(rest, end - rest.Length);
                    jobs += rest.Length;
                }

                Closed(hand);
            }
        }

        return jobs;
    }

    /// <summary>Takes back what workers have in their hands, and lets none take several jobs until as many calls say so.</summary>
    public void BarHands(bool barred)
    {
        int jobs;
        lock (_lock)
        {
            _barred += barred ? 1 : -1;
            jobs = barred ? RecallHands(before: long.MaxValue) : 0;
        }

        WakeFor(jobs);
    }

    // Under the lock.
    private void Closed(Hand<TJob> hand)
    {
        hand.IsOpen = false;
        _hands.Remove(hand);
        _only = null;
        Queue.CountHands(-1);
        SettleHold();
    }

    // Under the lock. As long as jobs wait that were recalled from the one hand nobody claims: those of the queue are younger.
    private void SettleHold()
    {
        if (_urgent.Count == 0 && Queue.Holder == HeadWord.Recalled)
        {
            Queue.EndHold();
        }
    }
}
