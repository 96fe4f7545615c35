using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FastJobs.Benchmarks.Arena;

/// <summary>Counts without making the counting threads meet: each has a cell of its own.</summary>
internal static class Counter
{
    private const int Stride = 16; // longs: two cache lines
    private const int Cells = 256;
    private static readonly long[] s_cells = new long[(Cells + 1) * Stride];
    private static int s_threads;

    [ThreadStatic]
    private static int t_cell;

    /// <summary>How many threads have counted.</summary>
    public static int Threads => Volatile.Read(ref s_threads);

    public static long Sum
    {
        get
        {
            long sum = 0;
            for (int i = 1; i <= Cells; i++)
            {
                sum += Volatile.Read(ref s_cells[i * Stride]);
            }

            return sum;
        }
    }

    public static void Add()
    {
        if (t_cell == 0)
        {
            t_cell = Math.Min(Interlocked.Increment(ref s_threads), Cells) * Stride;
        }

        // A cell has one writer, so it is no locked operation: that would be a good part of what the quickest peers take for a
        // job. Threads that come when all are taken share the last one.
        ref long cell = ref s_cells[t_cell];
        if (t_cell == Cells * Stride)
        {
            Interlocked.Increment(ref cell);
        }
        else
        {
            Volatile.Write(ref cell, cell + 1);
        }
    }

    /// <summary>
    /// Looks after 200 µs and then each time after half of what is left should have run: who looks takes the core from a worker.
    /// </summary>
    public static void WaitFor(long target)
    {
        long began = Stopwatch.GetTimestamp(), first = Sum;
        for (long n = first; n < target; n = Sum)
        {
            double each = Stopwatch.GetElapsedTime(began).TotalMicroseconds / Math.Max(n - first, 1);
            _ = Nap(n == first ? 200 : (uint)Math.Clamp(each * (target - n) / 2, 200, 20_000));
        }
    }

    // Thread.Sleep knows whole milliseconds, and gives way at once for less.
    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int Nap(uint microseconds);
}
