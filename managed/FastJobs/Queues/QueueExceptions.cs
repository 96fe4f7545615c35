using FastJobs.Queues;

namespace FastJobs;

/// <summary>Why a request to a queue failed.</summary>
public enum JobQueueError
{
    /// <summary>There is no queue of this name, or it was deleted.</summary>
    NoSuchQueue,

    /// <summary>There is a queue of this name.</summary>
    QueueExists,

    /// <summary>The queue is being deleted or the engine is stopping: no new jobs.</summary>
    Refused,

    /// <summary>There is no job of this id: there never was, or it was collected.</summary>
    NoSuchJob,

    /// <summary>There is a job of this id.</summary>
    JobExists,

    /// <summary>The job is detached: nobody can wait for it.</summary>
    DetachedJob,

    /// <summary>Somebody waits for the job.</summary>
    WaitedJob,

    /// <summary>The job's result is not of the type that was asked for.</summary>
    OtherResultType,

    /// <summary>The engine has ended while the job ran.</summary>
    Stopped,
}

/// <summary>A request to a queue that could not be fulfilled. Nothing has changed.</summary>
public sealed class JobQueueException : InvalidOperationException
{
    internal JobQueueException(JobQueueError error, string queue, QueuedJobId? job, string message)
        : base(message)
    {
        Error = error;
        Queue = queue;
        Job = job;
    }

    /// <summary>Why.</summary>
    public JobQueueError Error { get; }

    /// <summary>The queue's name.</summary>
    public string Queue { get; }

    /// <summary>The job, if it is about one.</summary>
    public QueuedJobId? Job { get; }

    internal static JobQueueException NoSuchQueue(string name) =>
        new(JobQueueError.NoSuchQueue, name, null, $"no such queue: {name}");

    internal static Exception From(QueueStatus status, QueueCore queue, JobKey key)
    {
        var id = new QueuedJobId(key);
        string place = $"(queue \"{queue.Name}\")";
        (JobQueueError error, string message) = status switch
        {
            QueueStatus.NoSuchJob when queue.IsGone => (JobQueueError.NoSuchQueue, $"no such queue: {queue.Name}"),
            QueueStatus.NoSuchJob => (JobQueueError.NoSuchJob, $"no such job: {id} {place}"),
            QueueStatus.JobExists => (JobQueueError.JobExists, $"Job {id} already exists {place}"),
            QueueStatus.Refused when queue.IsGone => (JobQueueError.NoSuchQueue, $"no such queue: {queue.Name}"),
            QueueStatus.Refused => (
                JobQueueError.Refused, $"The specified queue is being deleted or the system is stopping. {place}"),
            QueueStatus.Detached => (JobQueueError.DetachedJob, $"can't wait on detached job: {id} {place}"),
            QueueStatus.Waited => (JobQueueError.WaitedJob, $"can't wait on waited job: {id} {place}"),
            QueueStatus.OtherType => (
                JobQueueError.OtherResultType, $"the result of job {id} is not of the type that was asked for {place}"),
            QueueStatus.Stopped => (JobQueueError.Stopped, $"the engine has stopped: job {id} was left behind {place}"),
            _ => throw new System.Diagnostics.UnreachableException($"{status}"),
        };
        return new JobQueueException(error, queue.Name, id, message);
    }
}

/// <summary>
/// A queued job failed. A job may throw one itself to say its code and detail; for any other exception the code is the
/// name of its type and the detail its whole text, and it is the inner exception.
/// </summary>
public sealed class QueuedJobException : Exception
{
    /// <summary>For a job to throw.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="code">For programs: which error it is.</param>
    /// <param name="detail">For people who look for the cause.</param>
    public QueuedJobException(string message, string code, string? detail = null)
        : base(message)
    {
        Code = code;
        Detail = detail;
    }

    internal QueuedJobException(string queue, JobKey job, Exception? error)
        : base(error?.Message ?? "The job failed.", error)
    {
        Queue = queue;
        Job = new QueuedJobId(job);
        Code = error is QueuedJobException own ? own.Code : error?.GetType().FullName ?? "NONE";
        Detail = error is QueuedJobException { Detail: { } detail } ? detail : error?.ToString();
    }

    /// <summary>For programs: which error it is.</summary>
    public string Code { get; }

    /// <summary>For people who look for the cause.</summary>
    public string? Detail { get; }

    /// <summary>The queue; null as long as the exception is the job's own.</summary>
    public string? Queue { get; }

    /// <summary>The job; null as long as the exception is the job's own.</summary>
    public QueuedJobId? Job { get; }
}

/// <summary>The job that was waited for was cancelled; not the wait.</summary>
public sealed class QueuedJobCanceledException : OperationCanceledException
{
    internal QueuedJobCanceledException(string queue, JobKey job)
        : base($"Job cancelled. (job {job} of queue \"{queue}\")")
    {
        Queue = queue;
        Job = new QueuedJobId(job);
    }

    /// <summary>The queue.</summary>
    public string Queue { get; }

    /// <summary>The job.</summary>
    public QueuedJobId Job { get; }
}
