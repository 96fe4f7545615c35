using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Park and unpark: docs/protocols.md#park. Code: Parker.cs, with the futex.</summary>
/// <remarks>
/// One thread parks <paramref name="parks"/> times and others unpark once each. Two unparks before a park count as one.
/// The kernel's wait compares the word and goes to sleep in one step; it may end for no reason.
/// </remarks>
internal sealed class ParkModel(int parks, int unparkers, bool timesOut, ParkModel.Bug bug = default)
    : Model<ParkModel.Memory, ParkModel.Local>
{
    private const byte Empty = 0;
    private const byte Notified = 1;
    private const byte Parked = 2;

    public enum Bug
    {
        None,
        UnparkLooksThenStores,
        UnparkOfAwakeThreadDoesNothing,
        TimeOutStoresEmpty,
        WaitDoesNotCompare,
        ParkLooksThenStores,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Word;
        public bool Asleep; // in the kernel
        public bool Pending; // an unpark that no park has returned for
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Parks;
        public byte Seen;
        public bool TimedOut;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("parker", default, Parker()),
        .. Enumerable.Range(0, unparkers).Select(i => new Script<Memory, Local>($"unparker {i}", default, Unparker())),
    ];

    // A thread may park for ever only if there is no unpark for it.
    public override string? CheckEnd(in Memory m) =>
        m.Asleep && m.Pending ? "lost wake-up: the thread sleeps and was unparked"
        : m.Word == Notified != m.Pending ? "the word and the unparks do not agree"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Park_OneUnpark_IsNotLost", () => new ParkModel(1, 1, timesOut: false)),
        Proof.Holds("Park_ThreeUnparks_AreNotLost", () => new ParkModel(3, 3, timesOut: false)),
        Proof.Holds("Park_WithTimeOut_LosesNoUnpark", () => new ParkModel(2, 2, timesOut: true)),
        Caught(Bug.UnparkLooksThenStores, "lost wake-up"),
        Caught(Bug.UnparkOfAwakeThreadDoesNothing, "lost wake-up"),
        Caught(Bug.TimeOutStoresEmpty, "swallowed", timesOut: true),
        Caught(Bug.WaitDoesNotCompare, "lost wake-up"),
        Caught(Bug.ParkLooksThenStores, "lost wake-up"),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool timesOut = false) =>
        Proof.Catches($"Park_{bug}_IsCaught", symptom, () => new ParkModel(2, 2, timesOut, bug));

    private IEnumerable<Step<Memory, Local>> Parker() =>
    [
        .. bug != Bug.ParkLooksThenStores ?
        [
            Do("1", "decrements the word", (ref m, ref me) =>
            {
                bool wasNotified = m.Word == Notified;
                m.Word = wasNotified ? Empty : Parked;
                return wasNotified ? Return(ref m, ref me) : Next.Ahead;
            }),
        ]
        : new[]
        {
            Do("1", "looks at the word", (ref m, ref me) =>
            {
                me.Seen = m.Word;
                return Next.Ahead;
            }),
            Do("1b", "stores the word", (ref m, ref me) =>
            {
                bool wasNotified = me.Seen == Notified;
                m.Word = wasNotified ? Empty : Parked;
                me.Seen = 0;
                return wasNotified ? Return(ref m, ref me) : Next.Ahead;
            }),
        },
        Do("2", "sleeps if the word is Parked", (ref m, ref me) =>
        {
            m.Asleep = m.Word == Parked || bug == Bug.WaitDoesNotCompare;
            return Next.Ahead;
        }),
        Rest("3", "is awake", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.Ahead),
        .. !timesOut ? Array.Empty<Step<Memory, Local>>() :
        [
            Rest("3", "wakes because the time is over, or for no reason", (ref m, ref me) =>
            {
                m.Asleep = false;
                me.TimedOut = true;
                return Next.Ahead;
            }),
        ],
        Do("4", "exchanges Notified for Empty", (ref m, ref me) =>
        {
            if (m.Word == Notified)
            {
                m.Word = Empty;
                return Return(ref m, ref me);
            }

            return me.TimedOut ? Next.Ahead : Next.To("2");
        }),
        Do("5", "goes back to sleep, for there is time left", (ref m, ref me) => BackToSleep(ref me)),
        Do("5", "the time is over: exchanges Empty in", (ref m, ref me) =>
        {
            bool wasNotified = m.Word == Notified;
            m.Word = Empty;
            if (wasNotified && bug != Bug.TimeOutStoresEmpty)
            {
                return Return(ref m, ref me);
            }

            return m.Pending && wasNotified ? Next.Fail("a time-out has swallowed an unpark") : ParkAgain(ref me);
        }),
    ];

    private static Next BackToSleep(ref Local me)
    {
        me.TimedOut = false;
        return Next.To("2");
    }

    private Next Return(ref Memory m, ref Local me)
    {
        if (!m.Pending)
        {
            return Next.Fail("a park returned and there was no unpark");
        }

        m.Pending = false;
        return ParkAgain(ref me);
    }

    private Next ParkAgain(ref Local me)
    {
        me.TimedOut = false;
        return ++me.Parks < parks ? Next.To("1") : Next.Done;
    }

    private IEnumerable<Step<Memory, Local>> Unparker() =>
    [
        .. bug is Bug.UnparkLooksThenStores or Bug.UnparkOfAwakeThreadDoesNothing ?
        [
            Do("1", "looks at the word", (ref m, ref me) =>
            {
                me.Seen = m.Word;
                if (me.Seen == Parked || bug == Bug.UnparkLooksThenStores)
                {
                    return Next.Ahead;
                }

                m.Pending = true;
                return Next.Done;
            }),
            Do("1b", "stores Notified", (ref m, ref me) =>
            {
                m.Pending = true;
                m.Word = Notified;
                return me.Seen == Parked ? Next.Ahead : Next.Done;
            }),
        ]
        : new[]
        {
            Do("1", "exchanges Notified in", (ref m, ref me) =>
            {
                bool wasParked = m.Word == Parked;
                m.Pending = true;
                m.Word = Notified;
                return wasParked ? Next.Ahead : Next.Done;
            }),
        },
        Do("2", "wakes the sleeper in the kernel", (ref m, ref me) =>
        {
            m.Asleep = false;
            return Next.Done;
        }),
    ];
}
