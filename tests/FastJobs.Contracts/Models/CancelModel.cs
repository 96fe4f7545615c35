using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Listings and cancels of queued jobs: docs/protocols.md#pause and docs/protocols.md#cancel. Code:
/// SegmentedChannel.Pausing.cs, JobCancel.cs, SlotGate.Waiting.cs.
/// </summary>
/// <remarks>
/// Three jobs are published; one is to be cancelled. Who has a job in the end frees it: its worker after the run, or who
/// has cancelled it. With <paramref name="slots"/> that job finds no slot and is parked for ever, unless it is cancelled.
/// </remarks>
internal sealed class CancelModel(int workers, bool lister, bool slots = false, CancelModel.Bug bug = default)
    : Model<CancelModel.Memory, CancelModel.Local>
{
    private const int Jobs = 3;
    private const int Wanted = 1;
    private const byte Tombstone = 9;

    public enum Bug
    {
        None,
        CancelDoesNotPause,
        ListingDoesNotPause,
        HeadBeforePause,
        ClaimIgnoresPause,
        TakesBeforeItsExchange,
        ResumesBeforeItReplaces,
        ClearsTheSlot,
        DoesNotCount,
        WorkerCountsTheTombstone,
        LooksOnceBehindSemaphores,
        SemaphoresBeforeQueue,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Head;
        public bool Paused;
        public bool Gate; // excludes pauses
        public Six Slots; // job + 1, or the tombstone
        public byte Gone; // jobs whose memory is not the pool's any more
        public byte Ran;
        public byte Canceled;
        public byte Finished; // the count that drains look at
        public bool Parked; // the wanted job waits for a slot
        public byte Parks; // jobs that began to
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Head;
        public byte Item;
        public byte Parks;
        public bool Found;
        public bool Again;
    }

    public override Memory Start
    {
        get
        {
            Memory start = default;
            for (byte i = 0; i < Jobs; i++)
            {
                start.Slots[i] = (byte)(i + 1);
            }

            return start;
        }
    }

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. Enumerable.Range(0, workers).Select(i => new Script<Memory, Local>($"worker {i}", default, Worker())),
        new("canceller", default, Canceller()),
        .. lister ? [new("lister", default, Lister())] : Array.Empty<Script<Memory, Local>>(),
    ];

    public override string? CheckAlways(in Memory m) =>
        (m.Ran & m.Canceled) != 0 ? "a job ran that was cancelled"
        : m.Finished > Jobs ? "more jobs are over than there were"
        : null;

    public override string? CheckEnd(in Memory m)
    {
        byte waits = (byte)(m.Parked ? 1 << Wanted : 0);
        return (byte)(m.Ran | m.Canceled | waits) != Bits.First(Jobs) ? "a job was lost"
            : m.Finished != Jobs - (m.Parked ? 1 : 0) ? "a drain would wait for ever"
            : null;
    }

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Cancel_TwoWorkersAndAListing_EndsEachJobOnce", () => new CancelModel(2, lister: true)),
        Proof.Holds("Cancel_BehindASemaphore_EndsEachJobOnce", () => new CancelModel(2, lister: true, slots: true)),
        Proof.Holds("Cancel_ThreeWorkers_EndsEachJobOnce", () => new CancelModel(3, lister: false)),
        Caught(Bug.CancelDoesNotPause, "cancelled"),
        Caught(Bug.ListingDoesNotPause, "listing"),
        Caught(Bug.HeadBeforePause, "cancelled", listing: false),
        Caught(Bug.ClaimIgnoresPause, "cancelled", listing: false),
        Caught(Bug.TakesBeforeItsExchange, "cancelled"),
        Caught(Bug.ResumesBeforeItReplaces, "cancelled"),
        Caught(Bug.ClearsTheSlot, "not published"),
        Caught(Bug.DoesNotCount, "drain"),
        Caught(Bug.WorkerCountsTheTombstone, "more jobs"),
        Caught(Bug.LooksOnceBehindSemaphores, "was not found", slots: true),
        Caught(Bug.SemaphoresBeforeQueue, "was not found", slots: true),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool slots = false, bool listing = true) =>
        Proof.Catches($"Cancel_{bug}_IsCaught", symptom, () => new CancelModel(2, listing, slots, bug));

    private IEnumerable<Step<Memory, Local>> Worker()
    {
        yield return Do("1", "looks at the head and the slot", (ref m, ref me) =>
        {
            if (m.Head == Jobs)
            {
                return Next.Done;
            }

            me.Head = m.Head;
            me.Item = bug == Bug.TakesBeforeItsExchange ? m.Slots[m.Head] : (byte)0;
            return m.Paused && bug != Bug.ClaimIgnoresPause ? Next.Blocked : Next.Ahead;
        });
        yield return Do("3", "exchanges the head", (ref m, ref me) =>
        {
            if (m.Head != me.Head || (m.Paused && bug != Bug.ClaimIgnoresPause))
            {
                me = default;
                return Next.To("1");
            }

            m.Head++;
            return Next.Ahead;
        });
        yield return Do("4", "takes the item and clears the slot", (ref m, ref me) =>
        {
            me.Item = bug == Bug.TakesBeforeItsExchange ? me.Item : m.Slots[me.Head];
            m.Slots[me.Head] = 0;
            me.Head = 0;
            return me.Item == 0 ? Next.Fail("a slot was taken that is not published") : Next.Ahead;
        });
        yield return Do("5", "runs it, parks it, or passes over a tombstone", (ref m, ref me) =>
        {
            int job = me.Item - 1;
            if (me.Item == Tombstone)
            {
                m.Finished += (byte)(bug == Bug.WorkerCountsTheTombstone ? 1 : 0);
                me = default;
                return Next.To("1");
            }

            if (m.Gone.Has(job))
            {
                return Next.Fail("a worker runs a job that was cancelled");
            }

            if (slots && job == Wanted)
            {
                m.Parked = true; // in one step with the count: a lock
                m.Parks++;
                me = default;
                return Next.To("1");
            }

            m.Ran.Add(job);
            return Next.Ahead;
        });
        yield return Do("6", "frees it and counts", (ref m, ref me) =>
        {
            m.Gone.Add(me.Item - 1);
            m.Finished++;
            me = default;
            return Next.To("1");
        });
    }

    private IEnumerable<Step<Memory, Local>> Canceller()
    {
        if (slots)
        {
            yield return Do("C1", "looks how many were parked", (ref m, ref me) => Ahead(me.Parks = m.Parks));
        }

        if (bug == Bug.SemaphoresBeforeQueue)
        {
            yield return Do("C5a", "looks behind the semaphore first", (ref m, ref me) =>
                m.Parked ? Next.To("C5") : Next.Ahead);
        }

        foreach (Step<Memory, Local> step in Pause("C2", bug == Bug.CancelDoesNotPause))
        {
            yield return step;
        }

        yield return Do("C3", "looks at the next slot", (ref m, ref me) =>
        {
            if (me.Head == Jobs)
            {
                return Next.To("C4r");
            }

            if (m.Slots[me.Head] == Wanted + 1)
            {
                me.Found = true;
                return Next.Ahead;
            }

            me.Head++;
            return Next.To("C3");
        });
        if (bug == Bug.ResumesBeforeItReplaces)
        {
            yield return Do("C3r", "resumes", Resume);
        }

        yield return Do("C4", "puts a tombstone there", (ref m, ref me) =>
        {
            m.Slots[me.Head] = bug == Bug.ClearsTheSlot ? (byte)0 : Tombstone;
            return Next.Ahead;
        });
        yield return Do("C4r", "resumes", (ref m, ref me) =>
        {
            me.Head = 0;
            return Resume(ref m, ref me);
        });
        yield return Do("C4f", "was it there", (ref m, ref me) =>
            me.Found ? Next.To("C6") : slots ? Next.Ahead : Next.Done);
        yield return Do("C5", "looks behind the semaphore", (ref m, ref me) =>
        {
            if (!m.Parked || (bug == Bug.SemaphoresBeforeQueue && !me.Again))
            {
                return bug == Bug.SemaphoresBeforeQueue ? NotFound(ref m) : Next.Ahead;
            }

            m.Parked = false;
            return Next.To("C6");
        });
        yield return Do("C5b", "looks whether more were parked", (ref m, ref me) =>
        {
            if (bug == Bug.LooksOnceBehindSemaphores || m.Parks == me.Parks)
            {
                return NotFound(ref m);
            }

            me.Parks = m.Parks;
            return Next.To("C5");
        });
        yield return Do("C6", "counts", (ref m, ref me) =>
        {
            m.Finished += (byte)(bug == Bug.DoesNotCount ? 0 : 1);
            return Next.Ahead;
        });
        yield return Do("C7", "frees the job", (ref m, ref me) =>
        {
            if (m.Gone.Has(Wanted))
            {
                return Next.Fail("a job was run and cancelled");
            }

            m.Gone.Add(Wanted);
            m.Canceled.Add(Wanted);
            return Next.Done;
        });
    }

    // "It does not wait": must be true of this moment, but for what a worker holds in its hands.
    private static Next NotFound(ref Memory m) =>
        m.Parked ? Next.Fail("a job that waits was not found") : Next.Done;

    private IEnumerable<Step<Memory, Local>> Lister()
    {
        foreach (Step<Memory, Local> step in Pause("L1", bug == Bug.ListingDoesNotPause))
        {
            yield return step;
        }

        yield return Do("L2", "looks at the next slot", (ref m, ref me) =>
        {
            if (me.Head == Jobs)
            {
                return Next.To("L4");
            }

            me.Item = m.Slots[me.Head++];
            return me.Item is 0 or Tombstone ? Next.To("L2") : Next.Ahead;
        });
        yield return Do("L3", "reads the job", (ref m, ref me) =>
            m.Gone.Has(me.Item - 1) ? Next.Fail("a listing read a job that was gone") : Next.To("L2"));
        yield return Do("L4", "resumes", Resume);
    }

    private IEnumerable<Step<Memory, Local>> Pause(string label, bool doesNot)
    {
        yield return Do(label, "takes the gate", (ref m, ref me) =>
        {
            if (m.Gate)
            {
                return Next.Blocked;
            }

            m.Gate = true;
            me.Head = m.Head;
            return Next.Ahead;
        });
        yield return Do(label + "p", "sets the flag, which returns the head", (ref m, ref me) =>
        {
            m.Paused = !doesNot;
            me.Head = bug == Bug.HeadBeforePause ? me.Head : m.Head;
            return Next.Ahead;
        });
    }

    private static Next Resume(ref Memory m, ref Local me)
    {
        me.Item = 0;
        m.Paused = false;
        m.Gate = false;
        return Next.Ahead;
    }

    private static Next Ahead(byte _) => Next.Ahead;
}
