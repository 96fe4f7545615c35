using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Random work over one kind of channel: 1-4 producers and consumers that each mix all ways to write and to read, while
/// waits are cancelled at random. The books must balance: every item is read or dropped exactly once, in order.
/// </summary>
internal sealed class ChannelStress<T>(ChannelKind kind, ItemKind<T> items)
    : ChannelCases(kind, items.Name, nameof(ChannelStress<>))
{
    private static readonly int[] s_crews = Stress.IsLong ? [1, 2, 3, 4] : [1, 4];

    public override IEnumerable<ContractCase> List() =>
        from producers in s_crews
        from consumers in s_crews
        from cancels in Kind.CancelsAtomically ? new[] { false, true } : [false]
        select Case(
            () => Run(producers, consumers, cancels),
            $"ReadsAndWrites_{producers}To{consumers}{(cancels ? "WithCancels" : "")}_LoseNothing");

    private async Task Run(int producers, int consumers, bool cancels)
    {
        int each = Stress.Scale(20_000, 400_000) / producers;
        Ledger ledger = new(producers, each);
        Channel<T> channel = Kind.Create<T>(dropped: item => ledger.Enter(items.Number(item)));
        using Disturber disturber = new(producers + consumers, cancels);
        Task readers = Task.WhenAll(Enumerable.Range(0, consumers).Select(consumer => Task.Run(
            () => Consume(channel.Reader, ledger.NewPage(), new Random(consumer), disturber.For(consumer)))));
        Task writers = Task.WhenAll(Enumerable.Range(0, producers).Select(producer => Task.Run(
            () => Produce(
                channel.Writer, producer * each, each, new Random(~producer), disturber.For(consumers + producer)))));
        Task chaos = Crew.Run(disturber.Run);
        try
        {
            await await Task.WhenAny(writers, readers, chaos).WaitAsync(Patience.Case);
            await writers.WaitAsync(Patience.Case);
            channel.Writer.Complete();
            await readers.WaitAsync(Patience.Case);
        }
        finally
        {
            disturber.Stop();
        }

        await chaos.Within();
        ledger.CheckComplete();
        Check.Equal(0, channel.Reader.Count);
        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
    }

    private async Task Produce(
        ChannelWriter<T> writer, int first, int count, Random random, Disturber.Victim victim)
    {
        for (int i = first; i < first + count;)
        {
            try
            {
                switch (random.Next(4))
                {
                    case 0:
                        await writer.WriteAsync(items.Make(i)).ConfigureAwait(false);
                        i++;
                        break;
                    case 1:
                        // A cancelled write has left no item: so it is written again.
                        await writer.WriteAsync(items.Make(i), victim.Token).ConfigureAwait(false);
                        i++;
                        break;
                    case 2:
                        Check.True(await writer.WaitToWriteAsync(victim.Token).ConfigureAwait(false));
                        break;
                    default:
                        for (int burst = random.Next(20); burst > 0 && i < first + count; burst--)
                        {
                            if (!writer.TryWrite(items.Make(i)))
                            {
                                break;
                            }

                            i++;
                        }

                        break;
                }
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private async Task Consume(
        ChannelReader<T> reader, Ledger.Page page, Random random, Disturber.Victim victim)
    {
        while (true)
        {
            try
            {
                switch (random.Next(5))
                {
                    case 0:
                        page.Enter(items.Number(await reader.ReadAsync().ConfigureAwait(false)));
                        break;
                    case 1:
                        // A cancelled read has taken no item: if it has, the books will not balance.
                        page.Enter(items.Number(await reader.ReadAsync(victim.Token).ConfigureAwait(false)));
                        break;
                    case 2:
                        await reader.WaitToReadAsync(victim.Token).ConfigureAwait(false);
                        break;
                    case 3:
                        Check.True(reader.Count >= 0);
                        if (reader.TryPeek(out T? peeked))
                        {
                            items.Number(peeked);
                        }

                        break;
                    default:
                        for (int burst = random.Next(20); burst > 0 && reader.TryRead(out T? item); burst--)
                        {
                            page.Enter(items.Number(item));
                        }

                        break;
                }
            }
            catch (OperationCanceledException)
            {
            }
            catch (ChannelClosedException)
            {
                return;
            }
        }
    }
}
