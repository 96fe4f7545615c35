using System.Diagnostics;
using System.Runtime.CompilerServices;
using FastJobs.Jobs;

namespace FastJobs.Queues;

/// <summary>What else is known of a job, in as few bits as there are.</summary>
[Flags]
internal enum JobFlags : ushort
{
    None = 0,

    // Two bits of state: 0 scheduled.
    Running = 1,
    Done = 2,
    StateMask = 3,

    /// <summary>Nobody collects it: it disappears when it ends.</summary>
    Detached = 4,

    /// <summary>Waits before all others.</summary>
    Head = 8,

    /// <summary>Waits in the list of those that are not found by their number.</summary>
    Listed = 16,

    /// <summary>Waits for its time.</summary>
    Delayed = 32,
    HasExtras = 64,
    HasWaiter = 128,

    /// <summary>Cancelled while it ran: whatever it returns, it ends as cancelled.</summary>
    CancelRequested = 256,

    /// <summary>Its worker is being told so: it does not end before that is over.</summary>
    Canceling = 512,

    // How it ended; 0: not yet.
    Completed = 1024,
    Failed = 2 * 1024,
    Canceled = 3 * 1024,
    Discarded = 4 * 1024,
    OutcomeMask = 7 * 1024,
}

/// <summary>How a run ended, as the job itself says.</summary>
internal enum RunEnd
{
    Completed,
    Failed,

    /// <summary>It goes on without its thread, and ends by <see cref="RunSlot.FinishElsewhere"/>.</summary>
    Pending,
}

/// <summary>
/// A job of a named queue. What it does and how its result looks is a subclass's (a delegate and a typed result, a C
/// function and bytes, a script); where it is in its life is its queue's, which guards all fields of this class with its
/// lock. docs/protocols.md#queued-job.
/// </summary>
/// <remarks>
/// Kept small, because a million may wait: 32 bytes beside what the subclass adds. What few jobs need is in a
/// <see cref="JobExtras"/>. A job does not know its queue or its number: whoever holds it found it by them.
/// </remarks>
internal abstract class QueuedJob(int pool) : Pooled(pool)
{
    public JobFlags Flags;

    /// <summary>While it runs: the thread. Done: how long it ran, in milliseconds.</summary>
    public int Aux;

    /// <summary>When it was queued, in milliseconds (a coarse clock, but quick); then when it started, a Stopwatch timestamp.</summary>
    public long Since;

    private const JobFlags Around = JobFlags.HasExtras | JobFlags.HasWaiter;

    // The work (its exception or its result, once it is done), with up to two objects around it: [waiter ->] [extras ->].
    private object? _payload;

    public JobFlags State => Flags & JobFlags.StateMask;

    public JobFlags Outcome => Flags & JobFlags.OutcomeMask;

    /// <summary>The time since then.</summary>
    public TimeSpan Elapsed => State == 0
        ? TimeSpan.FromMilliseconds(Environment.TickCount64 - Since)
        : Stopwatch.GetElapsedTime(Since);

    public bool Is(JobFlags flag) => (Flags & flag) != 0;

    /// <summary>Whoever waits for it, or null. At most one.</summary>
    public JobWaiter? Waiter => Is(JobFlags.HasWaiter) ? Unsafe.As<JobWaiter>(_payload) : null;

    public JobExtras? Extras
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Is(JobFlags.HasExtras) ? ExtrasThere : null;
    }

    private JobExtras ExtrasThere =>
        Unsafe.As<JobExtras>(Is(JobFlags.HasWaiter) ? Unsafe.As<JobWaiter>(_payload)!.Inner : _payload)!;

    /// <summary>What is in the middle: the subclass's to use; for .NET jobs the delegate, then the exception or result.</summary>
    public object? Inner
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Is(Around) ? InnerInside : _payload;
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set
        {
            if (Is(Around))
            {
                InnerInside = value;
            }
            else if (!ReferenceEquals(_payload, value))
            {
                _payload = value; // a reference that is stored costs ten times what the look does
            }
        }
    }

    private object? InnerInside
    {
        get => Extras is { } extras ? extras.Inner : Unsafe.As<JobWaiter>(_payload)!.Inner;
        set
        {
            if (Extras is { } extras)
            {
                extras.Inner = value;
            }
            else
            {
                Unsafe.As<JobWaiter>(_payload)!.Inner = value;
            }
        }
    }

    /// <summary>Before the job is handed in: sets the work and forgets all else.</summary>
    public void Prepare(object? inner)
    {
        Flags = 0;
        _payload = inner;
    }

    public void Attach(JobWaiter waiter)
    {
        Debug.Assert(!Is(JobFlags.HasWaiter), "one waits");
        waiter.Inner = _payload;
        _payload = waiter;
        Flags |= JobFlags.HasWaiter;
    }

    public void DetachWaiter()
    {
        JobWaiter waiter = Waiter!;
        _payload = waiter.Inner;
        waiter.Inner = null;
        Flags &= ~JobFlags.HasWaiter;
    }

    /// <summary>The extras, which are made if there are none.</summary>
    public JobExtras NeedExtras(QueueCore queue, long number)
    {
        if (Extras is { } there)
        {
            return there;
        }

        var extras = new JobExtras { Queue = queue, Job = this, Number = number };
        AttachExtras(extras);
        return extras;
    }

    public void AttachExtras(JobExtras extras)
    {
        if (Is(JobFlags.HasWaiter))
        {
            JobWaiter waiter = Unsafe.As<JobWaiter>(_payload)!;
            extras.Inner = waiter.Inner;
            waiter.Inner = extras;
        }
        else
        {
            extras.Inner = _payload;
            _payload = extras;
        }

        Flags |= JobFlags.HasExtras;
    }

    /// <summary>The result as an object, for listings; null until there is one.</summary>
    public virtual object? BoxedResult => null;

    /// <summary>
    /// Asks for the memory of what came of it, if that is not in this object: it is about to be collected. Under the lock.
    /// </summary>
    public virtual void PrefetchResult()
    {
    }

    /// <summary>The state it was handed in with, for listings.</summary>
    public virtual object? BoxedState => null;

    /// <summary>Runs in a worker, under no lock. Throws nothing. <see cref="RunSlot.Inner"/> carries what it leaves.</summary>
    public abstract RunEnd Run(RunSlot slot);

    /// <summary>A worker has taken it and will run it. Under the lock, so it must be short.</summary>
    public virtual void Taken(RunSlot slot)
    {
    }

    /// <summary>Its run is over, and it leaves the slot: to be done, or to be tried again. Under the lock.</summary>
    public virtual void Left(RunSlot slot)
    {
    }

    /// <summary>
    /// Keeps what a listing or the log shows of it, whatever becomes of the job, until the door lets go of what this
    /// returns. Under the lock.
    /// </summary>
    public virtual nint Keep() => 0;

    /// <summary>
    /// It was cancelled while it runs. Called in the canceller's thread, under no lock; the job does not end before this
    /// returns, so what this stops is still the job's. It may come before <see cref="Run"/> has begun, which must look
    /// then. Must not wait for the job, and throws nothing.
    /// </summary>
    public virtual void StopRunning()
    {
    }

    /// <summary>Whether <see cref="Drop"/> does something.</summary>
    public virtual bool HasDrop => false;

    /// <summary>It ends without having run, or without running again: gives back what the state holds. Throws nothing.</summary>
    public virtual void Drop()
    {
    }

    /// <summary>Whether <see cref="Recycle"/> calls code of the user's, which may do anything, and may wait.</summary>
    public virtual bool CallsUser => false;

    /// <summary>Forgets the work, the state and the result; before it goes back to its pool.</summary>
    protected abstract void Clear();

    /// <summary>Nobody knows it any more: back to its pool.</summary>
    public void Recycle()
    {
        Clear();
        ReturnCleared();
    }

    protected void ReturnCleared()
    {
        Flags = 0;
        _payload = null;
        JobPools.Return(this);
    }
}
