namespace FastJobs.Parking;

/// <summary>
/// What a reader does that keeps losing the race for the head word: it steps back, longer each time, and comes back at
/// once when it wins at the first try.
/// </summary>
/// <remarks>
/// Losing means that another reader has just won and is about to come again: the jobs are shorter than the word takes to
/// travel between two cores (some 100 ns), and one reader alone is faster than two. When the winner gets a long job, the
/// loser is back within a microsecond or two. The last step gives the core away, to a submitter perhaps.
/// </remarks>
internal struct Backoff
{
    /// <summary>How often to step back where there is another way.</summary>
    public const int Patience = 8;

    private const int Rounds = 6;

    private int _lost;

    /// <summary>The race was lost.</summary>
    public void Lost()
    {
        if (_lost < Rounds)
        {
            Thread.SpinWait(1 << _lost++);
        }
        else
        {
            Thread.Yield();
            Thread.SpinWait(1 << Rounds);
        }
    }

    /// <summary>An item was claimed at the first try.</summary>
    public void WonAtOnce() => _lost = 0;
}
