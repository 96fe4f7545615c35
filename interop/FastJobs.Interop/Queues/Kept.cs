using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop.Queues;

/// <summary>
/// What stays of a job as long as somebody can see it, if it is more than its work and its state; native/src/queue_calls.h
/// has the same fields, and queue_kept.c makes them. The last of its references to go frees it and gives the state back (fj_host_let_go).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Kept
{
    public int References;
    public int Code;
    public fj_work* Work;
    public void* State;
    public void* Bytes;
    public nuint Size;
    public Kept* More;

    /// <summary>One without a result. One reference.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory.</exception>
    public static Kept* New(fj_work* work, void* state)
    {
        Kept* kept = Host.NewKept(work, state, null, 0);
        return kept != null ? kept : throw new OutOfMemoryException();
    }

    /// <summary>There is none, until a job sets one again.</summary>
    public static void ForgetResult(Kept* kept)
    {
        kept->Bytes = null;
        kept->Size = 0;
        kept->Code = 0;
        Host.FreeKept(kept->More);
        kept->More = null;
    }
}
