using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// A wait that is over leaves nothing behind, neither in the channel nor on a token that lives on. Measured.
/// </summary>
internal sealed class CancelMemoryCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Waits = 100_000;

    /// <summary>A leak of one smallest object a wait would be 2.4 MB.</summary>
    private const long Bound = 1_000_000;

    public override IEnumerable<ContractCase> List() => !Kind.IsMeasured ? [] :
    [
        Case(ReadAsync_ServedManyTimesWithOneToken_LeavesNothing),
        Case(WaitToReadAsync_ServedManyTimesWithOneToken_LeavesNothing),
        .. !Kind.ForgetsCancelledWaits ? Array.Empty<ContractCase>() :
        [
            Case(ReadAsync_CanceledManyTimes_LeavesNothing),
            Case(ReadAsync_CanceledManyTimesBehindALivingWait_LeavesNothing),
            Case(WaitToReadAsync_CanceledManyTimes_LeavesNothing),
        ],
        .. !Kind.Waits ? Array.Empty<ContractCase>() : [Case(WriteAsync_ServedManyTimesWithOneToken_LeavesNothing)],
        .. !Kind.Waits || !Kind.ForgetsCancelledWaits ? Array.Empty<ContractCase>() :
        [
            Case(WriteAsync_CanceledManyTimes_LeavesNothing),
            Case(WaitToWriteAsync_CanceledManyTimes_LeavesNothing),
        ],
    ];

    private void ReadAsync_ServedManyTimesWithOneToken_LeavesNothing() => ServeMany(
        Kind.Create<int>(), static (channel, token) =>
    {
        ValueTask<int> read = channel.Reader.ReadAsync(token);
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, read.GetAwaiter().GetResult());
    });

    private void WaitToReadAsync_ServedManyTimesWithOneToken_LeavesNothing() => ServeMany(
        Kind.Create<int>(), static (channel, token) =>
    {
        ValueTask<bool> wait = channel.Reader.WaitToReadAsync(token);
        Check.True(channel.Writer.TryWrite(1));
        Check.True(wait.GetAwaiter().GetResult());
        Check.True(channel.Reader.TryRead(out _));
    });

    private void WriteAsync_ServedManyTimesWithOneToken_LeavesNothing() => ServeMany(
        CreateFull(), static (channel, token) =>
    {
        ValueTask write = channel.Writer.WriteAsync(1, token);
        Check.True(channel.Reader.TryRead(out _));
        write.GetAwaiter().GetResult();
    });

    private void ReadAsync_CanceledManyTimes_LeavesNothing()
    {
        Channel<int> channel = Kind.Create<int>();
        CancelMany(token => channel.Reader.ReadAsync(token));
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, channel.Reader.Count);
    }

    private void ReadAsync_CanceledManyTimesBehindALivingWait_LeavesNothing()
    {
        // Forgetting only what is at the head of the list would not do.
        Channel<int> channel = Kind.Create<int>();
        Task<int> living = Pending(1, _ => channel.Reader.ReadAsync())[0];
        CancelMany(token => channel.Reader.ReadAsync(token));
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(1, living.Within().GetAwaiter().GetResult());
    }

    private void WaitToReadAsync_CanceledManyTimes_LeavesNothing()
    {
        Channel<int> channel = Kind.Create<int>();
        CancelMany(token => channel.Reader.WaitToReadAsync(token));
        GC.KeepAlive(channel);
    }

    private void WriteAsync_CanceledManyTimes_LeavesNothing()
    {
        Channel<int> channel = CreateFull();
        CancelMany(token =>
        {
            ValueTask write = channel.Writer.WriteAsync(-1, token);
            return write.IsCompleted ? throw new ContractFailure("did not wait") : AsBool(write);
        });
        Check.Equal(Kind.Capacity, channel.Reader.Count);

        static async ValueTask<bool> AsBool(ValueTask wait)
        {
            await wait.ConfigureAwait(false);
            return true;
        }
    }

    private void WaitToWriteAsync_CanceledManyTimes_LeavesNothing()
    {
        Channel<int> channel = CreateFull();
        CancelMany(token => channel.Writer.WaitToWriteAsync(token));
        GC.KeepAlive(channel);
    }

    private static void ServeMany(Channel<int> channel, Action<Channel<int>, CancellationToken> wait)
    {
        using CancellationTokenSource longLived = new();
        Memory.GrowsAtMost(Bound, count: Waits, _ => wait(channel, longLived.Token));
        GC.KeepAlive(channel);
    }

    private static void CancelMany<T>(Func<CancellationToken, ValueTask<T>> start)
    {
        using CancellationTokenSource longLived = new();
        Memory.GrowsAtMost(Bound, count: Waits, i =>
        {
            using CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(longLived.Token);
            ValueTask<T> wait = start(source.Token);
            Check.False(wait.IsCompleted);
            source.Cancel();

            // Exceptions are slow, so only some of the waits are asked for their outcome. The others are abandoned:
            // that is allowed too, and must not leave anything behind either.
            if (i % 16 == 0)
            {
                Check.Canceled(wait, source.Token).GetAwaiter().GetResult();
            }
        });
    }
}
