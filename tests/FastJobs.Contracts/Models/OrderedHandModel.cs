using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Workers of a lane that keeps its order: two of them may open the one hand, all claim alone and take back what another one has
/// in its hand; and no job is taken before an older one. docs/protocols.md#hand, "One hand". Code:
/// WorkerSet.Hands.cs, HeadWord.Holder.
/// </summary>
/// <remarks>
/// Where the first job does not end before all others have run, a job that is held back is a job that is lost, as in
/// <see cref="HandModel"/>, which has the sleeping; where it does, the two go on beside each other.
/// </remarks>
internal sealed class OrderedHandModel(int jobs, int room, bool third, bool firstIsLast, OrderedHandModel.Bug bug = default)
    : Model<OrderedHandModel.Memory, OrderedHandModel.Local>
{
    private const int FilledShift = 2;
    private const int TakenMask = 3;
    private const byte Third = 2;
    private const byte Recalled = 15;

    public enum Bug
    {
        None,
        ClaimsFromAHold,
        EndsTheHoldBeforeItsJobs,
        NeverEndsTheHold,
        HandsHaveOneName,
        TwoHandsAreOpen,
        FillsAfterTheClaim,
        RecallsWithoutABar,
        LooksAtTheCountOnceMore,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Hand
    {
        public bool Open;
        public byte Count;
        public byte Base;
        public bool Stopped;
        public byte StoppedAt;
        public byte Buffered;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public Hand First;
        public Hand Second;
        public byte Head;
        public byte Holder;
        public byte Urgent;
        public byte Taken;
        public byte Ran;
        public bool Lock;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public StoreBuffer Buffer;
        public byte Self;
        public byte Target;
        public byte Filled;
        public byte TakenOfIt;
        public byte Base;
        public byte Job;
        public bool InHand;
    }

    public override Memory Start => default;

    public override BufferOf? Buffer => static (ref local) => ref local.Buffer;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("first", default, Worker()),
        new Script<Memory, Local>("second", new Local { Self = 1 }, Worker()),
        .. !third ? Array.Empty<Script<Memory, Local>>() :
        [
            new Script<Memory, Local>("third", new Local { Self = Third }, [.. Alone(), .. Recall(), .. Run(), .. Sleep()]),
        ],
    ];

    public override void Commit(ref Memory m, int address, int value)
    {
        ref Hand hand = ref Of(ref m, address);
        hand.Count = (byte)value;
        hand.Buffered--;
    }

    public override string? CheckEnd(in Memory m) => m.Ran != Bits.First(jobs) ? "lost: a job has not run" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("OrderedHand_EightJobs_BeginInOrder", () => new OrderedHandModel(8, 3, third: false, firstIsLast: false)),
        Proof.Holds("OrderedHand_SixJobsOfThreeWorkers_BeginInOrder", () => new OrderedHandModel(6, 2, third: true, firstIsLast: false)),
        Proof.Holds("OrderedHand_FirstOfEightTakesLong_AllRun", () => new OrderedHandModel(8, 3, third: false, firstIsLast: true)),
        Proof.Holds("OrderedHand_FirstOfSixTakesLong_ThreeWorkers_AllRun", () => new OrderedHandModel(6, 3, third: true, firstIsLast: true)),
        Caught(Bug.ClaimsFromAHold, "overtakes"),
        Caught(Bug.EndsTheHoldBeforeItsJobs, "overtakes"),
        Caught(Bug.NeverEndsTheHold, "lost"),
        Caught(Bug.HandsHaveOneName, "overtakes"),
        Caught(Bug.TwoHandsAreOpen, "overtakes"),
        Caught(Bug.FillsAfterTheClaim, "overtakes"),
        Caught(Bug.RecallsWithoutABar, "lost"),
        Caught(Bug.LooksAtTheCountOnceMore, "twice"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"OrderedHand_{bug}_IsCaught", symptom, () => new OrderedHandModel(
            4, 2, third: bug == Bug.EndsTheHoldBeforeItsJobs, bug == Bug.NeverEndsTheHold, bug));

    private IEnumerable<Step<Memory, Local>> Worker() => [.. Alone(), .. WithHand(), .. Recall(), .. Run(), .. Sleep()];

    private IEnumerable<Step<Memory, Local>> Alone() =>
    [
        Do("I1", "takes a job that is before the queue", (ref m, ref me) =>
        {
            if (m.Lock)
            {
                return Next.Blocked;
            }

            for (int job = 0; job < jobs; job++)
            {
                if (m.Urgent.Has(job))
                {
                    m.Urgent.Remove(job);
                    SettleHold(ref m);
                    return Take(ref m, ref me, job);
                }
            }

            return Next.To("I2");
        }),
        Do("I2", "claims the oldest", (ref m, ref me) =>
        {
            if (m.Head < jobs && (m.Holder == 0 || bug == Bug.ClaimsFromAHold))
            {
                return Take(ref m, ref me, m.Head++);
            }

            return OthersIsOpen(ref m, me.Self) ? Next.To("C1")
                : m.Head < jobs && bug != Bug.NeverEndsTheHold ? Next.To("I1")
                : Next.To("W5");
        }),
        Do("I2", "takes the other's jobs, whatever waits", (ref m, ref me) =>
            OthersIsOpen(ref m, me.Self) ? Next.To("C1") : Next.Blocked),
        Do("I2", "opens its hand", (ref m, ref me) =>
        {
            if (me.Self == Third || m.Lock || m.Head == jobs
                || (m.Holder != 0 && bug != Bug.TwoHandsAreOpen)
                || (m.First.Open && bug != Bug.TwoHandsAreOpen)
                || (m.Second.Open && bug != Bug.TwoHandsAreOpen))
            {
                return Next.Blocked;
            }

            Of(ref m, me.Self) = new Hand { Open = true };
            m.Holder = NameOf(me.Self);
            return Next.To("H2");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> WithHand() =>
    [
        Do("H2", "copies what is published", (ref m, ref me) =>
        {
            if (m.Head == jobs || (m.Holder != NameOf(me.Self) && bug != Bug.TwoHandsAreOpen))
            {
                return Next.To("X1");
            }

            me.Base = m.Head;
            me.Filled = (byte)Math.Min(room, jobs - m.Head);
            me.TakenOfIt = 0;
            return Next.To(bug == Bug.FillsAfterTheClaim ? "H5" : "H3");
        }),
        Plain("H3", "fills its hand", (ref m, ref me) =>
        {
            Of(ref m, me.Self).Base = me.Base;
            Store(ref m, ref me, me.Filled << FilledShift);
            return Next.Ahead;
        }),
        Plain("H4", "looks whether it was closed", (ref m, ref me) =>
            !Of(ref m, me.Self).Stopped ? Next.To(bug == Bug.FillsAfterTheClaim ? "T1" : "H5")
                : Next.To(bug == Bug.FillsAfterTheClaim ? "T3" : "H7")),
        Do("H5", "does not claim it: the head got a flag", (ref m, ref me) => Next.To("H6")),
        Do("H5", "claims that, if the head is as it was", (ref m, ref me) =>
        {
            if (m.Head != me.Base || (m.Holder != NameOf(me.Self) && bug != Bug.TwoHandsAreOpen))
            {
                return Next.Ahead;
            }

            m.Head += me.Filled;
            return Next.To(bug == Bug.FillsAfterTheClaim ? "H3" : "T1");
        }),
        Do("H6", "empties its hand, whether it was stopped or not", (ref m, ref me) =>
        {
            Of(ref m, me.Self).Count = 0;
            return Next.To("X1");
        }),
        Do("H7", "knows that it is closed", (ref m, ref me) => Over(ref m, ref me)),
        Plain("T1", "takes the next job", (ref m, ref me) =>
        {
            if (me.TakenOfIt == me.Filled)
            {
                return Next.To("T5");
            }

            me.TakenOfIt++;
            Store(ref m, ref me, (me.Filled << FilledShift) | me.TakenOfIt);
            return Next.Ahead;
        }),
        Plain("T2", "looks whether the hand was closed", (ref m, ref me) =>
        {
            if (Of(ref m, me.Self).Stopped)
            {
                return Next.Ahead;
            }

            me.InHand = true;
            return Take(ref m, ref me, me.Base + me.TakenOfIt - 1);
        }),
        Do("T3", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("T4", "finds out whose the job is", (ref m, ref me) =>
        {
            m.Lock = false;
            ref Hand hand = ref Of(ref m, me.Self);
            bool mine = me.TakenOfIt > 0 && hand.StoppedAt == ((me.Filled << FilledShift) | me.TakenOfIt);
            int job = me.Base + me.TakenOfIt - 1;
            if (me.TakenOfIt == 0)
            {
                m.Urgent |= Set(me.Base, me.Filled); // only with the bug: it was closed between the claim and its fill
            }

            Next next = Over(ref m, ref me);
            me.Job = mine ? (byte)job : (byte)0;
            return mine ? Next.To("R1") : next;
        }),
        Do("T5", "claims some more, if the hand is open", (ref m, ref me) =>
            Of(ref m, me.Self).Stopped ? Over(ref m, ref me) : Next.To("H2")),
        Do("T5", "has had enough", (ref m, ref me) => Next.To("X1")),
        Do("X1", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("X2", "closes its hand", (ref m, ref me) =>
        {
            m.Lock = false;
            ref Hand mine = ref Of(ref m, me.Self);
            if (mine.Open)
            {
                mine.Open = false;
                m.Holder = Recalled;
                SettleHold(ref m);
            }

            return Over(ref m, ref me);
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Recall() =>
    [
        Do("C1", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("C2", "closes the other's hand", (ref m, ref me) =>
        {
            if (!OthersIsOpen(ref m, me.Self))
            {
                m.Lock = false;
                return Next.To("I1");
            }

            me.Target = m.First.Open && me.Self != 0 ? (byte)0 : (byte)1;
            Of(ref m, me.Target).Stopped = true;
            return Next.Ahead;
        }),
        Do("C3", "makes all processors pass a barrier", (ref m, ref me) =>
            Of(ref m, me.Target).Buffered > 0 ? Next.Blocked : Next.Ahead),
        Do("C4", "looks at the count", (ref m, ref me) =>
        {
            ref Hand hand = ref Of(ref m, me.Target);
            hand.StoppedAt = hand.Count;
            return Next.Ahead;
        }),
        Do("C5", "bars the head and takes the rest, if it was claimed", (ref m, ref me) =>
        {
            ref Hand hand = ref Of(ref m, me.Target);
            int filled = hand.StoppedAt >> FilledShift, taken = hand.StoppedAt & TakenMask;
            bool isClaimed = m.Head == hand.Base + (bug == Bug.LooksAtTheCountOnceMore ? hand.Count >> FilledShift : filled);
            if (bug != Bug.RecallsWithoutABar)
            {
                m.Holder = Recalled;
            }

            m.Taken |= Set(hand.Base, taken); // the last of them may be one that its owner is about to ask for
            if (isClaimed)
            {
                m.Urgent |= Set(hand.Base + taken, filled - taken);
            }

            hand.Open = false;
            m.Lock = false;
            SettleHold(ref m);
            me.Target = 0;
            if (bug == Bug.EndsTheHoldBeforeItsJobs)
            {
                m.Holder = 0;
            }

            return Next.To("I1");
        }),
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
        Rest("R2", "ends it, the first one perhaps after all others", (ref m, ref me) =>
        {
            if (firstIsLast && me.Job == 0 && m.Ran != Bits.First(jobs))
            {
                return Next.Blocked;
            }

            me.Job = 0;
            bool inHand = me.InHand;
            me.InHand = false;
            return Next.To(inHand ? "T1" : "I1");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Sleep() =>
    [
        Rest("W5", "is woken", (ref m, ref me) =>
            m.Urgent != 0 || (m.Head < jobs && m.Holder == 0) || OthersIsOpen(ref m, me.Self) ? Next.To("I1") : Next.Blocked),
    ];

    private static bool OthersIsOpen(ref Memory m, int self) => (m.First.Open && self != 0) || (m.Second.Open && self != 1);

    // A job is taken: all older ones are.
    private static Next Take(ref Memory m, ref Local me, int job)
    {
        if ((m.Taken & Bits.First(job)) != Bits.First(job))
        {
            return Next.Fail("a job overtakes an older one");
        }

        m.Taken.Add(job);
        me.Job = (byte)job;
        return Next.To("R1");
    }

    private void SettleHold(ref Memory m)
    {
        if (m.Urgent == 0 && m.Holder == Recalled && bug != Bug.NeverEndsTheHold)
        {
            m.Holder = 0;
        }
    }

    private byte NameOf(int worker) => bug == Bug.HandsHaveOneName ? (byte)1 : (byte)(1 + worker);

    private static Next Over(ref Memory m, ref Local me)
    {
        me = new Local { Self = me.Self };
        Of(ref m, me.Self) = default; // it is closed, so nobody looks at it
        return Next.To("I1");
    }

    private static byte Set(int first, int count) => (byte)(Bits.First(count) << first);

    private static ref Hand Of(ref Memory m, int number) => ref number == 0 ? ref m.First : ref m.Second;

    private static void Store(ref Memory m, ref Local me, int value)
    {
        me.Buffer.Store(me.Self, value);
        Of(ref m, me.Self).Buffered++;
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
