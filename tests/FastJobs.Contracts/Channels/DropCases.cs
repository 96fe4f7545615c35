using System.Collections.Concurrent;
using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>A full channel that drops: which item goes, who is told, and that none vanishes untold.</summary>
internal sealed class DropCases<T>(ChannelKind kind, ItemKind<T> items) : ChannelCases(kind, items.Name)
{
    private const int Extra = 3;

    private int Capacity => Kind.Capacity!.Value;

    public override IEnumerable<ContractCase> List() => !Kind.Drops ? [] :
    [
        Case(TryWrite_WhenFull_DropsAsTheModeSays),
        Case(WriteAsync_WhenFull_DropsAsTheModeSaysAtOnce),
        Case(TryWrite_WhenFullWithoutDelegate_DropsAsTheModeSays),
        Case(TryWrite_OverManyLaps_KeepsOrder),
        Case(WaitToWriteAsync_WhenFull_IsTrueAtOnce),
        Case(TryWrite_WithRoom_DropsNothing),
        Case(TryWrite_WithWaitingReaders_DropsNothing),
        Case(TryWrite_AfterCompletion_DropsNothing),
        Case(ItemDropped_UsingTheChannelFromAnotherThread_IsNotLockedOut),
        Case(ItemDropped_ThatThrows_ReachesTheWriterAndTheChannelGoesOn),
        Case(TryWrite_ByManyWriters_ReadsOrDropsEveryItemOnce),
    ];

    private void TryWrite_WhenFull_DropsAsTheModeSays() => CheckOverflow(
        told: true, (channel, item) => Check.True(channel.Writer.TryWrite(item)));

    private void TryWrite_WhenFullWithoutDelegate_DropsAsTheModeSays() => CheckOverflow(
        told: false, (channel, item) => Check.True(channel.Writer.TryWrite(item)));

    private void WriteAsync_WhenFull_DropsAsTheModeSaysAtOnce() => CheckOverflow(told: true, (channel, item) =>
    {
        ValueTask write = channel.Writer.WriteAsync(item);
        Check.True(write.IsCompletedSuccessfully);
        write.GetAwaiter().GetResult();
    });

    private void CheckOverflow(bool told, Action<Channel<T>, T> write)
    {
        List<T> dropped = [];
        Channel<T> channel = Kind.Create<T>(dropped: told ? dropped.Add : null);
        for (int i = 0; i < Capacity + Extra; i++)
        {
            write(channel, items.Make(i));
        }

        (IEnumerable<int> kept, IEnumerable<int> gone) = Kind.Mode switch
        {
            BoundedChannelFullMode.DropWrite => (Enumerable.Range(0, Capacity), Enumerable.Range(Capacity, Extra)),
            BoundedChannelFullMode.DropOldest => (Enumerable.Range(Extra, Capacity), Enumerable.Range(0, Extra)),

            // The newest that is in the channel goes, and the item being written takes its place.
            _ => (
                Enumerable.Range(0, Capacity - 1).Append(Capacity + Extra - 1),
                Enumerable.Range(Capacity - 1, Extra)),
        };
        Check.Sequence(told ? gone.Select(items.Make) : [], dropped);
        Check.Equal(Capacity, channel.Reader.Count);
        Check.Sequence(kept.Select(items.Make), Drain(channel.Reader));
    }

    private void TryWrite_OverManyLaps_KeepsOrder()
    {
        int dropped = 0;
        int read = 0;
        Channel<T> channel = Kind.Create<T>(dropped: _ => dropped++);
        int written = 0;
        for (int lap = 0; lap < 500; lap++)
        {
            for (int i = 0; i < Capacity + (lap % 5); i++)
            {
                Check.True(channel.Writer.TryWrite(items.Make(written++)));
            }

            int last = -1;
            for (int i = lap % Capacity; i >= 0; i--)
            {
                Check.True(channel.Reader.TryRead(out T? item));
                int number = items.Number(item!);
                Check.True(number > last);
                last = number;
                read++;
            }
        }

        Check.Equal(written, read + dropped + channel.Reader.Count);
    }

    private void WaitToWriteAsync_WhenFull_IsTrueAtOnce()
    {
        Channel<T> channel = CreateFullOf(null);
        ValueTask<bool> wait = channel.Writer.WaitToWriteAsync();
        Check.True(wait.IsCompletedSuccessfully);
        Check.True(wait.Result);
    }

    private void TryWrite_WithRoom_DropsNothing()
    {
        int dropped = 0;
        Channel<T> channel = CreateFullOf(_ => dropped++);
        for (int i = 0; i < 10 * Capacity; i++)
        {
            Check.True(channel.Reader.TryRead(out _));
            Check.True(channel.Writer.TryWrite(items.Make(i)));
        }

        Check.Equal(0, dropped);
    }

    private async Task TryWrite_WithWaitingReaders_DropsNothing()
    {
        // A channel whose readers wait is not full, however many items are on their way to them.
        int dropped = 0;
        Channel<T> channel = Kind.Create<T>(dropped: _ => dropped++);
        Task<T>[] reads = Pending(Capacity + Extra, _ => channel.Reader.ReadAsync());
        for (int i = 0; i < reads.Length; i++)
        {
            Check.True(channel.Writer.TryWrite(items.Make(i)));
        }

        for (int i = 0; i < reads.Length; i++)
        {
            Check.True(items.Is(await reads[i].Within(), i));
        }

        Check.Equal(0, dropped);
    }

    private void TryWrite_AfterCompletion_DropsNothing()
    {
        int dropped = 0;
        Channel<T> channel = CreateFullOf(_ => dropped++);
        channel.Writer.Complete();
        Check.False(channel.Writer.TryWrite(items.Make(0)));
        Check.Equal(0, dropped);
        Check.Equal(Capacity, Drain(channel.Reader).Count);
    }

    private void ItemDropped_UsingTheChannelFromAnotherThread_IsNotLockedOut()
    {
        // User code never runs under a lock: while the delegate runs, another thread can do everything.
        Channel<T>? channel = null;
        int calls = 0;
        channel = CreateFullOf(_ =>
        {
            if (calls++ == 0)
            {
                Crew.Run(() =>
                {
                    Check.True(channel!.Reader.TryRead(out T? _));
                    Check.True(channel.Writer.TryWrite(items.Make(1)));
                    Check.Equal(Capacity, channel.Reader.Count);
                }).Within().GetAwaiter().GetResult();
            }
        });
        Check.True(channel.Writer.TryWrite(items.Make(2)));
        Check.Equal(1, calls);
    }

    private void ItemDropped_ThatThrows_ReachesTheWriterAndTheChannelGoesOn()
    {
        InvalidOperationException thrown = new("from the delegate");
        Channel<T> channel = CreateFullOf(_ => throw thrown);
        Check.Same(thrown, Check.Throws<InvalidOperationException>(() => channel.Writer.TryWrite(items.Make(1))));
        Check.Equal(Capacity, channel.Reader.Count);
        Check.Equal(Capacity, Drain(channel.Reader).Count);
        Check.True(channel.Writer.TryWrite(items.Make(3)));
        Check.True(channel.Reader.TryRead(out T? item));
        Check.True(items.Is(item, 3));
    }

    private async Task TryWrite_ByManyWriters_ReadsOrDropsEveryItemOnce()
    {
        const int Writers = 3;
        const int Each = 4_000;
        Ledger ledger = new(Writers, Each);
        ConcurrentQueue<int> dropped = new();
        Channel<T> channel = Kind.Create<T>(dropped: item => dropped.Enqueue(items.Number(item)));
        Task writers = Crew.Run(Writers, writer =>
        {
            for (int i = 0; i < Each; i++)
            {
                Check.True(channel.Writer.TryWrite(items.Make((writer * Each) + i)));
            }
        });
        Task readers = Crew.Run(2, _ =>
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
        await writers;
        channel.Writer.Complete();
        await readers;
        foreach (int number in dropped)
        {
            ledger.Enter(number);
        }

        ledger.CheckComplete();
    }

    private Channel<T> CreateFullOf(Action<T>? dropped)
    {
        Channel<T> channel = Kind.Create(dropped: dropped);
        for (int i = 0; i < Capacity; i++)
        {
            Check.True(channel.Writer.TryWrite(items.Make(i)));
        }

        return channel;
    }
}
