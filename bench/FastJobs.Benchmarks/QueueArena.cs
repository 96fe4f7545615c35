using System.Diagnostics;
using System.Globalization;

namespace FastJobs.Benchmarks;

/// <summary>
/// The figures of the named queues: enqueue, run and collect from two threads; a round trip; the price of a backlog, in
/// the same queue and in another; the memory of a pending job; a hundred thousand queues.
/// </summary>
internal static class QueueArena
{
    private const int Jobs = 1_000_000;
    private const int Window = 256;
    private const int Backlog = 1_000_000;

    public static async Task<int> RunAsync(int repetitions)
    {
        await using var engine = new JobEngine();
        Throughput(engine, repetitions, sameQueue: true);
        Throughput(engine, repetitions, sameQueue: false);
        MemoryOfPendingJobs(engine);
        Depth(engine, repetitions);
        RoundTrips(engine);
        ManyQueues(engine);
        await engine.StopAsync(TimeSpan.FromSeconds(1));
        return 0;
    }

    private static void Throughput(JobEngine engine, int repetitions, bool sameQueue)
    {
        JobQueue[] queues = sameQueue
            ? [.. Enumerable.Repeat(engine.Queues.Create("throughput", 2), 2)]
            : [engine.Queues.Create("throughput 1", 1), engine.Queues.Create("throughput 2", 1)];
        List<double> rates = [];
        double processor = 0;
        long bytes = 0;
        for (int repetition = -1; repetition < repetitions; repetition++)
        {
            using var start = new Barrier(3);
            Thread[] threads = [.. queues.Select(queue => new Thread(() =>
            {
                var pending = new QueuedJobId[Window];
                start.SignalAndWait();
                for (int i = 0; i < Jobs / 2; i++)
                {
                    if (i >= Window)
                    {
                        Collect(queue, pending[i % Window], i - Window);
                    }

                    pending[i % Window] = queue.Enqueue(static n => n + 1, i);
                }

                for (int i = Jobs / 2; i < (Jobs / 2) + Window; i++)
                {
                    Collect(queue, pending[i % Window], i - Window);
                }
            }))];
            Array.ForEach(threads, static thread => thread.Start());
            start.SignalAndWait();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long began = Stopwatch.GetTimestamp();
            TimeSpan used = Environment.CpuUsage.TotalTime;
            Array.ForEach(threads, static thread => thread.Join());
            if (repetition >= 0)
            {
                processor += (Environment.CpuUsage.TotalTime - used).TotalNanoseconds / Jobs / repetitions;
                rates.Add(Jobs / Stopwatch.GetElapsedTime(began).TotalSeconds);
                bytes += GC.GetTotalAllocatedBytes(precise: true) - before;
            }
        }

        rates.Sort();
        Print(
            $"enqueue, run, collect; two producers, {(sameQueue ? "one queue " : "two queues")}: "
            + $"{rates[rates.Count / 2],9:N0} a second ({rates[0]:N0}-{rates[^1]:N0}), "
            + $"{processor:F0} ns of processor time and {bytes / (double)(Jobs * repetitions):F2} B a job");
        Array.ForEach(queues, static queue => queue.Delete());
    }

    private static void Collect(JobQueue queue, QueuedJobId id, int state)
    {
        if (queue.Wait<int>(id) != state + 1)
        {
            throw new InvalidOperationException("a job returned another one's result");
        }
    }

    private static void MemoryOfPendingJobs(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("pending", 1);
        queue.Pause();
        object state = new();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Backlog; i++)
        {
            queue.Enqueue(static s => s.ToString(), state);
        }

        Print($"a pending job, its state's reference included: {(GC.GetTotalMemory(true) - before) / (double)Backlog:F1} B");
        long middle = GC.GetTotalMemory(true);
        for (int i = 0; i < Backlog; i++)
        {
            queue.Enqueue(static n => n, (long)i);
        }

        Print($"a pending job with a state and a result of 8 bytes, included: {(GC.GetTotalMemory(true) - middle) / (double)Backlog:F1} B");
        Clear(queue);
    }

    private static void Clear(JobQueue queue)
    {
        foreach (QueuedJobInfo job in queue.GetJobs())
        {
            queue.Cancel(job.Id);
            queue.WaitForEndAsync(job.Id, TimeSpan.Zero).AsTask().Wait();
        }

        queue.Delete();
    }

    // Enqueuing into an empty queue and behind a million jobs, in turn; the jobs are not run.
    private static void Depth(JobEngine engine, int repetitions)
    {
        JobQueue deep = engine.Queues.Create("deep", 1);
        JobQueue empty = engine.Queues.Create("empty", 1);
        deep.Pause();
        empty.Pause();
        for (int i = 0; i < Backlog; i++)
        {
            deep.Enqueue(static n => n, i);
        }

        List<double> ratios = [];
        const int Some = 20_000;
        var ids = new QueuedJobId[Some];
        for (int repetition = -1; repetition < repetitions * 3; repetition++)
        {
            double behindNone = Enqueue(empty);
            double behindMany = Enqueue(deep);
            if (repetition >= 0)
            {
                ratios.Add(behindMany / behindNone);
            }
        }

        ratios.Sort();
        Print($"enqueue behind {Backlog:N0} jobs: {ratios[ratios.Count / 2]:F2} of into an empty queue ({ratios[0]:F2}-{ratios[^1]:F2})");

        JobQueue idle = engine.Queues.Create("idle", 1);
        JobQueue busy = engine.Queues.Create("busy", 1);
        List<double> pairs = [];
        for (int pair = 0; pair < 9; pair++)
        {
            double without = MedianRoundTrip(idle, 2000);
            for (int i = 0; i < Backlog; i++)
            {
                busy.Pause();
                busy.Enqueue(static n => n, i);
            }

            pairs.Add(MedianRoundTrip(idle, 2000) / without);
            Clear(busy);
            busy = engine.Queues.Create($"busy {pair}", 1);
        }

        pairs.Sort();
        Print($"a round trip beside a backlog of {Backlog:N0} in another queue: p50 {pairs[4]:F2} of without ({pairs[0]:F2}-{pairs[^1]:F2})");
        Clear(deep);

        double Enqueue(JobQueue queue)
        {
            GC.Collect();
            long began = Stopwatch.GetTimestamp();
            for (int i = 0; i < Some; i++)
            {
                ids[i] = queue.Enqueue(static n => n, i);
            }

            double elapsed = Stopwatch.GetElapsedTime(began).TotalNanoseconds / Some;
            foreach (QueuedJobId id in ids)
            {
                queue.Cancel(id);
                queue.WaitForEndAsync(id, TimeSpan.Zero).AsTask().Wait();
            }

            return elapsed;
        }
    }

    private static void RoundTrips(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("trips", 1);
        MedianRoundTrip(queue, 20_000);
        Print($"queue and wait, in the calling thread: p50 {MedianRoundTrip(queue, 50_000) / 1000:F2} µs");
    }

    private static double MedianRoundTrip(JobQueue queue, int trips)
    {
        var times = new double[trips];
        for (int i = 0; i < trips; i++)
        {
            long began = Stopwatch.GetTimestamp();
            queue.Wait<int>(queue.Enqueue(static n => n, i));
            times[i] = Stopwatch.GetElapsedTime(began).TotalNanoseconds;
        }

        Array.Sort(times);
        return times[trips / 2];
    }

    private static void ManyQueues(JobEngine engine)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        JobQueue[] queues = [.. Enumerable.Range(0, 1000).Select(i => engine.Queues.Create($"q{i}"))];
        Print($"a queue without a job: {(GC.GetTotalMemory(true) - before) / 1000.0:F0} B");
        foreach (JobQueue queue in queues)
        {
            QueuedJobId[] ids = [.. Enumerable.Range(0, 20).Select(n => queue.Enqueue(static n => n, n))];
            Array.ForEach(ids, id => queue.Wait<int>(id));
        }

        Print($"1,000 queues that had 20 jobs each: {(GC.GetTotalMemory(true) - before) / 1000.0:F0} B a queue, {engine.Queues.Pool.Threads} threads");
        Array.ForEach(queues, static queue => queue.Delete());
        queues = [];
        before = GC.GetTotalMemory(forceFullCollection: true);
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100_000; i++)
        {
            JobQueue queue = engine.Queues.Create($"n{i}");
            queue.Wait<int>(queue.Enqueue(static n => n, i));
            queue.Delete();
        }

        double microseconds = Stopwatch.GetElapsedTime(began).TotalMicroseconds / 100_000;
        Print(
            $"100,000 queues made, used once and deleted: {microseconds:F2} µs each, "
            + $"{GC.GetTotalMemory(true) - before:N0} B left, {engine.Queues.Pool.Threads} threads");
    }

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static void Print(string text) => Console.WriteLine(text);
}
