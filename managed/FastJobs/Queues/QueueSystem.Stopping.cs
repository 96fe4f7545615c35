using FastJobs.Lanes;

namespace FastJobs.Queues;

/// <summary>The end of queues that stand alone. Those of a JobEngine end with its lanes: JobEngine.StopAsync.</summary>
internal sealed partial class QueueSystem
{
    private readonly List<Thread> _insiders = []; // of jobs of this set that stop it; guards itself
    private QuietWatch? _quiet;
    private QuietWatch? _quietInside;

    /// <summary>Something is over: looks whether a stop waited for it.</summary>
    public void Look()
    {
        Volatile.Read(ref _quiet)?.Look();
        Volatile.Read(ref _quietInside)?.Look();
    }

    /// <summary>
    /// Takes no more jobs and runs those there are, in pauses too; when the time is over discards those that wait and cancels
    /// those that run; waits until the threads have ended. A job of the set waits neither for itself nor for others that
    /// stop it too.
    /// </summary>
    /// <param name="timeoutMilliseconds">How long jobs may run; -1: without end.</param>
    /// <returns>How many were discarded.</returns>
    public long Stop(int timeoutMilliseconds)
    {
        bool inside = ReferenceEquals(RunSlot.Current?.System, this);
        QuietWatch quiet;
        lock (_insiders)
        {
            if (inside)
            {
                _insiders.Add(Thread.CurrentThread);
            }

            if (_quiet is null)
            {
                Volatile.Write(ref _quiet, new QuietWatch(() => IsQuiet(0)));
                Volatile.Write(ref _quietInside, new QuietWatch(() => IsQuiet(Insiders())));
            }

            quiet = inside ? _quietInside! : _quiet;
        }

        try
        {
            Close();
            long discarded = StopJobs(quiet, timeoutMilliseconds, inside ? RunSlot.Current!.Queue : null);

            foreach (Thread thread in End(leaveRunning: true))
            {
                while (!thread.Join(20) && !IsInsider(thread))
                {
                }
            }

            return discarded;
        }
        finally
        {
            if (inside)
            {
                lock (_insiders)
                {
                    _insiders.Remove(Thread.CurrentThread);
                }
            }
        }
    }

    // A job that stops the set lends its place: those behind it in its queue are among those that are waited for.
    private long StopJobs(QuietWatch quiet, int timeoutMilliseconds, QueueCore? lent)
    {
        lent?.Lend(1);
        try
        {
            // Without any time nothing may start, least of all what waits in a pause, so the resume comes after.
            long discarded = timeoutMilliseconds == 0 ? Discard() : 0;
            ResumeForGood();
            Look();
            if (quiet.WaitUntilQuiet(timeoutMilliseconds))
            {
                return discarded;
            }

            discarded += Discard();
            quiet.WaitUntilQuiet(Timeout.Infinite);
            return discarded;
        }
        finally
        {
            lent?.Lend(-1);
        }
    }

    /// <summary>Stops without waiting; the results that nobody has collected are gone.</summary>
    public void Abandon()
    {
        Close();
        Discard();
        End(leaveRunning: true);
        foreach (QueueCore queue in List())
        {
            queue.Abandon();
        }
    }

    private bool IsQuiet(int own)
    {
        long over = Volatile.Read(ref _over) + own;
        Interlocked.MemoryBarrier(); // what is over was begun before: docs/protocols.md#drain
        return over >= Volatile.Read(ref _begun);
    }

    private int Insiders()
    {
        lock (_insiders)
        {
            return _insiders.Count;
        }
    }

    private bool IsInsider(Thread thread)
    {
        lock (_insiders)
        {
            return _insiders.Contains(thread);
        }
    }
}
