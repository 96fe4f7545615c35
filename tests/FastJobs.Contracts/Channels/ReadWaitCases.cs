using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>Waiting to read: who is served, by which write, in what order.</summary>
internal sealed class ReadWaitCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Waiters = 100;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(ReadAsync_ManyWaiting_AreServedInOrder),
        Case(ReadAsync_ManyWaitingAndOneWrite_EndsOne),
        Case(TryWrite_WithWaitingReader_HandsTheItemOver),
        Case(WriteAsync_WithWaitingReader_HandsTheItemOver),
        Case(WaitToReadAsync_WhenEmpty_WaitsAndTakesNone),
        Case(WaitToReadAsync_ManyWaiting_AllEndOnOneWrite),
        Case(WaitToReadAsync_WhenTheItemIsStolen_CanWaitAgain),
        Case(WaitToReadAsync_BesideReadAsync_EndsWhenAnItemIsLeft),
        Case(ReadAllAsync_WhileWriting_YieldsAllInOrder),
        Case(ReadAllAsync_LeftEarly_LeavesTheRest),
        Case(ReadAsync_ResultTakenTwice_Throws),
        Case(WaitToReadAsync_ResultTakenTwice_Throws),
        Case(ReadAsync_ContinuationAddedAfterTheEnd_StillRuns),
    ];

    private async Task ReadAsync_ManyWaiting_AreServedInOrder()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<int>[] reads = Pending(Waiters, _ => channel.Reader.ReadAsync());
        for (int i = 0; i < Waiters; i++)
        {
            Check.True(channel.Writer.TryWrite(i));
        }

        for (int i = 0; i < Waiters; i++)
        {
            Check.Equal(i, await reads[i].Within());
        }
    }

    private async Task ReadAsync_ManyWaitingAndOneWrite_EndsOne()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<int>[] reads = Pending(Waiters, _ => channel.Reader.ReadAsync());
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, await reads[0].Within());
        Check.Equal(1, reads.Count(read => read.IsCompleted));
        channel.Writer.Complete();
        foreach (Task<int> read in reads.Skip(1))
        {
            await Check.Throws<ChannelClosedException>(read);
        }
    }

    private async Task TryWrite_WithWaitingReader_HandsTheItemOver()
    {
        // Nobody who comes later can overtake the reader that waited, even before its continuation has run.
        Channel<int> channel = Kind.Create<int>();
        Task<int> read = Pending(1, _ => channel.Reader.ReadAsync())[0];
        Check.True(channel.Writer.TryWrite(1));
        Check.False(channel.Reader.TryRead(out _));
        Check.Equal(0, channel.Reader.Count);
        Check.Equal(1, await read.Within());
    }

    private async Task WriteAsync_WithWaitingReader_HandsTheItemOver()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<int> read = Pending(1, _ => channel.Reader.ReadAsync())[0];
        Check.True(channel.Writer.WriteAsync(1).IsCompletedSuccessfully);
        Check.False(channel.Reader.TryRead(out _));
        Check.Equal(1, await read.Within());
    }

    private async Task WaitToReadAsync_WhenEmpty_WaitsAndTakesNone()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 10; i++)
        {
            ValueTask<bool> wait = channel.Reader.WaitToReadAsync();
            Check.False(wait.IsCompleted);
            Check.True(channel.Writer.TryWrite(i));
            Check.True(await wait.Within());
            Check.True(channel.Reader.TryRead(out int item));
            Check.Equal(i, item);
        }
    }

    private async Task WaitToReadAsync_ManyWaiting_AllEndOnOneWrite()
    {
        // A wait that goes on while an item is there is a lost wake-up: nobody else has to read it.
        Channel<int> channel = Kind.Create<int>();
        Task<bool>[] waits = Pending(Waiters, _ => channel.Reader.WaitToReadAsync());
        Check.True(channel.Writer.TryWrite(1));
        foreach (Task<bool> wait in waits)
        {
            Check.True(await wait.Within());
        }

        Check.Equal(1, channel.Reader.Count);
    }

    private async Task WaitToReadAsync_WhenTheItemIsStolen_CanWaitAgain()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<bool> first = Pending(1, _ => channel.Reader.WaitToReadAsync())[0];
        Check.True(channel.Writer.TryWrite(1));
        Check.True(channel.Reader.TryRead(out _));
        Check.True(await first.Within());
        Check.False(channel.Reader.TryRead(out _));
        Task<bool> second = Pending(1, _ => channel.Reader.WaitToReadAsync())[0];
        Check.True(channel.Writer.TryWrite(2));
        Check.True(await second.Within());
        Check.Equal(1, channel.Reader.Count);
    }

    private async Task WaitToReadAsync_BesideReadAsync_EndsWhenAnItemIsLeft()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<bool> wait = Pending(1, _ => channel.Reader.WaitToReadAsync())[0];
        Task<int> read = Pending(1, _ => channel.Reader.ReadAsync())[0];
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, await read.Within());
        Check.True(channel.Writer.TryWrite(2));
        Check.True(await wait.Within());
        Check.Sequence([2], Drain(channel.Reader));
    }

    private async Task ReadAllAsync_WhileWriting_YieldsAllInOrder()
    {
        const int Total = 5_000;
        Channel<int> channel = Kind.Create<int>();

        // Waits for its turn where a write would drop an item instead of waiting.
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < Total; i++)
            {
                while (Kind.Drops && channel.Reader.Count == Kind.Capacity)
                {
                    await Task.Yield();
                }

                await channel.Writer.WriteAsync(i);
            }

            channel.Writer.Complete();
        });
        int read = 0;
        await foreach (int item in channel.Reader.ReadAllAsync())
        {
            Check.Equal(read++, item);
        }

        await writer.Within();
        Check.Equal(Total, read);
    }

    private async Task ReadAllAsync_LeftEarly_LeavesTheRest()
    {
        Channel<int> channel = Kind.Create<int>();
        int count = Kind.Fitting(3);
        for (int i = 0; i < count; i++)
        {
            Check.True(channel.Writer.TryWrite(i));
        }

        await foreach (int item in channel.Reader.ReadAllAsync())
        {
            Check.Equal(0, item);
            break;
        }

        Check.Sequence(Enumerable.Range(1, count - 1), Drain(channel.Reader));
    }

    private async Task ReadAsync_ResultTakenTwice_Throws()
    {
        // The object behind the value task may already serve another wait: the generation in the token must tell.
        Channel<int> channel = Kind.Create<int>();
        ValueTask<int> read = channel.Reader.ReadAsync();
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, await read);
        await Check.Throws<InvalidOperationException>(TakeAgain());
        Check.True(channel.Writer.TryWrite(2));
        Check.Equal(2, await channel.Reader.ReadAsync());

        async Task TakeAgain() => await read;
    }

    private async Task WaitToReadAsync_ResultTakenTwice_Throws()
    {
        Channel<int> channel = Kind.Create<int>();
        ValueTask<bool> wait = channel.Reader.WaitToReadAsync();
        Check.True(channel.Writer.TryWrite(1));
        Check.True(await wait);
        await Check.Throws<InvalidOperationException>(TakeAgain());

        async Task TakeAgain() => await wait;
    }

    private async Task ReadAsync_ContinuationAddedAfterTheEnd_StillRuns()
    {
        Channel<int> channel = Kind.Create<int>();
        ValueTask<int> read = channel.Reader.ReadAsync();
        Check.True(channel.Writer.TryWrite(1));
        TaskCompletionSource ran = new(TaskCreationOptions.RunContinuationsAsynchronously);
        read.GetAwaiter().OnCompleted(ran.SetResult);
        await ran.Task.Within();
        Check.Equal(1, read.GetAwaiter().GetResult());
    }
}
