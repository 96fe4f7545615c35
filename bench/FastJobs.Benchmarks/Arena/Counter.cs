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

    /// <summary>Looks every 200 µs, so that the wait takes almost nothing from the workers.</summary>
    public static void WaitFor(long target)
    {
        while (Sum < target)
        {
            Thread.Sleep(TimeSpan.FromMicroseconds(200));
        }
    }
}
