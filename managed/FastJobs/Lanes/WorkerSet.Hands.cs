using System.Numerics;
using System.Runtime.CompilerServices;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>Workers that take several jobs at once while many wait. docs/protocols.md#hand.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    // A worker with a hand of several looks at one in so many claims whether jobs in hands are overdue, behind one that takes long.
    private const int ClaimsAnOverdueLook = 8 * Hand<TJob>.Room;

    // Whoever waits for the one hand looks how far it comes in so many steps of SpinWait, some 40 ns each. If a job takes longer
    // than three of them it gains nothing if one worker has all of them.
    private const int FirstSteps = 16;
    private const int Steps = 32;
    private const int StepsAJob = 3;

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
            if (use != _handUse)
            {
                _handUse = use;
                RecallHands(); // those of the other kind; whoever opens one now sees the new kind with the lock
            }
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
        int jobs = 0;
        if (Queue.HasHands)
        {
            lock (_lock)
            {
                jobs = RecallHands(before: long.MaxValue);
            }
        }

        if (jobs > 0)
        {
            Wake();
        }

        return jobs > 0;
    }

    // Of a queue that never gets empty nobody runs out of jobs, so nobody would come by those behind a job that takes long.
    private void RecallOverdueHands()
    {
        int jobs;
        lock (_lock)
        {
            // Further than workers get ahead of each other with jobs of one length.
            jobs = RecallHands(before: Queue.HeadPosition - (4 * Hand<TJob>.Room * (_hands.Count + 1)));
        }

        if (jobs > 0)
        {
            Wake();
        }
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
                ReadOnlySpan<TJob> rest = hand.Close();
                if (hand.Name == 0 || IsClaimed(hand))
                {
                    PutBefore(rest, hand.EndPosition - rest.Length);
                    jobs += rest.Length;
                }

                Closed(hand);
            }
        }

        return jobs;
    }

    // Under the lock: whether the owner of the one hand, which was stopped, has claimed what is in it; it fills it first. If not
    // it will not: its claim expects its name in the head.
    private bool IsClaimed(Hand<TJob> hand) => Queue.Bar().Position == hand.EndPosition;

    /// <summary>Takes back what workers have in their hands, and lets none take several jobs until as many calls say so.</summary>
    public void BarHands(bool barred)
    {
        lock (_lock)
        {
            _barred += barred ? 1 : -1;
            if (barred)
            {
                RecallHands(before: long.MaxValue);
            }
        }

        if (barred)
        {
            Wake();
        }
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTakeFromHand(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        if (hand is not null
            && (TOps.TryRunHand(hand, worker, _lock, out job) || hand.TryTake(_lock, out job, ref worker.Position)))
        {
            return true;
        }

        if (_handUse != HandUse.None || hand is not null)
        {
            return TryRefill(worker, ref hand, out job);
        }

        job = default;
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryRefill(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        hand ??= new Hand<TJob>();
        job = default;
        if (!hand.IsOpen && !hand.MayOpen())
        {
            return false;
        }

        HandUse use = _handUse;
        if (use == HandUse.Each && (hand.Looks += Hand<TJob>.Room) >= ClaimsAnOverdueLook)
        {
            hand.Looks = 0;
            if (Queue.HasHands)
            {
                RecallOverdueHands();
            }
        }

        if (use == HandUse.None || !Queue.IsForHands(use))
        {
            Close(hand);
            return false;
        }

        if (!hand.IsOpen && !TryOpen(worker, hand))
        {
            return false;
        }

        return hand.Name != 0 ? TryRefillTheOnly(worker, hand, out job) : TryRefillOneOfSeveral(worker, hand, out job);
    }

    private bool TryRefillOneOfSeveral(Worker worker, Hand<TJob> hand, out TJob? job)
    {
        job = default;
        int jobs = Queue.TryClaimHand(hand.Space, out long position);
        if (jobs == 0)
        {
            return false;
        }

        Volatile.Write(ref hand.Position, position);
        if (hand.TryFill(_lock, jobs))
        {
            return hand.TryTake(_lock, out job, ref worker.Position);
        }

        // Somebody who found no more jobs has closed it in between and may sleep by now.
        lock (_lock)
        {
            PutBefore(hand.Space[..jobs], position);
        }

        Wake();
        return false;
    }

    // It is filled before the claim, so that whoever recalls finds the jobs: none is ever where only its claimer sees it.
    private bool TryRefillTheOnly(Worker worker, Hand<TJob> hand, out TJob? job)
    {
        job = default;
        int jobs = Queue.CopyHand(hand.Space, hand.Name, out HeadWord head);
        if (jobs > 0)
        {
            Volatile.Write(ref hand.Position, head.Position);
            if (!hand.TryFill(_lock, jobs))
            {
                return false; // recalled, and nothing is claimed
            }

            if (Queue.TryClaimCopiedHand(head, jobs, hand.Name))
            {
                return hand.TryTake(_lock, out job, ref worker.Position); // if not, whoever recalled it saw the claim
            }

            hand.Empty(_lock);
        }

        Close(hand); // so that it may claim as everybody does
        return false;
    }

    private bool TryOpen(Worker worker, Hand<TJob> hand)
    {
        lock (_lock)
        {
            HandUse use = _handUse; // what is recalled when the permission ends is all there is
            if (use == HandUse.None || _control != 0 || _barred > 0 || (use == HandUse.One && !TryBecomeTheOnly(worker)))
            {
                return false;
            }

            hand.Open(use == HandUse.One ? worker.HandName : 0);
            _hands.Add(hand);
            _only = use == HandUse.One ? hand : null;
            Queue.CountHands(1); // full fence, before the first claim for it
            return true;
        }
    }

    // Under the lock. Names are the workers', so that none that was recalled and does not know it yet can take another's hold for
    // its own. There are fewer than there may be workers: the others claim one by one.
    private bool TryBecomeTheOnly(Worker worker)
    {
        if (worker.HandName == 0)
        {
            int name = BitOperations.TrailingZeroCount(~_handNames);
            if (name > Hand<TJob>.Names)
            {
                return false;
            }

            worker.HandName = name;
            _handNames |= 1u << name;
        }

        return _hands.Count == 0 && _urgent.Count == 0 && Queue.TryHold(worker.HandName);
    }

    // The owner's; it is empty.
    private void Close(Hand<TJob> hand)
    {
        if (hand.IsOpen)
        {
            lock (_lock)
            {
                if (_hands.Contains(hand))
                {
                    if (hand.Name != 0)
                    {
                        Queue.Bar();
                    }

                    Closed(hand);
                }
            }
        }
    }

    // The queue is empty, or a hand holds its head: there may be jobs that its submitters gather or that workers have claimed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Claim TryTakeScattered(Worker worker, Claim claim, out TJob? job)
    {
        if (claim == Claim.Empty && Queue.Gather())
        {
            return Queue.TryClaim(out job, out worker.Position);
        }

        job = default;
        if (_only is { } hand && IsQuick(hand))
        {
            return Claim.Held;
        }

        return (RecallHands() || claim == Claim.Held) && TryTakeUrgent(worker, out job) ? Claim.Claimed : claim;
    }

    // Another worker has the jobs that come next. As long as it is quick, it is quicker than the two would be in turn.
    private static bool IsQuick(Hand<TJob> hand)
    {
        Thread.SpinWait(FirstSteps);
        long before = hand.Progress;
        Thread.SpinWait(Steps);
        return (hand.Progress - before) * StepsAJob >= Steps;
    }
}
