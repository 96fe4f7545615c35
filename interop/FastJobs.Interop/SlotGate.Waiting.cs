using FastJobs.Interop.Generated;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>Looking at the jobs that wait for a slot, some at a time, and taking out a few: docs/protocols.md#slots.</summary>
internal static unsafe partial class SlotGate
{
    // So many jobs are looked at while those who take and give slots wait.
    private const int JobsAtOnce = 64;

    /// <summary>Jobs that have begun to wait for a slot since the start.</summary>
    public static long Parked => Volatile.Read(ref s_parked);

    /// <summary>What a visitor wants done with a job.</summary>
    private enum Verdict
    {
        Stays,

        /// <summary>It is taken out, and the visitor's to end.</summary>
        Goes,
    }

    /// <summary>
    /// Calls <paramref name="visit"/> for each job of the lane that waits for a slot, with the time of its submit; the job
    /// cannot leave meanwhile. <paramref name="pause"/> is called now and then while everybody can.
    /// </summary>
    public static void VisitWaiting(CLane lane, Action<nint, long> visit, Action pause) => Visit(
        (job, submittedAt) =>
        {
            if (((ec_thread_pool_job*)job)->job_class == lane.Id)
            {
                visit(job, submittedAt);
            }

            return Verdict.Stays;
        },
        () =>
        {
            pause();
            return true;
        });

    /// <summary>Takes a job out that waits for a slot. It is compared, never looked into, unless it waits here.</summary>
    public static bool TryRemove(nint wanted, out CLane? lane)
    {
        CLane? found = null;
        Visit(
            (job, _) =>
            {
                if (job != wanted)
                {
                    return Verdict.Stays;
                }

                found = LaneOf(job);
                return Verdict.Goes;
            },
            () => found is null);
        lane = found;
        return found is not null;
    }

    /// <summary>Discards the jobs with skip_on_shutdown that wait for a slot, which may never come.</summary>
    public static void DiscardSkipped()
    {
        var skipped = new List<nint>();
        Visit(
            (job, _) =>
            {
                if (((ec_thread_pool_job*)job)->skip_on_shutdown == 0)
                {
                    return Verdict.Stays;
                }

                skipped.Add(job);
                return Verdict.Goes;
            },
            () =>
            {
                foreach (nint job in skipped)
                {
                    CLane lane = LaneOf(job)!;
                    CJobOps.Discard(job);
                    lane.AddWaiting(-1);
                    lane.Workers.CountElsewhere();
                }

                skipped.Clear();
                return true;
            });
    }

    // visit: under a stripe's lock. goOn: between two locks, after those that were visited; false ends it.
    private static void Visit(Func<nint, long, Verdict> visit, Func<bool> goOn)
    {
        foreach (Stripe stripe in s_stripes)
        {
            (nint Semaphore, long Generation, long Next, long End)[] gates;
            lock (stripe)
            {
                gates = [.. stripe.Gates.Select(gate =>
                    (gate.Key, gate.Value.Generation, gate.Value.Jobs.First, gate.Value.Jobs.End))];
            }

            foreach ((nint semaphore, long generation, long first, long end) in gates)
            {
                long next = first;
                while (VisitSome(stripe, semaphore, generation, ref next, end, visit))
                {
                    if (!goOn())
                    {
                        return;
                    }
                }
            }
        }
    }

    private static bool VisitSome(
        Stripe stripe, nint semaphore, long generation, ref long next, long end, Func<nint, long, Verdict> visit)
    {
        if (next >= end)
        {
            return false;
        }

        lock (stripe)
        {
            // A gate of another generation has jobs that came later.
            if (!stripe.Gates.TryGetValue(semaphore, out Gate? gate) || gate.Generation != generation)
            {
                return false;
            }

            next = Math.Max(next, gate.Jobs.First);
            for (long stop = Math.Min(end, next + JobsAtOnce); next < stop; next++)
            {
                if (gate.Jobs.TryGet(next, out nint job, out long submittedAt) && visit(job, submittedAt) == Verdict.Goes)
                {
                    stripe.Remove(semaphore, gate, next);
                }
            }
        }

        return true;
    }
}
