using System.Threading.Tasks.Sources;
using FastJobs.Completion;
using FastJobs.Jobs;

namespace FastJobs.Queues;

/// <summary>What a waiter takes from a job that is done and its own; empty structs.</summary>
internal interface ITake<TResult>
{
    /// <summary>Under the queue's lock.</summary>
    static abstract bool Accepts(QueuedJob job);

    /// <param name="queue">The job's queue.</param>
    /// <param name="key">Its id.</param>
    /// <param name="job">The job; null where any was waited for.</param>
    /// <param name="error">What to throw in place of the result.</param>
    static abstract TResult Take(QueueCore queue, JobKey key, QueuedJob? job, out Exception? error);
}

/// <summary>The result as the work returned it.</summary>
internal readonly struct TakeResult<TResult> : ITake<TResult>
{
    public static bool Accepts(QueuedJob job) => job is TypedJob<TResult> || typeof(TResult) == typeof(object);

    public static TResult Take(QueueCore queue, JobKey key, QueuedJob? job, out Exception? error)
    {
        error = TakeFinished.ErrorOf(queue, key, job!);
        return error is not null ? default!
            : job is TypedJob<TResult> typed ? typed.Result
            : (TResult)job!.BoxedResult!;
    }
}

/// <summary>Only that it is over.</summary>
internal readonly struct TakeNothing : ITake<Nothing>
{
    public static bool Accepts(QueuedJob job) => true;

    public static Nothing Take(QueueCore queue, JobKey key, QueuedJob? job, out Exception? error)
    {
        error = job is null ? null : TakeFinished.ErrorOf(queue, key, job);
        return default;
    }
}

/// <summary>How it ended, whatever that was.</summary>
internal readonly struct TakeFinished : ITake<FinishedJob>
{
    public static bool Accepts(QueuedJob job) => true;

    public static FinishedJob Take(QueueCore queue, JobKey key, QueuedJob? job, out Exception? error)
    {
        error = null;
        return new FinishedJob
        {
            Queue = (JobQueue)queue.Facade!,
            Id = new QueuedJobId(key),
            Outcome = JobQueue.ToOutcome(job!.Outcome),
            Result = job.BoxedResult,
            Error = ErrorOf(queue, key, job),
            Duration = TimeSpan.FromMilliseconds(job.Aux),
        };
    }

    /// <summary>What a wait for the job throws; null: nothing.</summary>
    public static Exception? ErrorOf(QueueCore queue, JobKey key, QueuedJob job) => job.Outcome switch
    {
        JobFlags.Completed => null,
        JobFlags.Failed => new QueuedJobException(queue.Name, key, job.Inner as Exception),
        JobFlags.Canceled => new QueuedJobCanceledException(queue.Name, key),
        _ => new JobDiscardedException(queue.Name, key),
    };
}

/// <summary>
/// An asynchronous wait: the source of its ValueTask. Pooled by whoever takes the result, unless its timer or its token
/// may still call.
/// </summary>
internal sealed class TypedWaiter<TResult, TTake> : JobWaiter, IValueTaskSource<TResult>, IValueTaskSource, IThreadPoolWorkItem
    where TTake : struct, ITake<TResult>
{
    private static readonly JobPool<TypedWaiter<TResult, TTake>> s_pool = new(static pool => new(pool));

    private static readonly JobKey s_any = new(-1, "");

    private CompletionCore<TResult> _core;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;
    private bool _tainted;

    private TypedWaiter(int pool)
        : base(pool)
    {
    }

    /// <summary>Waits for a job, or with no key for any.</summary>
    public static ValueTask<TResult> Wait(QueueCore queue, JobKey? key, TimeSpan timeout, CancellationToken token) =>
        Start(queue, key, timeout, token, out TResult result, out Exception? error) is { } waiter
            ? new ValueTask<TResult>(waiter, waiter._core.Version)
            : error is null ? new ValueTask<TResult>(result)
            : new ValueTask<TResult>(Failed(error));

    /// <summary>The same wait, for one who does not want the result.</summary>
    public static ValueTask WaitOnly(QueueCore queue, JobKey? key, TimeSpan timeout, CancellationToken token) =>
        Start(queue, key, timeout, token, out _, out Exception? error) is { } waiter
            ? new ValueTask(waiter, waiter._core.Version)
            : error is null ? default
            : new ValueTask(Failed(error));

    private static Task<TResult> Failed(Exception error) => error is OperationCanceledException { CancellationToken: var token }
        && token.IsCancellationRequested
        ? Task.FromCanceled<TResult>(token)
        : Task.FromException<TResult>(error);

    // Null: the wait was over at once.
    private static TypedWaiter<TResult, TTake>? Start(
        QueueCore queue, JobKey? key, TimeSpan timeout, CancellationToken token, out TResult result, out Exception? error)
    {
        if (timeout != Timeout.InfiniteTimeSpan && timeout < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A time-out is zero or longer, or infinite.");
        }

        result = default!;
        if (token.IsCancellationRequested)
        {
            error = new OperationCanceledException(token);
            return null;
        }

        TypedWaiter<TResult, TTake> waiter = s_pool.Get();
        waiter.Queue = queue;
        waiter.TimerDelay = timeout > TimeSpan.Zero ? timeout : Timeout.InfiniteTimeSpan;
        waiter.Key = key ?? s_any;
        waiter._token = token;
        if (token.CanBeCanceled)
        {
            waiter._registration = token.UnsafeRegister(
                static state =>
                {
                    var waiter = (TypedWaiter<TResult, TTake>)state!;
                    waiter.Queue!.CancelWait(waiter);
                },
                waiter);
        }

        QueuedJob? job = null;
        QueueStatus status = key is { } wanted
            ? queue.BeginWait(wanted, waiter, timeout != TimeSpan.Zero, out job)
            : queue.BeginWaitAny(waiter, timeout != TimeSpan.Zero);
        if (status == QueueStatus.Waiting)
        {
            error = null;
            return waiter;
        }

        waiter.LeaveToken();
        waiter.Recycle();
        JobKey asked = key ?? s_any;
        error = null;
        if (status == QueueStatus.Ok)
        {
            result = TTake.Take(queue, asked, job, out error);
            job?.Recycle();
        }
        else
        {
            error = ErrorOf(status, queue, asked, token);
        }

        return null;
    }

    public override bool Accepts(QueuedJob job) => TTake.Accepts(job);

    public override void Done(QueuedJob? job, QueueStatus status)
    {
        if (TimerDelay != Timeout.InfiniteTimeSpan
            && status != QueueStatus.TimedOut
            && !Queue!.System.Timer.Remove(this))
        {
            _tainted = true; // it is firing, and finds that the wait is over; it must not find another one
        }

        LeaveToken();
        QueueCore queue = Queue!;
        JobKey key = Key;
        if (status == QueueStatus.Ok)
        {
            TResult result = TTake.Take(queue, key, job, out Exception? error);
            job?.Recycle();
            if (error is null)
            {
                _core.SetResult(result, this);
            }
            else
            {
                _core.SetError(error, this);
            }

            return;
        }

        _core.SetError(ErrorOf(status, queue, key, _token), this);
    }

    public TResult GetResult(short token)
    {
        TResult result = _core.TakeResult(token, out Exception? error);
        Recycle();
        if (error is not null)
        {
            CompletionCore<TResult>.Throw(error);
        }

        return result;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags, this);

    void IThreadPoolWorkItem.Execute() => _core.Continue();

    public static Exception ErrorOf(QueueStatus status, QueueCore queue, JobKey key, CancellationToken token) => status switch
    {
        QueueStatus.TimedOut => new TimeoutException(key == s_any
            ? $"Wait timed out. (any job of queue \"{queue.Name}\")"
            : $"Wait timed out. (job {key} of queue \"{queue.Name}\")"),
        QueueStatus.WaitCanceled => new OperationCanceledException(token),
        _ => JobQueueException.From(status, queue, key),
    };

    private void LeaveToken()
    {
        if (_token.CanBeCanceled && !_registration.Unregister())
        {
            _tainted = true;
        }
    }

    private void Recycle()
    {
        if (_tainted)
        {
            _core.Reset(); // a second await must fail
            return;
        }

        _core.Reset();
        _token = default;
        _registration = default;
        TimerDelay = Timeout.InfiniteTimeSpan;
        CanceledEarly = false;
        Queue = null;
        Key = default;
        s_pool.Return(this);
    }
}
