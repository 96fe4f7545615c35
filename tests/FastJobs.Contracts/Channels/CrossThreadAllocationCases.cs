using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// No allocation in the steady state, measured over all threads: two loops on the pool wait for each other, so that
/// almost every wait parks a continuation and resumes it elsewhere.
/// </summary>
internal sealed class CrossThreadAllocationCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Rounds = 10_000;

    /// <summary>
    /// For all rounds together: the loops themselves, a pool thread, a line of the test runner. One smallest object a
    /// round would be 240 KB.
    /// </summary>
    private const long Bound = 24_000;

    public override IEnumerable<ContractCase> List() => !Kind.AllocatesNothing || Kind.Drops ? [] :
    [
        Case(ReadAsync_PingPong_AllocatesNothing),
        Case(ReadAsync_PingPongWithATokenEach_AllocatesNothing),
        Case(WaitToReadAsync_PingPong_AllocatesNothing),
        Case(WaitToReadAsync_PingPongWithATokenEach_AllocatesNothing),
        .. !Kind.Waits ? Array.Empty<ContractCase>() :
        [
            Case(WriteAsync_ToASlowReader_AllocatesNothing),
            Case(WriteAsync_ToASlowReaderWithATokenEach_AllocatesNothing),
        ],
    ];

    private Task ReadAsync_PingPong_AllocatesNothing() => PingPong(ByReading, withTokens: false);

    private Task ReadAsync_PingPongWithATokenEach_AllocatesNothing() => PingPong(ByReading, withTokens: true);

    private Task WaitToReadAsync_PingPong_AllocatesNothing() => PingPong(ByWaiting, withTokens: false);

    private Task WaitToReadAsync_PingPongWithATokenEach_AllocatesNothing() => PingPong(ByWaiting, withTokens: true);

    private Task WriteAsync_ToASlowReader_AllocatesNothing() => Stream(withTokens: false);

    private Task WriteAsync_ToASlowReaderWithATokenEach_AllocatesNothing() => Stream(withTokens: true);

    private async Task PingPong(
        Func<Channel<int>, Channel<int>, bool, CancellationToken, Task> loop, bool withTokens)
    {
        Channel<int> there = Kind.Create<int>();
        Channel<int> back = Kind.Create<int>();
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        CancellationToken firstToken = withTokens ? first.Token : default;
        CancellationToken secondToken = withTokens ? second.Token : default;
        Check.AtMost(Bound, await Memory.AllocatedEverywhere(() => Task.WhenAll(
            Task.Run(() => loop(there, back, true, firstToken)),
            Task.Run(() => loop(back, there, false, secondToken)))));
    }

    private static async Task ByReading(Channel<int> output, Channel<int> input, bool starts, CancellationToken token)
    {
        for (int i = 0; i < Rounds; i++)
        {
            if (starts)
            {
                Check.True(output.Writer.TryWrite(i));
            }

            Check.Equal(i, await input.Reader.ReadAsync(token).ConfigureAwait(false));
            if (!starts)
            {
                Check.True(output.Writer.TryWrite(i));
            }
        }
    }

    private static async Task ByWaiting(Channel<int> output, Channel<int> input, bool starts, CancellationToken token)
    {
        for (int i = 0; i < Rounds; i++)
        {
            if (starts)
            {
                Check.True(output.Writer.TryWrite(i));
            }

            Check.True(await input.Reader.WaitToReadAsync(token).ConfigureAwait(false));
            Check.True(input.Reader.TryRead(out int item));
            Check.Equal(i, item);
            if (!starts)
            {
                Check.True(output.Writer.TryWrite(i));
            }
        }
    }

    private async Task Stream(bool withTokens)
    {
        Channel<int> channel = Kind.Create<int>();
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        CancellationToken firstToken = withTokens ? first.Token : default;
        CancellationToken secondToken = withTokens ? second.Token : default;
        Check.AtMost(Bound, await Memory.AllocatedEverywhere(() => Task.WhenAll(
            Task.Run(() => Write(channel.Writer, firstToken)),
            Task.Run(() => Read(channel.Reader, secondToken)))));

        static async Task Write(ChannelWriter<int> writer, CancellationToken token)
        {
            for (int i = 0; i < Rounds; i++)
            {
                await writer.WriteAsync(i, token).ConfigureAwait(false);
            }
        }

        static async Task Read(ChannelReader<int> reader, CancellationToken token)
        {
            for (int i = 0; i < Rounds; i++)
            {
                Check.Equal(i, await reader.ReadAsync(token).ConfigureAwait(false));
            }
        }
    }
}
