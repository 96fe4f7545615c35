using FastJobs.Channels;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>
/// Concurrency semaphores: a job that finds no slot waits in a list of its semaphore and its worker goes on; whoever
/// gives a slot back hands it to the first that waits. O(1) a job. Slots that the caller posts itself are noticed by a
/// thread that looks every few milliseconds at the semaphores with waiting jobs, and sleeps when there are none.
/// docs/protocols.md#slots.
/// </summary>
/// <remarks>
/// A semaphore is touched only on behalf of a job that uses it, so a caller may destroy it when no job does. Looking at the
/// jobs that wait (listings, cancel, shutdown) is in SlotGate.Waiting.cs.
/// </remarks>
internal static unsafe partial class SlotGate
{
    private const int Stripes = 64;
    private const int PollMilliseconds = 3;

    private static readonly Stripe[] s_stripes = CreateStripes();
    private static readonly Parking.Parker s_pollerSleeps = new();
    private static readonly Lock s_pollerLock = new();
    private static int s_waitingGates;
    private static long s_parked; // since the start: how a cancel sees that a job came while it looked
    private static Thread? s_poller;
    private static volatile bool s_pollerEnds;

    /// <summary>Takes a slot for the job, or lets the job wait: then it comes back through its lane's urgent jobs.</summary>
    public static bool TryTake(void* semaphore, ec_thread_pool_job* job, CLane lane, Worker worker)
    {
        Stripe stripe = StripeOf(semaphore);
        bool first = false;
        lock (stripe)
        {
            if (!stripe.Gates.TryGetValue((nint)semaphore, out Gate? gate))
            {
                if (Host.TryWait(semaphore) != 0)
                {
                    return true;
                }

                gate = stripe.Add((nint)semaphore);
                first = true;
            }

            // A SYNC job of a class never waits here, so the job's class is the lane's id and need not be kept.
            System.Diagnostics.Debug.Assert(job->job_class == lane.Id, "a job waits in the lane of its class");
            gate.Jobs.Enqueue((nint)job, lane.Workers.SubmittedAt(worker));
            Interlocked.Increment(ref s_parked);
            lane.AddWaiting(1); // before a release can take the job off again
            first = first && Interlocked.Increment(ref s_waitingGates) == 1;
        }

        if (first)
        {
            WakePoller();
        }

        return false;
    }

    /// <summary>Gives a slot back: to the first job that waits for it, else to the semaphore.</summary>
    public static void Release(void* semaphore)
    {
        Stripe stripe = StripeOf(semaphore);
        ec_thread_pool_job* next;
        CLane? lane;
        long submittedAt;
        lock (stripe)
        {
            if (!stripe.Gates.TryGetValue((nint)semaphore, out Gate? gate))
            {
                // Under the lock: a job that finds no slot is in the list before this looks, or sees this post.
                Host.Post(semaphore);
                return;
            }

            next = stripe.TakeFirst((nint)semaphore, gate, out lane, out submittedAt);
        }

        Resume(next, lane, submittedAt);
    }

    /// <summary>For a job that runs in its submitter's thread: waits there, without blocking in the semaphore.</summary>
    public static void Await(void* semaphore)
    {
        while (Host.TryWait(semaphore) == 0)
        {
            Thread.Sleep(1);
        }
    }

    private static CLane? LaneOf(nint job) => CEngine.Current.Lanes.Find(((ec_thread_pool_job*)job)->job_class);

    private static void Resume(ec_thread_pool_job* job, CLane? lane, long submittedAt)
    {
        lane!.AddWaiting(-1);
        lane.Workers.PushUrgent(CJobOps.WithSlot(job), submittedAt);
    }

    private static Stripe StripeOf(void* semaphore) => s_stripes[((nuint)semaphore >> 5) % Stripes];

    /// <summary>Ends the polling thread. No job waits for a slot any more.</summary>
    public static void EndPolling()
    {
        lock (s_pollerLock)
        {
            s_pollerEnds = true;
            s_pollerSleeps.Unpark();
            s_poller?.Join();
        }
    }

    private static void WakePoller()
    {
        lock (s_pollerLock)
        {
            if (s_poller is null && !TryStartPoller())
            {
                return; // no thread is to be had: slots that jobs give back are still handed on
            }
        }

        s_pollerSleeps.Unpark();
    }

    private static bool TryStartPoller()
    {
        var poller = new Thread(Poll, 64 * 1024) { IsBackground = true, Name = "fj-slots" };
        Host.BeforeThreadStart();
        try
        {
            poller.UnsafeStart();
            s_poller = poller;
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Log.ThreadMissing("fj-slots", e);
            return false;
        }
        finally
        {
            Host.AfterThreadStart();
        }
    }

    private static void Poll()
    {
        Parking.ThreadName.Set("fj-slots");
        while (!s_pollerEnds)
        {
            if (Volatile.Read(ref s_waitingGates) == 0)
            {
                s_pollerSleeps.Park(Timeout.Infinite);
            }

            foreach (Stripe stripe in s_stripes)
            {
                PollStripe(stripe);
            }

            s_pollerSleeps.Park(PollMilliseconds);
        }
    }

    private static void PollStripe(Stripe stripe)
    {
        while (true)
        {
            ec_thread_pool_job* next = null;
            CLane? lane = null;
            long submittedAt = 0;
            lock (stripe)
            {
                foreach ((nint semaphore, Gate gate) in stripe.Gates)
                {
                    if (Host.TryWait((void*)semaphore) != 0)
                    {
                        next = stripe.TakeFirst(semaphore, gate, out lane, out submittedAt);
                        break; // the dictionary may have changed
                    }
                }
            }

            if (next == null)
            {
                return;
            }

            Resume(next, lane, submittedAt);
        }
    }

    private static Stripe[] CreateStripes()
    {
        var stripes = new Stripe[Stripes];
        for (int i = 0; i < Stripes; i++)
        {
            stripes[i] = new Stripe();
        }

        return stripes;
    }

    private sealed class Stripe
    {
        private long _generations;

        public Dictionary<nint, Gate> Gates { get; } = [];

        private Stack<Gate> Spare { get; } = new();

        public Gate Add(nint semaphore)
        {
            Gate gate = Spare.TryPop(out Gate? spare) ? spare : new Gate();
            gate.Generation = ++_generations;
            Gates.Add(semaphore, gate);
            return gate;
        }

        public ec_thread_pool_job* TakeFirst(nint semaphore, Gate gate, out CLane? lane, out long submittedAt)
        {
            bool found = gate.Jobs.TryDequeue(out nint job, out submittedAt);
            System.Diagnostics.Debug.Assert(found, "a semaphore without waiting jobs has no gate");
            lane = LaneOf(job);
            RemoveIfEmpty(semaphore, gate);
            return (ec_thread_pool_job*)job;
        }

        public void Remove(nint semaphore, Gate gate, long number)
        {
            gate.Jobs.Remove(number);
            RemoveIfEmpty(semaphore, gate);
        }

        private void RemoveIfEmpty(nint semaphore, Gate gate)
        {
            if (gate.Jobs.Count == 0)
            {
                Gates.Remove(semaphore);
                Spare.Push(gate);
                Interlocked.Decrement(ref s_waitingGates);
            }
        }
    }

    /// <summary>The jobs that wait for one semaphore, in their order. Guarded by the stripe.</summary>
    private sealed class Gate
    {
        public WaitingRing<nint> Jobs { get; } = new();

        /// <summary>Tells this use of the object from an earlier one.</summary>
        public long Generation { get; set; }
    }
}
