namespace FastJobs.Parking;

/// <summary>
/// How long a worker without a job looks before it sleeps. Waking a sleeper costs the submitter a system call and the
/// job 5 to 50 µs; a virtual core that halts costs more. With one processor nobody spins: the submitter needs it.
/// </summary>
internal static class Spinning
{
    /// <summary>Looks at the queue before parking; some 20 µs in all.</summary>
    public static readonly int Limit = Environment.ProcessorCount > 1 ? 400 : 0;

    /// <summary>Looks that a worker takes before it says that it searches, so that jobs that follow close on one another
    /// do not cost it and their submitter the word in which it says so.</summary>
    public const int Lingers = 6;

    /// <summary>
    /// After so many looks a worker that searches offers its core: the thread that it waits for, or the one that it has just
    /// woken, may need it, and would get it only when the search is over.
    /// </summary>
    public const int LooksATurn = 32;

    /// <summary>Looks that a submitter takes before it wakes a worker.</summary>
    public static readonly int SubmitterLooks = Environment.ProcessorCount > 1 ? 8 : 0;

    /// <summary>Jobs that a lane on shared threads may run in one while others wait for it, unless they take so long.</summary>
    public const int JobsATurn = 32;

    public const int MillisecondsATurn = 1;

    /// <summary>How many workers of a set look at once; one more would only take a core from those who work.</summary>
    public static readonly int MaxSearchers = Math.Clamp(Environment.ProcessorCount / 2, 1, 8);

    public static void Once() => Thread.SpinWait(1);
}

/// <summary>
/// How long a worker waits that found no job right after one. Where jobs come one by one it looks again soon. In a dense
/// stream it lets some more come: taking them one by one as they come makes the lines that it shares with the submitters
/// travel at every job, and costs both more than the job.
/// </summary>
internal struct Linger
{
    private const int Shortest = 3;
    private const int Longest = 48;
    private const int Dense = 4;

    private int _steps;
    private int _found;

    /// <summary>A job was found.</summary>
    public void Found() => _found++;

    /// <summary>No job was found: waits.</summary>
    public void Wait()
    {
        _steps = _found >= Dense ? Math.Min(_steps * 2, Longest) : _steps / 2;
        _steps = Math.Max(_steps, Shortest);
        _found = 0;
        Thread.SpinWait(_steps);
    }
}
