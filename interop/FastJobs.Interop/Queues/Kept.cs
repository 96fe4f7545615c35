using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop.Queues;

/// <summary>
/// What stays of a job as long as somebody can see it, if it is more than its work and its state; native/src/queue_calls.h
/// has the same fields. The last of its references to go frees it and gives the state back (fj_host_let_go).
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

    /// <summary>One with room for a result, which is copied in and followed by a 0 byte. One reference.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory.</exception>
    public static Kept* New(fj_work* work, void* state, void* bytes, nuint size)
    {
        nuint most = nuint.MaxValue - (nuint)sizeof(Kept) - 1;
        var kept = (Kept*)(size > most ? throw new OutOfMemoryException() : NativeMemory.Alloc((nuint)sizeof(Kept) + size + 1));
        *kept = new Kept { References = 1, Work = work, State = state };
        if (bytes != null)
        {
            kept->Bytes = kept + 1;
            kept->Size = size;
            NativeMemory.Copy(bytes, kept->Bytes, size);
            ((byte*)kept->Bytes)[size] = 0;
        }

        return kept;
    }
}
