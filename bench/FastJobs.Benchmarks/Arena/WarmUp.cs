namespace FastJobs.Benchmarks.Arena;

/// <summary>
/// Runs what is measured until the JIT is done with it. It compiles a method when it is called first, again after some
/// thirty calls, with counters that all threads write to, and a third time with what these say; each time only after a tenth
/// of a second in which nothing new was called. The BCL's own methods begin at the second step, as they are compiled already.
/// </summary>
internal static class WarmUp
{
    private const int Rounds = 8;

    public static void Run(Action exchange)
    {
        for (int round = 0; round < Rounds; round++)
        {
            exchange();
            Thread.Sleep(120);
        }
    }
}
