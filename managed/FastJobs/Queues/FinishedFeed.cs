using System.Threading.Channels;

namespace FastJobs.Queues;

/// <summary>Is told which jobs of a queue were done. Add is called under the queue's lock, End perhaps.</summary>
internal abstract class FinishedFeed
{
    public abstract void Add(JobKey key);

    /// <summary>There will be no more.</summary>
    public abstract void End();
}

/// <summary>For one who takes them one after the other, without a thread that waits.</summary>
internal sealed class ChannelFeed : FinishedFeed
{
    private readonly Channel<JobKey> _keys = Channel.CreateUnbounded<JobKey>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = false });

    public ChannelReader<JobKey> Keys => _keys.Reader;

    public override void Add(JobKey key) => _keys.Writer.TryWrite(key);

    public override void End() => _keys.Writer.TryComplete();
}
