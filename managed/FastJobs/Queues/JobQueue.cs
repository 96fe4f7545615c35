using System.IO.Pipelines;
using FastJobs.Jobs;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>
/// A named queue: its jobs have ids, their results are kept until they are collected, by a wait. Runs them in the order of
/// queueing, as many at once as <see cref="Concurrency"/> says, in workers that all queues of an engine share.
/// </summary>
/// <remarks>
/// <para>All members are safe to use from any thread, a job included.</para>
/// <para>
/// At most one can wait for a job, and what it waited for it has collected: the job is gone then. A job that waits for a
/// job of its own queue with <see cref="Wait{TResult}(QueuedJobId)"/> lends it its place.
/// </para>
/// <para>Jobs run in the default ExecutionContext: AsyncLocal values of whoever queued them do not flow.</para>
/// </remarks>
public sealed partial class JobQueue
{
    internal JobQueue(QueueCore core, TimeSpan? expireAfter)
    {
        Core = core;
        ExpireAfter = expireAfter;
        core.Facade = this;
    }

    /// <summary>Its name.</summary>
    public string Name => Core.Name;

    /// <summary>What it is for.</summary>
    public string Description => Core.Description;

    /// <summary>How many of its jobs run at once. Growing takes effect at once, shrinking as jobs end.</summary>
    public int Concurrency
    {
        get => Core.Concurrency;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Core.Concurrency = value;
        }
    }

    /// <summary>So long after their end jobs disappear that nobody collects, unless they were queued with another time.</summary>
    public TimeSpan? ExpireAfter { get; }

    /// <summary>Whether it was deleted and its last job was collected: a queue of its name would be another one.</summary>
    public bool IsGone => Core.IsGone;

    internal QueueCore Core { get; }

    /// <summary>Queues a job.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="JobQueueException">The id is taken; the queue is being deleted, or the engine is stopping.</exception>
    public QueuedJobId Enqueue<TState, TResult>(
        Func<TState, TResult> work, TState state, QueuedJobOptions? options = null) =>
        Add<TState, TResult, PlainFunc<TState, TResult>>(work, state, options);

    /// <summary>Queues a job that uses its context.</summary>
    /// <inheritdoc cref="Enqueue{TState, TResult}(Func{TState, TResult}, TState, QueuedJobOptions?)"/>
    public QueuedJobId Enqueue<TState, TResult>(
        Func<TState, QueuedJobContext, TResult> work, TState state, QueuedJobOptions? options = null) =>
        Add<TState, TResult, ContextFunc<TState, TResult>>(work, state, options);

    /// <summary>Queues a job without a result.</summary>
    /// <inheritdoc cref="Enqueue{TState, TResult}(Func{TState, TResult}, TState, QueuedJobOptions?)"/>
    public QueuedJobId Enqueue<TState>(Action<TState> work, TState state, QueuedJobOptions? options = null) =>
        Add<TState, Nothing, PlainAction<TState>>(work, state, options);

    /// <summary>Queues a job without a result that uses its context.</summary>
    /// <inheritdoc cref="Enqueue{TState, TResult}(Func{TState, TResult}, TState, QueuedJobOptions?)"/>
    public QueuedJobId Enqueue<TState>(
        Action<TState, QueuedJobContext> work, TState state, QueuedJobOptions? options = null) =>
        Add<TState, Nothing, ContextAction<TState>>(work, state, options);

    /// <summary>Queues an asynchronous job: it keeps its place in the queue until its task ends, and no thread.</summary>
    /// <inheritdoc cref="Enqueue{TState, TResult}(Func{TState, TResult}, TState, QueuedJobOptions?)"/>
    public QueuedJobId EnqueueAsync<TState, TResult>(
        Func<TState, QueuedJobContext, Task<TResult>> work, TState state, QueuedJobOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        return HandIn(AsyncResultJob<TState, TResult>.Get(work, state), options);
    }

    /// <summary>
    /// Cancels a job. One that waits is done now and never starts; one that runs gets its token cancelled and ends as
    /// cancelled, whatever it returns; one that is done stays as it is.
    /// </summary>
    /// <returns>Whether the job runs.</returns>
    /// <exception cref="JobQueueException">There is no such job, or somebody waits for it.</exception>
    public bool Cancel(QueuedJobId id)
    {
        QueueStatus status = Core.Cancel(id.Key, evenIfWaited: false, out bool running);
        return status switch
        {
            QueueStatus.Ok => running,
            QueueStatus.Waited => throw new JobQueueException(
                JobQueueError.WaitedJob,
                Name,
                id,
                $"can't cancel job \"{id}\", someone is waiting on it (queue \"{Name}\")"),
            _ => throw JobQueueException.From(status, Core, id.Key),
        };
    }

    /// <summary>Whether there is such a job: scheduled, running, or done and not collected.</summary>
    public bool Exists(QueuedJobId id) => Core.Exists(id.Key);

    /// <summary>No job starts until <see cref="Resume"/>, or until the engine is drained; those that run go on.</summary>
    public void Pause() => Core.Pause();

    /// <summary>Jobs start again.</summary>
    public void Resume() => Core.Resume();

    /// <summary>
    /// Takes no more jobs, runs those it has, and is gone when the last of them was collected. The engine forgets it then.
    /// </summary>
    public void Delete() => Core.Delete();

    /// <summary>The queue as it is now.</summary>
    public JobQueueInfo GetInfo()
    {
        QueueFigures figures = Core.GetFigures();
        return new JobQueueInfo
        {
            Name = Name,
            Description = Description,
            Concurrency = figures.Concurrency,
            Running = figures.Running,
            Scheduled = figures.Waiting + figures.Delayed,
            Done = figures.Done,
            IsPaused = figures.Paused,
            IsDeleting = figures.Deleting,
        };
    }

    /// <summary>
    /// The output of a job that waits or runs: bytes as they come, to the job's end. One reader, who may read on after the
    /// job was collected.
    /// </summary>
    /// <exception cref="JobQueueException">There is no such job, or it is done.</exception>
    public PipeReader GetOutput(QueuedJobId id)
    {
        Pipe? pipe = null;
        return Core.WithExtras(
            id.Key, ref pipe, static (extras, job, ref pipe) => pipe = extras.Output ??= QueuedJobContext.NewPipe())
            ? pipe!.Reader
            : throw JobQueueException.From(QueueStatus.NoSuchJob, Core, id.Key);
    }

    private QueuedJobId Add<TState, TResult, TWork>(Delegate work, TState state, QueuedJobOptions? options)
        where TWork : struct, IQueuedWork<TState, TResult>
    {
        ArgumentNullException.ThrowIfNull(work);
        return HandIn(
            typeof(TResult).IsValueType
                ? ValueResultJob<TState, TResult, TWork>.Get(work, state)
                : ReferenceResultJob<TState, TResult, TWork>.Get(work, state),
            options);
    }

    private QueuedJobId HandIn(QueuedJob job, QueuedJobOptions? options)
    {
        QueueStatus status;
        JobKey key;
        if (options is null && ExpireAfter is null)
        {
            status = Core.Enqueue(job, detached: false, out key);
        }
        else
        {
            Placement placement = (options ?? s_none).ToPlacement(ExpireAfter);
            status = placement.IsPlain
                ? Core.Enqueue(job, placement.Detached, out key)
                : Core.Enqueue(job, in placement, out key);
        }

        if (status == QueueStatus.Ok)
        {
            return new QueuedJobId(key);
        }

        job.Recycle();
        throw JobQueueException.From(status, Core, new JobKey(-1, options?.Id ?? ""));
    }

    private static readonly QueuedJobOptions s_none = new();
}
