using System.Runtime.CompilerServices;

namespace FastJobs.Parking;

/// <summary>
/// A lock for sections of some tens of nanoseconds that many threads enter at every job. Threads that alternate wait for
/// its line, and for those of what it guards, to travel between their cores at every section; so whoever finds it taken
/// steps back for a microsecond or more, in which the other one enters and leaves several times (docs/adr/0005 does the
/// same for a word). Who waits longer waits as at any Lock: there is one inside.
/// </summary>
/// <remarks>A struct, so that the lock statement, which would lock something else, does not compile.</remarks>
internal readonly struct ShortLock()
{
    // Steps of SpinWait, some 40 ns each: 1.3 µs, twice as long each time.
    private const int FirstWait = 32;
    private const int Waits = 3;

    private readonly Lock _lock = new();

    /// <summary>Enters; the scope's end leaves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Scope Hold()
    {
        Enter();
        return new Scope(_lock);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (!_lock.TryEnter())
        {
            StepBack(_lock);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => _lock.Exit();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StepBack(Lock taken)
    {
        for (int wait = 0; wait < Waits && Environment.ProcessorCount > 1; wait++)
        {
            Thread.SpinWait(FirstWait << wait);
            if (taken.TryEnter())
            {
                return;
            }

            Thread.Yield(); // its holder, or whoever else has something to do, may be without a core
            if (taken.TryEnter())
            {
                return;
            }
        }

        taken.Enter();
    }

    public readonly ref struct Scope(Lock held)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => held.Exit();
    }
}
