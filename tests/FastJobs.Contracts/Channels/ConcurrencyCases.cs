using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Many producers, many consumers: every item is read exactly once, whole, in the order of its producer.
/// </summary>
internal sealed class ConcurrencyCases<T>(ChannelKind kind, ItemKind<T> items) : ChannelCases(kind, items.Name)
{
    private const int Total = 8_000;

    public override IEnumerable<ContractCase> List() => Kind.Drops ? [] :
    [
        Case(TryWriteTryRead_OneToOne_ReadsEachOnceInOrder),
        Case(TryWriteTryRead_OneToMany_ReadsEachOnceInOrder),
        Case(TryWriteTryRead_ManyToOne_ReadsEachOnceInOrder),
        Case(TryWriteTryRead_ManyToMany_ReadsEachOnceInOrder),
        Case(WriteAsyncReadAsync_OneToOne_ReadsEachOnceInOrder),
        Case(WriteAsyncReadAsync_ManyToMany_ReadsEachOnceInOrder),
        Case(WaitToWriteWaitToRead_ManyToMany_ReadsEachOnceInOrder),
        Case(WriteAsyncReadAllAsync_ManyToMany_ReadsEachOnceInOrder),
        Case(TryPeek_BesideReadersAndWriters_ShowsOnlyWholeItems),
    ];

    private Task TryWriteTryRead_OneToOne_ReadsEachOnceInOrder() => OnThreads(1, 1);

    private Task TryWriteTryRead_OneToMany_ReadsEachOnceInOrder() => OnThreads(1, 4);

    private Task TryWriteTryRead_ManyToOne_ReadsEachOnceInOrder() => OnThreads(4, 1);

    private Task TryWriteTryRead_ManyToMany_ReadsEachOnceInOrder() => OnThreads(4, 4);

    private Task WriteAsyncReadAsync_OneToOne_ReadsEachOnceInOrder() => OnPool(1, 1, WriteAll, ReadAll);

    private Task WriteAsyncReadAsync_ManyToMany_ReadsEachOnceInOrder() => OnPool(4, 4, WriteAll, ReadAll);

    private Task WaitToWriteWaitToRead_ManyToMany_ReadsEachOnceInOrder() =>
        OnPool(4, 4, WaitAndWriteAll, WaitAndReadAll);

    private Task WriteAsyncReadAllAsync_ManyToMany_ReadsEachOnceInOrder() => OnPool(4, 4, WriteAll, EnumerateAll);

    private async Task TryPeek_BesideReadersAndWriters_ShowsOnlyWholeItems()
    {
        // Another thread reads what is being peeked at: the peek may be late, but never torn, and never goes back.
        Channel<T> channel = Kind.Create<T>();
        Task run = OnThreads(1, 2, channel);
        await Crew.Run(() =>
        {
            int last = -1;
            Spin spin = default;
            while (!channel.Reader.Completion.IsCompleted)
            {
                if (channel.Reader.TryPeek(out T? item))
                {
                    int number = items.Number(item);
                    Check.True(number >= last);
                    last = number;
                }

                spin.Once();
            }
        }).Within();
        await run;
    }

    private async Task OnThreads(int producers, int consumers, Channel<T>? given = null)
    {
        int each = Total / producers;
        Channel<T> channel = given ?? Kind.Create<T>();
        Ledger ledger = new(producers, each);
        Task writers = Crew.Run(producers, producer =>
        {
            Spin spin = default;
            for (int i = 0; i < each; i++)
            {
                T item = items.Make((producer * each) + i);
                while (!channel.Writer.TryWrite(item))
                {
                    spin.Once();
                }

                spin.Reset();
            }
        });
        Task readers = Crew.Run(consumers, _ =>
        {
            Ledger.Page page = ledger.NewPage();
            Spin spin = default;
            while (!channel.Reader.Completion.IsCompleted)
            {
                if (channel.Reader.TryRead(out T? item))
                {
                    page.Enter(items.Number(item));
                    spin.Reset();
                }
                else
                {
                    spin.Once();
                }
            }
        });
        await Finish(channel, ledger, writers, readers);
    }

    private async Task OnPool(
        int producers,
        int consumers,
        Func<ChannelWriter<T>, int, int, Task> write,
        Func<ChannelReader<T>, Ledger.Page, Task> read)
    {
        int each = Total / producers;
        Channel<T> channel = Kind.Create<T>();
        Ledger ledger = new(producers, each);
        Task readers = Task.WhenAll(Enumerable.Range(0, consumers).Select(
            _ => Task.Run(() => read(channel.Reader, ledger.NewPage()))));
        Task writers = Task.WhenAll(Enumerable.Range(0, producers).Select(
            producer => Task.Run(() => write(channel.Writer, producer * each, each))));
        await Finish(channel, ledger, writers, readers);
    }

    private static async Task Finish(Channel<T> channel, Ledger ledger, Task writers, Task readers)
    {
        // A reader that has failed leaves the writers waiting in vain: its failure is the one to show.
        await await Task.WhenAny(writers, readers).Within();
        await writers.Within();
        channel.Writer.Complete();
        await readers.Within();
        ledger.CheckComplete();
        await channel.Reader.Completion.Within();
    }

    private async Task WriteAll(ChannelWriter<T> writer, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            await writer.WriteAsync(items.Make(i)).ConfigureAwait(false);
        }
    }

    private async Task WaitAndWriteAll(ChannelWriter<T> writer, int first, int count)
    {
        for (int i = first; i < first + count;)
        {
            Check.True(await writer.WaitToWriteAsync().ConfigureAwait(false));
            while (i < first + count && writer.TryWrite(items.Make(i)))
            {
                i++;
            }
        }
    }

    private async Task ReadAll(ChannelReader<T> reader, Ledger.Page page)
    {
        try
        {
            while (true)
            {
                page.Enter(items.Number(await reader.ReadAsync().ConfigureAwait(false)));
            }
        }
        catch (ChannelClosedException)
        {
        }
    }

    private async Task WaitAndReadAll(ChannelReader<T> reader, Ledger.Page page)
    {
        while (await reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (reader.TryRead(out T? item))
            {
                page.Enter(items.Number(item));
            }
        }
    }

    private async Task EnumerateAll(ChannelReader<T> reader, Ledger.Page page)
    {
        await foreach (T item in reader.ReadAllAsync().ConfigureAwait(false))
        {
            page.Enter(items.Number(item));
        }
    }
}
