namespace FastJobs.Lanes;

/// <summary>The lanes that every engine has: their order is their job class, their settings are the original's.</summary>
internal static class PredefinedLanes
{
    /// <summary>In place of a job class: threads that lanes share.</summary>
    public const int Shared = -5;

    public const int Cpu = 0;
    public const int IO = 1;

    public static IReadOnlyList<(string Name, int Concurrency, int Backlog)> All { get; } =
    [
        ("CPU", 4, 0),
        ("IO", 50, 0),
        ("SwapOut", 5, 0),
        ("SwapIn", 5, 0),
        ("Close", 0, 0),
        ("Unlink", 6, 100),
        ("Batch_Unlink", 4, 0),
        ("SpoolIn", 1, 0),
        ("Async_Bounce", 4, 0),
        ("Sieve_IO", 10, 0),
    ];
}
