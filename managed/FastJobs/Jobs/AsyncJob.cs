using System.Runtime.CompilerServices;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>How asynchronous work of a certain shape is started and awaited.</summary>
internal interface IAsyncWork<TState, TResult, TAwaiter>
    where TAwaiter : struct, ICriticalNotifyCompletion
{
    static abstract TAwaiter Start(Delegate work, TState state, CancellationToken token);

    static abstract bool IsCompleted(in TAwaiter awaiter);

    static abstract TResult GetResult(in TAwaiter awaiter);
}

/// <summary>
/// A job that may go on after its worker's thread is free. Its slot in the lane is held until its task ends:
/// docs/protocols.md#hold.
/// </summary>
internal sealed unsafe class AsyncJob<TState, TResult, TAwaiter, TWork> : AwaitedJob<TResult>
    where TAwaiter : struct, ICriticalNotifyCompletion
    where TWork : struct, IAsyncWork<TState, TResult, TAwaiter>
{
    public static readonly JobPool<AsyncJob<TState, TResult, TAwaiter, TWork>> Jobs =
        new(static pool => new AsyncJob<TState, TResult, TAwaiter, TWork>(pool));

    private readonly Action _onTaskEnd;
    private Delegate? _work;
    private TState? _state;
    private TAwaiter _awaiter;
    private bool _inWorker;

    private AsyncJob(int pool)
        : base(&RunJob, pool) => _onTaskEnd = OnTaskEnd;

    public override Delegate? Work => _work;

    public void Set(Delegate work, TState state)
    {
        _work = work;
        _state = state;
    }

    protected override void Clear()
    {
        _work = null;
        _state = default;
        _awaiter = default;
    }

    private static bool RunJob(Job job, Worker? worker)
    {
        var self = Unsafe.As<AsyncJob<TState, TResult, TAwaiter, TWork>>(job);
        if (!self.TryStart())
        {
            return true;
        }

        bool completed;
        try
        {
            if (self.Context is { } context)
            {
                ExecutionContext.Run(
                    context, static state => ((AsyncJob<TState, TResult, TAwaiter, TWork>)state!).Start(), self);
            }
            else
            {
                self.Start();
            }

            completed = TWork.IsCompleted(in self._awaiter); // throws if the work returned a ValueTask that is used up
        }
        catch (Exception e)
        {
            Clean(worker);
            self.Fail(e);
            return true;
        }

        Clean(worker);
        if (completed)
        {
            self.TakeOver();
            return true;
        }

        self.GoOnElsewhere(worker);
        return false;
    }

    // The job is counted when its task ends, or here if its task cannot be awaited.
    private void GoOnElsewhere(Worker? worker)
    {
        // The hold comes before the continuation can: that gives it back.
        _inWorker = worker is not null;
        worker?.Host.Hold();
        try
        {
            _awaiter.UnsafeOnCompleted(_onTaskEnd);
        }
        catch (Exception e)
        {
            ManagedLane lane = Lane!;
            Fail(e); // the job may be another's after this
            lane.FinishElsewhere(worker is not null);
        }
    }

    private static void Clean(Worker? worker)
    {
        if (worker is not null)
        {
            JobContext.Clean(worker);
        }
    }

    private void Start() => _awaiter = TWork.Start(_work!, _state!, Token);

    private void OnTaskEnd()
    {
        ManagedLane lane = Lane!;
        bool inWorker = _inWorker;
        TakeOver(); // the job may be another's after this
        lane.FinishElsewhere(inWorker);
    }

    private void TakeOver()
    {
        TResult result;
        try
        {
            result = TWork.GetResult(in _awaiter);
        }
        catch (Exception e)
        {
            Fail(e);
            return;
        }

        Complete(result);
    }
}

internal readonly struct ValueTaskWork<TState>
    : IAsyncWork<TState, Nothing, ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter>
{
    public static ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter Start(
        Delegate work, TState state, CancellationToken token) =>
        Unsafe.As<Func<TState, CancellationToken, ValueTask>>(work)(state, token).ConfigureAwait(false).GetAwaiter();

    public static bool IsCompleted(in ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter awaiter) =>
        awaiter.IsCompleted;

    public static Nothing GetResult(in ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter awaiter)
    {
        awaiter.GetResult();
        return default;
    }
}

internal readonly struct ResultValueTaskWork<TState, TResult>
    : IAsyncWork<TState, TResult, ConfiguredValueTaskAwaitable<TResult>.ConfiguredValueTaskAwaiter>
{
    public static ConfiguredValueTaskAwaitable<TResult>.ConfiguredValueTaskAwaiter Start(
        Delegate work, TState state, CancellationToken token) =>
        Unsafe.As<Func<TState, CancellationToken, ValueTask<TResult>>>(work)(state, token).ConfigureAwait(false).GetAwaiter();

    public static bool IsCompleted(in ConfiguredValueTaskAwaitable<TResult>.ConfiguredValueTaskAwaiter awaiter) =>
        awaiter.IsCompleted;

    public static TResult GetResult(in ConfiguredValueTaskAwaitable<TResult>.ConfiguredValueTaskAwaiter awaiter) =>
        awaiter.GetResult();
}
