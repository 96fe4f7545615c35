using System.Diagnostics;
using FastJobs.Lanes;

namespace FastJobs.Stats;

/// <summary>What the raw counts of a worker set say about a span of time.</summary>
internal readonly struct LaneFigures
{
    public LaneFigures(in WorkerSetFigures now, in WorkerSetFigures since)
    {
        Concurrency = now.Limit;
        Threads = now.Threads;
        ActiveThreads = now.ActiveThreads;
        Held = now.Held;
        Invocations = now.Jobs - since.Jobs;
        long busy = now.BusyTicks - since.BusyTicks;
        long elapsed = Math.Max(1, now.Timestamp - since.Timestamp);
        AverageConcurrency = (double)busy / elapsed;
        Saturation = Concurrency == 0 ? 0 : 100 * AverageConcurrency / Concurrency;
        AverageWallclockPerOperation =
            Invocations == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(0, busy / Invocations);
    }

    public int Concurrency { get; }

    public int Threads { get; }

    public int ActiveThreads { get; }

    public int Held { get; }

    public long Invocations { get; }

    /// <summary>Busy threads, on average.</summary>
    public double AverageConcurrency { get; }

    /// <summary>The average concurrency in percent of the limit.</summary>
    public double Saturation { get; }

    public TimeSpan AverageWallclockPerOperation { get; }
}
