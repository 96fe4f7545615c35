using System.Runtime.CompilerServices;
using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>What a worker does between two sleeps: it claims jobs and runs them, and looks a while when there is none.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    // Whether to let others have the thread. The clock is read only while others wait.
    private static bool MustYield(SharedQueue shared, ref int jobs, ref long since)
    {
        if (!shared.HasWork)
        {
            return false;
        }

        if (jobs++ == 0)
        {
            since = Environment.TickCount64;
        }

        return jobs > Spinning.JobsATurn || Environment.TickCount64 - since > Spinning.MillisecondsATurn;
    }

    // A worker comes here as a claimer, and as a searcher if it was woken; unless it rests for the others' sake it leaves
    // as neither.
    private Next Work(Worker worker, bool searching)
    {
        const int FoundLast = -Spinning.Lingers;
        SharedQueue? shared = Shared;
        worker.Runner = Thread.CurrentThread;
        int turnJobs = 0;
        long turnBegan = 0;
        int looks = searching ? 0 : FoundLast; // in vain, since the last job
        var linger = default(Linger);
        Hand<TJob>? hand = null;
        while (true)
        {
            if (Volatile.Read(ref _control) != 0)
            {
                if (Queue.HasHands)
                {
                    RecallHands(); // this worker may have to stop
                }

                Next next = Checkpoint(worker, ref searching);
                if (next != Next.GoOn)
                {
                    return next;
                }

                // One that slept there comes back as a searcher: it must not be counted as such once more below.
                looks = searching ? Math.Max(looks, 0) : looks;
            }

            Claim claim = TryTake(worker, ref hand, out TJob? job);
            if (claim == Claim.Claimed)
            {
                // Whoever deferred the set and then submitted this job is seen here, if not above.
                if (Volatile.Read(ref _control) != 0 && TryPutBack(worker, job!))
                {
                    continue; // to the checkpoint
                }

                looks = FoundLast;
                linger.Found();
                if (!worker.IsBusy)
                {
                    worker.BecomeBusy();
                }

                if (searching)
                {
                    searching = false;
                    FoundWork();
                }

                if (TOps.Run(job!, worker))
                {
                    worker.CountJob();
                }

                if (shared is not null && MustYield(shared, ref turnJobs, ref turnBegan))
                {
                    worker.BecomeIdle();
                    worker.ResumesSearching = false; // it remains a claimer, which is bound to look
                    shared.TryWriteForced(worker);
                    return Next.Rest;
                }
            }
            else if (looks < Spinning.Limit && claim == Claim.Empty && shared is { HasWork: true })
            {
                worker.BecomeIdle(); // others wait for the thread
                looks = Spinning.Limit;
            }
            else if (looks < -1)
            {
                looks++;
                linger.Wait();
            }
            else if (looks == -1)
            {
                worker.BecomeIdle();
                searching = Queue.TryBeginSearch(Spinning.MaxSearchers);
                looks = searching ? 0 : Spinning.Limit;
            }
            else if (looks < Spinning.Limit)
            {
                looks++;
                if (looks % Spinning.LooksATurn == 0 && !Settings.KeepsCore)
                {
                    Thread.Yield();
                }
                else
                {
                    Spinning.Once();
                }
            }
            else if (claim != Claim.Empty && (claim != Claim.Leased || searching || !Queue.HasSearchers))
            {
                // The submitter was preempted half-way, or it or a hand's owner is quick: its core may be this one.
                Thread.Yield();
            }
            else
            {
                Next next = TryPark(worker, ref searching);
                if (next != Next.GoOn)
                {
                    return next;
                }

                looks = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryTake(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        // Acquire: pairs with the increment in PushUrgent.
        if ((Volatile.Read(ref _urgentCount) > 0 && TryTakeUrgent(worker, out job)) || TryTakeFromHand(worker, ref hand, out job))
        {
            return Claim.Claimed;
        }

        // It has run jobs of its hand, perhaps for long, or the hand was recalled since the look above, and the jobs that were in it
        // come before those of the queue: a checkpoint or an urgent job, the loop finds it. Who was told that its hand was stopped
        // had the lock after the recall, and sees what that counted.
        if (hand is not null && (Volatile.Read(ref _control) != 0 || Volatile.Read(ref _urgentCount) > 0))
        {
            job = default;
            return Claim.Held;
        }

        return TryClaim(worker, out job);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryClaim(Worker worker, out TJob? job)
    {
        Claim claim = Queue.TryClaim(out job, out worker.Position);
        return claim == Claim.Claimed || (claim != Claim.Held && !Queue.IsScattered)
            ? claim
            : TryTakeScattered(worker, claim, out job);
    }

    private void FoundWork()
    {
        // The urgent count is read after EndSearch's fence; pairs with the increment in PushUrgent.
        if (Queue.EndSearch() || (Volatile.Read(ref _urgentCount) > 0 && !Queue.HasSearchers))
        {
            Wake();
        }
    }
}
