using System.Diagnostics;
using System.Globalization;

namespace FastJobs.Benchmarks;

/// <summary>
/// Whole workloads of a million jobs, in turn on the ThreadPool and on a lane, with two workers each: W1 one producer, W2
/// two producers. Prints medians, their ratio, and the bytes allocated a job.
/// </summary>
internal static class Arena
{
    private const int Jobs = 1_000_000;
    private const int Workers = 2;

    private sealed record Rival(string Name, Action<Counter> Submit, Counter Done);

    private readonly record struct Reading(double Nanoseconds, double Bytes);

    public static async Task<int> RunAsync(int repetitions)
    {
        ThreadPool.SetMinThreads(Workers, 1);
        ThreadPool.SetMaxThreads(Math.Max(Workers, Environment.ProcessorCount), 1);
        await using var engine = new JobEngine();
        JobLane lane = engine.AddLane(new LaneOptions { Name = "bench", Concurrency = Workers });
        SharedWorkers workers = engine.AddSharedWorkers(new SharedWorkersOptions { Name = "shared", Threads = Workers });
        JobLane shared = engine.AddLane(new LaneOptions { Name = "guest", Concurrency = Workers, Workers = workers });
        Rival[] rivals =
        [
            new("ThreadPool", static c => ThreadPool.UnsafeQueueUserWorkItem(static c => c.Add(), c, preferLocal: false), new()),
            new("FastJobs", c => lane.UnsafeSubmit(static c => c.Add(), c), new()),
            new("FastJobs, shared workers", c => shared.UnsafeSubmit(static c => c.Add(), c), new()),
        ];
        foreach (int producers in (int[])[1, 2])
        {
            var readings = rivals.Select(_ => new List<Reading>()).ToArray();
            for (int repetition = -1; repetition < repetitions; repetition++)
            {
                for (int i = 0; i < rivals.Length; i++)
                {
                    Reading reading = Measure(rivals[i], producers);
                    if (repetition >= 0) // the first one warms up
                    {
                        readings[i].Add(reading);
                    }
                }
            }

            for (int i = 0; i < rivals.Length; i++)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"W{producers} {rivals[i].Name,-24} {Median(readings[i], r => r.Nanoseconds),7:F1} ns a job "
                    + $"({readings[i].Min(r => r.Nanoseconds):F1}-{readings[i].Max(r => r.Nanoseconds):F1}) "
                    + $"{Median(readings[i], r => r.Bytes),6:F2} B a job, "
                    + $"{Median(readings[i], r => r.Nanoseconds) / Median(readings[0], r => r.Nanoseconds):F2} of {rivals[0].Name}"));
            }
        }

        return 0;
    }

    private static double Median(List<Reading> readings, Func<Reading, double> of) =>
        readings.Select(of).Order().ElementAt(readings.Count / 2);

    private static Reading Measure(Rival rival, int producers)
    {
        GC.Collect();
        rival.Done.Reset();
        using var start = new Barrier(producers + 1);
        Thread[] threads = [.. Enumerable.Range(0, producers).Select(_ => new Thread(() =>
        {
            start.SignalAndWait();
            for (int i = 0; i < Jobs / producers; i++)
            {
                rival.Submit(rival.Done);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        start.SignalAndWait();
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        long began = Stopwatch.GetTimestamp();
        Array.ForEach(threads, static thread => thread.Join());
        while (rival.Done.Sum < Jobs / producers * producers)
        {
            Thread.Sleep(TimeSpan.FromMicroseconds(200));
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
        return new Reading(
            elapsed.TotalNanoseconds / Jobs, (GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)Jobs);
    }

    /// <summary>Counts without making the counting threads meet: each has a cell of its own.</summary>
    private sealed class Counter
    {
        private const int Stride = 16; // longs: two cache lines
        private readonly long[] _cells = new long[64 * Stride];
        private int _threads;

        [ThreadStatic]
        private static Dictionary<Counter, int>? t_cells;

        [ThreadStatic]
        private static Counter? t_last;

        [ThreadStatic]
        private static int t_cell;

        public long Sum
        {
            get
            {
                long sum = 0;
                for (int i = 0; i < 64; i++)
                {
                    sum += Volatile.Read(ref _cells[i * Stride]);
                }

                return sum;
            }
        }

        public void Reset() => Array.Clear(_cells);

        public void Add()
        {
            if (!ReferenceEquals(t_last, this))
            {
                Find();
            }

            Interlocked.Increment(ref _cells[t_cell]);
        }

        private void Find()
        {
            t_cells ??= [];
            if (!t_cells.TryGetValue(this, out t_cell))
            {
                t_cell = Interlocked.Increment(ref _threads) % 64 * Stride;
                t_cells[this] = t_cell;
            }

            t_last = this;
        }
    }
}
