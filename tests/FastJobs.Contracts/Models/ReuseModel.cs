using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A segment whose items are read early serves one run of positions after the other: docs/protocols.md#segments. Code:
/// SegmentStore.cs, SegmentedChannel.Claiming.cs, SegmentedChannel.Pausing.cs.
/// </summary>
/// <remarks>
/// One segment of two slots; a writer publishes items 1 to 4 in two laps of it, and a canceller replaces one item that waits,
/// whichever lap it is in, by its tombstone.
/// </remarks>
internal sealed class ReuseModel(int readers, int wanted, ReuseModel.Bug bug = default) : Model<ReuseModel.Memory, ReuseModel.Local>
{
    private const int Length = 2;
    private const int Total = 2 * Length;
    private const byte Tombstone = 9;
    private const byte NoPosition = 99;

    public enum Bug
    {
        None,
        NoSecondLook,
        SecondLookBeforeTheExchange,
        LowersAfterTheResume,
        LowersBelowTheHead,
        ClearFromIsAnOffset,
        RetiresUnclaimed,
        RetiresUnconsumed,
        ResetsAfterTheBase,
        DoesNotReset,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Head;
        public bool Paused;
        public byte Base;
        public byte ClearFrom;
        public Six Slots; // the segment's
        public byte Published; // how many items
        public byte Read; // items, as bits
        public byte Canceled;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Head;
        public byte Item;
        public byte OtherHalf; // of the item: it need not be one word
        public bool Again;
    }

    public override Memory Start => new() { ClearFrom = NoPosition };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new("writer", default, Writer()),
        .. Enumerable.Range(0, readers).Select(i => new Script<Memory, Local>($"reader {i}", default, Reader())),
        new("canceller", default, Canceller()),
    ];

    public override string? CheckAlways(in Memory m) => (m.Read & m.Canceled) != 0 ? "a cancelled item was read" : null;

    public override string? CheckEnd(in Memory m) => (byte)(m.Read | m.Canceled) != Bits.First(Total) ? "an item was lost" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        .. Enumerable.Range(1, Total).Select(wanted => Proof.Holds(
            $"Reuse_CancelOf{wanted}_EachItemIsReadOrCancelledOnce", () => new ReuseModel(2, wanted))),
        Proof.Holds("Reuse_ThreeReaders_EachItemIsReadOrCancelledOnce", () => new ReuseModel(3, 2)),
        Caught(Bug.NoSecondLook, "halves of two items"),
        Caught(Bug.SecondLookBeforeTheExchange, "halves of two items"),
        Caught(Bug.LowersAfterTheResume, "halves of two items"),
        Caught(Bug.LowersBelowTheHead, "for ever"),
        Caught(Bug.ClearFromIsAnOffset, "not published", wanted: 3),
        Caught(Bug.RetiresUnclaimed, "halves of two items"),
        Caught(Bug.RetiresUnconsumed, "halves of two items"),
        Caught(Bug.ResetsAfterTheBase, "read twice"),
        Caught(Bug.DoesNotReset, "not clear"),
    ];

    private static ContractCase Caught(Bug bug, string symptom, int wanted = 2) =>
        Proof.Catches($"Reuse_{bug}_IsCaught", symptom, () => new ReuseModel(2, wanted, bug));

    private IEnumerable<Step<Memory, Local>> Writer()
    {
        yield return Do("1", "publishes, or must use the segment again", (ref m, ref me) =>
        {
            if (m.Published == Length && m.Base == 0)
            {
                return Next.Ahead;
            }

            ref byte slot = ref m.Slots[m.Published % Length];
            if (slot != 0)
            {
                return Next.Fail("a slot was written that was not clear");
            }

            slot = ++m.Published;
            return m.Published == Total ? Next.Done : Next.To("1");
        });
        yield return Do("2", "waits until all positions are claimed and who must clear has cleared", (ref m, ref me) =>
        {
            bool consumed = true;
            for (int i = Math.Max(0, m.ClearFrom - m.Base); i < Length; i++)
            {
                consumed &= m.Slots[i] == 0;
            }

            return m.Head < Length && bug != Bug.RetiresUnclaimed ? Next.Blocked
                : !consumed && bug != Bug.RetiresUnconsumed ? Next.Blocked
                : Next.Ahead;
        });
        Step<Memory, Local> reset = Do("3", "clears the slots", (ref m, ref me) =>
        {
            for (int i = 0; i < Length && bug != Bug.DoesNotReset; i++)
            {
                m.Slots[i] = 0;
            }

            m.ClearFrom = NoPosition;
            return bug == Bug.ResetsAfterTheBase ? Next.To("1") : Next.Ahead;
        });
        Step<Memory, Local> serve = Do("3b", "writes the new base", (ref m, ref me) =>
        {
            m.Base = Length;
            return bug == Bug.ResetsAfterTheBase ? Next.Ahead : Next.To("1");
        });
        yield return bug == Bug.ResetsAfterTheBase ? serve : reset;
        yield return bug == Bug.ResetsAfterTheBase ? reset : serve;
    }

    private IEnumerable<Step<Memory, Local>> Reader() =>
    [
        Do("1", "looks at the head", (ref m, ref me) =>
        {
            me = default;
            if (m.Head == Total)
            {
                return Next.Done;
            }

            me.Head = m.Head;
            return m.Paused ? Next.Blocked : Next.Ahead;
        }),
        Do("2", "looks at the base", (ref m, ref me) => Serves(m, me) ? Next.Ahead : Again(ref me)),
        Do("2b", "copies one half of the item, if it is published", (ref m, ref me) =>
        {
            me.Item = m.Slots[me.Head % Length];
            return me.Item == 0 ? Again(ref me) : Next.Ahead;
        }),
        Do("2c", "copies the other half", (ref m, ref me) =>
        {
            me.OtherHalf = m.Slots[me.Head % Length];
            me.Again = bug == Bug.SecondLookBeforeTheExchange && me.Head >= m.ClearFrom;
            return Next.Ahead;
        }),
        Do("3", "exchanges the head", (ref m, ref me) =>
        {
            if (m.Head != me.Head || m.Paused)
            {
                return Again(ref me);
            }

            m.Head++;
            return Next.Ahead;
        }),
        Do("4", "looks whether it must look again", (ref m, ref me) =>
        {
            if (bug != Bug.SecondLookBeforeTheExchange)
            {
                int clearFrom = bug == Bug.ClearFromIsAnOffset ? m.ClearFrom - m.Base : m.ClearFrom;
                me.Again = bug != Bug.NoSecondLook
                    && (bug == Bug.ClearFromIsAnOffset ? me.Head % Length : me.Head) >= clearFrom;
            }

            return me.Again ? Next.Ahead : Over(ref m, ref me);
        }),
        Do("4b", "takes the item again and clears the slot", (ref m, ref me) =>
        {
            ref byte slot = ref m.Slots[me.Head % Length];
            me.Item = me.OtherHalf = slot;
            slot = 0;
            return me.Item == 0 ? Next.Fail("a slot was taken that is not published") : Over(ref m, ref me);
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Canceller()
    {
        yield return Do("1", "pauses", (ref m, ref me) =>
        {
            m.Paused = true;
            me.Head = m.Head;
            return Next.Ahead;
        });
        yield return Do("2", "replaces the item, if it waits", (ref m, ref me) =>
        {
            int position = wanted - 1;
            bool serves = position / Length * Length == m.Base;
            if (position < me.Head || !serves || m.Slots[position % Length] != wanted)
            {
                m.Paused = false;
                me = default;
                return Next.Done; // it was read, or is not written yet
            }

            m.Slots[position % Length] = Tombstone;
            m.Canceled.Add(position);
            return bug == Bug.LowersAfterTheResume ? Next.To("4") : Next.Ahead;
        });
        yield return Do("3", "lowers ClearFrom to the head", (ref m, ref me) =>
        {
            byte first = bug == Bug.LowersBelowTheHead ? m.Base : Math.Max(me.Head, m.Base);
            m.ClearFrom = Math.Min(m.ClearFrom, first);
            me = default;
            return bug == Bug.LowersAfterTheResume ? Next.Done : Next.Ahead;
        });
        yield return Do("4", "resumes", (ref m, ref me) =>
        {
            m.Paused = false;
            if (bug == Bug.LowersAfterTheResume)
            {
                return Next.To("3");
            }

            return Next.Done;
        });
    }

    private static bool Serves(in Memory m, in Local me) => me.Head / Length * Length == m.Base;

    private static Next Again(ref Local me)
    {
        me = default;
        return Next.To("1");
    }

    private Next Over(ref Memory m, ref Local me)
    {
        int item = me.Item - 1;
        bool isWhole = me.Item == me.OtherHalf;
        me = default;
        if (!isWhole)
        {
            return Next.Fail("halves of two items were read");
        }

        if (item + 1 == Tombstone)
        {
            return Next.To("1");
        }

        if (m.Read.Has(item))
        {
            return Next.Fail("an item was read twice");
        }

        m.Read.Add(item);
        return Next.To("1");
    }
}
