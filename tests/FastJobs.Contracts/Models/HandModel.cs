using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A worker that claims several jobs at once, and another one that takes them away when it has none: docs/protocols.md#hand and
/// #owned-count. Code: Hand.cs, WorkerSet.Hands.cs, OwnedCount.cs.
/// </summary>
/// <remarks>
/// The first job does not end before all others have run, so a job that is held back is a job that is lost. Stores of the count
/// may become visible after the look at the stop; the barrier for all processors waits until they are.
/// </remarks>
internal sealed class HandModel(int jobs, int room, HandModel.Bug bug = default) : Model<HandModel.Memory, HandModel.Local>
{
    private const int FilledShift = 2;
    private const int TakenMask = 3;

    public enum Bug
    {
        None,
        ClosesWithoutBarrier,
        ClaimsForAClosedHand,
        TakesWithoutALook,
        TakesAStopForASuccess,
        SleepsWhileAHandIsOpen,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Head;
        public byte Ran;
        public byte Urgent;
        public bool Open;
        public byte Count;
        public byte Base;
        public bool Stopped;
        public byte StoppedAt;
        public bool Lock;
        public byte Buffered;
        public bool Sleepers;
        public bool Asleep;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public StoreBuffer Buffer;
        public byte Filled;
        public byte Taken;
        public byte Base;
        public byte Job; // the one that runs
        public bool InHand; // goes on with its hand afterwards
    }

    public override Memory Start => default;

    public override BufferOf? Buffer => static (ref local) => ref local.Buffer;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("owner", default, [.. Owner(), .. Run(), .. TakeAlone(sleeps: false)]),
        new Script<Memory, Local>("other", default, [.. TakeAlone(sleeps: true), .. Run()]),
    ];

    public override void Commit(ref Memory m, int address, int value)
    {
        m.Count = (byte)value;
        m.Buffered--;
    }

    public override string? CheckEnd(in Memory m) =>
        m.Ran != Bits.First(jobs) ? "lost: a job waits in a hand and nobody comes by it" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Hand_TwoOfThree_AllRun", () => new HandModel(3, 2)),
        Proof.Holds("Hand_ThreeOfFour_AllRun", () => new HandModel(4, 3)),
        Proof.Holds("Hand_TwoOfFive_AllRun", () => new HandModel(5, 2)),
        Caught(Bug.ClosesWithoutBarrier, "twice"),
        Caught(Bug.ClaimsForAClosedHand, "lost"),
        Caught(Bug.TakesWithoutALook, "twice"),
        Caught(Bug.TakesAStopForASuccess, "twice"),
        Caught(Bug.SleepsWhileAHandIsOpen, "lost"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Hand_{bug}_IsCaught", symptom, () => new HandModel(4, 3, bug));

    private IEnumerable<Step<Memory, Local>> Owner() =>
    [
        Do("H1", "opens the hand", (ref m, ref me) => Open(ref m)),
        Do("H2", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("H3", "claims some jobs with one exchange and fills the hand, if it is open", (ref m, ref me) =>
        {
            m.Lock = false;
            if (m.Head == jobs || (!m.Open && bug != Bug.ClaimsForAClosedHand))
            {
                return Next.To("I1");
            }

            me.Base = m.Head;
            me.Filled = (byte)Math.Min(room, jobs - m.Head);
            me.Taken = 0;
            m.Head += me.Filled;
            m.Base = me.Base;
            m.Count = (byte)(me.Filled << FilledShift);
            return Next.Ahead;
        }),
        Plain("T1", "takes the next job", (ref m, ref me) =>
        {
            if (me.Taken == me.Filled)
            {
                return Next.To("T5");
            }

            me.Taken++;
            Store(ref m, ref me, (me.Filled << FilledShift) | me.Taken);
            return Next.Ahead;
        }),
        Plain("T2", "looks whether the hand was closed", (ref m, ref me) =>
        {
            if (m.Stopped && bug != Bug.TakesWithoutALook)
            {
                return Next.Ahead;
            }

            me.Job = (byte)(me.Base + me.Taken - 1);
            me.InHand = true;
            return Next.To("R1");
        }),
        Do("T3", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("T4", "finds out whose the job is", (ref m, ref me) =>
        {
            m.Lock = false;
            bool mine = m.StoppedAt == ((me.Filled << FilledShift) | me.Taken) || bug == Bug.TakesAStopForASuccess;
            me.Job = (byte)(me.Base + me.Taken - 1);
            me.Filled = 0;
            return mine ? Next.To("R1") : Next.To("I1");
        }),
        Do("T5", "claims some more, if the hand is open", (ref m, ref me) => m.Stopped ? Next.To("I1") : Next.To("H2")),
    ];

    private IEnumerable<Step<Memory, Local>> Run() =>
    [
        Do("R1", "starts the job", (ref m, ref me) =>
        {
            if (m.Ran.Has(me.Job))
            {
                return Next.Fail("a job runs twice");
            }

            m.Ran.Add(me.Job);
            return Next.Ahead;
        }),
        Rest("R2", "ends it, the first one after all others", (ref m, ref me) =>
        {
            if (me.Job == 0 && m.Ran != Bits.First(jobs))
            {
                return Next.Blocked;
            }

            me.Job = 0;
            bool inHand = me.InHand;
            me.InHand = false;
            return Next.To(inHand ? "T1" : "I1");
        }),
    ];

    // A worker without a hand, or whose hand is empty.
    private IEnumerable<Step<Memory, Local>> TakeAlone(bool sleeps) =>
    [
        Do("I1", "takes a job that is before the queue, or the queue's oldest", (ref m, ref me) =>
        {
            for (int job = 0; job < jobs; job++)
            {
                if (m.Urgent.Has(job))
                {
                    m.Urgent.Remove(job);
                    me.Job = (byte)job;
                    return Next.To("R1");
                }
            }

            if (m.Head < jobs)
            {
                me.Job = m.Head++;
                return Next.To("R1");
            }

            return m.Open && bug != Bug.SleepsWhileAHandIsOpen ? Next.Ahead : Next.To("W3");
        }),
        Do("I1", "takes back what is overdue, whatever waits", (ref m, ref me) =>
            m.Open && (bug is Bug.None or Bug.ClaimsForAClosedHand) ? Next.Ahead : Next.Blocked),
        Do("C1", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("C2", "closes the hand", (ref m, ref me) =>
        {
            if (!m.Open)
            {
                m.Lock = false;
                return Next.To("I1");
            }

            m.Stopped = true;
            return Next.Ahead;
        }),
        Do("C3", "makes all processors pass a barrier", (ref m, ref me) =>
            m.Buffered > 0 && bug != Bug.ClosesWithoutBarrier ? Next.Blocked : Next.Ahead),
        Do("C4", "looks at the count and takes the rest", (ref m, ref me) =>
        {
            m.StoppedAt = m.Count;
            m.Open = false;
            m.Lock = false;
            int taken = m.Count & TakenMask;
            Announce(ref m, m.Base + taken, (m.Count >> FilledShift) - taken);
            return Next.To("I1");
        }),
        Do("W3", "says that it sleeps", (ref m, ref me) =>
        {
            if (!sleeps)
            {
                return Next.Done; // the one that opened the hand: others are there
            }

            m.Sleepers = true;
            return Next.Ahead;
        }),
        Do("W4", "looks once more", (ref m, ref me) =>
        {
            if (m.Urgent != 0 || m.Head < jobs || (m.Open && bug != Bug.SleepsWhileAHandIsOpen))
            {
                m.Sleepers = false;
                return Next.To("I1");
            }

            m.Asleep = m.Sleepers;
            return Next.Ahead;
        }),
        Rest("W5", "is woken", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.To("I1")),
    ];

    private static Next Open(ref Memory m)
    {
        if (m.Lock)
        {
            return Next.Blocked;
        }

        m.Count = 0;
        m.Stopped = false;
        m.Open = true;
        return Next.Ahead;
    }

    private static void Store(ref Memory m, ref Local me, int value)
    {
        me.Buffer.Store(0, value);
        m.Buffered++;
    }

    private void Announce(ref Memory m, int first, int count)
    {
        for (int job = first; job < first + count; job++)
        {
            m.Urgent.Add(job);
        }

        if (count > 0 && m.Sleepers)
        {
            m.Sleepers = false;
            m.Asleep = false;
        }
    }

    private static Next TakeLock(ref Memory m)
    {
        if (m.Lock)
        {
            return Next.Blocked;
        }

        m.Lock = true;
        return Next.Ahead;
    }
}
