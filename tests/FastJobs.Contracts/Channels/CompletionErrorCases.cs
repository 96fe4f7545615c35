using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Completion with an error. Which call shows it how is easily got wrong: reads and writes wrap it in a
/// ChannelClosedException, the WaitTo calls, ReadAllAsync and Completion fail with the error itself.
/// </summary>
internal sealed class CompletionErrorCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Waiters = 20;

    private readonly InvalidOperationException _error = new("the producer failed");

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Completion_OfAnEmptyChannel_FailsAtOnceWithTheError),
        Case(Completion_WithItemsLeft_FailsAfterTheLastRead),
        Case(Completion_WithACancellation_IsCanceled),
        Case(ReadAsync_AfterACancellation_IsCanceled),
        Case(ReadAsync_AfterTheLastItem_ThrowsChannelClosedAroundTheError),
        Case(WaitToReadAsync_AfterTheLastItem_ThrowsTheError),
        Case(ReadAllAsync_AfterTheLastItem_ThrowsTheError),
        Case(WriteAsync_Afterwards_ThrowsChannelClosedAroundTheError),
        Case(WaitToWriteAsync_Afterwards_ThrowsTheError),
        Case(TryWrite_Afterwards_ReturnsFalse),
        Case(Complete_WithWaitingReads_ShowsThemTheError),
        .. !Kind.Waits ? Array.Empty<ContractCase>() : [Case(Complete_WithWaitingWrites_ShowsThemTheError)],
    ];

    private async Task Completion_OfAnEmptyChannel_FailsAtOnceWithTheError()
    {
        Channel<int> channel = Kind.Create<int>();
        Check.True(channel.Writer.TryComplete(_error));
        Check.True(channel.Reader.Completion.IsFaulted);
        Check.Same(_error, await Check.Throws<Exception>(channel.Reader.Completion));
    }

    private async Task Completion_WithItemsLeft_FailsAfterTheLastRead()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        Check.False(channel.Reader.Completion.IsCompleted);
        Check.True(channel.Reader.TryRead(out int item));
        Check.Equal(7, item);
        Check.True(channel.Reader.Completion.IsFaulted);
        Check.Same(_error, await Check.Throws<Exception>(channel.Reader.Completion));
    }

    private async Task Completion_WithACancellation_IsCanceled()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete(new OperationCanceledException(source.Token));
        await Check.Canceled(channel.Reader.Completion, source.Token);
    }

    private async Task ReadAsync_AfterACancellation_IsCanceled()
    {
        // The one error that is not wrapped: a cancellation stays a cancellation.
        using CancellationTokenSource source = new();
        source.Cancel();
        Channel<int> channel = Kind.Create<int>();
        Task<int> waiting = Pending(1, _ => channel.Reader.ReadAsync())[0];
        channel.Writer.Complete(new OperationCanceledException(source.Token));
        await Check.Canceled(waiting, source.Token);
        await Check.Canceled(channel.Reader.ReadAsync(), source.Token);
    }

    private async Task ReadAsync_AfterTheLastItem_ThrowsChannelClosedAroundTheError()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        Check.Equal(7, await channel.Reader.ReadAsync().Within());
        ChannelClosedException e = await Check.Throws<ChannelClosedException, int>(channel.Reader.ReadAsync());
        Check.Same(_error, e.InnerException);
    }

    private async Task WaitToReadAsync_AfterTheLastItem_ThrowsTheError()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        Check.True(await channel.Reader.WaitToReadAsync().Within());
        Check.True(channel.Reader.TryRead(out _));
        Check.Same(_error, await Check.Throws<Exception, bool>(channel.Reader.WaitToReadAsync()));
    }

    private async Task ReadAllAsync_AfterTheLastItem_ThrowsTheError()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        int read = 0;
        Check.Same(_error, await Check.Throws<Exception>(ReadAll()));
        Check.Equal(1, read);

        async Task ReadAll()
        {
            await foreach (int item in channel.Reader.ReadAllAsync())
            {
                Check.Equal(7, item);
                read++;
            }
        }
    }

    private async Task WriteAsync_Afterwards_ThrowsChannelClosedAroundTheError()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        ChannelClosedException e = await Check.Throws<ChannelClosedException>(channel.Writer.WriteAsync(1));
        Check.Same(_error, e.InnerException);
    }

    private async Task WaitToWriteAsync_Afterwards_ThrowsTheError()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        Check.Same(_error, await Check.Throws<Exception, bool>(channel.Writer.WaitToWriteAsync()));
    }

    private void TryWrite_Afterwards_ReturnsFalse()
    {
        Channel<int> channel = CreateFailedWithOneItem();
        Check.False(channel.Writer.TryWrite(1));
        Check.Sequence([7], Drain(channel.Reader));
    }

    private async Task Complete_WithWaitingReads_ShowsThemTheError()
    {
        Channel<int> channel = Kind.Create<int>();
        Task<int>[] reads = Pending(Waiters, _ => channel.Reader.ReadAsync());
        Task<bool>[] waits = Pending(Waiters, _ => channel.Reader.WaitToReadAsync());
        channel.Writer.Complete(_error);
        foreach (Task<int> read in reads)
        {
            Check.Same(_error, (await Check.Throws<ChannelClosedException>(read)).InnerException);
        }

        foreach (Task<bool> wait in waits)
        {
            Check.Same(_error, await Check.Throws<Exception>(wait));
        }
    }

    private async Task Complete_WithWaitingWrites_ShowsThemTheError()
    {
        Channel<int> channel = CreateFull();
        Task[] writes = Pending(Waiters, _ => channel.Writer.WriteAsync(-1));
        Task<bool>[] waits = Pending(Waiters, _ => channel.Writer.WaitToWriteAsync());
        channel.Writer.Complete(_error);
        foreach (Task write in writes)
        {
            Check.Same(_error, (await Check.Throws<ChannelClosedException>(write)).InnerException);
        }

        foreach (Task<bool> wait in waits)
        {
            Check.Same(_error, await Check.Throws<Exception>(wait));
        }
    }

    private Channel<int> CreateFailedWithOneItem()
    {
        Channel<int> channel = Kind.Create<int>();
        Check.True(channel.Writer.TryWrite(7));
        channel.Writer.Complete(_error);
        return channel;
    }
}
