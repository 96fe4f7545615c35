using FastJobs.Jobs;
using FastJobs.Lanes;

namespace FastJobs.Queues;

/// <summary>What the workers of the queues get from their queue: tickets, each the right to run jobs of one queue.</summary>
internal readonly struct QueueOps : IJobOps<QueueCore>
{
    public static bool Run(QueueCore queue, Worker worker)
    {
        queue.RunTicket(RunSlot.Current!);
        return true;
    }

    public static void BeforeThreadStart() => QueueThreads.BeforeStart?.Invoke();

    public static void AfterThreadStart() => QueueThreads.AfterStart?.Invoke();

    public static void OnWorkerStart(Worker worker)
    {
        JobContext.AdoptDefault();
        var system = (QueueSystem)worker.Host.Owner!;
        var slot = new RunSlot(system, worker);
        RunSlot.Current = slot;
        slot.WorkerState = system.Host.OnWorkerStart();
    }

    public static void OnWorkerExit(Worker worker)
    {
        var system = (QueueSystem)worker.Host.Owner!;
        system.Host.OnWorkerExit(RunSlot.Current!.WorkerState);
        RunSlot.Current = null;
    }
}
