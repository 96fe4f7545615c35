using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// A cancel that comes while the wait is still being set up: the narrowest window, and the BCL's own bug.
/// </summary>
internal sealed class CancelStartCases(ChannelKind kind) : ChannelCases(kind)
{
    public override IEnumerable<ContractCase> List() => !Kind.CancelsAtomically ? [] :
    [
        Case(ReadAsync_CanceledWhileStarting_TakesNone),
        Case(WaitToReadAsync_CanceledWhileStarting_LosesNoWakeUp),
        .. !Kind.Waits ? Array.Empty<ContractCase>() : [Case(WriteAsync_CanceledWhileStarting_LeavesNoItem)],
    ];

    private Task ReadAsync_CanceledWhileStarting_TakesNone()
    {
        Channel<int> channel = Kind.Create<int>();
        return Race.CancelWhileStarting(
            token => channel.Reader.ReadAsync(token).AsTask(),
            round =>
            {
                Check.True(channel.Writer.TryWrite(round));
                Check.Sequence([round], Drain(channel.Reader));
            });
    }

    private Task WaitToReadAsync_CanceledWhileStarting_LosesNoWakeUp()
    {
        Channel<int> channel = Kind.Create<int>();
        return Race.CancelWhileStarting(
            token => channel.Reader.WaitToReadAsync(token).AsTask(),
            round =>
            {
                Task<bool> other = Pending(1, _ => channel.Reader.WaitToReadAsync())[0];
                Check.True(channel.Writer.TryWrite(round));
                Check.True(other.Within().GetAwaiter().GetResult());
                Check.Sequence([round], Drain(channel.Reader));
            });
    }

    private Task WriteAsync_CanceledWhileStarting_LeavesNoItem()
    {
        Channel<int> channel = CreateFull();
        return Race.CancelWhileStarting(
            async token =>
            {
                await channel.Writer.WriteAsync(-1, token);
                return true;
            },
            round =>
            {
                Check.True(channel.Reader.TryRead(out _));
                Check.Equal(Kind.Capacity - 1, channel.Reader.Count);
                Check.True(channel.Writer.TryWrite(round));
            });
    }
}
