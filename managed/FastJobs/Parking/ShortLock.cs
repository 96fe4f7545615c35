using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastJobs.Parking;

/// <summary>
/// A lock for sections of some tens of nanoseconds that many threads enter at every job. Threads that alternate wait for
/// its line, and for those of what it guards, to travel between their cores at every section; so whoever finds it taken
/// steps back for a microsecond or more, and goes on doing so while the other one uses the time to enter and leave several
/// times (docs/adr/0005 does the same for a word). Who waits longer sleeps. docs/protocols.md#short-lock.
/// </summary>
/// <remarks>
/// A word beside what it guards, one interlocked operation to enter, and a store to leave: the runtime's own lock looks up
/// the calling thread in both, which costs more than such a section, and a locked operation waits for all that the section
/// has stored. Leaving is no fence. It does not know its holder: it is not entered twice, and only its holder leaves. A
/// struct, to be in the object of what it guards: never copy it, and never make the field readonly, which would.
/// </remarks>
internal struct ShortLock
{
    private const int Free = 0;
    private const int Held = 1;

    // Steps of SpinWait, some 40 ns each: 1.3 µs, twice as long each time.
    private const int FirstWait = 32;
    private const int Waits = 3;

    // Holds in a first wait: with fewer there is nothing to gain by waiting on.
    private const int Quick = 4;
    private const int LongestTurn = 8;

    private int _word;
    private int _holds;
    private bool _awaited; // somebody may sleep until it is left; set by whoever does, cleared with the monitor
    private object? _sleepers; // a monitor, made when it is first needed

    /// <summary>Enters; the scope's end leaves.</summary>
    [UnscopedRef]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Scope Hold()
    {
        Enter();
        return new Scope(ref this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        // Full fence, and acquires what the last holder wrote; pairs with the release in Exit.
        if (Interlocked.CompareExchange(ref _word, Held, Free) != Free)
        {
            StepBack();
        }

        _holds++; // by the holder alone; the others look how it grows
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit()
    {
        // Releases. What keeps this store before the look is in Sleep: a barrier in every thread, paid for by those who sleep.
        Volatile.Write(ref _word, Free);
        if (Volatile.Read(ref _awaited))
        {
            WakeOne();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StepBack()
    {
        if (!TryEnterSoon())
        {
            Sleep();
        }
    }

    private bool TryEnterSoon()
    {
        for (int wait = 0; wait < Waits && Environment.ProcessorCount > 1; wait++)
        {
            if (wait == 0)
            {
                LetGoOn();
            }
            else
            {
                Thread.SpinWait(FirstWait << wait);
            }

            if (TryEnter())
            {
                return true;
            }

            Thread.Yield(); // its holder, or whoever else has something to do, may be without a core
            if (TryEnter())
            {
                return true;
            }
        }

        return false;
    }

    // Whoever holds it is alone now and quick: it is left alone as long as it is, for up to 10 µs.
    private void LetGoOn()
    {
        int before = Volatile.Read(ref _holds);
        for (int turn = 0; turn < LongestTurn; turn++)
        {
            Thread.SpinWait(FirstWait);
            int now = Volatile.Read(ref _holds);
            if (now - before < Quick)
            {
                return;
            }

            before = now;
        }
    }

    private bool TryEnter() =>
        Volatile.Read(ref _word) == Free && Interlocked.CompareExchange(ref _word, Held, Free) == Free;

    // Whoever has slept sets the flag when it has entered, because others may sleep too: leaving, it wakes the next one, or
    // nobody. That must happen although it is interrupted, so an interrupt has to wait.
    private void Sleep()
    {
        object sleepers = Volatile.Read(ref _sleepers) ?? MakeSleepers();
        bool interrupted = false;
        do
        {
            try
            {
                lock (sleepers)
                {
                    Volatile.Write(ref _awaited, true);

                    // After this a holder that leaves finds the flag, or its word is seen here. Whoever finds the flag needs
                    // the monitor to wake: not before the wait.
                    Interlocked.MemoryBarrierProcessWide();
                    if (TryEnter())
                    {
                        break;
                    }

                    Monitor.Wait(sleepers);
                }
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        }
        while (!TryEnterSoon());

        Volatile.Write(ref _awaited, true); // seen by this thread itself as it leaves
        if (interrupted)
        {
            Thread.CurrentThread.Interrupt();
        }
    }

    private object MakeSleepers()
    {
        var made = new object();
        return Interlocked.CompareExchange(ref _sleepers, made, null) ?? made;
    }

    private void WakeOne()
    {
        bool interrupted = false;
        for (bool woken = false; !woken;)
        {
            try
            {
                lock (_sleepers!)
                {
                    Volatile.Write(ref _awaited, false);
                    Monitor.Pulse(_sleepers);
                    woken = true;
                }
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        }

        if (interrupted)
        {
            Thread.CurrentThread.Interrupt();
        }
    }

    public readonly ref struct Scope
    {
        private readonly ref ShortLock _held;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Scope(ref ShortLock held) => _held = ref held;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => _held.Exit();
    }
}
