using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>
/// One of a worker set: a thread, or, in a set that shares the threads of another one, the right to run jobs in one of
/// them; and its figures. The counters are written by one thread at a time and read by anyone, so counting a job costs a
/// plain add.
/// </summary>
internal sealed class Worker : IDisposable
{
    private readonly WorkerNow[] _now = GC.AllocateArray<WorkerNow>(2 * NowsApart + 1, pinned: true); // the one in the middle
    private long _busyTicks;
    private long _busySince; // a timestamp, or 0 while idle
    private object? _work; // what ran last, or null while idle

    // So far that no other object is on the lines of the one in the middle.
    private const int NowsApart = 6;

    public unsafe Worker(IWorkerHost host, int number, bool ownsThread)
    {
        Host = host;
        Now = (WorkerNow*)Unsafe.AsPointer(ref _now[NowsApart]);
        CurrentKind = NoKind;
        Number = number;
        Parker = ownsThread ? new Parker() : null;
    }

    [ThreadStatic]
    private static Worker? t_current;

    /// <summary>The worker whose thread this is, or null.</summary>
    public static Worker? Current
    {
        get => t_current;
        set => t_current = value;
    }

    public IWorkerHost Host { get; }

    /// <summary>Unique in the worker set.</summary>
    public int Number { get; }

    /// <summary>Where its thread sleeps; null if it has none of its own.</summary>
    public Parker? Parker { get; }

    /// <summary>
    /// Without a thread of its own: whether it counts as a searcher when it is resumed. Written before it is handed to the
    /// shared set, by whoever does so.
    /// </summary>
    public bool ResumesSearching { get; set; }

    /// <summary>In a shared set: the worker of another set that runs in this thread now.</summary>
    public Worker? Guest { get; set; }

    public Thread? Thread { get; set; }

    /// <summary>The thread that runs its jobs, or did last; not its own if it shares threads. That thread's to write.</summary>
    public Thread? Runner { get; set; }

    /// <summary>What native code writes too that runs jobs for it. Does not move.</summary>
    public unsafe WorkerNow* Now { get; }

    /// <summary>What kind of job runs now; for listings. The meaning is the job ops'.</summary>
    public unsafe ref nint CurrentKind => ref Now->Kind;

    public unsafe ref int CurrentLine => ref Now->Line;

    /// <summary>What a managed job is made of while it runs, otherwise null; for listings.</summary>
    public object? CurrentWork => Volatile.Read(ref CurrentKind) == NoKind ? null : Volatile.Read(ref _work);

    /// <summary>The position of the job that it claimed last; for one that waited before the queue <see cref="NoPosition"/>.</summary>
    public long Position;

    /// <summary>When that one was submitted, in Stopwatch ticks.</summary>
    public long SubmittedAt;

    public const long NoPosition = -1;

    /// <summary>No job runs that a listing could show.</summary>
    public const nint NoKind = -1;

    private const nint ManagedKind = 0;

    /// <summary>Its name as the owner of the one hand; 0: it has none. Guarded by its worker set's lock.</summary>
    public int HandName { get; set; }

    /// <summary>Set with its worker set's lock before an unpark that means "end".</summary>
    public bool EndRequested { get; set; }

    /// <summary>What the job in hand has to give back if it ends the thread; 0: nothing. The meaning is the job ops'.</summary>
    public nint CurrentSlot;

    /// <summary>Jobs that ended in this worker.</summary>
    public unsafe long Jobs => Volatile.Read(ref Now->Jobs);

    public bool IsBusy => Volatile.Read(ref _busySince) != 0;

    /// <summary>A managed job made of this begins. To store a reference costs more than the rest, and often it is there already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Begin(object work)
    {
        if (!ReferenceEquals(_work, work))
        {
            Volatile.Write(ref _work, work);
        }

        Volatile.Write(ref CurrentKind, ManagedKind); // release; pairs with CurrentWork
    }

    /// <summary>The managed job is over.</summary>
    public void End() => Volatile.Write(ref CurrentKind, NoKind);

    // Release: whoever sees the count sees what the job wrote; pairs with Jobs.
    public unsafe void CountJob() => Volatile.Write(ref Now->Jobs, Now->Jobs + 1);

    public void BecomeBusy() => Volatile.Write(ref _busySince, Stopwatch.GetTimestamp());

    public void BecomeIdle()
    {
        long since = _busySince;
        if (since != 0)
        {
            Volatile.Write(ref _busyTicks, _busyTicks + Stopwatch.GetTimestamp() - since);
            Volatile.Write(ref _busySince, 0);
            _work = null; // it is kept alive no longer than that
        }
    }

    /// <summary>Time spent running jobs, in Stopwatch ticks, up to <paramref name="now"/>.</summary>
    public long BusyTicks(long now)
    {
        long since = Volatile.Read(ref _busySince);
        return Volatile.Read(ref _busyTicks) + (since == 0 ? 0 : Math.Max(0, now - since));
    }

    public void Dispose() => Parker?.Dispose();
}

/// <summary>What a worker counts, and what it shows of the job that it runs. Laid out as struct fj_worker_now of hand.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WorkerNow
{
    public long Jobs;
    public nint Kind;
    public int Line;
}

/// <summary>The worker set, as its workers' jobs see it.</summary>
internal interface IWorkerHost
{
    WorkerSetSettings Settings { get; }

    int LaneId { get; }

    /// <summary>The lane whose jobs the workers run.</summary>
    object? Owner { get; }

    /// <summary>The queue of the set whose threads the workers use; null: they have their own.</summary>
    SharedQueue? Shared { get; }

    /// <summary>Runs the jobs of a worker without a thread of its own in the calling thread, for a while.</summary>
    void RunGuest(Worker worker);

    /// <summary>A job ended its thread: another worker takes its place.</summary>
    /// <returns>The worker whose job it was, for what that has to give back.</returns>
    Worker? OnWorkerKilled(int number);

    /// <summary>A job keeps its slot although its thread is free: docs/protocols.md#hold.</summary>
    void Hold();

    /// <summary>Gives a held slot back and counts the job.</summary>
    void Release();
}
