using FastJobs.Lanes;

namespace FastJobs.Queues;

/// <summary>
/// Where a job runs: one for each worker's thread, or one of its own for a job that goes on without its thread. The
/// running job's own, except where a member says otherwise.
/// </summary>
internal sealed class RunSlot
{
    [ThreadStatic]
    private static RunSlot? t_current;

    private readonly QueueSystem _system;

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

    /// <summary>Counts jobs, so that what a job left behind finds out that it is over. Read by any thread.</summary>
    public long Run;

    public JobKey Key => new(Extras is { Id: not null } ? -1 : Number, Extras?.Id);

    public void Set(QueueCore queue, QueuedJob job, long number)
    {
        Queue = queue;
        Job = job;
        Number = number;
        Extras = job.Extras;
        Inner = job.Inner;
        Attempt = Extras?.Attempt ?? 1;
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
