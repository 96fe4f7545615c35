using System.Runtime.InteropServices;
using System.Text;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>The C layer that the library is linked with (native/src), as the engine calls it.</summary>
internal static unsafe partial class Host
{
    /// <summary>Sets the calling thread's last error.</summary>
    public static void SetError(fj_error code, string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        Encoding.UTF8.TryGetBytes(text.AsSpan(0, Math.Min(text.Length, 80)), bytes[..^1], out int written);
        if (text.Length > 80)
        {
            // Long texts: as much as fits the C side's buffer, never half a character.
            Encoding.UTF8.GetEncoder().Convert(text, bytes[..^1], true, out _, out written, out _);
        }

        bytes[written] = 0;
        fixed (byte* start = bytes)
        {
            SetErrorText((int)code, start);
        }
    }

    /// <summary>Hands a text to the host's log function, if it has set one.</summary>
    public static void LogError(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        fixed (byte* start = bytes)
        {
            LogErrorText(start);
        }
    }

    // Short and without a callback, so these need no transition that lets a collection proceed meanwhile.
    [LibraryImport("fastjobs_c", EntryPoint = "ec_free")]
    [SuppressGCTransition]
    public static partial void Free(int memoryType, void* memory);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_sem_trywait")]
    [SuppressGCTransition]
    public static partial int TryWait(void* semaphore);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_sem_post")]
    public static partial void Post(void* semaphore);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_before_thread_start")]
    public static partial void BeforeThreadStart();

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_after_thread_start")]
    public static partial void AfterThreadStart();

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_worker_started")]
    public static partial void WorkerStarted(nuint worker);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_worker_ends")]
    public static partial void WorkerEnds();

    /// <summary>Appends to a string of misc/ec_string.h. 0, or the errno. May allocate much, so no transition is left out.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_string_append")]
    public static partial int AppendToString(_ec_string* text, byte* bytes, nuint size);

    /// <summary>Whether FASTJOBS_CHECK asks for checks, of memory and of jobs.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_check_wanted")]
    public static partial int IsCheckWanted();

    /// <summary>Writes a line to the standard error, for what no caller is there to hear.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_warn", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Warn(string text);
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_log_error")]
    private static partial void LogErrorText(byte* text);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_set_error")]
    private static partial void SetErrorText(int code, byte* text);
}
