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
    private const byte Awaited = 2;

    public enum Bug
    {
        None,
        SaysSoBeforeItHasTheMonitor,
        WokenEntersAsHeld,
        WakesWithoutTheMonitor,
        LeavesWithTwoSteps,
        InterruptEndsTheEntering,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Word;
        public byte Inside; // threads in the section
        public bool Monitor; // somebody has it
        public byte Asleep; // threads that wait in the monitor
        public bool Interrupted; // somebody was: a second time would help out where a wake was lost
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte As; // what it enters with
        public bool Wakes;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
        [.. Enumerable.Range(0, threads).Select(i => new Script<Memory, Local>($"thread {i}", new Local { Id = (byte)i, As = Held }, Thread()))];

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
        Caught(Bug.WokenEntersAsHeld, "lost wake-up"),
        Caught(Bug.WakesWithoutTheMonitor, "lost wake-up"),
        Caught(Bug.LeavesWithTwoSteps, "lost wake-up"),
        Caught(Bug.InterruptEndsTheEntering, "lost wake-up", interrupts: true),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool interrupts = false) =>
        Proof.Catches($"ShortLock_{bug}_IsCaught", symptom, () => new ShortLockModel(3, interrupts, bug));

    private Step<Memory, Local>[] Thread() =>
    [
        Do("1", "tries to exchange Free for what it enters with", (ref m, ref me) => Try(ref m, ref me) ? Next.To("5") : Next.Ahead),
        .. bug != Bug.SaysSoBeforeItHasTheMonitor ? NoSteps :
        [
            Do("1b", "exchanges Awaited in", (ref m, ref me) => SaySo(ref m, ref me) ? Next.To("5") : Next.Ahead),
        ],
        Rest("2", "takes the monitor", (ref m, ref me) => TakeMonitor(ref m)),
        .. bug == Bug.SaysSoBeforeItHasTheMonitor ? NoSteps :
        [
            Do("3", "exchanges Awaited in", (ref m, ref me) =>
            {
                if (!SaySo(ref m, ref me))
                {
                    return Next.Ahead;
                }

                m.Monitor = false;
                return Next.To("5");
            }),
        ],
        Do("4", "gives the monitor up and sleeps", (ref m, ref me) =>
        {
            m.Monitor = false;
            m.Asleep |= (byte)(1 << me.Id);
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
                m.Asleep &= (byte)~(1 << me.Id);
                return bug == Bug.InterruptEndsTheEntering ? Next.Done : Awake(ref me);
            }),
        ],
        Do("5", "is inside", (ref m, ref me) =>
        {
            m.Inside--;
            me.As = 0;
            return Next.Ahead;
        }),
        .. bug != Bug.LeavesWithTwoSteps ? NoSteps :
        [
            Do("5b", "looks whether it is awaited", (ref m, ref me) =>
            {
                me.Wakes = m.Word == Awaited;
                return Next.Ahead;
            }),
        ],
        Do("6", "exchanges Free in", (ref m, ref me) =>
        {
            bool wakes = bug == Bug.LeavesWithTwoSteps ? me.Wakes : m.Word == Awaited;
            m.Word = Free;
            me.Wakes = false;
            return wakes ? Next.Ahead : Next.Done;
        }),
        Rest("7", "takes the monitor", (ref m, ref me) => bug == Bug.WakesWithoutTheMonitor ? Next.Ahead : TakeMonitor(ref m)),
        .. Enumerable.Range(0, threads).Select(sleeper => Do("8", $"wakes thread {sleeper}, if it sleeps", (ref m, ref me) =>
        {
            if (m.Asleep != 0 && !m.Asleep.Has(sleeper))
            {
                return Next.Blocked; // another one
            }

            m.Asleep &= (byte)~(1 << sleeper);
            m.Monitor = bug == Bug.WakesWithoutTheMonitor && m.Monitor;
            return Next.Done;
        })),
    ];

    private static Step<Memory, Local>[] NoSteps => [];

    // Whoever returns from a monitor's wait has it once more and gives it up: that lets nothing else happen.
    private Next Awake(ref Local me)
    {
        me.As = bug == Bug.WokenEntersAsHeld ? Held : Awaited;
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

    private static bool Try(ref Memory m, ref Local me)
    {
        if (m.Word != Free)
        {
            return false;
        }

        m.Word = me.As;
        m.Inside++;
        return true;
    }

    private static bool SaySo(ref Memory m, ref Local me)
    {
        bool free = m.Word == Free;
        m.Word = Awaited;
        m.Inside += free ? (byte)1 : (byte)0;
        return free;
    }
}
