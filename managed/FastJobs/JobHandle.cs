using FastJobs.Jobs;

namespace FastJobs;

/// <summary>
/// Names one submitted job, by which it can be cancelled while it waits. A handle may outlive its job: it carries a
/// generation, so it never meets a later job that uses the same object. Any thread.
/// </summary>
public readonly struct JobHandle
{
    private readonly Job? _job;
    private readonly long _generation;

    internal JobHandle(Job job)
    {
        _job = job;
        _generation = job.Word.Generation;
    }

    /// <summary>Cancels the job if it has not started. True: it will not run. False: it runs, or is over.</summary>
    public bool TryCancel() => _job is not null && _job.TryMove(_generation, JobState.Waiting, JobState.Canceled);
}
