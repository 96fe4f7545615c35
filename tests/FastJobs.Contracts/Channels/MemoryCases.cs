using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>An item that has left the channel is not kept alive by it.</summary>
internal sealed class MemoryCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Rounds = 200;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(TryRead_Afterwards_ItemsAreNotKeptAlive),
        .. Flagged(Kind.ForgetsPeekedItems, Case(TryPeekAndRead_Afterwards_ItemsAreNotKeptAlive)),
        .. Flagged(Kind.ForgetsServedWaits, Case(ReadAsync_AfterAWait_ItemsAreNotKeptAlive)),
        .. Flagged(Kind.Drops, Case(TryWrite_ThatDrops_DroppedItemsAreNotKeptAlive)),
        .. Flagged(
            Kind.Waits && Kind.ForgetsServedWaits, Case(WriteAsync_AfterAWait_ItemsAreNotKeptAlive)),
        .. Flagged(
            Kind.Waits && Kind.ForgetsCancelledWaits, Case(WriteAsync_WhenCanceled_ItemsAreNotKeptAlive)),
    ];

    private static IEnumerable<ContractCase> Flagged(bool holds, ContractCase @case) => holds ? [@case] : [];

    private void TryRead_Afterwards_ItemsAreNotKeptAlive() => CheckCollected(static (channel, item) =>
    {
        Check.True(channel.Writer.TryWrite(item));
        Check.True(channel.Reader.TryRead(out _));
    });

    private void TryPeekAndRead_Afterwards_ItemsAreNotKeptAlive() => CheckCollected(static (channel, item) =>
    {
        Check.True(channel.Writer.TryWrite(item));
        Check.True(channel.Reader.TryPeek(out _));
        Check.True(channel.Reader.TryRead(out _));
    });

    private void ReadAsync_AfterAWait_ItemsAreNotKeptAlive() => CheckCollected(static (channel, item) =>
    {
        ValueTask<object> read = channel.Reader.ReadAsync();
        Check.True(channel.Writer.TryWrite(item));
        Check.Same(item, read.Result);
    });

    private void TryWrite_ThatDrops_DroppedItemsAreNotKeptAlive()
    {
        // Ends with a channel that holds one item for ever.
        CheckCollected((channel, item) =>
        {
            for (int i = 0; i < 2 * Kind.Capacity; i++)
            {
                Check.True(channel.Writer.TryWrite(item));
            }

            Drain(channel.Reader);
        });
    }

    private void WriteAsync_AfterAWait_ItemsAreNotKeptAlive() => CheckCollected((channel, item) =>
    {
        for (int i = 0; i < Kind.Capacity; i++)
        {
            Check.True(channel.Writer.TryWrite(item));
        }

        ValueTask write = channel.Writer.WriteAsync(item);
        Check.False(write.IsCompleted);
        Check.Equal(Kind.Capacity + 1, Drain(channel.Reader).Count);
        write.GetAwaiter().GetResult();
    });

    private void WriteAsync_WhenCanceled_ItemsAreNotKeptAlive() => CheckCollected((channel, item) =>
    {
        object filler = "stays";
        while (channel.Writer.TryWrite(filler))
        {
        }

        using CancellationTokenSource source = new();
        ValueTask write = channel.Writer.WriteAsync(item, source.Token);
        source.Cancel();
        Check.Throws<OperationCanceledException>(() => write.GetAwaiter().GetResult());
    });

    private void CheckCollected(Action<Channel<object>, object> use)
    {
        Channel<object> channel = Kind.Create<object>();
        WeakReference[] items = UseMany(channel, use);
        int alive = 0;
        long deadline = Environment.TickCount64 + 10_000;

        // Not at once: what forgets a cancelled wait may still be queued on the pool.
        Spin.Until(() =>
        {
            GC.Collect();
            alive = items.Count(item => item.IsAlive);
            return alive == 0 || Environment.TickCount64 > deadline;
        });
        Check.Equal(0, alive);
        GC.KeepAlive(channel);
    }

    // In a frame of its own, so that no local of the caller holds the last item.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] UseMany(Channel<object> channel, Action<Channel<object>, object> use)
    {
        WeakReference[] items = new WeakReference[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            items[i] = UseOne(channel, use);
        }

        return items;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseOne(Channel<object> channel, Action<Channel<object>, object> use)
    {
        object item = new();
        use(channel, item);
        return new WeakReference(item);
    }
}
