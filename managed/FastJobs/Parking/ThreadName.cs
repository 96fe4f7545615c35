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

        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(Shorten(name).Length) + 1];
        int length = Math.Min(Encoding.UTF8.GetBytes(Shorten(name), bytes), MaxBytes);
        bytes[length] = 0;
        fixed (byte* text = bytes)
        {
            Control(SetName, (nint)text, 0, 0, 0);
        }
    }

    // A long lane name loses letters before its worker number does.
    private static string Shorten(string name)
    {
        int dash = name.LastIndexOf('-');
        return name.Length <= MaxBytes || dash < 0
            ? name
            : string.Concat(name.AsSpan(0, Math.Max(0, Math.Min(dash, MaxBytes - (name.Length - dash)))), name.AsSpan(dash));
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Control(int option, nint argument2, nint argument3, nint argument4, nint argument5);
}
