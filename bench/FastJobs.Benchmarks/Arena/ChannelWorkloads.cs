using System.Diagnostics;
using System.Threading.Channels;
using FastJobs.Channels;

namespace FastJobs.Benchmarks.Arena;

/// <summary>
/// Our channel beside the BCL's: a million numbers from a number of writers to a number of readers, on threads that block
/// or in async methods, unbounded or bounded.
/// </summary>
internal static class ChannelWorkloads
{
    public static IReadOnlyList<string> Peers { get; } = ["fastjobs", "BCL channel", "BCL channel, single"];

    public static void Run(ArenaCell cell, Figures figures)
    {
        int writers = (int)cell.Get("writers", 1), readers = (int)cell.Get("readers", 1);
        int capacity = (int)cell.Get("bounded", 0);
        bool single = cell.Peer.EndsWith("single", StringComparison.Ordinal);
        if (single && writers > 1 && readers > 1)
        {
            figures.NotPossible("neither side has one thread");
            return;
        }

        long n = cell.Jobs(1_000_000) / writers * writers;
        WarmUp.Run(() =>
        {
            for (int round = 0; round < 16; round++) // calls, not items, are what the JIT counts
            {
                Exchange(Make(), writers, readers, 6_000 / writers * writers, cell.Get("async", 0) != 0);
            }
        });

        Channel<long> channel = Make();
        GC.Collect();
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long began = Stopwatch.GetTimestamp();
        long sum = Exchange(channel, writers, readers, n, cell.Get("async", 0) != 0);
        figures.Put("n", n);
        figures.Put("ns_per_job", Stopwatch.GetElapsedTime(began).TotalNanoseconds / n);
        figures.Put("cpu_ns_per_job", (Environment.CpuUsage.TotalTime - processor).TotalNanoseconds / n);
        figures.Put("allocated_per_job", (GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)n);
        if (sum != (n / writers) * ((n / writers) + 1) / 2 * writers)
        {
            figures.Error("the numbers that were read do not add up");
        }

        Channel<long> Make()
        {
            bool ours = cell.Peer == "fastjobs", oneWriter = single && writers == 1, oneReader = single && readers == 1;
            if (capacity > 0)
            {
                var bounded = new BoundedChannelOptions(capacity) { SingleWriter = oneWriter, SingleReader = oneReader };
                return ours ? LockFreeChannel.CreateBounded<long>(bounded) : Channel.CreateBounded<long>(bounded);
            }

            var unbounded = new UnboundedChannelOptions { SingleWriter = oneWriter, SingleReader = oneReader };
            return ours ? LockFreeChannel.CreateUnbounded<long>(unbounded) : Channel.CreateUnbounded<long>(unbounded);
        }
    }

    /// <summary>Writes 1 to n / writers by each writer; returns the sum of all that is read.</summary>
    private static long Exchange(Channel<long> channel, int writers, int readers, long n, bool asynchronous)
    {
        var sums = new long[readers * 16]; // two cache lines each
        Task[] writing = [.. Enumerable.Range(0, writers).Select(_ => asynchronous
            ? Task.Run(() => WriteAsync(channel.Writer, n / writers))
            : OnThread(() => Write(channel.Writer, n / writers)))];
        Task[] reading = [.. Enumerable.Range(0, readers).Select(r => asynchronous
            ? Task.Run(async () => sums[r * 16] = await ReadAsync(channel.Reader))
            : OnThread(() => sums[r * 16] = Read(channel.Reader)))];
        Task.WaitAll(writing);
        channel.Writer.Complete();
        Task.WaitAll(reading);
        return sums.Sum();
    }

    private static Task OnThread(Action body) =>
        Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Write(ChannelWriter<long> writer, long n)
    {
        for (long i = 1; i <= n; i++)
        {
            while (!writer.TryWrite(i))
            {
                writer.WaitToWriteAsync().AsTask().Wait();
            }
        }
    }

    private static long Read(ChannelReader<long> reader)
    {
        long sum = 0;
        do
        {
            while (reader.TryRead(out long item))
            {
                sum += item;
            }
        }
        while (reader.WaitToReadAsync().AsTask().Result);
        return sum;
    }

    private static async Task WriteAsync(ChannelWriter<long> writer, long n)
    {
        for (long i = 1; i <= n; i++)
        {
            await writer.WriteAsync(i);
        }
    }

    private static async Task<long> ReadAsync(ChannelReader<long> reader)
    {
        long sum = 0;
        await foreach (long item in reader.ReadAllAsync())
        {
            sum += item;
        }

        return sum;
    }
}
