using System.Runtime.InteropServices;

namespace FastJobs.Parking;

/// <summary>
/// The time since the machine's start in milliseconds, up to some milliseconds old: the kernel's last tick, which costs a
/// third of an exact reading and, unlike that, does not wait for what the processor has under way.
/// </summary>
internal static unsafe partial class CoarseClock
{
    private const int MonotonicCoarse = 6;

    /// <summary>Never later than <see cref="Environment.TickCount64"/>, which counts from the same moment.</summary>
    public static long Milliseconds
    {
        get
        {
            if (!OperatingSystem.IsLinux())
            {
                return Environment.TickCount64;
            }

            TimeSpec now;
            _ = GetTime(MonotonicCoarse, &now);
            return ((long)now.Seconds * 1000) + (long)((ulong)now.Nanoseconds / 1_000_000);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int GetTime(int clock, TimeSpec* time);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
