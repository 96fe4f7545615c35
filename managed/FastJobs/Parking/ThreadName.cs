using System.Runtime.InteropServices;
using System.Text;

namespace FastJobs.Parking;

/// <summary>
/// Gives the calling thread its name in the system's own listings (/proc/PID/task/TID/comm): under NativeAOT
/// <see cref="Thread.Name"/> does not reach them. Linux keeps 15 bytes.
/// </summary>
internal static unsafe partial class ThreadName
{
    private const int SetName = 15; // PR_SET_NAME
    private const int MaxBytes = 15;

    public static void Set(string name)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        string shortName = Shorten(name);
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(MaxBytes) + 1];
        bytes[Encoding.UTF8.GetBytes(shortName, bytes)] = 0;
        fixed (byte* text = bytes)
        {
            Control(SetName, (nint)text, 0, 0, 0);
        }
    }

    // A long lane name loses letters before its worker number does.
    private static string Shorten(string name)
    {
        int dash = name.LastIndexOf('-');
        dash = dash < 0 ? name.Length : dash;
        int kept = dash;
        while (kept > 0 && Encoding.UTF8.GetByteCount(name.AsSpan(0, kept)) + (name.Length - dash) > MaxBytes)
        {
            kept -= char.IsLowSurrogate(name[kept - 1]) && kept > 1 ? 2 : 1;
        }

        return string.Concat(name.AsSpan(0, kept), name.AsSpan(dash));
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nint argument2, nint argument3, nint argument4, nint argument5);
}
