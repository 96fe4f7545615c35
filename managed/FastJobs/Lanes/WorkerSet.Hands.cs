using System.Runtime.CompilerServices;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>Workers of a relaxed lane, which take several jobs at once while many wait. docs/protocols.md#hand.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    // A worker looks whether the queue is deep at one in so many claims: the look fetches the line that submitters write to.
    private const int ClaimsALook = Hand<TJob>.Room;

    // And whether jobs in hands are overdue, behind one that takes long, at one in so many.
    private const int ClaimsAnOverdueLook = 8 * ClaimsALook;

    private readonly List<Hand<TJob>> _hands = []; // open ones

    /// <summary>Whether workers may take several jobs at once. Sets without threads of their own do not.</summary>
    public bool UsesHands
    {
        get => _usesHands;
        set => _usesHands = value && Shared is null;
    }

    private volatile bool _usesHands;

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
                return _hands.Sum(hand => hand.Count);
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
                PutBefore(rest, hand.Position);
                jobs += rest.Length;
                _hands.RemoveAt(i);
                Queue.CountHands(-1);
            }
        }

        return jobs;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTakeFromHand(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        if (hand is not null && hand.TryTake(_lock, out job, ref worker.Position))
        {
            return true;
        }

        if (_usesHands || hand is not null)
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
        hand.Looks += hand.IsOpen ? ClaimsALook : 1;
        if (!hand.IsOpen && hand.Looks % ClaimsALook != 0)
        {
            return false;
        }

        if (hand.Looks >= ClaimsAnOverdueLook)
        {
            hand.Looks = 0;
            if (Queue.HasHands)
            {
                RecallOverdueHands();
            }
        }

        if (!_usesHands || !Queue.IsForHands)
        {
            Close(hand);
            return false;
        }

        if (!hand.IsOpen)
        {
            lock (_lock)
            {
                if (!_usesHands)
                {
                    return false; // what is recalled when the permission ends is all there is
                }

                hand.Open();
                _hands.Add(hand);
                Queue.CountHands(1); // full fence, before the first claim for it
            }
        }

        int jobs = Queue.TryClaimHand(hand.Space, out long position);
        hand.Position = position;
        if (jobs == 0)
        {
            return false;
        }

        if (!hand.TryFill(_lock, jobs))
        {
            // Somebody who found no more jobs has closed it in between and may sleep by now.
            lock (_lock)
            {
                PutBefore(hand.Space[..jobs], position);
            }

            Wake();
            return false;
        }

        return hand.TryTake(_lock, out job, ref worker.Position);
    }

    // The owner's; it is empty.
    private void Close(Hand<TJob> hand)
    {
        if (hand.IsOpen)
        {
            lock (_lock)
            {
                if (_hands.Remove(hand))
                {
                    hand.IsOpen = false;
                    Queue.CountHands(-1);
                }
            }
        }
    }
}
