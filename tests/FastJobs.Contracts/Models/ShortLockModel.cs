using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The lock of a named queue: docs/protocols.md#short-lock. Code: ShortLock.cs.</summary>
/// <remarks>
/// Each thread enters once. Stepping back is a try that may be left out, so a thread may sleep at once. With
/// <paramref name="interrupts"/> one of them leaves its sleep although nobody wakes it.
/// </remarks>
internal sealed class ShortLockModel(int threads, bool interrupts, ShortLockModel.Bug bug = default)
    : Model<ShortLockModel.Memory, ShortLockModel.Local>
{
    private const byte Free = 0;
    private const byte Held = 1;

    // Addresses of stores.
    private const int Word = 0;
    private const int Awaited = 1;

    public enum Bug
    {
        None,
        SaysSoBeforeItHasTheMonitor,
        SleepsWithoutABarrier,
        SleepsWithoutALook,
        WokenDoesNotSaySo,
        WakesWithoutTheMonitor,
        LooksBeforeItLeaves,
        ForgetsAfterTheWake,
        InterruptEndsTheEntering,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Word;
        public bool Awaited;
        public byte Unseen; // stores that not all threads see yet
        public byte Inside; // threads in the section
        public bool Monitor; // somebody has it
        public byte Asleep; // threads that wait in the monitor
        public bool Interrupted; // somebody was: a second time would help out where a wake was lost
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public bool Slept;
        public bool Wakes;
        public StoreBuffer Stores;
    }

    public override BufferOf Buffer => static (ref me) => ref me.Stores;

    public override void Commit(ref Memory m, int address, int value)
    {
        m.Unseen--;
        if (address == Word)
        {
            m.Word = (byte)value;
        }
        else
        {
            m.Awaited = value != 0;
        }
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
        [.. Enumerable.Range(0, threads).Select(i => new Script<Memory, Local>($"thread {i}", new Local { Id = (byte)i }, Thread()))];

    public override string? CheckAlways(in Memory m) => m.Inside > 1 ? "two threads are inside" : null;

    public override string? CheckEnd(in Memory m) =>
        m.Asleep != 0 ? "lost wake-up: the lock is free and a thread sleeps"
        : m.Word != Free ? "everybody has left and the lock is taken"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("ShortLock_TwoThreads_AreNeverBothInside", () => new ShortLockModel(2, interrupts: false)),
        Proof.Holds("ShortLock_FourThreads_AllEnter", () => new ShortLockModel(4, interrupts: false)),
        Proof.Holds("ShortLock_InterruptedSleepers_AllEnter", () => new ShortLockModel(4, interrupts: true)),
        Caught(Bug.SaysSoBeforeItHasTheMonitor, "lost wake-up"),
        Caught(Bug.SleepsWithoutABarrier, "lost wake-up"),
        Caught(Bug.SleepsWithoutALook, "lost wake-up"),
        Caught(Bug.WokenDoesNotSaySo, "lost wake-up"),
        Caught(Bug.WakesWithoutTheMonitor, "lost wake-up"),
        Caught(Bug.LooksBeforeItLeaves, "lost wake-up"),
        Caught(Bug.ForgetsAfterTheWake, "lost wake-up"),
        Caught(Bug.InterruptEndsTheEntering, "lost wake-up", interrupts: true),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool interrupts = false) =>
        Proof.Catches($"ShortLock_{bug}_IsCaught", symptom, () => new ShortLockModel(3, interrupts, bug));

    private Step<Memory, Local>[] Thread() =>
    [
        Do("1", "tries to exchange Free for Held", (ref m, ref me) =>
            Try(ref m) ? Next.To(me.Slept ? "5" : "6") : Next.Ahead),
        .. bug != Bug.SaysSoBeforeItHasTheMonitor ? NoSteps :
        [
            Plain("1b", "says that it is awaited", (ref m, ref me) => SaySo(ref m, ref me)),
        ],
        Rest("2", "takes the monitor", (ref m, ref me) => TakeMonitor(ref m)),
        .. bug == Bug.SaysSoBeforeItHasTheMonitor ? NoSteps :
        [
            Plain("3", "says that it is awaited", (ref m, ref me) => SaySo(ref m, ref me)),
        ],
        .. bug == Bug.SleepsWithoutABarrier ? NoSteps :
        [
            Do("3b", "has all threads show what they have stored", (ref m, ref me) => m.Unseen > 0 ? Next.Blocked : Next.Ahead),
        ],
        .. bug == Bug.SleepsWithoutALook ? NoSteps :
        [
            Do("3c", "tries to exchange Free for Held", (ref m, ref me) =>
            {
                if (!Try(ref m))
                {
                    return Next.Ahead;
                }

                m.Monitor = false;
                me.Slept = true;
                return Next.To("5");
            }),
        ],
        Do("4", "gives the monitor up and sleeps", (ref m, ref me) =>
        {
            m.Monitor = false;
            m.Asleep.Add(me.Id);
            return Next.Ahead;
        }),
        Rest("4b", "is woken", (ref m, ref me) => m.Asleep.Has(me.Id) ? Next.Blocked : Awake(ref me)),
        .. !interrupts ? NoSteps :
        [
            Rest("4b", "is interrupted, perhaps as it was woken", (ref m, ref me) =>
            {
                if (m.Interrupted)
                {
                    return Next.Blocked;
                }

                m.Interrupted = true;
                m.Asleep.Remove(me.Id);
                return bug == Bug.InterruptEndsTheEntering ? Next.Done : Awake(ref me);
            }),
        ],
        Plain("5", "says that it is awaited, by the others that may sleep", (ref m, ref me) =>
        {
            me.Slept = false;
            return bug == Bug.WokenDoesNotSaySo ? Next.Ahead : SaySo(ref m, ref me);
        }),
        Plain("6", "is inside", (ref m, ref me) =>
        {
            m.Inside--;
            return Next.Ahead;
        }),
        .. bug != Bug.LooksBeforeItLeaves ? NoSteps : [Look("6b")],
        Plain("7", "stores Free", (ref m, ref me) =>
        {
            m.Unseen++;
            me.Stores.Store(Word, Free);
            return Next.Ahead;
        }),
        .. bug == Bug.LooksBeforeItLeaves ? NoSteps : [Look("8")],
        Plain("8b", "goes on if nobody awaits it", (ref m, ref me) => me.Wakes ? Next.Ahead : Next.Done),
        Rest("9", "takes the monitor", (ref m, ref me) =>
        {
            me.Wakes = false;
            return bug == Bug.WakesWithoutTheMonitor ? Next.Ahead : TakeMonitor(ref m);
        }),
        .. Enumerable.Range(0, threads).Select(sleeper => Do("10", $"lowers the flag, wakes thread {sleeper}", (ref m, ref me) =>
        {
            if (m.Asleep != 0 && !m.Asleep.Has(sleeper))
            {
                return Next.Blocked; // another one
            }

            m.Awaited = m.Awaited && bug == Bug.ForgetsAfterTheWake;
            m.Asleep.Remove(sleeper);
            m.Monitor = bug == Bug.WakesWithoutTheMonitor && m.Monitor;
            return bug == Bug.ForgetsAfterTheWake ? Next.Ahead : Next.Done;
        })),
        .. bug != Bug.ForgetsAfterTheWake ? NoSteps :
        [
            Do("11", "clears the flag", (ref m, ref me) =>
            {
                m.Awaited = false;
                return Next.Done;
            }),
        ],
    ];

    private static Step<Memory, Local>[] NoSteps => [];

    private static Step<Memory, Local> Look(string label) =>
        Plain(label, "looks whether it is awaited", (ref m, ref me) =>
        {
            me.Wakes = me.Stores.Load(Awaited, m.Awaited ? 1 : 0) != 0;
            return Next.Ahead;
        });

    // Whoever returns from a monitor's wait has it once more and gives it up: that lets nothing else happen.
    private static Next Awake(ref Local me)
    {
        me.Slept = true;
        return Next.To("1");
    }

    private static Next TakeMonitor(ref Memory m)
    {
        if (m.Monitor)
        {
            return Next.Blocked;
        }

        m.Monitor = true;
        return Next.Ahead;
    }

    private static bool Try(ref Memory m)
    {
        if (m.Word != Free)
        {
            return false;
        }

        m.Word = Held;
        m.Inside++;
        return true;
    }

    private static Next SaySo(ref Memory m, ref Local me)
    {
        m.Unseen++;
        me.Stores.Store(Awaited, 1);
        return Next.Ahead;
    }
}
