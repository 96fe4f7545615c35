using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>An fj_run: native/src/queue_calls.h has the same fields. It is there as long as its worker's thread.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RunState
{
    public nint Worker;
    public void* ThreadState;
    public fj_work* Work;
    public void* State;
    public Kept* Kept;
    public nint Result; // a Kept; exchanged, because the job may have several threads
    public long Number;
    public sbyte* IdText;
    public int Attempt;
    public int Cancelled;
    public int Code;
    public int Thread;
}

/// <summary>A worker of a set: its thread's fj_run, and where the engine runs its jobs.</summary>
internal sealed unsafe class CWorker
{
    private GCHandle _handle;

    public CWorker(RunSlot slot)
    {
        Slot = slot;
        _handle = GCHandle.Alloc(this);
        Run = (RunState*)NativeMemory.AllocZeroed((nuint)sizeof(RunState));
        Run->Worker = GCHandle.ToIntPtr(_handle);
        Run->Thread = Host.ThreadId();
    }

    public RunSlot Slot { get; }

    public RunState* Run { get; private set; }

    public static CWorker Of(RunState* run) => (CWorker)GCHandle.FromIntPtr(run->Worker).Target!;

    /// <summary>In the worker's thread, last.</summary>
    public void Free()
    {
        NativeMemory.Free(Run);
        Run = null;
        _handle.Free();
    }
}
