using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>Cancelled reads: the exception names the token, no item is taken, nobody else is disturbed.</summary>
internal sealed class CancelReadCases(ChannelKind kind) : ChannelCases(kind)
{
    private static readonly CancellationToken s_cancelled = new(canceled: true);

    public override IEnumerable<ContractCase> List() =>
    [
        Case(ReadAsync_WithACancelledToken_IsCanceledAndTakesNone),
        Case(WaitToReadAsync_WithACancelledToken_IsCanceled),
        Case(Reads_WithACancelledTokenAfterCompletion_AreCanceled),
        Case(ReadAllAsync_WithACancelledToken_IsCanceledAndTakesNone),
        Case(ReadAllAsync_CanceledWhileWaiting_IsCanceled),
        Case(ReadAsync_CanceledWhileWaiting_TakesNone),
        Case(WaitToReadAsync_CanceledWhileWaiting_IsCanceled),
        Case(ReadAsync_OneOfManyCanceled_LeavesTheOthersInOrder),
        Case(WaitToReadAsync_OneOfManyCanceled_LeavesTheOthers),
        Case(Reads_ManyWithOneToken_AreAllCanceled),
        Case(ReadAsync_CanceledTooLate_KeepsItsItem),
        Case(ReadAsync_LateCancelAfterReuse_LeavesTheNextWait),
        Case(WaitToReadAsync_LateCancelAfterReuse_LeavesTheNextWait),
        Case(ReadAsync_CanceledAgainstAWrite_TakesTheItemOrLeavesIt),
        Case(WaitToReadAsync_CanceledAgainstAWrite_LosesNoWakeUp),
    ];

    private async Task ReadAsync_WithACancelledToken_IsCanceledAndTakesNone()
    {
        Channel<int> channel = Kind.Create<int>();
        await Check.Canceled(channel.Reader.ReadAsync(s_cancelled), s_cancelled);
        Check.True(channel.Writer.TryWrite(1));
        await Check.Canceled(channel.Reader.ReadAsync(s_cancelled), s_cancelled);
        Check.Sequence([1], Drain(channel.Reader));
    }

    private async Task WaitToReadAsync_WithACancelledToken_IsCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        await Check.Canceled(channel.Reader.WaitToReadAsync(s_cancelled), s_cancelled);
        Check.True(channel.Writer.TryWrite(1));
        await Check.Canceled(channel.Reader.WaitToReadAsync(s_cancelled), s_cancelled);
    }

    private async Task Reads_WithACancelledTokenAfterCompletion_AreCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete(new InvalidOperationException("less important than the token"));
        await Check.Canceled(channel.Reader.ReadAsync(s_cancelled), s_cancelled);
        await Check.Canceled(channel.Reader.WaitToReadAsync(s_cancelled), s_cancelled);
    }

    private async Task ReadAllAsync_WithACancelledToken_IsCanceledAndTakesNone()
    {
        Channel<int> channel = Kind.Create<int>();
        Check.True(channel.Writer.TryWrite(1));
        await Check.Canceled(Enumerate(channel.Reader, s_cancelled), s_cancelled);
        Check.Sequence([1], Drain(channel.Reader));
    }

    private async Task ReadAllAsync_CanceledWhileWaiting_IsCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource source = new();
        Task enumeration = Enumerate(channel.Reader, source.Token);
        Check.False(enumeration.IsCompleted);
        source.Cancel();
        await Check.Canceled(enumeration, source.Token);
        Check.True(channel.Writer.TryWrite(1));
        Check.Sequence([1], Drain(channel.Reader));
    }

    private async Task ReadAsync_CanceledWhileWaiting_TakesNone()
    {
        // Several rounds: a wait may use an object that a cancelled one has used.
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 10; i++)
        {
            using CancellationTokenSource source = new();
            Task<int> read = Pending(1, _ => channel.Reader.ReadAsync(source.Token))[0];
            source.Cancel();
            await Check.Canceled(read, source.Token);
            Check.True(channel.Writer.TryWrite(i));
            Check.Equal(1, channel.Reader.Count);
            Check.Sequence([i], Drain(channel.Reader));
        }
    }

    private async Task WaitToReadAsync_CanceledWhileWaiting_IsCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 10; i++)
        {
            using CancellationTokenSource source = new();
            Task<bool> wait = Pending(1, _ => channel.Reader.WaitToReadAsync(source.Token))[0];
            source.Cancel();
            await Check.Canceled(wait, source.Token);
        }

        Check.True(channel.Writer.TryWrite(1));
        Check.True(await channel.Reader.WaitToReadAsync().Within());
    }

    private async Task ReadAsync_OneOfManyCanceled_LeavesTheOthersInOrder()
    {
        // First, middle and last: each leaves the list of waiters by another path.
        const int Waiters = 9;
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource source = new();
        Task<int>[] reads = Pending(
            Waiters, i => channel.Reader.ReadAsync(i % 4 == 0 ? source.Token : CancellationToken.None));
        source.Cancel();
        int next = 0;
        for (int i = 0; i < Waiters; i++)
        {
            if (i % 4 == 0)
            {
                await Check.Canceled(reads[i], source.Token);
            }
            else
            {
                Check.True(channel.Writer.TryWrite(next));
                Check.Equal(next++, await reads[i].Within());
            }
        }

        Check.Equal(0, channel.Reader.Count);
    }

    private async Task WaitToReadAsync_OneOfManyCanceled_LeavesTheOthers()
    {
        const int Waiters = 9;
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource source = new();
        Task<bool>[] waits = Pending(
            Waiters, i => channel.Reader.WaitToReadAsync(i % 4 == 0 ? source.Token : CancellationToken.None));
        source.Cancel();
        Check.True(channel.Writer.TryWrite(1));
        for (int i = 0; i < Waiters; i++)
        {
            if (i % 4 == 0)
            {
                await Check.Canceled(waits[i], source.Token);
            }
            else
            {
                Check.True(await waits[i].Within());
            }
        }
    }

    private async Task Reads_ManyWithOneToken_AreAllCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource source = new();
        Task<int>[] reads = Pending(50, _ => channel.Reader.ReadAsync(source.Token));
        Task<bool>[] waits = Pending(50, _ => channel.Reader.WaitToReadAsync(source.Token));
        source.Cancel();
        foreach (Task task in reads.Concat<Task>(waits))
        {
            await Check.Canceled(task, source.Token);
        }
    }

    private async Task ReadAsync_CanceledTooLate_KeepsItsItem()
    {
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource source = new();
        ValueTask<int> read = channel.Reader.ReadAsync(source.Token);
        Check.True(channel.Writer.TryWrite(1));
        source.Cancel();
        Check.Equal(1, await read.Within());
    }

    private async Task ReadAsync_LateCancelAfterReuse_LeavesTheNextWait()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 20; i++)
        {
            using CancellationTokenSource source = new();
            ValueTask<int> first = channel.Reader.ReadAsync(source.Token);
            Check.True(channel.Writer.TryWrite(i));
            Check.Equal(i, await first);

            // Perhaps the same object again, for a wait that has nothing to do with the token.
            ValueTask<int> second = channel.Reader.ReadAsync();
            source.Cancel();
            Check.False(second.IsCompleted);
            Check.True(channel.Writer.TryWrite(-i));
            Check.Equal(-i, await second.Within());
        }
    }

    private async Task WaitToReadAsync_LateCancelAfterReuse_LeavesTheNextWait()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < 20; i++)
        {
            using CancellationTokenSource source = new();
            ValueTask<bool> first = channel.Reader.WaitToReadAsync(source.Token);
            Check.True(channel.Writer.TryWrite(i));
            Check.True(await first);
            Check.True(channel.Reader.TryRead(out _));
            ValueTask<bool> second = channel.Reader.WaitToReadAsync();
            source.Cancel();
            Check.False(second.IsCompleted);
            Check.True(channel.Writer.TryWrite(-i));
            Check.True(await second.Within());
            Check.True(channel.Reader.TryRead(out _));
        }
    }

    private async Task ReadAsync_CanceledAgainstAWrite_TakesTheItemOrLeavesIt()
    {
        Channel<int> channel = Kind.Create<int>();
        await Race.CancelAgainst(
            token => channel.Reader.ReadAsync(token).AsTask(),
            round => Check.True(channel.Writer.TryWrite(round)),
            (round, read) =>
            {
                bool wasLeft = channel.Reader.TryRead(out int left);
                Check.Equal(read is null, wasLeft);
                Check.Equal(round, read is null ? left : read.Value);
                Check.Equal(0, channel.Reader.Count);
            });
    }

    private async Task WaitToReadAsync_CanceledAgainstAWrite_LosesNoWakeUp()
    {
        // A second waiter, without a token, must hear of the item however the race of the first one ends.
        Channel<int> channel = Kind.Create<int>();
        Task<bool>? other = null;
        await Race.CancelAgainst(
            token =>
            {
                Task<bool> wait = channel.Reader.WaitToReadAsync(token).AsTask();
                other = channel.Reader.WaitToReadAsync().AsTask();
                return wait;
            },
            round => Check.True(channel.Writer.TryWrite(round)),
            (round, _) =>
            {
                Check.True(other!.Within().GetAwaiter().GetResult());
                Check.Sequence([round], Drain(channel.Reader));
            });
    }

    private static async Task Enumerate(ChannelReader<int> reader, CancellationToken token)
    {
        await foreach (int item in reader.ReadAllAsync(token))
        {
            throw new ContractFailure($"got {item} in spite of the cancelled token");
        }
    }
}
