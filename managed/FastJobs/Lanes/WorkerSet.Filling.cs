using System.Numerics;
using System.Runtime.CompilerServices;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>How a worker opens its hand, fills it and takes from it. docs/protocols.md#hand.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    // A worker with a hand of several looks at one in so many claims whether jobs in hands are overdue, behind one that takes long.
    private const int ClaimsAnOverdueLook = 8 * Hand<TJob>.RoomOfSeveral;

    // Whoever waits for the one hand looks how far it comes in so many steps of SpinWait, some 40 ns each. If a job takes longer
    // than three of them it gains nothing if one worker has all of them.
    private const int FirstSteps = 16;
    private const int Steps = 32;
    private const int StepsAJob = 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTakeFromHand(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        if (hand is { Count: > 0 }
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
        HandUse use = _handUse;
        if (use == HandUse.Each && (hand.Looks += hand.IsOpen ? Hand<TJob>.RoomOfSeveral : 1) >= ClaimsAnOverdueLook)
        {
            hand.Looks = 0;
            if (Queue.HasHands)
            {
                RecallOverdueHands();
            }
        }

        if (!hand.IsOpen && !hand.MayOpen())
        {
            return false;
        }

        if (use == HandUse.None || !TOps.MayTakeSeveral || !Queue.IsForHands(use))
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

    // Claimed and filled with the lock: whoever recalls comes before both, and then nothing is claimed, or after both.
    private bool TryRefillOneOfSeveral(Worker worker, Hand<TJob> hand, out TJob? job)
    {
        job = default;
        int jobs = Queue.CopyHand(hand.Space, holder: 0, out HeadWord head);
        if (jobs == 0)
        {
            return false;
        }

        lock (_lock)
        {
            if (!hand.IsOpen || !Queue.TryClaimCopiedHand(head, jobs, holder: 0))
            {
                return false;
            }

            hand.Fill(head.Position, jobs);
        }

        return hand.TryTake(_lock, out job, ref worker.Position);
    }

    // It is filled before the claim, so that whoever recalls finds the jobs: none is ever where only its claimer sees it.
    private bool TryRefillTheOnly(Worker worker, Hand<TJob> hand, out TJob? job)
    {
        job = default;
        int jobs = Queue.CopyHand(hand.Space, hand.Name, out HeadWord head);
        if (jobs > 0)
        {
            if (!hand.TryFill(_lock, head.Position, jobs))
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
        hand.MakeRoom();
        lock (_lock)
        {
            HandUse use = _handUse; // what is recalled when the permission ends is all there is
            bool isForbidden = use == HandUse.None || !TOps.MayTakeSeveral || _control != 0 || _barred > 0;
            if (isForbidden || (use == HandUse.One && !TryBecomeTheOnly(worker)))
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

    // The queue is empty, its first job is not published, or a hand holds its head: there may be jobs that its submitters gather,
    // or a lessee brings, or that workers have claimed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Claim TryTakeScattered(Worker worker, Claim claim, out TJob? job)
    {
        if (claim == Claim.Empty && Queue.Gather())
        {
            return Queue.TryClaim(out job, out worker.Position);
        }

        job = default;
        if (claim != Claim.Held && Queue.IsLeased)
        {
            if (IsQuick(null))
            {
                return Claim.Leased;
            }

            Queue.BreakLease();
        }

        if (_only is { } hand && IsQuick(hand))
        {
            return Claim.Held;
        }

        return ((Queue.HasHands && RecallHands()) || claim == Claim.Held) && TryTakeUrgent(worker, out job) ? Claim.Claimed : claim;
    }

    // Another worker has the jobs that come next in its hand, or (null) a submitter, which has leased the tail. As long as it is
    // quick, it is quicker than the two would be in turn.
    private bool IsQuick(Hand<TJob>? hand)
    {
        Thread.SpinWait(FirstSteps);
        long before = hand?.Progress ?? Queue.EndPosition;
        Thread.SpinWait(Steps);
        long after = hand?.Progress ?? Queue.EndPosition;
        return (after - before) * StepsAJob >= Steps;
    }
}
