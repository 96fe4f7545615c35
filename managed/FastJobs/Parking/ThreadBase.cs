namespace FastJobs.Parking;

/// <summary>
/// Under what a thread of the engine runs that executes code of the host. A door whose code may end the thread below frames of the
/// engine sets <see cref="Runner"/>, so that it hears of that before these frames are overwritten.
/// </summary>
internal static class ThreadBase
{
    /// <summary>Runs what it is given in the calling thread. Set once, before there are threads; null: it is called.</summary>
    public static Action<Action>? Runner { get; set; }

    public static void Run(Action body)
    {
        if (Runner is { } runner)
        {
            runner(body);
        }
        else
        {
            body();
        }
    }
}
