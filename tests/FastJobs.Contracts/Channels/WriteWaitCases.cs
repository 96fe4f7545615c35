using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>Waiting to write to a full channel: who is let in, by which read, in what order.</summary>
internal sealed class WriteWaitCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Waiters = 100;

    private int Capacity => Kind.Capacity!.Value;

    public override IEnumerable<ContractCase> List() => !Kind.Waits ? [Case(WriteAsync_Always_CompletesAtOnce)] :
    [
        Case(WriteAsync_WhenFull_WaitsForRoom),
        Case(WriteAsync_ManyWaiting_AreLetInInOrder),
        Case(WriteAsync_ManyWaitingAndOneRead_EndsOne),
        Case(WriteAsync_ManyWaiting_AreLetInByReadAsyncToo),
        Case(TryRead_WithWaitingWriter_GivesItTheRoomAtOnce),
        Case(WaitToWriteAsync_WhenFull_WaitsForRoom),
        Case(WaitToWriteAsync_ManyWaiting_AllEndOnOneRead),
        Case(WaitToWriteAsync_WhenTheRoomIsStolen_CanWaitAgain),
        Case(WaitToWriteAsync_BesideWriteAsync_EndsWhenRoomIsLeft),
        Case(WriteAsync_ResultTakenTwice_Throws),
    ];

    private void WriteAsync_Always_CompletesAtOnce()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 1_000; i++)
        {
            Check.True(channel.Writer.WriteAsync(i).IsCompletedSuccessfully);
            Check.True(channel.Writer.WaitToWriteAsync().IsCompletedSuccessfully);
        }
    }

    private async Task WriteAsync_WhenFull_WaitsForRoom()
    {
        Channel<int> channel = CreateFull();
        for (int i = Capacity; i < Capacity + 10; i++)
        {
            ValueTask write = channel.Writer.WriteAsync(i);
            Check.False(write.IsCompleted);
            Check.Equal(Capacity, channel.Reader.Count);
            Check.True(channel.Reader.TryRead(out int item));
            Check.Equal(i - Capacity, item);
            await write.Within();
            Check.Equal(Capacity, channel.Reader.Count);
        }

        Check.Sequence(Enumerable.Range(10, Capacity), Drain(channel.Reader));
    }

    private async Task WriteAsync_ManyWaiting_AreLetInInOrder()
    {
        Channel<int> channel = CreateFull();
        Task[] writes = Pending(Waiters, i => channel.Writer.WriteAsync(Capacity + i));
        for (int i = 0; i < Waiters; i++)
        {
            Check.True(channel.Reader.TryRead(out int item));
            Check.Equal(i, item);
            await writes[i].Within();
        }

        Check.Sequence(Enumerable.Range(Waiters, Capacity), Drain(channel.Reader));
    }

    private async Task WriteAsync_ManyWaitingAndOneRead_EndsOne()
    {
        Channel<int> channel = CreateFull();
        Task[] writes = Pending(Waiters, i => channel.Writer.WriteAsync(Capacity + i));
        Check.True(channel.Reader.TryRead(out _));
        await writes[0].Within();
        Check.Equal(1, writes.Count(write => write.IsCompleted));
        Check.Equal(Capacity, channel.Reader.Count);
        Check.Sequence(Enumerable.Range(1, Capacity + Waiters - 1), Drain(channel.Reader));
        await Task.WhenAll(writes).Within();
    }

    private async Task WriteAsync_ManyWaiting_AreLetInByReadAsyncToo()
    {
        Channel<int> channel = CreateFull();
        Task[] writes = Pending(Waiters, i => channel.Writer.WriteAsync(Capacity + i));
        for (int i = 0; i < Capacity + Waiters; i++)
        {
            ValueTask<int> read = channel.Reader.ReadAsync();
            Check.True(read.IsCompletedSuccessfully);
            Check.Equal(i, read.Result);
        }

        await Task.WhenAll(writes).Within();
    }

    private async Task TryRead_WithWaitingWriter_GivesItTheRoomAtOnce()
    {
        // Nobody who comes later can overtake the writer that waited, even before its continuation has run.
        Channel<int> channel = CreateFull();
        Task write = Pending(1, _ => channel.Writer.WriteAsync(Capacity))[0];
        Check.True(channel.Reader.TryRead(out _));
        Check.False(channel.Writer.TryWrite(-1));
        Check.Equal(Capacity, channel.Reader.Count);
        await write.Within();
        Check.Sequence(Enumerable.Range(1, Capacity), Drain(channel.Reader));
    }

    private async Task WaitToWriteAsync_WhenFull_WaitsForRoom()
    {
        Channel<int> channel = CreateFull();
        for (int i = 0; i < 10; i++)
        {
            ValueTask<bool> wait = channel.Writer.WaitToWriteAsync();
            Check.False(wait.IsCompleted);
            Check.True(channel.Reader.TryRead(out _));
            Check.True(await wait.Within());
            Check.True(channel.Writer.TryWrite(i));
        }
    }

    private async Task WaitToWriteAsync_ManyWaiting_AllEndOnOneRead()
    {
        Channel<int> channel = CreateFull();
        Task<bool>[] waits = Pending(Waiters, _ => channel.Writer.WaitToWriteAsync());
        Check.True(channel.Reader.TryRead(out _));
        foreach (Task<bool> wait in waits)
        {
            Check.True(await wait.Within());
        }
    }

    private async Task WaitToWriteAsync_WhenTheRoomIsStolen_CanWaitAgain()
    {
        Channel<int> channel = CreateFull();
        Task<bool> first = Pending(1, _ => channel.Writer.WaitToWriteAsync())[0];
        Check.True(channel.Reader.TryRead(out _));
        Check.True(channel.Writer.TryWrite(-1));
        Check.True(await first.Within());
        Check.False(channel.Writer.TryWrite(-2));
        Task<bool> second = Pending(1, _ => channel.Writer.WaitToWriteAsync())[0];
        Check.True(channel.Reader.TryRead(out _));
        Check.True(await second.Within());
    }

    private async Task WaitToWriteAsync_BesideWriteAsync_EndsWhenRoomIsLeft()
    {
        Channel<int> channel = CreateFull();
        Task<bool> wait = Pending(1, _ => channel.Writer.WaitToWriteAsync())[0];
        Task write = Pending(1, _ => channel.Writer.WriteAsync(Capacity))[0];
        Check.True(channel.Reader.TryRead(out _));
        await write.Within();
        Check.True(channel.Reader.TryRead(out _));
        Check.True(await wait.Within());
        Check.Equal(Capacity - 1, channel.Reader.Count);
    }

    private async Task WriteAsync_ResultTakenTwice_Throws()
    {
        Channel<int> channel = CreateFull();
        ValueTask write = channel.Writer.WriteAsync(Capacity);
        Check.True(channel.Reader.TryRead(out _));
        await write;
        await Check.Throws<InvalidOperationException>(TakeAgain());

        async Task TakeAgain() => await write;
    }
}
