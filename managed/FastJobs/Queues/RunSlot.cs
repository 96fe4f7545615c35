using FastJobs.Lanes;

namespace FastJobs.Queues;

/// <summary>Something that a thread is blocked in, and that another thread can end.</summary>
internal interface IBlocking
{
    /// <summary>Ends it, if it goes on. Under no lock of a queue; throws nothing.</summary>
    void Interrupt();
}

/// <summary>
/// Where a job runs: one for each worker's thread, or one of its own for a job that goes on without its thread. The
/// running job's own, except where a member says otherwise.
/// </summary>
internal sealed class RunSlot
{
    [ThreadStatic]
    private static RunSlot? t_current;

    private readonly QueueSystem _system;
    private IBlocking? _blocked; // what the running job is blocked in
    private bool _interrupted; // and not noticed yet

    public RunSlot(QueueSystem system, Worker? worker)
    {
        _system = system;
        Worker = worker;
    }

    /// <summary>The slot of the calling thread, if it is a queue's worker.</summary>
    public static RunSlot? Current
    {
        get => t_current;
        set => t_current = value;
    }

    public Worker? Worker { get; }

    /// <summary>Of the worker.</summary>
    public int ThreadId { get; } = Environment.CurrentManagedThreadId;

    public QueueSystem System => _system;

    /// <summary>What the host keeps for this worker's thread: an interpreter, a connection.</summary>
    public object? WorkerState { get; set; }

    /// <summary>Jobs that ran in this thread.</summary>
    public long Jobs { get; set; }

    public QueueCore? Queue;
    public QueuedJob? Job;
    public long Number;
    public JobExtras? Extras;

    /// <summary>In: the work. Out: what stays in the job, its result or its exception.</summary>
    public object? Inner;

    public int Attempt;
    public long Began;

    /// <summary>Its job is over and still has its place in the queue.</summary>
    public bool KeepsPlace;

    /// <summary>It looks for another job with the ticket with which it came.</summary>
    public bool KeepsTicket;

    /// <summary>How long it waits then between two looks.</summary>
    public Parking.Linger Linger;

    /// <summary>Counts jobs, so that what a job left behind finds out that it is over. Read by any thread.</summary>
    public long Run;

    public JobKey Key => new(Extras is { Id: not null } ? -1 : Number, Extras?.Id);

    public void Set(QueueCore queue, QueuedJob job, long number)
    {
        if (!ReferenceEquals(Queue, queue))
        {
            Queue = queue; // a reference that is stored costs ten times what this look does
        }

        Job = job;
        Number = number;
        _interrupted = false;
        if (job.Extras is null && Extras is null)
        {
            Attempt = 1;
        }
        else
        {
            Extras = job.Extras;
            Attempt = Extras?.Attempt ?? 1;
        }

        object? inner = job.Inner;
        if (!ReferenceEquals(Inner, inner))
        {
            Inner = inner;
        }

        Volatile.Write(ref Run, Run + 1); // pairs with QueuedJobContext's look
    }

    public void Clear()
    {
        Queue = null;
        Job = null;
        Extras = null;
        Inner = null;
        Volatile.Write(ref Run, Run + 1);
    }

    /// <summary>The job goes on without its thread: a slot of its own.</summary>
    public RunSlot GoElsewhere()
    {
        var own = new RunSlot(_system, null)
        {
            Queue = Queue,
            Job = Job,
            Number = Number,
            Extras = Extras,
            Inner = Inner,
            Attempt = Attempt,
            Began = Began,
            Run = 1,
        };
        return own;
    }

    /// <summary>Whether the wait that the running job is in, or its next one, is to end.</summary>
    public bool IsInterrupted => Volatile.Read(ref _interrupted);

    /// <summary>The running job begins to wait.</summary>
    public void BeginBlock(IBlocking blocked)
    {
        Volatile.Write(ref _blocked, blocked);
        Interlocked.MemoryBarrier(); // pairs with Interrupt: one of the two sees the other
        if (IsInterrupted)
        {
            blocked.Interrupt();
        }
    }

    /// <param name="interrupted">It ended because of that: the next wait is not interrupted.</param>
    public void EndBlock(bool interrupted)
    {
        Volatile.Write(ref _blocked, null);
        if (interrupted)
        {
            Volatile.Write(ref _interrupted, false);
        }
    }

    /// <summary>
    /// Ends the wait that the running job is in; else its next one, once. By whoever stops the job, which does not end
    /// meanwhile.
    /// </summary>
    public void Interrupt()
    {
        Volatile.Write(ref _interrupted, true);
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _blocked)?.Interrupt();
    }

    /// <summary>
    /// The running job ends its thread, which is the calling one and runs nothing of the worker any more: the job has
    /// failed, and another worker takes the place of this one.
    /// </summary>
    public void EndThread()
    {
        Worker worker = Worker!;
        Queue!.FinishEnded(this);
        Current = null;
        _system.Host.OnWorkerExit(WorkerState);
        _system.Over(); // last: a drain waits for the exit too
        Worker.Current = null;
        worker.Host.OnWorkerKilled(worker.Number);
    }

    /// <summary>A job that went on without its thread has ended.</summary>
    public void FinishElsewhere(RunEnd end) => Queue!.FinishElsewhere(this, end);
}
