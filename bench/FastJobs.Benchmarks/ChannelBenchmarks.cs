using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using FastJobs.Channels;

namespace FastJobs.Benchmarks;

/// <summary>Our channel beside the BCL's: one write and one read an operation.</summary>
[MemoryDiagnoser]
public class ChannelBenchmarks
{
    private const int Items = 100_000;

    private readonly Channel<int> _ours = LockFreeChannel.CreateUnbounded<int>();
    private readonly Channel<int> _bcl = Channel.CreateUnbounded<int>();
    private readonly Channel<int> _oursBounded = LockFreeChannel.CreateBounded<int>(1024);
    private readonly Channel<int> _bclBounded = Channel.CreateBounded<int>(1024);

    [Benchmark(Baseline = true, OperationsPerInvoke = Items)]
    public int BclUnbounded() => Alternate(_bcl);

    [Benchmark(OperationsPerInvoke = Items)]
    [AllocationGate(0.01)]
    public int OursUnbounded() => Alternate(_ours);

    [Benchmark(OperationsPerInvoke = Items)]
    public int BclBounded() => Alternate(_bclBounded);

    [Benchmark(OperationsPerInvoke = Items)]
    [AllocationGate(0.01)]
    public int OursBounded() => Alternate(_oursBounded);

    [Benchmark(OperationsPerInvoke = Items)]
    public Task BclTwoByTwo() => TwoByTwo(Channel.CreateUnbounded<int>());

    [Benchmark(OperationsPerInvoke = Items)]
    public Task OursTwoByTwo() => TwoByTwo(LockFreeChannel.CreateUnbounded<int>());

    [Benchmark(OperationsPerInvoke = Items)]
    public Task BclAsyncReader() => AsyncReader(_bcl);

    [Benchmark(OperationsPerInvoke = Items)]
    [AllocationGate(0.1)]
    public Task OursAsyncReader() => AsyncReader(_ours);

    private static int Alternate(Channel<int> channel)
    {
        int sum = 0;
        for (int i = 0; i < Items; i++)
        {
            channel.Writer.TryWrite(i);
            channel.Reader.TryRead(out int item);
            sum += item;
        }

        return sum;
    }

    // Two writers and two readers, on threads of their own.
    private static Task TwoByTwo(Channel<int> channel)
    {
        int left = Items;
        Task Run(Action body) => Task.Factory.StartNew(body, TaskCreationOptions.LongRunning);
        void Write()
        {
            for (int i = 0; i < Items / 2; i++)
            {
                channel.Writer.TryWrite(i);
            }
        }

        void Read()
        {
            while (Volatile.Read(ref left) > 0)
            {
                if (channel.Reader.TryRead(out _))
                {
                    Interlocked.Decrement(ref left);
                }
            }
        }

        return Task.WhenAll(Run(Write), Run(Write), Run(Read), Run(Read));
    }

    private static async Task AsyncReader(Channel<int> channel)
    {
        Task<int> reader = Task.Run(async () =>
        {
            int sum = 0;
            for (int i = 0; i < Items; i++)
            {
                sum += await channel.Reader.ReadAsync();
            }

            return sum;
        });
        for (int i = 0; i < Items; i++)
        {
            channel.Writer.TryWrite(i);
        }

        await reader;
    }
}
