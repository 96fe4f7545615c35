using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>
/// The last few jobs of one thread on their way to the queue of a relaxed lane: its owner puts jobs in without a locked
/// operation, and moves them on when it is full; whoever runs out of jobs takes them out. How jobs are put in is the door's:
/// this is what the queue sees. docs/protocols.md#outbox.
/// </summary>
/// <remarks>
/// A thread has one, for the queue that it submits to. Besides the thread only a queue for which it collects refers to it, and
/// that ends as soon as the queue is not deep: the outbox of a thread that has ended is soon garbage.
/// </remarks>
internal abstract class Outbox<TJob, TSlot>
    where TSlot : struct, ISlot<TJob, TSlot>
{
    /// <summary>How many jobs it takes.</summary>
    public const int Room = 64;

    /// <summary>Guards what others than the owner do, and what the owner does besides putting jobs in.</summary>
    public ShortLock Lock;

    /// <summary>The queue that it collects for, or null. Changed with the lock.</summary>
    public LaneQueue<TJob, TSlot>? Collector;

    /// <summary>The queue's end when its jobs began to gather: once the head is there they are overdue. Guarded by the lock.</summary>
    public long Since;

    /// <summary>Jobs that the owner has written to a queue itself since it last looked around. The owner's.</summary>
    public int Direct;

    [ThreadStatic]
    private static Outbox<TJob, TSlot>? t_mine;

    /// <summary>The calling thread's, or null.</summary>
    public static Outbox<TJob, TSlot>? Mine => t_mine;

    /// <summary>Makes the calling thread's; set once, by a door that has a way to put jobs in. Without it every lane keeps order.</summary>
    public static Func<Outbox<TJob, TSlot>>? Maker { get; set; }

    public static Outbox<TJob, TSlot>? MakeMine() => t_mine ??= Maker?.Invoke();

    /// <summary>Whether the job is one that its owner could have put in.</summary>
    public abstract bool Takes(TJob job);

    /// <summary>How many jobs are in it, as far as the caller sees. While it collects.</summary>
    public abstract int Count { get; }

    /// <summary>The owner's, with the lock: jobs may be put in from now on. False: not now.</summary>
    public abstract bool TryBegin(LaneQueue<TJob, TSlot> queue);

    /// <summary>The owner's, with the lock: the jobs in it.</summary>
    public abstract ReadOnlySpan<TJob> Jobs { get; }

    /// <summary>The owner's, with the lock: its jobs were moved.</summary>
    public abstract void Empty();

    /// <summary>With the lock: lets no more jobs in, and returns those that are in.</summary>
    public abstract ReadOnlySpan<TJob> Stop();

    /// <summary>With the lock: what is in it was moved, and the owner puts no more in. Nothing of it may be looked at any more.</summary>
    public abstract void End();
}
