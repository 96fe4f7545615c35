using System.Threading.Channels;

namespace FastJobs.Queues;

/// <summary>Which jobs of a queue were done, for one who takes them one after the other.</summary>
internal sealed class FinishedFeed
{
    private readonly Channel<JobKey> _keys = Channel.CreateUnbounded<JobKey>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = false });

    public ChannelReader<JobKey> Keys => _keys.Reader;

    public void Add(JobKey key) => _keys.Writer.TryWrite(key);

    /// <summary>There will be no more.</summary>
    public void End() => _keys.Writer.TryComplete();
}
