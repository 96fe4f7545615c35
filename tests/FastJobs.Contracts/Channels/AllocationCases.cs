using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// No allocation in the steady state, measured on one thread: the wait is pending, another call ends it, and its result
/// is taken, all here. What happens when the continuation runs elsewhere is in
/// <see cref="CrossThreadAllocationCases"/>.
/// </summary>
internal sealed class AllocationCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Rounds = 10_000;

    /// <summary>For all rounds together: less than one smallest object in twenty rounds.</summary>
    private const long Bound = 1_000;

    public override IEnumerable<ContractCase> List() =>
    [
        .. !Kind.AllocatesNothing ? Array.Empty<ContractCase>() :
        [
            Case(TryWriteTryRead_OneAtATime_AllocatesNothing),
            Case(TryWriteTryRead_InBatches_AllocatesNothing),
            Case(TryWriteTryRead_OfLargeItems_AllocatesNothing),
            Case(ReadAsync_ThatWaits_AllocatesNothing),
            Case(ReadAsync_ThatWaitsWithAToken_AllocatesNothing),
            Case(WaitToReadAsync_ThatWaits_AllocatesNothing),
            Case(WaitToReadAsync_ThatWaitsWithAToken_AllocatesNothing),
        ],
        .. !Kind.AllocatesNothing || !Kind.Waits ? Array.Empty<ContractCase>() :
        [
            Case(WriteAsync_ThatWaits_AllocatesNothing),
            Case(WriteAsync_ThatWaitsWithAToken_AllocatesNothing),
            Case(WaitToWriteAsync_ThatWaits_AllocatesNothing),
            Case(WaitToWriteAsync_ThatWaitsWithAToken_AllocatesNothing),
        ],
        .. !Kind.RecyclesMemory || Kind.Capacity is not null ? Array.Empty<ContractCase>() :
        [
            Case(TryWrite_SecondFillToAMillion_AllocatesNothing),
        ],
    ];

    private void TryWriteTryRead_OneAtATime_AllocatesNothing()
    {
        Channel<int> channel = Kind.Create<int>();
        CheckFree(() =>
        {
            Check.True(channel.Writer.TryWrite(1));
            Check.True(channel.Reader.TryRead(out _));
        });
    }

    private void TryWriteTryRead_InBatches_AllocatesNothing()
    {
        Channel<int> channel = Kind.Create<int>();
        int batch = Kind.Fitting(2_000);
        CheckFree(
            () =>
            {
                for (int i = 0; i < batch; i++)
                {
                    Check.True(channel.Writer.TryWrite(i));
                }

                while (channel.Reader.TryRead(out _))
                {
                }
            },
            rounds: 100);
    }

    private void TryWriteTryRead_OfLargeItems_AllocatesNothing()
    {
        Channel<Large> channel = Kind.Create<Large>();
        Large item = Large.Make(1);
        CheckFree(() =>
        {
            Check.True(channel.Writer.TryWrite(item));
            Check.True(channel.Reader.TryRead(out _));
        });
    }

    private void ReadAsync_ThatWaits_AllocatesNothing() => CheckRead(default);

    private void ReadAsync_ThatWaitsWithAToken_AllocatesNothing() => WithToken(CheckRead);

    private void WaitToReadAsync_ThatWaits_AllocatesNothing() => CheckWaitToRead(default);

    private void WaitToReadAsync_ThatWaitsWithAToken_AllocatesNothing() => WithToken(CheckWaitToRead);

    private void WriteAsync_ThatWaits_AllocatesNothing() => CheckWrite(default);

    private void WriteAsync_ThatWaitsWithAToken_AllocatesNothing() => WithToken(CheckWrite);

    private void WaitToWriteAsync_ThatWaits_AllocatesNothing() => CheckWaitToWrite(default);

    private void WaitToWriteAsync_ThatWaitsWithAToken_AllocatesNothing() => WithToken(CheckWaitToWrite);

    private void TryWrite_SecondFillToAMillion_AllocatesNothing()
    {
        // The fill before the measurement is the one that grows the channel.
        Channel<int> channel = Kind.Create<int>();
        Check.AtMost(Bound, Memory.AllocatedHere(() =>
        {
            for (int i = 0; i < 1_000_000; i++)
            {
                Check.True(channel.Writer.TryWrite(i));
            }

            while (channel.Reader.TryRead(out _))
            {
            }
        }));
    }

    private void CheckRead(CancellationToken token)
    {
        Channel<int> channel = Kind.Create<int>();
        CheckFree(() =>
        {
            ValueTask<int> read = channel.Reader.ReadAsync(token);
            Check.False(read.IsCompleted);
            Check.True(channel.Writer.TryWrite(1));
            Check.Equal(1, read.GetAwaiter().GetResult());
        });
    }

    private void CheckWaitToRead(CancellationToken token)
    {
        Channel<int> channel = Kind.Create<int>();
        CheckFree(() =>
        {
            ValueTask<bool> wait = channel.Reader.WaitToReadAsync(token);
            Check.False(wait.IsCompleted);
            Check.True(channel.Writer.TryWrite(1));
            Check.True(wait.GetAwaiter().GetResult());
            Check.True(channel.Reader.TryRead(out _));
        });
    }

    private void CheckWrite(CancellationToken token)
    {
        Channel<int> channel = CreateFull();
        CheckFree(() =>
        {
            ValueTask write = channel.Writer.WriteAsync(1, token);
            Check.False(write.IsCompleted);
            Check.True(channel.Reader.TryRead(out _));
            write.GetAwaiter().GetResult();
        });
    }

    private void CheckWaitToWrite(CancellationToken token)
    {
        Channel<int> channel = CreateFull();
        CheckFree(() =>
        {
            ValueTask<bool> wait = channel.Writer.WaitToWriteAsync(token);
            Check.False(wait.IsCompleted);
            Check.True(channel.Reader.TryRead(out _));
            Check.True(wait.GetAwaiter().GetResult());
            Check.True(channel.Writer.TryWrite(1));
        });
    }

    private static void WithToken(Action<CancellationToken> check)
    {
        using CancellationTokenSource longLived = new();
        check(longLived.Token);
    }

    private static void CheckFree(Action act, int rounds = Rounds) => Check.AtMost(Bound, Memory.AllocatedHere(() =>
    {
        for (int i = 0; i < rounds; i++)
        {
            act();
        }
    }));
}
