using System.Threading.Channels;
using FastJobs.Channels;
using Xunit;

namespace FastJobs.PackageConsumer;

/// <summary>What a program does with FastJobs: only public names, no reference to anything else.</summary>
public class ConsumerTests
{
    [Fact]
    public async Task Engine_GivenJobs_RunsThem()
    {
        await using var engine = new JobEngine();

        int square = await engine.Cpu.RunAsync(static n => n * n, 12, TestContext.Current.CancellationToken);

        Assert.Equal(144, square);
    }

    [Fact]
    public async Task Channel_WrittenAndCompleted_IsReadToItsEnd()
    {
        Channel<int> channel = LockFreeChannel.CreateBounded<int>(2);
        Task<int> sum = SumAsync(channel.Reader);
        for (int i = 1; i <= 100; i++)
        {
            await channel.Writer.WriteAsync(i, TestContext.Current.CancellationToken);
        }

        channel.Writer.Complete();

        Assert.Equal(5050, await sum);
    }

    private static async Task<int> SumAsync(ChannelReader<int> reader)
    {
        int sum = 0;
        await foreach (int number in reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            sum += number;
        }

        return sum;
    }
}
