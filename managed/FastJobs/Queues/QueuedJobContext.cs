using System.IO.Pipelines;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>What a queued job knows of itself and may say while it runs. Any of the job's threads; not after its end.</summary>
public readonly struct QueuedJobContext
{
    private readonly RunSlot _slot;
    private readonly long _run;

    internal QueuedJobContext(RunSlot slot)
    {
        _slot = slot;
        _run = slot.Run;
    }

    /// <summary>The job's id.</summary>
    public QueuedJobId Id => new(Slot.Key);

    /// <summary>Its queue.</summary>
    public JobQueue Queue => (JobQueue)Slot.Queue!.Facade!;

    /// <summary>How often it was tried, this time included.</summary>
    public int Attempt => Slot.Attempt;

    /// <summary>What <see cref="JobQueuesOptions.OnWorkerStart"/> returned in this thread; null in an asynchronous job.</summary>
    public object? WorkerState => Slot.WorkerState;

    /// <summary>Is cancelled when the job is, or when the engine has no more time. Made when it is first asked for.</summary>
    public CancellationToken Token
    {
        get
        {
            CancellationToken token = default;
            With(ref token, static (extras, job, ref token) =>
            {
                if (job.Is(JobFlags.CancelRequested) && extras.Cancellation is null)
                {
                    token = new CancellationToken(canceled: true);
                    return;
                }

                token = (extras.Cancellation ??= new CancellationTokenSource()).Token;
            });
            return token;
        }
    }

    /// <summary>
    /// Where the job's output goes: bytes that <see cref="JobQueue.GetOutput"/> hands out while the job runs. Nothing waits
    /// for a reader. The job's end completes it.
    /// </summary>
    public PipeWriter Output
    {
        get
        {
            Pipe? pipe = null;
            With(ref pipe, static (extras, job, ref pipe) => pipe = extras.Output ??= NewPipe());
            return pipe!.Writer;
        }
    }

    // The slot, if the job is not over.
    private RunSlot Slot => _slot is not null && Volatile.Read(ref _slot.Run) == _run // pairs with RunSlot.Set
        ? _slot
        : throw new InvalidOperationException("The job is over: its context may not be used any more.");

    /// <summary>Says how far the job is; the last value is shown by <see cref="JobQueue.GetJobs"/>.</summary>
    public void Report(object? progress) =>
        With(ref progress, static (extras, job, ref progress) => extras.Progress = progress);

    internal static Pipe NewPipe() => new(new PipeOptions(
        pauseWriterThreshold: 0, useSynchronizationContext: false));

    private void With<TState>(ref TState state, ExtrasAction<TState> act)
        where TState : allows ref struct
    {
        RunSlot slot = Slot;
        slot.Queue!.WithExtras(slot.Key, ref state, act);
    }
}
