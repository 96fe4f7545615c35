using FastJobs.Parking;

namespace FastJobs.Queues;

/// <summary>What became of a request to a queue. The doors make exceptions, codes and texts of it.</summary>
internal enum QueueStatus
{
    Ok,

    /// <summary>The wait has begun; the waiter will be told.</summary>
    Waiting,
    NoSuchJob,
    JobExists,

    /// <summary>The queue is being deleted or the system is stopping: no new jobs.</summary>
    Refused,
    Detached,

    /// <summary>Somebody waits for the job already.</summary>
    Waited,

    /// <summary>The job's result is not of the type that was asked for.</summary>
    OtherType,
    TimedOut,

    /// <summary>The wait's token was cancelled, or the job that waits.</summary>
    WaitCanceled,

    /// <summary>The engine has ended, and the job with it.</summary>
    Stopped,
}

/// <summary>
/// Whoever waits for one job, or for any job of a queue. Its queue's lock guards where it stands; whoever takes it off
/// under that lock owes it one call of <see cref="Done"/>. docs/protocols.md#queued-job.
/// </summary>
/// <remarks>
/// It is a timer's entry for its time-out. Subclasses may be pooled, but not while a timer or a token may still call:
/// what they find then must be the wait that they meant, or nothing.
/// </remarks>
internal abstract class JobWaiter(int pool = 0) : DueEntry(pool)
{
    /// <summary>What the waited-for job has inside: see <see cref="QueuedJob.Inner"/>.</summary>
    public object? Inner;

    public QueueCore? Queue;

    /// <summary>The job that it is attached to; null: none, or it waits for any.</summary>
    public QueuedJob? Job;
    public JobKey Key;

    /// <summary>Linked into the list of those that wait for any job.</summary>
    public bool InList;
    public JobWaiter? Next;
    public JobWaiter? Previous;

    /// <summary>Its token was cancelled before it was attached.</summary>
    public bool CanceledEarly;

    /// <summary>How long it wants to wait by the timer; infinite where the thread itself keeps the time.</summary>
    public TimeSpan TimerDelay = Timeout.InfiniteTimeSpan;

    public bool IsAttached => Job is not null || InList;

    /// <summary>Whether it can take this job's result. Under the lock.</summary>
    public virtual bool Accepts(QueuedJob job) => true;

    /// <summary>
    /// The wait is over. Called once, by whoever took it off, under no lock. Throws nothing.
    /// </summary>
    /// <param name="job">The job, which is the waiter's alone now, and to be recycled by it; null if there is none.</param>
    /// <param name="status">Ok; or why there is no job.</param>
    public abstract void Done(QueuedJob? job, QueueStatus status);

    /// <summary>Whether <see cref="Done"/> calls code of the user's, which may do anything, and may wait.</summary>
    public virtual bool CallsUser => false;

    public override void Fire() => Queue?.EndWait(this, QueueStatus.TimedOut);
}

/// <summary>A thread that waits: each keeps one, so a wait allocates nothing.</summary>
internal sealed class BlockingWaiter : JobWaiter, IBlocking
{
    // Some 10 µs: shorter than it takes to be woken.
    private const int Looks = 200;

    [ThreadStatic]
    private static BlockingWaiter? t_own;

    private readonly Parker _parker = new();
    private QueuedJob? _result;
    private int _status;

    public static BlockingWaiter Own => t_own ??= new BlockingWaiter();

    /// <summary>That of the calling thread, to begin a wait.</summary>
    public static BlockingWaiter Begin()
    {
        BlockingWaiter own = Own;
        own._status = (int)QueueStatus.Waiting;
        return own;
    }

    public void Interrupt() => Queue!.EndWait(this, QueueStatus.WaitCanceled);

    public override void Done(QueuedJob? job, QueueStatus status)
    {
        _result = job;
        Volatile.Write(ref _status, (int)status); // release; pairs with the reads in Await
        _parker.Unpark();
    }

    /// <summary>Waits for <see cref="Done"/>, which may be called by this itself when the time is over.</summary>
    public QueueStatus Await(int timeoutMilliseconds, out QueuedJob? job)
    {
        for (int look = 0; look < Looks && Environment.ProcessorCount > 1; look++)
        {
            if (Volatile.Read(ref _status) != (int)QueueStatus.Waiting)
            {
                break;
            }

            Thread.SpinWait(1);
        }

        // Done always unparks, so the parker is left without a notification for the next wait only after a park for it.
        if (!_parker.Park(timeoutMilliseconds))
        {
            Queue!.EndWait(this, QueueStatus.TimedOut); // if that comes too late, Done has been called or is about to be
            _parker.Park(Timeout.Infinite);
        }

        job = _result;
        _result = null;
        return (QueueStatus)Volatile.Read(ref _status);
    }
}
