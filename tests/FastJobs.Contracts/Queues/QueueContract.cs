using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>The contract of the named queues.</summary>
internal static class QueueContract
{
    public static IEnumerable<ContractCase> Cases() => All(
        new QueueOrderCases(),
        new QueueWaitCases(),
        new QueueCancelCases(),
        new QueueListCases(),
        new QueueWorkerCases(),
        new QueueTimeCases(),
        new QueueExtraCases(),
        new QueueStopCases(),
        new QueueMemoryCases());

    public static IEnumerable<ContractCase> Stress() => All(
        new QueueHistories(),
        new QueueStress());

    private static IEnumerable<ContractCase> All(params EngineCases[] concerns) =>
        concerns.SelectMany(concern => concern.List());
}

/// <summary>What the cases of queues share.</summary>
internal abstract class QueueCases() : EngineCases(nameof(QueueContract))
{
    protected static readonly QueuedJobOptions Detached = new() { Detached = true };
    protected static readonly QueuedJobOptions Head = new() { Head = true };

    /// <summary>A queue of one whose only place is taken by a job at the gate: what follows waits.</summary>
    protected static JobQueue Blocked(JobEngine engine, Gate gate, out QueuedJobId first)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        first = queue.Enqueue(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        return queue;
    }

    protected static JobQueueError ErrorOf(Action action) => Check.Throws<JobQueueException>(action).Error;

    protected static async Task<JobQueueError> ErrorOf<T>(ValueTask<T> wait) =>
        (await Check.Throws<JobQueueException, T>(wait)).Error;

    protected static QueuedJobState StateOf(JobQueue queue, QueuedJobId id) => queue.GetJob(id)!.State;

    protected static void AwaitDone(JobQueue queue, QueuedJobId id) =>
        Spin.Until(() => StateOf(queue, id) == QueuedJobState.Done);
}
