using System.Runtime.CompilerServices;

namespace FastJobs.Interop;

/// <summary>
/// Calls, jobs that are no more than a function and a closure, as one word in a queue: the sign bit, the number of the
/// function, the address of the closure. So a call costs its lane 8 bytes, and no memory of its own travels to the worker
/// and back. docs/protocols.md#calls.
/// </summary>
/// <remarks>
/// The table is the C layer's, which packs calls too (outbox.h). The number is the function's place in a hash table into
/// which functions are put when they are first called and never taken out: a program calls few. A worker that has claimed
/// the word sees the entry, since the submitter saw or made it before it published the word.
/// </remarks>
internal sealed unsafe class CallTable
{
    private const int ClosureBits = 48; // user space of x86-64 and of arm64 without tags
    private static nint ClosureMask => unchecked((nint)((1UL << ClosureBits) - 1));
    private const int Length = 1024;
    private const int Probes = 16;

    private readonly nint* _functions = Host.CallFunctions();

    /// <summary>Whether a word of a queue is a call; all others are addresses of user space.</summary>
    public static bool IsCall(nint handle) => handle < 0;

    /// <summary>Whether a call can have it: an address of user space, or any other number of 48 bits.</summary>
    public static bool IsClosure(nint closure) => (closure & ~ClosureMask) == 0;

    /// <summary>The closure of a call.</summary>
    public static nint ClosureOf(nint handle) => handle & ClosureMask;

    /// <summary>The function of a call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint FunctionOf(nint handle) => At((int)(handle >> ClosureBits) & (Length - 1));

    /// <summary>
    /// The call as one word, or 0 if it is none: there is no function, the closure is no address of 48 bits, or the table is
    /// full there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Pack(nint function, nint closure)
    {
        int first = (int)((function ^ (function >> 10)) >> 3); // all bits by which functions differ
        int place = first & (Length - 1);
        if (At(place) != function || function == 0)
        {
            place = Find(function, first);
        }

        return place < 0 || !IsClosure(closure) ? 0 : nint.MinValue | ((nint)place << ClosureBits) | closure;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Find(nint function, int first)
    {
        if (function == 0)
        {
            return -1;
        }

        for (int probe = 0; probe < Probes; probe++)
        {
            int place = (first + probe) & (Length - 1);

            // Looks first: a function that is not in its first place comes here with each of its calls, and an exchange would
            // take the line from the workers, who read it for each of theirs.
            nint found = Volatile.Read(ref At(place));
            if (found == 0)
            {
                found = Interlocked.CompareExchange(ref At(place), function, 0);
            }

            if (found == 0 || found == function)
            {
                return place;
            }
        }

        return -1;
    }

    private ref nint At(int place) => ref _functions[place];
}
