using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>
/// How a thread submits jobs without a locked operation: it puts them in and counts them, until somebody stops the count. Where
/// it puts them are places of its own, in a relaxed lane, from which they are moved on when they are full, or by whoever runs out of
/// jobs (docs/protocols.md#outbox); or slots of the queue, whose tail it has leased (docs/protocols.md#lease). How is the
/// door's: this is what the queue sees.
/// </summary>
/// <remarks>
/// A thread has one, for the queue that it submits to. That queue refers to it until it is not deep or its workers have nothing
/// to do; and each queue to the one of the thread that began a segment last. "With the lock": for places of its own
/// that is <see cref="Lock"/>, for those of a queue the lock of that queue's lease.
/// </remarks>
internal abstract class Outbox<TJob, TSlot>
    where TSlot : struct, ISlot<TJob, TSlot>
{
    /// <summary>How many jobs it gathers.</summary>
    public const int Room = 64;

    /// <summary>Guards what others than the owner do while it gathers, and what the owner does besides putting jobs in.</summary>
    public ShortLock Lock;

    /// <summary>The queue that it gathers for, or null: then it has ended. Changed with the lock.</summary>
    public LaneQueue<TJob, TSlot>? Collector;

    /// <summary>The queue's end when its jobs began to gather: once the head is there they are overdue. Guarded by the lock.</summary>
    public long Since;

    /// <summary>Jobs that the owner has written to a queue itself since it last looked around. The owner's.</summary>
    public int Direct;

    /// <summary>The queue whose tail it has leased, or null: then it has ended. Changed with the lock of that queue's lease.</summary>
    public LaneQueue<TJob, TSlot>? Lessor;

    /// <summary>The position of the first of its places. Changed by the owner with that lock.</summary>
    public long Base;

    [ThreadStatic]
    private static Outbox<TJob, TSlot>? t_mine;

    /// <summary>The calling thread's, or null.</summary>
    public static Outbox<TJob, TSlot>? Mine => t_mine;

    /// <summary>Makes the calling thread's; set once, by a door that has a way to put jobs in. Without it every lane keeps order.</summary>
    public static Func<Outbox<TJob, TSlot>?>? Maker { get; set; }

    public static Outbox<TJob, TSlot>? MakeMine() => t_mine ??= Maker?.Invoke();

    /// <summary>
    /// The owner's, in its thread: ends whatever queue uses the outbox. False: one does again, for writing what was gathered may call
    /// the host, and that may submit.
    /// </summary>
    public bool TryFree()
    {
        // Acquire, both: if there is none, its use has ended. Pairs with EndCollecting and Return.
        Volatile.Read(ref Lessor)?.EndLease();
        Volatile.Read(ref Collector)?.Leave(this);
        return Lessor is null && Collector is null;
    }

    /// <summary>Whether the job is one that its owner could have gathered.</summary>
    public abstract bool Takes(TJob job);

    /// <summary>How many jobs were put in, as far as the caller sees. 0 if none can be.</summary>
    public abstract int Count { get; }

    /// <summary>The owner's, with the lock: jobs may be put in from now on, and stay there. False: not now.</summary>
    public abstract bool TryBegin(LaneQueue<TJob, TSlot> queue);

    /// <summary>The owner's, with the lock: jobs may be put in from now on, into these places of the queue. False: not now.</summary>
    public abstract bool TryBegin(LaneQueue<TJob, TSlot> queue, ref TSlot places, int room);

    /// <summary>The owner's, with the lock: the first so many jobs that it has gathered.</summary>
    public abstract ReadOnlySpan<TJob> Jobs(int count);

    /// <summary>The owner's, with the lock: the jobs that it has gathered were moved.</summary>
    public abstract void Empty();

    /// <summary>The owner's, with the lock: jobs go to these places from now on.</summary>
    public abstract void MoveTo(ref TSlot places, int room);

    /// <summary>With the lock, not by the owner: lets no more jobs in, and returns how many were put in.</summary>
    public abstract int Stop();

    /// <summary>The owner's, with the lock, once it was stopped: whether it had put in so many before.</summary>
    public abstract bool HasCounted(int count);

    /// <summary>With the lock: no more jobs are put in, those that were are somebody else's, and nothing of it may be looked at.</summary>
    public abstract void End();
}
