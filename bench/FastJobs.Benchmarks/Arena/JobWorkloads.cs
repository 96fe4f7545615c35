using System.Diagnostics;

namespace FastJobs.Benchmarks.Arena;

/// <summary>The job workloads: the same ones as the native arena's, for the peers of .NET.</summary>
internal static class JobWorkloads
{
    private const int Batch = 256;
    private static readonly CountJob s_count = new();
    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(2); // of a loop of submits

    public static void Run(ArenaCell cell, Figures figures)
    {
        JobPeer peer = JobPeer.All[cell.Peer](cell.Workers);
        switch (cell.Workload)
        {
            case "throughput":
                Throughput(cell, peer, figures);
                break;
            case "round-trip":
                RoundTrip(cell, peer, figures);
                break;
            case "backlog":
                Backlog(cell, peer, figures);
                break;
            default:
                throw new ArgumentException($"no workload {cell.Workload}");
        }

        figures.Put("job_threads", Counter.Threads);
        if (Counter.Threads > cell.Workers)
        {
            figures.Error($"{Counter.Threads} threads ran jobs");
        }
    }

    private static void WarmUpPeer(JobPeer peer, int jobs) => WarmUp.Run(() =>
    {
        long target = Counter.Sum + jobs;
        Produce(peer, s_count, jobs);
        Counter.WaitFor(target);
    });

    private static long Produce(JobPeer peer, ArenaJob job, long n)
    {
        long began = Stopwatch.GetTimestamp();
        long i = 0;
        while (i < n && Stopwatch.GetElapsedTime(began) < s_budget)
        {
            for (long end = Math.Min(n, i + Batch); i < end; i++)
            {
                peer.Submit(job);
            }
        }

        return i;
    }

    private static void Throughput(ArenaCell cell, JobPeer peer, Figures figures)
    {
        double microseconds = cell.Get("us", 0);
        ArenaJob job = new CountJob();
        if (microseconds > 0)
        {
            long rounds = SpinJob.Calibrate(microseconds);
            job = new SpinJob(rounds);
            figures.Put("spin_ns", SpinJob.Cost(rounds));
        }

        WarmUpPeer(peer, 100_000);
        int producers = cell.Producers;
        long each = cell.Jobs(1_000_000) / producers;
        Exchange(peer, job, producers, each); // so that what grows with the backlog has grown
        GC.Collect();
        long counted = Counter.Sum;
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        (long submitted, TimeSpan elapsed) = Exchange(peer, job, producers, each);
        figures.Put("n", submitted);
        figures.Put("ns_per_job", elapsed.TotalNanoseconds / submitted);
        figures.Put("cpu_ns_per_job", (Environment.CpuUsage.TotalTime - processor).TotalNanoseconds / submitted);
        if (submitted < each * producers)
        {
            figures.Put("truncated", 1);
        }

        CheckCount(figures, counted + submitted);
        figures.Put("allocated_per_job", AllocatedAJob(peer, producers, each, cell.Workers));
    }

    /// <summary>
    /// Measured apart, after the deepest backlog that the cell can bring about: how far the producers get ahead of the workers
    /// is an accident of the machine's scheduler, and what grows when that is farther than before is no cost of a job.
    /// </summary>
    private static double AllocatedAJob(JobPeer peer, int producers, long each, int workers)
    {
        BlockJob block = BlockWorkers(peer, workers);
        long target = Counter.Sum + Produce(peer, s_count, each * producers) + workers;
        block.Go.Set();
        Counter.WaitFor(target);
        GC.Collect();
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        (long submitted, _) = Exchange(peer, s_count, producers, each);
        return (GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)submitted;
    }

    private static BlockJob BlockWorkers(JobPeer peer, int workers)
    {
        var block = new BlockJob();
        for (int i = 0; i < workers; i++)
        {
            peer.Submit(block);
        }

        for (int i = 0; i < workers; i++)
        {
            block.Entered.Wait();
        }

        return block;
    }

    /// <summary>All producers submit; returns how many jobs, and the time from the first submit to the end of the last.</summary>
    private static (long Submitted, TimeSpan Elapsed) Exchange(JobPeer peer, ArenaJob job, int producers, long each)
    {
        long submitted = 0, counted = Counter.Sum;
        using var start = new Barrier(producers + 1);
        Thread[] threads = [.. Enumerable.Range(0, producers).Select(_ => new Thread(() =>
        {
            start.SignalAndWait();
            Interlocked.Add(ref submitted, Produce(peer, job, each));
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        start.SignalAndWait();
        long began = Stopwatch.GetTimestamp();
        Array.ForEach(threads, static thread => thread.Join());
        Counter.WaitFor(counted + submitted);
        return (submitted, Stopwatch.GetElapsedTime(began));
    }

    private static void RoundTrip(ArenaCell cell, JobPeer peer, Figures figures)
    {
        WarmUpPeer(peer, 50_000);
        var bell = new BellJob();
        int n = (int)cell.Jobs(100_000);
        Trips(peer, bell, 5_000);
        Thread.Sleep(120);
        Trips(peer, bell, 500);
        long counted = Counter.Sum;
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        double[] times = Trips(peer, bell, n);
        figures.Put("n", times.Length);
        figures.Put("cpu_ns_per_job", (Environment.CpuUsage.TotalTime - processor).TotalNanoseconds / times.Length);
        figures.PutPercentiles(times);
        CheckCount(figures, counted + times.Length);
    }

    private static double[] Trips(JobPeer peer, BellJob bell, int n)
    {
        var times = new double[n];
        for (int i = 0; i < n; i++)
        {
            long began = Stopwatch.GetTimestamp();
            peer.Submit(bell);
            bell.Rung.Wait();
            times[i] = Stopwatch.GetElapsedTime(began).TotalNanoseconds;
        }

        return times;
    }

    private static void Backlog(ArenaCell cell, JobPeer peer, Figures figures)
    {
        WarmUpPeer(peer, 20_000); // and no more: what a deep backlog takes is what is measured
        var job = new CountJob();
        long counted = Counter.Sum, n = cell.Jobs(1_000_000);
        BlockJob block = BlockWorkers(peer, cell.Workers);
        long memory = GC.GetTotalMemory(forceFullCollection: true);
        long began = Stopwatch.GetTimestamp();
        long done = Produce(peer, job, n);
        figures.Put("depth", done);
        figures.Put("enqueue_ns", Stopwatch.GetElapsedTime(began).TotalNanoseconds / done);
        figures.Put("bytes_per_job", (GC.GetTotalMemory(forceFullCollection: true) - memory) / (double)done);
        if (Counter.Sum != counted)
        {
            figures.Error("a worker was not blocked");
        }

        long drain = Stopwatch.GetTimestamp();
        block.Go.Set();
        Counter.WaitFor(counted + done + cell.Workers);
        figures.Put("drain_ns_per_job", Stopwatch.GetElapsedTime(drain).TotalNanoseconds / done);
        CheckCount(figures, counted + done + cell.Workers);
    }

    private static void CheckCount(Figures figures, long expected)
    {
        Thread.Sleep(2); // for one that is run twice
        if (Counter.Sum != expected)
        {
            figures.Error($"{Counter.Sum} jobs ran in place of {expected}");
        }
    }
}
