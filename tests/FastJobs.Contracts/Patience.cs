namespace FastJobs.Contracts;

/// <summary>
/// How long a case waits for what must happen. Nothing here makes a case pass: a wait ends as soon as the event comes,
/// and running out of patience is the failure.
/// </summary>
internal static class Patience
{
    /// <summary>For one wait. Generous, because the machine is shared.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);

    /// <summary>For one whole case; long stress runs take minutes.</summary>
    public static readonly TimeSpan Case = TimeSpan.FromSeconds(Stress.IsLong ? 600 : 90);

    public static Task Within(this Task task) => task.WaitAsync(Wait);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Wait);

    public static Task Within(this ValueTask task) => task.AsTask().WaitAsync(Wait);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Wait);
}

/// <summary>A spin that gives up. It yields, but never sleeps: a sleeping millisecond would hide the races.</summary>
internal struct Spin
{
    private SpinWait _spin;
    private long _deadline;

    public void Once()
    {
        long now = Environment.TickCount64;
        _deadline = _deadline == 0 ? now + (long)Patience.Wait.TotalMilliseconds : _deadline;
        if (now > _deadline)
        {
            throw new TimeoutException("spun for longer than any wait may take");
        }

        _spin.SpinOnce(sleep1Threshold: -1);
    }

    /// <summary>After progress: starts to count anew.</summary>
    public void Reset() => this = default;

    public static void Until(Func<bool> condition)
    {
        Spin spin = default;
        while (!condition())
        {
            spin.Once();
        }
    }
}

/// <summary>
/// Threads of their own for cases that spin or block: the pool would add workers too slowly for them.
/// </summary>
internal static class Crew
{
    /// <summary>Runs <paramref name="body"/> once on each of <paramref name="count"/> threads.</summary>
    public static Task Run(int count, Action<int> body) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Run(() => body(i)))).Within();

    /// <summary>Runs the bodies at the same time, each on its own thread.</summary>
    public static Task Run(params Action[] bodies) => Run(bodies.Length, i => bodies[i]());

    /// <summary>Runs <paramref name="body"/> on a thread of its own.</summary>
    public static Task Run(Action body) => Task.Factory.StartNew(
        body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

/// <summary>How large the stress suites are: FASTJOBS_STRESS=1 makes them long.</summary>
internal static class Stress
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("FASTJOBS_STRESS") == "1";

    /// <summary>The short or the long size.</summary>
    public static int Scale(int shortSize, int longSize) => IsLong ? longSize : shortSize;
}
