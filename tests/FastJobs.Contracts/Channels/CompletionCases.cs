using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Completion without an error: no more writes, what was written is still read, and everyone who waits hears of it.
/// </summary>
internal sealed class CompletionCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Waiters = 50;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(TryComplete_Twice_IsTrueThenFalse),
        Case(Complete_Twice_ThrowsChannelClosed),
        Case(TryWrite_AfterCompletion_ReturnsFalse),
        Case(WriteAsync_AfterCompletion_ThrowsChannelClosed),
        Case(WaitToWriteAsync_AfterCompletion_IsFalse),
        Case(Completion_OfAnEmptyChannel_EndsAtOnce),
        Case(Completion_BeforeComplete_IsPending),
        Case(Completion_WithItemsLeft_EndsWithTheLastTryRead),
        Case(Completion_WithItemsLeft_EndsWithTheLastReadAsync),
        Case(TryPeek_AtTheLastItem_DoesNotEndCompletion),
        Case(ReadAsync_AfterTheLastItem_ThrowsChannelClosed),
        Case(WaitToReadAsync_AfterCompletion_IsTrueUntilTheLastItem),
        Case(Complete_WithManyWaitingReads_EndsThemAll),
        .. !Kind.Waits ? Array.Empty<ContractCase>() :
        [
            Case(Complete_WithManyWaitingWrites_EndsThemAll),
            Case(Complete_WithManyWaitingWrites_WritesNoneOfTheirItems),
        ],
    ];

    private void TryComplete_Twice_IsTrueThenFalse()
    {
        Channel<int> channel = Kind.Create<int>();
        Check.True(channel.Writer.TryComplete());
        Check.False(channel.Writer.TryComplete());
        Check.False(channel.Writer.TryComplete(new InvalidOperationException("too late")));
        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
    }

    private void Complete_Twice_ThrowsChannelClosed()
    {
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete();
        Check.Throws<ChannelClosedException>(() => channel.Writer.Complete());
    }

    private void TryWrite_AfterCompletion_ReturnsFalse()
    {
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete();
        Check.False(channel.Writer.TryWrite(1));
        Check.Equal(0, channel.Reader.Count);
        Check.False(channel.Reader.TryRead(out _));
    }

    private async Task WriteAsync_AfterCompletion_ThrowsChannelClosed()
    {
        // Empty or with items left makes no difference; full neither: it must not wait.
        Channel<int> channel = CreateWithItems(100);
        channel.Writer.Complete();
        ValueTask write = channel.Writer.WriteAsync(-1);
        Check.True(write.IsFaulted);
        ChannelClosedException e = await Check.Throws<ChannelClosedException>(write);
        Check.Same(null, e.InnerException);
        Check.Equal(Kind.Fitting(100), Drain(channel.Reader).Count);
        await Check.Throws<ChannelClosedException>(channel.Writer.WriteAsync(-1));
    }

    private async Task WaitToWriteAsync_AfterCompletion_IsFalse()
    {
        Channel<int> channel = CreateWithItems(100);
        channel.Writer.Complete();
        Check.False(await channel.Writer.WaitToWriteAsync().Within());
        Drain(channel.Reader);
        Check.False(await channel.Writer.WaitToWriteAsync().Within());
    }

    private async Task Completion_OfAnEmptyChannel_EndsAtOnce()
    {
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete();
        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
        await channel.Reader.Completion.Within();
    }

    private void Completion_BeforeComplete_IsPending()
    {
        Channel<int> channel = CreateWithItems(3);
        Task completion = channel.Reader.Completion;
        Check.False(completion.IsCompleted);
        Drain(channel.Reader);
        Check.False(completion.IsCompleted);
        Check.Same(completion, channel.Reader.Completion);
    }

    private void Completion_WithItemsLeft_EndsWithTheLastTryRead()
    {
        Channel<int> channel = CreateWithItems(3);
        channel.Writer.Complete();
        for (int left = Kind.Fitting(3); left > 0; left--)
        {
            Check.False(channel.Reader.Completion.IsCompleted);
            Check.Equal(left, channel.Reader.Count);
            Check.True(channel.Reader.TryRead(out _));
        }

        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
        Check.False(channel.Reader.TryRead(out _));
    }

    private void Completion_WithItemsLeft_EndsWithTheLastReadAsync()
    {
        Channel<int> channel = CreateWithItems(3);
        channel.Writer.Complete();
        for (int i = 0; i < Kind.Fitting(3); i++)
        {
            Check.False(channel.Reader.Completion.IsCompleted);
            ValueTask<int> read = channel.Reader.ReadAsync();
            Check.True(read.IsCompletedSuccessfully);
            Check.Equal(i, read.Result);
        }

        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
    }

    private void TryPeek_AtTheLastItem_DoesNotEndCompletion()
    {
        Channel<int> channel = CreateWithItems(1);
        channel.Writer.Complete();
        Check.True(channel.Reader.TryPeek(out _));
        Check.False(channel.Reader.Completion.IsCompleted);
        Check.True(channel.Reader.TryRead(out _));
        Check.False(channel.Reader.TryPeek(out _));
        Check.True(channel.Reader.Completion.IsCompleted);
    }

    private async Task ReadAsync_AfterTheLastItem_ThrowsChannelClosed()
    {
        Channel<int> channel = CreateWithItems(1);
        channel.Writer.Complete();
        Check.Equal(0, await channel.Reader.ReadAsync().Within());
        ChannelClosedException e = await Check.Throws<ChannelClosedException, int>(channel.Reader.ReadAsync());
        Check.Same(null, e.InnerException);
    }

    private async Task WaitToReadAsync_AfterCompletion_IsTrueUntilTheLastItem()
    {
        Channel<int> channel = CreateWithItems(3);
        channel.Writer.Complete();
        for (int i = 0; i < Kind.Fitting(3); i++)
        {
            Check.True(await channel.Reader.WaitToReadAsync().Within());
            Check.True(channel.Reader.TryRead(out _));
        }

        Check.False(await channel.Reader.WaitToReadAsync().Within());
    }

    private async Task Complete_WithManyWaitingReads_EndsThemAll()
    {
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource never = new();
        Task<int>[] reads = Pending(Waiters, i => channel.Reader.ReadAsync(i % 2 == 0 ? default : never.Token));
        Task<bool>[] waits = Pending(Waiters, i => channel.Reader.WaitToReadAsync(i % 2 == 0 ? default : never.Token));
        channel.Writer.Complete();
        foreach (Task<int> read in reads)
        {
            ChannelClosedException e = await Check.Throws<ChannelClosedException>(read);
            Check.Same(null, e.InnerException);
        }

        foreach (Task<bool> wait in waits)
        {
            Check.False(await wait.Within());
        }

        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
    }

    private async Task Complete_WithManyWaitingWrites_EndsThemAll()
    {
        Channel<int> channel = CreateFull();
        using CancellationTokenSource never = new();
        Task[] writes = Pending(Waiters, i => channel.Writer.WriteAsync(-1, i % 2 == 0 ? default : never.Token));
        Task<bool>[] waits = Pending(Waiters, i => channel.Writer.WaitToWriteAsync(i % 2 == 0 ? default : never.Token));
        channel.Writer.Complete();
        foreach (Task write in writes)
        {
            ChannelClosedException e = await Check.Throws<ChannelClosedException>(write);
            Check.Same(null, e.InnerException);
        }

        foreach (Task<bool> wait in waits)
        {
            Check.False(await wait.Within());
        }
    }

    private void Complete_WithManyWaitingWrites_WritesNoneOfTheirItems()
    {
        Channel<int> channel = CreateFull();
        _ = Pending(Waiters, _ => channel.Writer.WriteAsync(-1));
        channel.Writer.Complete();
        Check.False(channel.Reader.Completion.IsCompleted);
        Check.Sequence(Enumerable.Range(0, Kind.Capacity!.Value), Drain(channel.Reader));
        Check.True(channel.Reader.Completion.IsCompletedSuccessfully);
    }

    private Channel<int> CreateWithItems(int wanted)
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < Kind.Fitting(wanted); i++)
        {
            Check.True(channel.Writer.TryWrite(i));
        }

        return channel;
    }
}
