using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Taking positions, publishing and claiming: docs/protocols.md#queue. Code: SegmentedChannel.cs, SegmentedChannel.Claiming.cs.</summary>
/// <remarks>
/// Slots are not used again here; that is the segments' protocol. Writer w writes the items w * 2 + 1, w * 2 + 2; with
/// <paramref name="inTurn"/> each writer begins when the one before it has ended.
/// </remarks>
internal sealed class QueueModel(
    int writers, int readers, int each, int capacity = 0, bool inTurn = false, QueueModel.Bug bug = default)
    : Model<QueueModel.Memory, QueueModel.Local>
{
    public enum Bug
    {
        None,
        ReaderClaimsUnpublished,
        ReaderSkipsUnpublished,
        ReaderTakesBeforeItsExchange,
        ReaderStoresTheHead,
        WriterPublishesBeforeItsAdd,
        WriterStoresTheTail,
        FullHeadBeforeTail,
        FullThenAdd,
        FullByCachedHeadAlone,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Tail;
        public byte Head;
        public byte Cached; // the last head that a bounded writer saw
        public Six Slots;
        public byte Read; // items, as bits; what the rest checks
        public byte LastRead;
        public byte WritersDone;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte Written;
        public byte Position;
        public byte Head;
        public byte Item;
    }

    private int Total => writers * each;

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. Enumerable.Range(0, writers).Select(i => new Script<Memory, Local>(
            $"writer {i}",
            new Local { Id = (byte)i },
            [Begin(), .. capacity == 0 ? Unbounded() : Bounded(), .. Publish()])),
        .. Enumerable.Range(0, readers).Select(i => new Script<Memory, Local>($"reader {i}", default, Reader())),
    ];

    public override string? CheckAlways(in Memory m) =>
        m.Head > m.Tail ? "the head is past the tail"
        : capacity > 0 && m.Tail - m.Head > capacity ? "more items wait than the capacity allows"
        : null;

    public override string? CheckEnd(in Memory m) => m.Read == Bits.First(Total) ? null : "an item was lost";

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Queue_ThreeWritersTwoReaders_LoseAndDoubleNothing", () => new QueueModel(3, 2, each: 1)),
        Proof.Holds("Queue_TwoWritersOfTwoTwoReaders_LoseAndDoubleNothing", () => new QueueModel(2, 2, each: 2)),
        Proof.Holds("Queue_WritersInTurn_AreReadInTurn", () => new QueueModel(3, 2, each: 1, inTurn: true)),
        Proof.Holds("Queue_BoundedByOne_KeepsTheCapacity", () => new QueueModel(2, 2, each: 2, capacity: 1)),
        Proof.Holds("Queue_BoundedByTwo_KeepsTheCapacity", () => new QueueModel(3, 1, each: 1, capacity: 2)),
        Caught(Bug.ReaderClaimsUnpublished, "not published"),
        Caught(Bug.ReaderSkipsUnpublished, "lost"),
        Caught(Bug.ReaderTakesBeforeItsExchange, "not published"),
        Caught(Bug.ReaderStoresTheHead, "not published"),
        Caught(Bug.WriterPublishesBeforeItsAdd, "not clear"),
        Caught(Bug.WriterStoresTheTail, "not clear"),
        Caught(Bug.FullHeadBeforeTail, "was not full", capacity: 1),
        Caught(Bug.FullThenAdd, "capacity", capacity: 1),
        Caught(Bug.FullByCachedHeadAlone, "was not full", capacity: 1),
    ];

    private static ContractCase Caught(Bug bug, string symptom, int capacity = 0) =>
        Proof.Catches($"Queue_{bug}_IsCaught", symptom, () => new QueueModel(2, 2, each: 2, capacity, bug: bug));

    private Step<Memory, Local> Begin() => Do("0", "begins", (ref m, ref me) =>
        inTurn && m.WritersDone < me.Id ? Next.Blocked : Next.Ahead);

    private IEnumerable<Step<Memory, Local>> Unbounded() => bug switch
    {
        Bug.WriterPublishesBeforeItsAdd =>
        [
            Do("1", "looks at the tail", (ref m, ref me) => Ahead(me.Position = m.Tail)),
            Do("3", "publishes", PublishItem),
            Do("1b", "adds to the tail", (ref m, ref me) => Ahead(m.Tail++)),
        ],
        Bug.WriterStoresTheTail =>
        [
            Do("1", "looks at the tail", (ref m, ref me) => Ahead(me.Position = m.Tail)),
            Do("1b", "stores the tail", (ref m, ref me) => Ahead(m.Tail = (byte)(me.Position + 1))),
        ],
        _ => [Do("1", "adds to the tail", (ref m, ref me) => Ahead(me.Position = m.Tail++))],
    };

    private IEnumerable<Step<Memory, Local>> Bounded() => bug == Bug.FullHeadBeforeTail
        ?
        [
            Do("1", "looks at the head", (ref m, ref me) => Ahead(me.Head = m.Head)),
            Do("1b", "looks at the tail", (ref m, ref me) =>
            {
                me.Position = m.Tail;
                return me.Position - me.Head >= capacity ? Full(ref m, ref me) : Next.Ahead;
            }),
            Do("1e", "exchanges the tail", ExchangeTail),
        ]
        :
        [
            Do("1", "looks at the tail", (ref m, ref me) => Ahead(me.Position = m.Tail)),
            Do("1b", "looks at the cached head", (ref m, ref me) =>
                me.Position - m.Cached < capacity ? Next.To("1e")
                : bug == Bug.FullByCachedHeadAlone ? Full(ref m, ref me)
                : Next.Ahead),
            Do("1c", "looks at the head", (ref m, ref me) =>
            {
                me.Head = m.Head;
                return me.Position - me.Head >= capacity ? CacheFull(ref m, ref me) : Next.Ahead;
            }),
            Do("1d", "caches the head", (ref m, ref me) =>
            {
                m.Cached = me.Head;
                me.Head = 0;
                return Next.Ahead;
            }),
            bug == Bug.FullThenAdd
                ? Do("1e", "adds to the tail", (ref m, ref me) => Ahead(me.Position = m.Tail++))
                : Do("1e", "exchanges the tail", ExchangeTail),
        ];

    private static Next ExchangeTail(ref Memory m, ref Local me)
    {
        me.Head = 0;
        if (m.Tail != me.Position)
        {
            return Next.To("1");
        }

        m.Tail++;
        return Next.Ahead;
    }

    // The verdict "full" must be true of this moment. Then the writer tries again.
    private Next Full(ref Memory m, ref Local me)
    {
        if (m.Tail - m.Head < capacity)
        {
            return Next.Fail("the queue was not full");
        }

        me.Position = me.Head = 0;
        return Next.To("1");
    }

    private Next CacheFull(ref Memory m, ref Local me)
    {
        m.Cached = me.Head; // in one step with the look, to save states: an older head only makes writers look again
        return Full(ref m, ref me);
    }

    private IEnumerable<Step<Memory, Local>> Publish() =>
    [
        bug == Bug.WriterPublishesBeforeItsAdd
            ? Do("4", "goes on", WriteNext)
            : Do("4", "publishes", (ref m, ref me) => PublishItem(ref m, ref me) is { What: Next.Kind.Failed } broken
                ? broken
                : WriteNext(ref m, ref me)),
    ];

    private Next PublishItem(ref Memory m, ref Local me)
    {
        if (m.Slots[me.Position] != 0)
        {
            return Next.Fail("a slot was written that was not clear");
        }

        m.Slots[me.Position] = (byte)((me.Id * each) + me.Written + 1);
        return Next.Ahead;
    }

    private Next WriteNext(ref Memory m, ref Local me)
    {
        me.Position = 0;
        if (++me.Written < each)
        {
            return Next.To("1");
        }

        m.WritersDone++;
        return Next.Done;
    }

    private IEnumerable<Step<Memory, Local>> Reader() =>
    [
        Do("1", "looks at the head", (ref m, ref me) => m.Head == Total ? Next.Done : Ahead(me.Head = m.Head)),
        Do("2", "looks at the slot", (ref m, ref me) =>
            (bug == Bug.ReaderClaimsUnpublished ? m.Tail > me.Head : m.Slots[me.Head] != 0)
                ? Next.To("3")
                : Next.Ahead),
        Do("2b", "looks at the tail: empty or unpublished", (ref m, ref me) =>
        {
            if (bug == Bug.ReaderSkipsUnpublished && m.Tail > me.Head + 1 && m.Head == me.Head)
            {
                m.Head++; // leaves the writer behind that is between its steps
            }

            me.Head = 0;
            return Next.To("1");
        }),
        bug == Bug.ReaderTakesBeforeItsExchange
            ? Do("3", "takes the item", Take)
            : Do("3", "exchanges the head", ExchangeHead),
        bug == Bug.ReaderTakesBeforeItsExchange
            ? Do("4", "exchanges the head", ExchangeHead)
            : Do("4", "takes the item", Take),
        Do("4b", "clears the slot", (ref m, ref me) =>
        {
            m.Slots[me.Head] = 0;
            int item = me.Item - 1;
            me.Head = me.Item = 0;
            if (m.Read.Has(item))
            {
                return Next.Fail("an item was read twice");
            }

            m.Read.Add(item);
            return Next.To("1");
        }),
    ];

    private Next ExchangeHead(ref Memory m, ref Local me)
    {
        if (m.Head != me.Head && bug != Bug.ReaderStoresTheHead)
        {
            me.Head = me.Item = 0;
            return Next.To("1");
        }

        // First in, first out: what was written after another write had ended leaves after it. Items of one writer, and
        // of writers in turn, have growing numbers.
        byte item = m.Slots[me.Head];
        if (item != 0 && item < m.LastRead && (inTurn || (item - 1) / each == (m.LastRead - 1) / each))
        {
            return Next.Fail("an item overtook an earlier one");
        }

        m.LastRead = item;
        m.Head = (byte)(me.Head + 1);
        return Next.Ahead;
    }

    private static Next Take(ref Memory m, ref Local me)
    {
        me.Item = m.Slots[me.Head];
        return me.Item == 0 ? Next.Fail("a slot was taken that is not published") : Next.Ahead;
    }

    private static Next Ahead(byte _) => Next.Ahead;
}
