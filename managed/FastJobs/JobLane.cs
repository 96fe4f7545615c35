using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FastJobs.Jobs;
using FastJobs.Lanes;
using FastJobs.Stats;

namespace FastJobs;

/// <summary>
/// Where the jobs of one class wait and run: first in, first out, as many at once as <see cref="Concurrency"/> says.
/// </summary>
/// <remarks>
/// All members are safe to use from any thread. When a job starts, at most Concurrency - 1 jobs that were submitted
/// before it have not started. A static lambda with a state costs no allocation; nor does awaiting it.
/// </remarks>
public sealed partial class JobLane
{
    internal JobLane(ManagedLane inner) => Inner = inner;

    /// <summary>The lane's name.</summary>
    public string Name => Inner.Name;

    /// <summary>The lane's number in its engine.</summary>
    public int JobClass => Inner.Id;

    /// <summary>
    /// How many jobs run at once. Growing takes effect at once, shrinking as jobs end; with 0 further jobs run in the
    /// thread that submits them.
    /// </summary>
    public int Concurrency
    {
        get => Inner.Workers.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Inner.Limit = value;
        }
    }

    /// <summary>How many jobs may wait before a submitter must; 0: any number. Takes effect at once.</summary>
    public int Backlog
    {
        get => (int)Inner.Backlog;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            Inner.Backlog = value;
        }
    }

    /// <summary>The stack in bytes of workers that start from now on; 0: the system's default.</summary>
    public int StackSize
    {
        get => Inner.Workers.Settings.StackSize;
        set
        {
            LaneOptions.ValidateStackSize(value);
            Inner.Workers.Settings.StackSize = value;
        }
    }

    /// <summary>Idle workers end after this time; zero: as soon as they find no job.</summary>
    public TimeSpan IdleTimeout
    {
        get => TimeSpan.FromMilliseconds(Inner.Workers.Settings.IdleTimeoutMilliseconds);
        set
        {
            Inner.Workers.Settings.IdleTimeoutMilliseconds = LaneOptions.ToMilliseconds(value);
            Inner.Workers.EndSleepers();
        }
    }

    /// <summary>While true jobs pile up and none starts.</summary>
    public bool Deferred
    {
        get => Inner.Workers.Deferred;
        set => Inner.Workers.Deferred = value;
    }

    /// <summary>Jobs that wait.</summary>
    public long QueuedJobs => Inner.WaitingJobs;

    internal ManagedLane Inner { get; }

    /// <summary>The lane's figures since it was made or they were reset.</summary>
    public LaneStatistics GetStatistics()
    {
        LaneFigures figures = Inner.GetFigures();
        return new LaneStatistics
        {
            Name = Name,
            Concurrency = figures.Concurrency,
            Invocations = figures.Invocations,
            AverageConcurrency = figures.AverageConcurrency,
            Saturation = figures.Saturation,
            AverageWallclockPerOperation = figures.AverageWallclockPerOperation,
            QueuedJobs = QueuedJobs,
            Threads = figures.Threads,
            ActiveThreads = figures.ActiveThreads,
            PendingAsyncJobs = figures.Held,
        };
    }

    /// <summary>Starts the figures anew.</summary>
    public void ResetStatistics() => Inner.ResetFigures();

    /// <summary>Runs a job that nobody awaits. Waits for room, unless called from one of the lane's own jobs.</summary>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public void Submit<TState>(Action<TState> work, TState state) => Submit(work, state, JobContext.Capture());

    /// <summary>As <see cref="Submit{TState}(Action{TState}, TState)"/>, without the submitter's ExecutionContext.</summary>
    public void UnsafeSubmit<TState>(Action<TState> work, TState state) => Submit(work, state, null);

    /// <summary>Runs a job that nobody awaits, if there is room. False: the lane is full or the engine stopped.</summary>
    public bool TrySubmit<TState>(Action<TState> work, TState state)
    {
        JobRef job = Detached(work, state, JobContext.Capture());
        if (Inner.TrySubmit(job) is Submitted.Queued or Submitted.RanInline)
        {
            return true;
        }

        ManagedJobOps.Discard(job);
        return false;
    }

    /// <summary>Runs a job that nobody awaits; completes when there was room for it.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while there was no room.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public ValueTask SubmitAsync<TState>(Action<TState> work, TState state, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        JobRef job = Detached(work, state, JobContext.Capture());
        switch (Inner.TrySubmit(job))
        {
            case Submitted.Queued or Submitted.RanInline:
                return default;
            case Submitted.Closed:
                ManagedJobOps.Discard(job);
                return ValueTask.FromException(Stopped());
            case Submitted.Full when Inner.IsOwnWorker:
                Hand(job);
                return default;
            default:
                return SubmitWhenRoomAsync(job, cancellationToken);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SubmitWhenRoomAsync(JobRef job, CancellationToken cancellationToken)
    {
        try
        {
            await Inner.Queue.Writer.WriteAsync(job, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw Stopped();
        }
    }

    /// <summary>Runs a job that nobody awaits and that can be cancelled while it waits.</summary>
    public JobHandle SubmitCancelable<TState>(Action<TState> work, TState state)
    {
        DetachedJob<TState> job = Pooled(work, state, JobContext.Capture());
        job.MakeCancelable();
        var handle = new JobHandle(job);
        Hand(new JobRef(job));
        return handle;
    }

    private void Submit<TState>(Action<TState> work, TState state, ExecutionContext? context) =>
        Hand(Detached(work, state, context));

    private void Hand(JobRef job)
    {
        if (Inner.Submit(job) == Submitted.Closed)
        {
            ManagedJobOps.Discard(job);
            throw Stopped();
        }
    }

    // A job that runs in its submitter's thread needs to know its lane, one with a context or a value carries it along.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private JobRef Detached<TState>(Action<TState> work, TState state, ExecutionContext? context)
    {
        ArgumentNullException.ThrowIfNull(work);
        return !typeof(TState).IsValueType && context is null && Inner.Workers.Limit != 0
            ? JobRef.Direct(work, state)
            : new JobRef(Pooled(work, state, context));
    }

    private DetachedJob<TState> Pooled<TState>(Action<TState> work, TState state, ExecutionContext? context)
    {
        ArgumentNullException.ThrowIfNull(work);
        DetachedJob<TState> job = DetachedJob<TState>.Jobs.Get();
        job.Set(work, state);
        job.Lane = Inner;
        job.Context = context;
        return job;
    }

    private ObjectDisposedException Stopped() =>
        new(nameof(JobEngine), $"The engine of lane \"{Name}\" has been stopped: it takes no more jobs.");
}
