using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Writers that wait for room, and the readers that make it: docs/protocols.md#waiting. Code: TryWriteBoundedCore,
/// TryWriteBehindWaiters, TryWriteOrEnlist and AdmitWriters in SegmentedChannel*.cs.
/// </summary>
/// <remarks>
/// Each writer writes once, each reader reads once; a claim is one step, and so is a write under the gate, which races
/// with those outside of it by an exchange that is tried again. A writer that begins while others are enlisted must not
/// overtake them. <paramref name="full"/>: as many items as there is room for wait at the start.
/// </remarks>
internal sealed class WriteWaitModel(
    int writers, int readers, int capacity, bool full = false, WriteWaitModel.Bug bug = default)
    : Model<WriteWaitModel.Memory, WriteWaitModel.Local>
{
    public enum Bug
    {
        None,
        RetryBeforeFlag,
        ReaderLooksForTheFlagBeforeItsClaim,
        FlagClearedOutsideTheGate,
        WriterIgnoresTheFlag,
        AdmissionBringsTheCachedHeadUpToDate,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Tail;
        public byte Head; // the head word: position and a flag
        public bool WritersWait;
        public byte Cached; // the last head that a writer saw while nobody waited
        public bool Gate;
        public byte Enlisted; // writers, as bits
        public byte Written;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte Before; // the writers that were enlisted when this one began
        public byte Tail;
        public byte Head;
        public bool SawFlag;
    }

    public override Memory Start => new() { Tail = (byte)(full ? capacity : 0) };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. Enumerable.Range(0, writers).Select(i => new Script<Memory, Local>(
            $"writer {i}", new Local { Id = (byte)i }, [.. Try(), .. Wait()])),
        .. Enumerable.Range(0, readers).Select(i => new Script<Memory, Local>($"reader {i}", default, Reader())),
    ];

    public override string? CheckAlways(in Memory m) =>
        m.Tail - m.Head > capacity ? "more items wait than the capacity allows" : null;

    public override string? CheckEnd(in Memory m) =>
        m.Enlisted != 0 && m.Tail - m.Head < capacity ? "a writer waits although there is room"
        : m.Enlisted != 0 && !m.WritersWait ? "a writer waits and the flag does not say so"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Holds("TwoWritersOneReaderRoomForOne_NobodyIsForgotten", 2, 1, 1),
        Holds("ThreeWritersTwoReadersRoomForOne_NobodyIsForgottenOrOvertaken", 3, 2, 1),
        Holds("FourWritersTwoReadersRoomForTwo_NobodyIsForgottenOrOvertaken", 4, 2, 2),
        Holds("FullForThreeWriters_NobodyIsForgottenOrOvertaken", 3, 2, 2, full: true),
        Caught(Bug.RetryBeforeFlag, "although there is room"),
        Caught(Bug.ReaderLooksForTheFlagBeforeItsClaim, "although there is room"),
        Caught(Bug.FlagClearedOutsideTheGate, "although there is room"),
        Caught(Bug.WriterIgnoresTheFlag, "overtook"),
        Caught(Bug.AdmissionBringsTheCachedHeadUpToDate, "overtook", capacity: 2, full: true),
    ];

    private static ContractCase Holds(string name, int writers, int readers, int capacity, bool full = false) =>
        Proof.Holds($"WriteWait_{name}", () => new WriteWaitModel(writers, readers, capacity, full));

    private static ContractCase Caught(Bug bug, string symptom, int capacity = 1, bool full = false) =>
        Proof.Catches($"WriteWait_{bug}_IsCaught", symptom, () => new WriteWaitModel(3, 2, capacity, full, bug));

    private bool TryWrite(ref Memory m, int writer)
    {
        if (m.Tail - m.Head >= capacity)
        {
            return false;
        }

        m.Tail++;
        m.Written.Add(writer);
        return true;
    }

    // TryWriteBounded: outside of the gate unless others wait.
    private IEnumerable<Step<Memory, Local>> Try() =>
    [
        Do("0", "begins", (ref m, ref me) =>
        {
            me.Before = m.Enlisted;
            return Next.Ahead;
        }),
        Do("1", "looks at the tail", (ref m, ref me) =>
        {
            me.Tail = m.Tail;
            return Next.Ahead;
        }),
        Do("1b", "looks at the cached head", (ref m, ref me) =>
            me.Tail - m.Cached < capacity ? Next.To("1e") : Next.Ahead),
        Do("1c", "looks at the head word", (ref m, ref me) =>
        {
            me.Head = m.Head;
            return me.Tail - m.Head >= capacity ? Next.To("2")
                : m.WritersWait && bug != Bug.WriterIgnoresTheFlag ? Next.To("B")
                : Next.Ahead;
        }),
        Do("1d", "caches the head", (ref m, ref me) =>
        {
            m.Cached = me.Head;
            me.Head = 0;
            return Next.Ahead;
        }),
        Do("1e", "exchanges the tail", (ref m, ref me) =>
        {
            if (m.Tail != me.Tail)
            {
                return Next.To("1");
            }

            if ((me.Before & m.Enlisted) != 0)
            {
                return Next.Fail("a writer overtook one that waited before it came");
            }

            m.Tail++;
            m.Written.Add(me.Id);
            return Next.Done;
        }),
        Do("B", "sees that others wait, takes the gate", (ref m, ref me) => TakeGate(ref m)),
        Do("B2", "writes if nobody waits any more, lets the gate go", (ref m, ref me) =>
        {
            bool written = m.Enlisted == 0 && TryWrite(ref m, me.Id);
            m.WritersWait &= m.Enlisted != 0;
            m.Gate = false;
            return written ? Next.Done : Next.Ahead;
        }),
    ];

    // TryWriteOrEnlist.
    private IEnumerable<Step<Memory, Local>> Wait() =>
    [
        Do("2", bug == Bug.RetryBeforeFlag ? "takes the gate" : "takes the gate, sets the flag", (ref m, ref me) =>
        {
            me = new Local { Id = me.Id };
            m.WritersWait |= bug != Bug.RetryBeforeFlag;
            return TakeGate(ref m);
        }),
        Do("3", "tries again if nobody is before it; enlists", (ref m, ref me) =>
        {
            bool written = m.Enlisted == 0 && TryWrite(ref m, me.Id);
            if (!written && bug == Bug.RetryBeforeFlag)
            {
                return Next.Ahead;
            }

            m.WritersWait &= !written;
            return LetGateGo(ref m, ref me, written);
        }),
        .. bug != Bug.RetryBeforeFlag ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("3b", "sets the flag, enlists", (ref m, ref me) =>
            {
                m.WritersWait = true;
                return LetGateGo(ref m, ref me, written: false);
            }),
        ],
        Rest("4", "was admitted", (ref m, ref me) => m.Written.Has(me.Id) ? Next.Done : Next.Blocked),
    ];

    private static Next TakeGate(ref Memory m)
    {
        bool taken = m.Gate;
        m.Gate = true;
        return taken ? Next.Blocked : Next.Ahead;
    }

    private static Next LetGateGo(ref Memory m, ref Local me, bool written)
    {
        m.Gate = false;
        if (!written)
        {
            m.Enlisted.Add(me.Id);
        }

        return written ? Next.Done : Next.To("4");
    }

    private IEnumerable<Step<Memory, Local>> Reader() =>
    [
        .. bug != Bug.ReaderLooksForTheFlagBeforeItsClaim ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("0", "looks at the head word", (ref m, ref me) =>
            {
                me.SawFlag = m.WritersWait;
                return Next.Ahead;
            }),
        ],
        Rest("1", "claims by exchange and sees the flag", (ref m, ref me) =>
        {
            if (m.Head == m.Tail)
            {
                return Next.Blocked;
            }

            m.Head++;
            bool saw = bug == Bug.ReaderLooksForTheFlagBeforeItsClaim ? me.SawFlag : m.WritersWait;
            me.SawFlag = false;
            return saw ? Next.Ahead : Next.Done;
        }),
        Do("2", "takes the gate", (ref m, ref me) => TakeGate(ref m)),
        Do("2b", "admits a writer", (ref m, ref me) =>
        {
            int writer = int.TrailingZeroCount(m.Enlisted);
            if (m.Enlisted == 0 || !TryWrite(ref m, writer))
            {
                return Next.Ahead;
            }

            if (bug == Bug.AdmissionBringsTheCachedHeadUpToDate)
            {
                m.Cached = m.Head;
            }

            m.Enlisted.Remove(writer);
            return Next.To("2b");
        }),
        Do("2c", "clears the flag if no writer is left; lets the gate go", (ref m, ref me) =>
        {
            m.Gate = false;
            if (m.Enlisted == 0 && bug == Bug.FlagClearedOutsideTheGate)
            {
                return Next.Ahead;
            }

            m.WritersWait &= m.Enlisted != 0;
            return Next.Done;
        }),
        .. bug != Bug.FlagClearedOutsideTheGate ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("2d", "clears the flag", (ref m, ref me) =>
            {
                m.WritersWait = false;
                return Next.Done;
            }),
        ],
    ];
}
