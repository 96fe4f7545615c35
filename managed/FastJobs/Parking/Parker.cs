using System.Runtime.InteropServices;

namespace FastJobs.Parking;

/// <summary>
/// Puts one thread to sleep until it is unparked. An unpark that comes first is kept, so none is lost; a second one
/// before the thread parks again adds nothing. One thread parks; any thread unparks.
/// </summary>
/// <remarks>
/// On Linux the word is a futex, which makes an unpark one system call, or none when the thread is awake; elsewhere a
/// monitor. The word is native memory because the kernel needs an address that does not move.
/// </remarks>
internal sealed unsafe class Parker : IDisposable
{
    private const int Empty = 0;
    private const int Notified = 1;
    private const int Parked = -1;

    private readonly object? _monitor;
    private int* _word;

    public Parker()
    {
        _word = (int*)NativeMemory.AlignedAlloc(64, 64);
        *_word = Empty;
        _monitor = Futex.IsSupported ? null : new object();
    }

    ~Parker() => NativeMemory.AlignedFree(_word);

    /// <summary>Sleeps until unparked. False: <paramref name="timeoutMilliseconds"/> passed first (-1: never).</summary>
    public bool Park(int timeoutMilliseconds)
    {
        // Full fence. Acquires what the unparker wrote; pairs with the exchange in Unpark.
        if (Interlocked.Decrement(ref *_word) == Empty)
        {
            return true;
        }

        long deadline = timeoutMilliseconds < 0 ? long.MaxValue : Environment.TickCount64 + timeoutMilliseconds;
        while (true)
        {
            long left = timeoutMilliseconds < 0 ? -1 : Math.Max(0, deadline - Environment.TickCount64);
            Sleep(left);
            if (Interlocked.CompareExchange(ref *_word, Empty, Notified) == Notified)
            {
                return true;
            }

            if (left == 0)
            {
                // An unpark may come between the look above and this exchange: then it is consumed, not lost.
                return Interlocked.Exchange(ref *_word, Empty) == Notified;
            }
        }
    }

    public void Unpark()
    {
        // Full fence. Releases what the caller wrote; pairs with the decrement in Park.
        if (Interlocked.Exchange(ref *_word, Notified) != Parked)
        {
            return;
        }

        if (_monitor is null)
        {
            Futex.WakeOne(_word);
            return;
        }

        lock (_monitor)
        {
            Monitor.Pulse(_monitor);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_word);
        _word = null;
        GC.SuppressFinalize(this);
    }

    private void Sleep(long milliseconds)
    {
        if (_monitor is null)
        {
            Futex.Wait(_word, Parked, milliseconds);
            return;
        }

        lock (_monitor)
        {
            if (Volatile.Read(ref *_word) == Parked)
            {
                Monitor.Wait(_monitor, milliseconds < 0 ? Timeout.Infinite : (int)milliseconds);
            }
        }
    }
}

/// <summary>The two futex operations that a parker needs.</summary>
internal static unsafe partial class Futex
{
    private const int WaitPrivate = 0 | 128;
    private const int WakePrivate = 1 | 128;

    public static bool IsSupported { get; } = OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    private static readonly nint s_call = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 202 : 98;

    /// <summary>Sleeps while the word is <paramref name="expected"/>; may wake for no reason.</summary>
    public static void Wait(int* word, int expected, long milliseconds)
    {
        var timeout = new TimeSpec { Seconds = (nint)(milliseconds / 1000), Nanoseconds = (nint)(milliseconds % 1000 * 1_000_000) };
        SystemCall(s_call, word, WaitPrivate, expected, milliseconds < 0 ? null : &timeout);
    }

    public static void WakeOne(int* word) => SystemCall(s_call, word, WakePrivate, 1, null);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, int* word, nint operation, nint value, TimeSpec* timeout);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
