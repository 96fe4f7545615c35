using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Asynchronous readers, writers and the closer: docs/protocols.md#waiting. Code: ReadAsync, NotifyReaders, TryClose
/// and FinishClosing in SegmentedChannel.Reading.cs, .Waiting.cs and .Closing.cs.
/// </summary>
/// <remarks>
/// A claim is one step; QueueModel has its steps. Each reader reads once and each writer writes once.
/// </remarks>
internal sealed partial class ReadWaitModel(
    int writers, int readers, bool closes = false, ReadWaitModel.Bug bug = default)
    : Model<ReadWaitModel.Memory, ReadWaitModel.Local>
{
    public enum Bug
    {
        None,
        ClaimBeforeFlag,
        EnlistOnUnpublished,
        FlagSeenBeforeAdd,
        FlagClearedOutsideTheGate,
        CloserDoesNotLook,
        CloserLooksBeforeClosing,
        EndIsNotFrozen,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Tail; // the tail word: position and two flags
        public bool Sleepers;
        public bool Closed;
        public byte Head; // the head word: position and a flag
        public bool Closing;
        public byte Published;
        public byte FrozenEnd; // + 1; 0 while it is not set
        public bool Gate; // is taken
        public byte Enlisted; // readers, as bits
        public byte Served;
        public byte Refused; // readers and writers, by their numbers
        public byte Written;
        public bool Completed;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte Position;
        public bool MustNotify;
        public bool SawClosing;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. Enumerable.Range(0, readers).Select(i => new Script<Memory, Local>(
            $"reader {i}", new Local { Id = (byte)i }, Reader())),
        .. Enumerable.Range(0, writers).Select(i => new Script<Memory, Local>(
            $"writer {i}", new Local { Id = (byte)(readers + i) }, Writer())),
        .. closes ? [new Script<Memory, Local>("closer", default, Closer())] : Array.Empty<Script<Memory, Local>>(),
    ];

    public override string? CheckAlways(in Memory m) =>
        m.Completed && (!m.Closed || m.Head < m.FrozenEnd - 1) ? "the channel completed before it was drained" : null;

    public override string? CheckEnd(in Memory m)
    {
        int read = int.PopCount(m.Served);
        int written = int.PopCount(m.Written);
        return m.Enlisted != 0 && read < written ? "a reader waits although there is an item"
            : closes && m.Enlisted != 0 ? "a reader waits for a closed channel"
            : closes && read == written && !m.Completed ? "a drained channel did not complete"
            : m.Enlisted != 0 && !m.Sleepers ? "a reader sleeps and the flag does not say so"
            : null;
    }

    public static IEnumerable<ContractCase> Cases() =>
    [
        Holds("TwoWritersTwoReaders_NobodyIsForgotten", 2, 2),
        Holds("TwoWritersThreeReaders_NobodyIsForgotten", 2, 3),
        Holds("ThreeWritersTwoReaders_NobodyIsForgotten", 3, 2),
        Holds("CloseWithWriterAndReader_BothEnd", 1, 1, closes: true),
        Holds("CloseWithTwoWritersTwoReaders_AllEnd", 2, 2, closes: true),
        Caught(Bug.ClaimBeforeFlag, "although there is an item"),
        Caught(Bug.EnlistOnUnpublished, "although there is an item"),
        Caught(Bug.FlagSeenBeforeAdd, "although there is an item"),
        Caught(Bug.FlagClearedOutsideTheGate, "although there is an item"),
        Caught(Bug.CloserDoesNotLook, "did not complete", closes: true),
        Caught(Bug.CloserLooksBeforeClosing, "did not complete", closes: true),
        Caught(Bug.EndIsNotFrozen, "stuck", closes: true),
    ];

    private static ContractCase Holds(string name, int writers, int readers, bool closes = false) =>
        Proof.Holds($"ReadWait_{name}", () => new ReadWaitModel(writers, readers, closes));

    private static ContractCase Caught(Bug bug, string symptom, bool closes = false) =>
        Proof.Catches($"ReadWait_{bug}_IsCaught", symptom, () => new ReadWaitModel(2, 2, closes, bug));

    private bool IsDrained(in Memory m) => m.Head >= (bug == Bug.EndIsNotFrozen ? m.Tail : m.FrozenEnd - 1);

    private int End(in Memory m) => m.Closed && bug != Bug.EndIsNotFrozen ? m.FrozenEnd - 1 : m.Tail;

    // The end of a closed channel is not known between the closer's two steps; whoever asks waits for the second.
    private static bool EndIsKnown(in Memory m) => !m.Closed || m.FrozenEnd > 0;

    private IEnumerable<Step<Memory, Local>> Reader() =>
    [
        Do("0", "claims if there is an item, without the gate", (ref m, ref me) =>
        {
            if (!EndIsKnown(in m))
            {
                return Next.Blocked;
            }

            if (!m.Published.Has(m.Head))
            {
                return End(in m) > m.Head ? Next.Blocked : Next.Ahead;
            }

            m.Head++;
            m.Served.Add(me.Id);
            return m.Closing ? Next.To("C") : Next.Done;
        }),
        bug == Bug.ClaimBeforeFlag
            ? Do("1", "takes the gate", TakeGate)
            : Do("1", "takes the gate, sets the flag", SetSleepers),
        Do("2", "claims", (ref m, ref me) =>
        {
            if (!EndIsKnown(in m))
            {
                return Next.Blocked;
            }

            if (m.Published.Has(m.Head))
            {
                m.Head++;
                m.Served.Add(me.Id);
                m.Gate = false;
                return m.Closing ? Next.To("C") : Next.Done;
            }

            // Not published: the reader looks again, because that writer may have come before the flag.
            return End(in m) > m.Head && bug != Bug.EnlistOnUnpublished ? Next.Blocked : Next.Ahead;
        }),
        .. bug != Bug.ClaimBeforeFlag ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("2b", "sets the flag", (ref m, ref me) =>
            {
                m.Sleepers = true;
                return Next.Ahead;
            }),
        ],
        Do("3", "enlists, or fails if the channel is drained; lets the gate go", (ref m, ref me) =>
        {
            if (!EndIsKnown(in m))
            {
                return Next.Blocked;
            }

            m.Gate = false;
            if (m.Closed && IsDrained(in m))
            {
                m.Refused.Add(me.Id);
                return Next.Done;
            }

            m.Enlisted.Add(me.Id);
            return Next.Ahead;
        }),
        Rest("4", "has its item, or the news that there is none", (ref m, ref me) =>
            m.Served.Has(me.Id) || m.Refused.Has(me.Id) ? Next.Done : Next.Blocked),
        .. AfterClaim("C"),
    ];

    private static Next TakeGate(ref Memory m, ref Local me)
    {
        bool taken = m.Gate;
        m.Gate = true;
        return taken ? Next.Blocked : Next.Ahead;
    }

    private static Next SetSleepers(ref Memory m, ref Local me)
    {
        m.Sleepers = true;
        return TakeGate(ref m, ref me);
    }

    private IEnumerable<Step<Memory, Local>> Writer() =>
    [
        .. bug != Bug.FlagSeenBeforeAdd ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("0", "looks at the tail word", (ref m, ref me) =>
            {
                me.MustNotify = m.Sleepers;
                return Next.Ahead;
            }),
        ],
        Do("1", "adds a position and sees the flags", (ref m, ref me) =>
        {
            me.Position = m.Tail++;
            me.MustNotify = bug == Bug.FlagSeenBeforeAdd ? me.MustNotify : m.Sleepers;
            if (m.Closed)
            {
                m.Refused.Add(me.Id);
                return Next.Done;
            }

            m.Written.Add(me.Id - readers);
            return Next.Ahead;
        }),
        Do("2", "publishes", (ref m, ref me) =>
        {
            m.Published.Add(me.Position);
            me.Position = 0;
            return me.MustNotify ? Next.Ahead : Next.Done;
        }),
        Do("3", "takes the gate", TakeGate),
        Do("3b", "serves a reader", (ref m, ref me) =>
        {
            if (m.Enlisted == 0 || !m.Published.Has(m.Head))
            {
                return Next.Ahead;
            }

            int reader = int.TrailingZeroCount(m.Enlisted);
            m.Head++;
            m.Enlisted.Remove(reader);
            m.Served.Add(reader);
            me.SawClosing = m.Closing;
            return Next.To("3b");
        }),
        Do("3c", "clears the flag if no reader is left; lets the gate go", (ref m, ref me) =>
        {
            m.Gate = false;
            if (m.Enlisted == 0)
            {
                if (bug == Bug.FlagClearedOutsideTheGate)
                {
                    return Next.Ahead;
                }

                m.Sleepers = false;
            }

            return me.SawClosing ? Next.To("C") : Next.Done;
        }),
        .. bug != Bug.FlagClearedOutsideTheGate ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("3d", "clears the flag", (ref m, ref me) =>
            {
                m.Sleepers = false;
                return Next.Done;
            }),
        ],
        .. AfterClaim("C"),
    ];
}
