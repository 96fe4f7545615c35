using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>What C programs see of a queue. An fj_queue is a handle of one of these; it has as many as there are references.</summary>
internal sealed unsafe class CQueue
{
    private byte[]? _name;
    private byte[]? _description;

    public CQueue(QueueCore core, int expireMilliseconds)
    {
        Core = core;
        Expiry = expireMilliseconds > 0 ? TimeSpan.FromMilliseconds(expireMilliseconds) : null;
        core.Facade = this;
    }

    public QueueCore Core { get; }

    /// <summary>So long after their end its jobs disappear, if they were not queued with another time.</summary>
    public TimeSpan? Expiry { get; }

    /// <summary>For C, valid as long as this object. Made when it is first asked for: most queues need none.</summary>
    public sbyte* Name => Pinned(ref _name, Core.Name);

    public sbyte* Description => Pinned(ref _description, Core.Description);

    public nint NewHandle() => GCHandle.ToIntPtr(GCHandle.Alloc(this));

    /// <summary>The queue of a reference that is not NULL.</summary>
    public static CQueue Of(nint handle) => Unsafe.As<CQueue>(GCHandle.FromIntPtr(handle).Target!);

    /// <summary>The queue of a reference. False: it is NULL or the queue is gone, and the error is set.</summary>
    public static bool TryGet(nint handle, string function, out CQueue queue)
    {
        queue = null!;
        if (handle == 0)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the queue is NULL");
        }

        queue = Of(handle);
        return !queue.Core.IsGone || QueueErrors.Gone(queue.Core.Name);
    }

    public static void Release(nint handle) => GCHandle.FromIntPtr(handle).Free();

    private static sbyte* Pinned(ref byte[]? cached, string text)
    {
        byte[]? bytes = Volatile.Read(ref cached);
        if (bytes is null)
        {
            byte[] encoded = NameText.Encode(text);
            bytes = GC.AllocateUninitializedArray<byte>(encoded.Length, pinned: true);
            encoded.CopyTo(bytes, 0);
            bytes = Interlocked.CompareExchange(ref cached, bytes, null) ?? bytes; // the first stays: it may be in use
        }

        return (sbyte*)Unsafe.AsPointer(ref bytes[0]);
    }
}
