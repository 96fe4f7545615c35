using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// One order for everybody: calls of different threads that follow one another take effect one after another, even
/// while a third thread is in the midst of a call.
/// </summary>
internal sealed class OrderCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Total = 10_000;

    public override IEnumerable<ContractCase> List() => Kind.Drops ? [] :
    [
        Case(TryWrite_ByProducersInTurn_IsReadInThatOrder),
        Case(TryRead_ByConsumersInTurn_GetsItemsInThatOrder),
        Case(TryRead_AfterOwnWrite_AlwaysFindsAnItem),
        .. Kind.Capacity is not null ? Array.Empty<ContractCase>() : [Case(TryRead_AfterAMillionItems_KeepsOrder)],
    ];

    private async Task TryWrite_ByProducersInTurn_IsReadInThatOrder()
    {
        // A writes, signals B, B writes: the reader sees A's first.
        Channel<int> channel = Kind.Create<int>();
        int turn = 0;
        void Produce(int parity) => InTurn(ref turn, parity, i =>
        {
            Spin spin = default;
            while (!channel.Writer.TryWrite(i))
            {
                spin.Once();
            }
        });

        await Crew.Run(() => Produce(0), () => Produce(1), () =>
        {
            Spin spin = default;
            for (int i = 0; i < Total;)
            {
                if (channel.Reader.TryRead(out int item))
                {
                    Check.Equal(i++, item);
                    spin.Reset();
                }
                else
                {
                    spin.Once();
                }
            }
        });
    }

    private async Task TryRead_ByConsumersInTurn_GetsItemsInThatOrder()
    {
        Channel<int> channel = Kind.Create<int>();
        int turn = 0;
        void Consume(int parity) => InTurn(ref turn, parity, i =>
        {
            Spin spin = default;
            int item;
            while (!channel.Reader.TryRead(out item))
            {
                spin.Once();
            }

            Check.Equal(i, item);
        });

        await Crew.Run(() => Consume(0), () => Consume(1), () =>
        {
            Spin spin = default;
            for (int i = 0; i < Total;)
            {
                if (channel.Writer.TryWrite(i))
                {
                    i++;
                    spin.Reset();
                }
                else
                {
                    spin.Once();
                }
            }
        });
    }

    private async Task TryRead_AfterOwnWrite_AlwaysFindsAnItem()
    {
        // Each thread puts one in and takes one out: whoever has just written is owed an item, its own or an older one,
        // however slowly another thread publishes the item it has claimed a place for.
        Channel<int> channel = Kind.Create<int>();
        await Crew.Run(3, _ =>
        {
            Spin spin = default;
            for (int i = 0; i < Total; i++)
            {
                while (!channel.Writer.TryWrite(i))
                {
                    spin.Once();
                }

                spin.Reset();
                Check.True(channel.Reader.TryRead(out int _));
            }
        });
        Check.Equal(0, channel.Reader.Count);
    }

    private void TryRead_AfterAMillionItems_KeepsOrder()
    {
        const int Many = 1_000_000;
        Channel<int> channel = Kind.Create<int>();
        for (int fill = 0; fill < 2; fill++)
        {
            for (int i = 0; i < Many; i++)
            {
                Check.True(channel.Writer.TryWrite(i));
            }

            Check.Equal(Many, channel.Reader.Count);
            for (int i = 0; i < Many; i++)
            {
                Check.True(channel.Reader.TryRead(out int item));
                Check.Equal(i, item);
            }

            Check.Equal(0, channel.Reader.Count);
        }
    }

    /// <summary>Does the turns of one parity; the other thread does the others.</summary>
    private static void InTurn(ref int turn, int parity, Action<int> act)
    {
        for (int i = parity; i < Total; i += 2)
        {
            Spin spin = default;
            while (Volatile.Read(ref turn) != i)
            {
                spin.Once();
            }

            act(i);
            Volatile.Write(ref turn, i + 1);
        }
    }
}
