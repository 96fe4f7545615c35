using System.Runtime.CompilerServices;

namespace FastJobs.Benchmarks.Arena;

/// <summary>What the workloads ask to be run. One object may be queued many times at once.</summary>
internal abstract class ArenaJob : IThreadPoolWorkItem
{
    protected ArenaJob() => RunDelegate = Run;

    /// <summary>Made once, so that a peer that needs a delegate does not pay for it with each job.</summary>
    public Action RunDelegate { get; }

    public abstract void Run();

    void IThreadPoolWorkItem.Execute() => Run();
}

internal sealed class CountJob : ArenaJob
{
    public override void Run() => Counter.Add();
}

/// <summary>A fixed number of rounds, not a fixed time: a job that is preempted still has its work to do.</summary>
internal sealed class SpinJob(long rounds) : ArenaJob
{
    private static ulong s_sink;

    public override void Run()
    {
        s_sink = Spin(rounds);
        Counter.Add();
    }

    // Compiled once and not inlined: what the calibration measures is what the jobs run.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static ulong Spin(long n)
    {
        ulong x = 88172645463325252;
        for (long i = 0; i < n; i++)
        {
            x ^= x << 13;
        }

        return x;
    }

    /// <summary>The least time that so many rounds take, in ns.</summary>
    public static double Cost(long n)
    {
        double least = double.MaxValue;
        for (int look = 0; look < 200; look++)
        {
            long began = System.Diagnostics.Stopwatch.GetTimestamp();
            for (int i = 0; i < 20; i++)
            {
                s_sink = Spin(n);
            }

            least = Math.Min(least, System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalNanoseconds / 20);
        }

        return least;
    }

    /// <summary>How many rounds take so long.</summary>
    public static long Calibrate(double microseconds)
    {
        Cost(1000);
        Thread.Sleep(150); // so that the loop is compiled with optimization
        double n = 1000;
        for (int i = 0; i < 4; i++)
        {
            n *= Math.Clamp(microseconds * 1000 / Cost((long)n), 0.1, 10);
        }

        return (long)n;
    }
}

/// <summary>Posts a semaphore that its submitter waits for.</summary>
internal sealed class BellJob : ArenaJob
{
    public SemaphoreSlim Rung { get; } = new(0);

    public override void Run()
    {
        Counter.Add();
        Rung.Release();
    }
}

/// <summary>Keeps its worker until it is let go.</summary>
internal sealed class BlockJob : ArenaJob
{
    public SemaphoreSlim Entered { get; } = new(0);

    public ManualResetEventSlim Go { get; } = new(false, spinCount: 0);

    public override void Run()
    {
        Entered.Release();
        Go.Wait();
        Counter.Add();
    }
}
