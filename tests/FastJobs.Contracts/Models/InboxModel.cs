using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Posts to an event loop and the eventfd that wakes it: docs/protocols.md#inbox. Code: Inbox.cs.</summary>
/// <remarks>
/// Each poster posts once. The loop sleeps until the eventfd is readable, or looks at the flag between two callbacks, and
/// takes what there is. An eventfd counts: reading it takes all signals at once.
/// </remarks>
internal sealed class InboxModel(int posters, InboxModel.Bug bug = default) : Model<InboxModel.Memory, InboxModel.Local>
{
    public enum Bug
    {
        None,
        FlagClearedAfterTheTake,
        FlagClearedBeforeTheRead,
        SignalBeforeTheAppend,
        FlagLookedAtThenStored,
        NoFlagNoWrite,
        TakeOfNothingLeavesTheSignal,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Posted; // by poster
        public byte Taken;
        public bool Flag;
        public byte Signals; // in the eventfd
        public byte Wakers; // posters that decided to write since the flag was cleared
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Number;
        public bool Saw;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("loop", default, Loop()),
        .. Enumerable.Range(0, posters).Select(
            i => new Script<Memory, Local>($"poster {i}", new Local { Number = (byte)i }, Poster())),
    ];

    public override string? CheckAlways(in Memory m) =>
        m.Wakers > 1 ? "two posts woke the loop before it looked" : null;

    public override string? CheckEnd(in Memory m) =>
        m.Taken != m.Posted ? "lost wake-up: the loop sleeps and there is a post"
        : m.Signals != 0 ? "the eventfd stays readable: the loop spins"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Inbox_OnePoster_IsHeard", () => new InboxModel(1)),
        Proof.Holds("Inbox_FourPosters_AreHeardWithOneWakeALook", () => new InboxModel(4)),
        Caught(Bug.FlagClearedAfterTheTake, "lost wake-up"),
        Caught(Bug.FlagClearedBeforeTheRead, "lost wake-up"),
        Caught(Bug.SignalBeforeTheAppend, "lost wake-up"),
        Caught(Bug.FlagLookedAtThenStored, "two posts woke"),
        Caught(Bug.NoFlagNoWrite, "lost wake-up"),
        Caught(Bug.TakeOfNothingLeavesTheSignal, "spins"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Inbox_{bug}_IsCaught", symptom, () => new InboxModel(3, bug));

    private IEnumerable<Step<Memory, Local>> Loop()
    {
        Step<Memory, Local> read = Do("L1", "reads the eventfd", (ref m, ref me) =>
        {
            m.Signals = 0;
            return Next.Ahead;
        });
        Step<Memory, Local> clear = Do("L2", "clears the flag", (ref m, ref me) =>
        {
            m.Flag = false;
            m.Wakers = 0;
            return Next.Ahead;
        });
        Step<Memory, Local> take = Do("L3", "takes the posts", (ref m, ref me) =>
        {
            m.Taken |= m.Posted;
            return Next.Ahead;
        });
        return
        [
            Rest("S", "wakes, for the eventfd is readable", (ref m, ref me) =>
                m.Signals == 0 ? Next.Blocked
                : bug == Bug.TakeOfNothingLeavesTheSignal && !m.Flag ? Next.Blocked // as if the flag said it all
                : Next.To("L1")),
            Do("C", "looks at the flag in a callback", (ref m, ref me) => m.Flag ? Next.Ahead : Next.To("S")),
            .. bug switch
            {
                Bug.FlagClearedAfterTheTake => new[] { read, take, clear },
                Bug.FlagClearedBeforeTheRead => [clear with { Label = "L1" }, read with { Label = "L2" }, take],
                _ => [read, clear, take],
            },
            Do("L4", "goes back to sleep", (ref m, ref me) => Next.To("S")),
            Do("L4", "calls what it took, and looks again", (ref m, ref me) => Next.To("C")),
        ];
    }

    private IEnumerable<Step<Memory, Local>> Poster()
    {
        Step<Memory, Local> append = Do("P1", "appends its post", (ref m, ref me) =>
        {
            m.Posted.Add(me.Number);
            return Next.Ahead;
        });
        Step<Memory, Local> write = Do("P3", "writes to the eventfd, if the flag was not set", (ref m, ref me) =>
        {
            m.Signals += (byte)(me.Saw ? 0 : 1);
            me.Saw = false;
            return Next.Ahead;
        });
        return bug switch
        {
            Bug.SignalBeforeTheAppend => [Exchange(), write, append],
            Bug.FlagLookedAtThenStored =>
            [
                append,
                Do("P2", "looks at the flag", (ref m, ref me) =>
                {
                    me.Saw = m.Flag;
                    return Next.Ahead;
                }),
                Do("P2b", "sets the flag", (ref m, ref me) =>
                {
                    m.Flag = true;
                    m.Wakers += (byte)(me.Saw ? 0 : 1);
                    return Next.Ahead;
                }),
                write,
            ],
            _ => [append, Exchange(), write],
        };
    }

    private Step<Memory, Local> Exchange() => Do("P2", "exchanges the flag", (ref m, ref me) =>
    {
        me.Saw = m.Flag || bug == Bug.NoFlagNoWrite;
        m.Flag = true;
        m.Wakers += (byte)(me.Saw ? 0 : 1);
        return Next.Ahead;
    });
}
