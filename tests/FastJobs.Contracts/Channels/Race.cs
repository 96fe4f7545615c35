namespace FastJobs.Contracts.Channels;

/// <summary>Two threads that meet at the same moment, many times.</summary>
internal static class Race
{
    private const int Rounds = 2_000;

    /// <summary>
    /// Starts a wait, then cancels it and ends it at the same time. <paramref name="verify"/> gets the round and the
    /// result, or null when the cancel won.
    /// </summary>
    public static async Task CancelAgainst<T>(
        Func<CancellationToken, Task<T>> start, Action<int> end, Action<int, T?> verify)
        where T : struct
    {
        CancellationTokenSource? source = null;
        int go = 0;
        int done = 0;
        Task ender = Crew.Run(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                WaitFor(ref go, round);
                end(round);
                Volatile.Write(ref done, round);
            }
        });
        Task canceller = Crew.Run(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                source = new CancellationTokenSource();
                Task<T> wait = start(source.Token);
                Volatile.Write(ref go, round);

                // Cancels now a little earlier, now a little later, so that either side wins sometimes.
                Thread.SpinWait(round % 64);
                source.Cancel();
                WaitFor(ref done, round);
                verify(round, Outcome(wait, source.Token));
                source.Dispose();
            }
        });

        // The first that fails leaves the other one waiting in vain: its own failure is the one to show.
        await await Task.WhenAny(ender, canceller).Within();
        await Task.WhenAll(ender, canceller).Within();
    }

    /// <summary>
    /// Starts a wait while its token is being cancelled. Nothing else ends it, so it must be cancelled;
    /// <paramref name="verify"/> then looks whether the channel took it that way too.
    /// </summary>
    public static async Task CancelWhileStarting<T>(Func<CancellationToken, Task<T>> start, Action<int> verify)
        where T : struct
    {
        CancellationTokenSource source = new();
        int go = 0;
        int done = 0;
        Task canceller = Crew.Run(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                WaitFor(ref go, round);
                Thread.SpinWait(round % 8);
                source.Cancel();
                Volatile.Write(ref done, round);
            }
        });
        Task starter = Crew.Run(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                source = new CancellationTokenSource();
                Volatile.Write(ref go, round);
                Thread.SpinWait(round % 32);
                Task<T> wait = start(source.Token);
                WaitFor(ref done, round);
                verify(round);
                Check.Equal(null, Outcome(wait, source.Token));
                source.Dispose();
            }
        });
        await await Task.WhenAny(canceller, starter).Within();
        await Task.WhenAll(canceller, starter).Within();
    }

    private static T? Outcome<T>(Task<T> wait, CancellationToken token)
        where T : struct
    {
        try
        {
            return wait.Within().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException e)
        {
            Check.Equal(token, e.CancellationToken);
            return null;
        }
    }

    private static void WaitFor(ref int word, int value)
    {
        Spin spin = default;
        while (Volatile.Read(ref word) != value)
        {
            spin.Once();
        }
    }
}
