namespace FastJobs.Contracts.Channels;

/// <summary>Measures the heap: what stays alive, and what is allocated.</summary>
internal static class Memory
{
    /// <summary>
    /// Does <paramref name="act"/> many times; the live heap may grow by <paramref name="bound"/> bytes.
    /// </summary>
    public static void GrowsAtMost(long bound, int count, Action<int> act)
    {
        // First a few, so that what is made once is there before the measurement.
        Repeat(1_000, act);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Repeat(count, act);

        // Not at once: what forgets a wait may still be queued on the pool.
        long deadline = Environment.TickCount64 + 10_000;
        long growth = long.MaxValue;
        Spin.Until(() =>
        {
            growth = GC.GetTotalMemory(forceFullCollection: true) - before;
            return growth <= bound || Environment.TickCount64 > deadline;
        });
        Check.AtMost(bound, growth);
    }

    /// <summary>
    /// The bytes that this thread allocates in <paramref name="act"/>: the least of a few rounds, once warm.
    /// </summary>
    /// <remarks>
    /// The least, because a round may be the one in which something is compiled or grows once and for all.
    /// </remarks>
    public static long AllocatedHere(Action act)
    {
        long least = long.MaxValue;
        for (int round = 0; round < 5 && least > 0; round++)
        {
            act();
            long before = GC.GetAllocatedBytesForCurrentThread();
            act();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    /// <summary>
    /// The bytes that all threads allocate in <paramref name="act"/>: the least of a few rounds, once warm.
    /// </summary>
    public static async Task<long> AllocatedEverywhere(Func<Task> act)
    {
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            await act().ConfigureAwait(false);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await act().ConfigureAwait(false);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least;
    }

    private static void Repeat(int count, Action<int> act)
    {
        for (int i = 0; i < count; i++)
        {
            act(i);
        }
    }
}
