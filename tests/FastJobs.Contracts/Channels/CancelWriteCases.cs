using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>Cancelled writes: the exception names the token, no item is left, nobody else is disturbed.</summary>
internal sealed class CancelWriteCases(ChannelKind kind) : ChannelCases(kind)
{
    private static readonly CancellationToken s_cancelled = new(canceled: true);

    private int Capacity => Kind.Capacity!.Value;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(WriteAsync_WithACancelledToken_IsCanceledAndLeavesNoItem),
        Case(WaitToWriteAsync_WithACancelledToken_IsCanceled),
        Case(Writes_WithACancelledTokenAfterCompletion_AreCanceled),
        .. !Kind.Waits ? Array.Empty<ContractCase>() :
        [
            Case(WriteAsync_CanceledWhileWaiting_LeavesNoItem),
            Case(WaitToWriteAsync_CanceledWhileWaiting_IsCanceled),
            Case(WriteAsync_SomeOfManyCanceled_LeavesTheOthersInOrder),
            Case(WaitToWriteAsync_SomeOfManyCanceled_LeavesTheOthers),
            Case(Writes_ManyWithOneToken_AreAllCanceled),
            Case(WriteAsync_CanceledTooLate_HasWritten),
            Case(WriteAsync_LateCancelAfterReuse_LeavesTheNextWait),
            Case(WriteAsync_CanceledAgainstARead_WritesTheItemOrNot),
            Case(WaitToWriteAsync_CanceledAgainstARead_LosesNoWakeUp),
        ],
    ];

    private async Task WriteAsync_WithACancelledToken_IsCanceledAndLeavesNoItem()
    {
        Channel<int> channel = Kind.Create<int>();
        await Check.Canceled(channel.Writer.WriteAsync(1, s_cancelled), s_cancelled);
        Check.Equal(0, channel.Reader.Count);

        // Nor is it handed to a reader that waits.
        Task<int> read = Pending(1, _ => channel.Reader.ReadAsync())[0];
        await Check.Canceled(channel.Writer.WriteAsync(2, s_cancelled), s_cancelled);
        Check.False(read.IsCompleted);
        Check.True(channel.Writer.TryWrite(3));
        Check.Equal(3, await read.Within());
    }

    private async Task WaitToWriteAsync_WithACancelledToken_IsCanceled() =>
        await Check.Canceled(Kind.Create<int>().Writer.WaitToWriteAsync(s_cancelled), s_cancelled);

    private async Task Writes_WithACancelledTokenAfterCompletion_AreCanceled()
    {
        Channel<int> channel = Kind.Create<int>();
        channel.Writer.Complete(new InvalidOperationException("less important than the token"));
        await Check.Canceled(channel.Writer.WriteAsync(1, s_cancelled), s_cancelled);
        await Check.Canceled(channel.Writer.WaitToWriteAsync(s_cancelled), s_cancelled);
    }

    private async Task WriteAsync_CanceledWhileWaiting_LeavesNoItem()
    {
        Channel<int> channel = CreateFull();
        for (int i = 0; i < 10; i++)
        {
            using CancellationTokenSource source = new();
            Task write = Pending(1, _ => channel.Writer.WriteAsync(-1, source.Token))[0];
            source.Cancel();
            await Check.Canceled(write, source.Token);
            Check.Equal(Capacity, channel.Reader.Count);
        }

        Check.Sequence(Enumerable.Range(0, Capacity), Drain(channel.Reader));
    }

    private async Task WaitToWriteAsync_CanceledWhileWaiting_IsCanceled()
    {
        Channel<int> channel = CreateFull();
        for (int i = 0; i < 10; i++)
        {
            using CancellationTokenSource source = new();
            Task<bool> wait = Pending(1, _ => channel.Writer.WaitToWriteAsync(source.Token))[0];
            source.Cancel();
            await Check.Canceled(wait, source.Token);
        }

        Check.True(channel.Reader.TryRead(out _));
        Check.True(await channel.Writer.WaitToWriteAsync().Within());
    }

    private async Task WriteAsync_SomeOfManyCanceled_LeavesTheOthersInOrder()
    {
        const int Waiters = 9;
        Channel<int> channel = CreateFull();
        using CancellationTokenSource source = new();
        Task[] writes = Pending(
            Waiters, i => channel.Writer.WriteAsync(i, i % 4 == 0 ? source.Token : CancellationToken.None));
        source.Cancel();
        for (int i = 0; i < Waiters; i++)
        {
            if (i % 4 == 0)
            {
                await Check.Canceled(writes[i], source.Token);
            }
            else
            {
                Check.True(channel.Reader.TryRead(out _));
                await writes[i].Within();
                Check.Equal(Capacity, channel.Reader.Count);
            }
        }

        int[] admitted = [.. Enumerable.Range(0, Waiters).Where(i => i % 4 != 0)];
        List<int> left = Drain(channel.Reader);
        int[] tail = [.. admitted.TakeLast(Capacity)];
        Check.Sequence(tail, left.TakeLast(tail.Length));
    }

    private async Task WaitToWriteAsync_SomeOfManyCanceled_LeavesTheOthers()
    {
        const int Waiters = 9;
        Channel<int> channel = CreateFull();
        using CancellationTokenSource source = new();
        Task<bool>[] waits = Pending(
            Waiters, i => channel.Writer.WaitToWriteAsync(i % 4 == 0 ? source.Token : CancellationToken.None));
        source.Cancel();
        Check.True(channel.Reader.TryRead(out _));
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

    private async Task Writes_ManyWithOneToken_AreAllCanceled()
    {
        Channel<int> channel = CreateFull();
        using CancellationTokenSource source = new();
        Task[] writes = Pending(50, _ => channel.Writer.WriteAsync(-1, source.Token));
        Task<bool>[] waits = Pending(50, _ => channel.Writer.WaitToWriteAsync(source.Token));
        source.Cancel();
        foreach (Task task in writes.Concat(waits))
        {
            await Check.Canceled(task, source.Token);
        }

        Check.Sequence(Enumerable.Range(0, Capacity), Drain(channel.Reader));
        Check.True(channel.Writer.TryWrite(1));
    }

    private async Task WriteAsync_CanceledTooLate_HasWritten()
    {
        Channel<int> channel = CreateFull();
        using CancellationTokenSource source = new();
        ValueTask write = channel.Writer.WriteAsync(Capacity, source.Token);
        Check.True(channel.Reader.TryRead(out _));
        source.Cancel();
        await write.Within();
        Check.Sequence(Enumerable.Range(1, Capacity), Drain(channel.Reader));
    }

    private async Task WriteAsync_LateCancelAfterReuse_LeavesTheNextWait()
    {
        Channel<int> channel = CreateFull();
        for (int i = 0; i < 20; i++)
        {
            using CancellationTokenSource source = new();
            ValueTask first = channel.Writer.WriteAsync(i, source.Token);
            Check.True(channel.Reader.TryRead(out _));
            await first;

            // Perhaps the same object again, for a wait that has nothing to do with the token.
            ValueTask second = channel.Writer.WriteAsync(i);
            source.Cancel();
            Check.False(second.IsCompleted);
            Check.True(channel.Reader.TryRead(out _));
            await second.Within();
        }

        Check.Equal(Capacity, channel.Reader.Count);
    }

    private async Task WriteAsync_CanceledAgainstARead_WritesTheItemOrNot()
    {
        Channel<int> channel = CreateFull();
        await Race.CancelAgainst(
            async token =>
            {
                await channel.Writer.WriteAsync(-1, token);
                return true;
            },
            _ => Check.True(channel.Reader.TryRead(out int _)),
            (round, written) =>
            {
                Check.Equal(written is null ? Capacity - 1 : Capacity, channel.Reader.Count);
                Check.Equal(written is null, channel.Writer.TryWrite(-1));
            });
    }

    private async Task WaitToWriteAsync_CanceledAgainstARead_LosesNoWakeUp()
    {
        Channel<int> channel = CreateFull();
        Task<bool>? other = null;
        await Race.CancelAgainst(
            token =>
            {
                Task<bool> wait = channel.Writer.WaitToWriteAsync(token).AsTask();
                other = channel.Writer.WaitToWriteAsync().AsTask();
                return wait;
            },
            _ => Check.True(channel.Reader.TryRead(out int _)),
            (round, _) =>
            {
                Check.True(other!.Within().GetAwaiter().GetResult());
                Check.True(channel.Writer.TryWrite(round));
            });
    }
}
