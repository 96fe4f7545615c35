using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>When positions were taken: docs/protocols.md#ages. Code: PositionAges.cs, LaneQueue.Ages.cs, AgeTicker.cs.</summary>
/// <remarks>
/// Time is a number that a clock thread raises. What is proved is that each position is known to have been taken within
/// its mark: not before the flag was set, not after it was set again; and that somebody always sets it again. How long a
/// thread may be away between its steps is not the protocol's.
/// </remarks>
internal sealed class AgesModel(int writers, int each, AgesModel.Bug bug = default)
    : Model<AgesModel.Memory, AgesModel.Local>
{
    private const int MostMarks = 6;

    public enum Bug
    {
        None,
        MarksThePositionOfTheStamp,
        EveryoneStamps,
        KeepsEmptyMarks,
        TickerNotTold,
        TickerSleepsWithoutALook,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Tail;
        public bool Flag;
        public byte ArmedAt;
        public byte Marks;
        public Six MarkAt; // the position from which on a mark holds
        public byte Stamped; // queues for the ticker to arm: 0 or 1
        public bool Asleep;
        public bool Token; // an unpark that was not consumed
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Written;
        public byte Position;
        public bool SawFlag;
    }

    public override Memory Start => new() { Flag = true };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. Enumerable.Range(0, writers).Select(i => new Script<Memory, Local>($"writer {i}", default, Writer())),
        new("ticker", default, Ticker()),
    ];

    // One mark a position, in their order: the last that begins at a position or before it is the position's.
    public override string? CheckAlways(in Memory m)
    {
        for (int i = 1; i < m.Marks; i++)
        {
            if (m.MarkAt[i] <= m.MarkAt[i - 1])
            {
                return "the marks are out of order";
            }
        }

        return null;
    }

    public override string? CheckEnd(in Memory m) =>
        m.Flag ? m.Marks > 0 && m.MarkAt[0] == 0 ? null : "the first position has no mark" : "nobody asks for the next stamp";

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Ages_TwoWriters_EachPositionHasItsMark", () => new AgesModel(2, each: 2)),
        Proof.Holds("Ages_ThreeWriters_EachPositionHasItsMark", () => new AgesModel(3, each: 1)),
        Caught(Bug.MarksThePositionOfTheStamp, "out of order"),
        Caught(Bug.EveryoneStamps, "out of order"),
        Caught(Bug.KeepsEmptyMarks, "out of order"),
        Caught(Bug.TickerNotTold, "next stamp"),
        Caught(Bug.TickerSleepsWithoutALook, "next stamp"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Ages_{bug}_IsCaught", symptom, () => new AgesModel(2, 2, bug));

    private IEnumerable<Step<Memory, Local>> Writer()
    {
        yield return Do("A1", "adds to the tail and sees the flag", (ref m, ref me) =>
        {
            me.Position = m.Tail++;
            me.SawFlag = m.Flag;
            return me.SawFlag ? Next.Ahead : Next.To("A4");
        });
        yield return Do("A2", "takes the flag down and marks", (ref m, ref me) =>
        {
            if (!m.Flag && bug != Bug.EveryoneStamps)
            {
                return Next.To("A4");
            }

            m.Flag = false;
            if (m.Marks < MostMarks)
            {
                m.MarkAt[m.Marks++] = bug == Bug.MarksThePositionOfTheStamp ? me.Position : m.ArmedAt;
            }

            return Next.Ahead;
        });
        yield return Do("A3", "tells the ticker", (ref m, ref me) =>
        {
            m.Stamped = (byte)(bug == Bug.TickerNotTold ? 0 : 1);
            m.Token |= m.Asleep;
            m.Asleep = false;
            return Next.Ahead;
        });
        yield return Do("A4", "goes on", (ref m, ref me) =>
        {
            byte written = (byte)(me.Written + 1);
            me = new Local { Written = written };
            return written < each ? Next.To("A1") : Next.Done;
        });
    }

    private IEnumerable<Step<Memory, Local>> Ticker()
    {
        if (bug == Bug.TickerSleepsWithoutALook)
        {
            yield return Do("T1", "looks whether there is something to arm", (ref m, ref me) =>
            {
                me.SawFlag = m.Stamped == 0;
                return Next.Ahead;
            });
            yield return Do("T1b", "is asleep, without a look under the lock", (ref m, ref me) =>
            {
                bool sleeps = me.SawFlag;
                me.SawFlag = false;
                m.Asleep = sleeps;
                return sleeps ? Next.Ahead : Next.To("T3");
            });
        }
        else
        {
            yield return Do("T1", "looks whether there is something to arm; else is asleep", (ref m, ref me) =>
            {
                m.Asleep = m.Stamped == 0;
                return m.Asleep ? Next.Ahead : Next.To("T3");
            });
        }

        yield return Rest("T2", "sleeps", (ref m, ref me) =>
        {
            if (!m.Token)
            {
                return Next.Blocked;
            }

            m.Token = false;
            return Next.To("T1");
        });
        yield return Do("T3", "a few milliseconds later takes the list", (ref m, ref me) =>
        {
            m.Stamped = 0;
            return Next.Ahead;
        });
        yield return Do("T4", "sets the flag, which returns the position", (ref m, ref me) =>
        {
            if (!m.Flag)
            {
                // A writer that was late took down a flag that was not its own: no position belongs to its mark.
                bool isEmpty = m.Marks > 0 && m.MarkAt[m.Marks - 1] == m.Tail;
                m.Marks -= (byte)(isEmpty && bug != Bug.KeepsEmptyMarks ? 1 : 0);
                m.ArmedAt = m.Tail;
            }

            m.Flag = true;
            return Next.To("T1");
        });
    }
}
