using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;

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
    public static void LogError(string text) => Log(fj_log_level.FJ_LOG_ERROR, text);

    public static void LogWarning(string text) => Log(fj_log_level.FJ_LOG_WARNING, text);

    private static void Log(fj_log_level level, string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        fixed (byte* start = bytes)
        {
            LogText((int)level, start);
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

    /// <summary>Runs the rest of a thread that jobs or callbacks may end: frames.c.</summary>
    public static void RunThread(Action body) => RunThread(&ThreadBody, GCHandle.ToIntPtr(GCHandle.Alloc(body)));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ThreadBody(nint body)
    {
        var handle = GCHandle.FromIntPtr(body);
        var run = (Action)handle.Target!;
        handle.Free(); // now: it may not come back
        run();
    }

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_run_thread")]
    private static partial void RunThread(delegate* unmanaged[Cdecl]<nint, void> body, nint argument);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_worker_started")]
    public static partial void WorkerStarted(nuint worker);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_worker_ends")]
    public static partial void WorkerEnds();

    /// <summary>Runs a queue's job in the calling thread: the C functions of its work.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_run_job")]
    public static partial void RunJob(Queues.RunState* run);

    /// <summary>A <see cref="Queues.Kept"/>, or null: there is no memory. Frees one, whoever may hold it.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_kept_new")]
    public static partial Queues.Kept* NewKept(fj_work* work, void* state, void* bytes, nuint size);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_kept_free")]
    public static partial void FreeKept(Queues.Kept* kept);

    /// <summary>Lets go of a job that nobody sees any more, or of one hold of it: may call its release function.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_let_go")]
    public static partial void LetGo(nint held, void* state);

    /// <summary>The kernel's id of the calling thread.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_thread_id")]
    [SuppressGCTransition]
    public static partial int ThreadId();

    /// <summary>Appends to a string of misc/ec_string.h. 0, or the errno. May allocate much, so no transition is left out.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_string_append")]
    public static partial int AppendToString(_ec_string* text, byte* bytes, nuint size);

    /// <summary>The worker of calls that were made jobs.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_call_worker")]
    public static partial nint CallWorker();

    /// <summary>Takes jobs out of a hand and runs them: hand.c.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_run_hand")]
    public static partial HandEnd RunHand(OwnedCount* count, void* jobs, WorkerNow* now, nint* taken);

    /// <summary>The functions of calls by their numbers; null: none has it yet. Never moves.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_call_functions")]
    public static partial nint* CallFunctions();

    /// <summary>Makes the memory of the calling thread's outbox. False: it can have none.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_outbox_make")]
    [return: MarshalAs(UnmanagedType.I4)]
    public static partial bool MakeOutbox();

    /// <summary>
    /// The calling thread's outbox, which from now on collects for the class, or puts words into these places; null: it can have none.
    /// </summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_outbox_begin")]
    public static partial CallOutbox.Native* BeginOutbox(int jobClass, void* places, int room);

    /// <summary>No more is put in.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_outbox_end")]
    public static partial void EndOutbox(CallOutbox.Native* outbox);

    /// <summary>Whether FASTJOBS_CHECK asks for checks, of memory and of jobs.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_check_wanted")]
    public static partial int IsCheckWanted();

    /// <summary>Writes a line to the standard error, for what no caller is there to hear.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_warn", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Warn(string text);
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_log")]
    private static partial void LogText(int level, byte* text);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_set_error")]
    private static partial void SetErrorText(int code, byte* text);
}

/// <summary>Why the C layer stopped to run the jobs of a hand: enum fj_hand_end of hand.h.</summary>
internal enum HandEnd
{
    /// <summary>There is none left.</summary>
    Empty,

    /// <summary>One was taken and has not run: it is not simple.</summary>
    Taken,

    /// <summary>One was taken, and the hand was stopped at that time, or before.</summary>
    Stopped,

    /// <summary>The worker of one has returned, and more has to be done for it.</summary>
    Returned,
}
