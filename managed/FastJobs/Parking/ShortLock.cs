using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastJobs.Parking;

/// <summary>
/// A lock for sections of some tens of nanoseconds that many threads enter at every job. Threads that alternate wait for
/// its line, and for those of what it guards, to travel between their cores at every section; so whoever finds it taken
/// steps back for a microsecond or more, in which the other one enters and leaves several times (docs/adr/0005 does the
/// same for a word). Who waits longer sleeps.
/// </summary>
/// <remarks>
/// A word beside what it guards, and one interlocked operation to enter and one to leave: the runtime's own lock looks up
/// the calling thread in both, which costs more than such a section. So it does not know its holder: it is not entered
/// twice, and only its holder leaves. A struct, to be in the object of what it guards: never copy it, and never make the
/// field readonly, which would.
/// </remarks>
internal struct ShortLock
{
    private const int Free = 0;
    private const int Held = 1;

    // Held, and somebody may sleep until it is left.
    private const int Awaited = 2;

    // Steps of SpinWait, some 40 ns each: 1.3 µs, twice as long each time.
    private const int FirstWait = 32;
    private const int Waits = 3;

    private int _word;
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
        // Full fence, and acquires what the last holder wrote; pairs with the exchange in Exit.
        if (Interlocked.CompareExchange(ref _word, Held, Free) != Free)
        {
            StepBack();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit()
    {
        // Full fence, and releases. Whoever says that it sleeps either does so before this, and is woken, or finds it free.
        if (Interlocked.Exchange(ref _word, Free) == Awaited)
        {
            WakeOne();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StepBack()
    {
        if (!TryEnterSoon(Held))
        {
            Sleep();
        }
    }

    private bool TryEnterSoon(int held)
    {
        for (int wait = 0; wait < Waits && Environment.ProcessorCount > 1; wait++)
        {
            Thread.SpinWait(FirstWait << wait);
            if (TryEnter(held))
            {
                return true;
            }

            Thread.Yield(); // its holder, or whoever else has something to do, may be without a core
            if (TryEnter(held))
            {
                return true;
            }
        }

        return false;
    }

    private bool TryEnter(int held) =>
        Volatile.Read(ref _word) == Free && Interlocked.CompareExchange(ref _word, held, Free) == Free;

    // Whoever has slept enters with Awaited, because others may sleep too: leaving, it wakes the next one, or nobody. That
    // must happen although it is interrupted, so an interrupt has to wait.
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
                    if (Interlocked.Exchange(ref _word, Awaited) == Free)
                    {
                        break;
                    }

                    // The holder, which leaves after the exchange, sees it and needs the monitor to wake: not before this.
                    Monitor.Wait(sleepers);
                }
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        }
        while (!TryEnterSoon(Awaited));

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

    private readonly void WakeOne()
    {
        bool interrupted = false;
        for (bool woken = false; !woken;)
        {
            try
            {
                lock (_sleepers!)
                {
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
