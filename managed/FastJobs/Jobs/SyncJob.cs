using System.Runtime.CompilerServices;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>How a delegate of a certain shape is called; empty structs, so that each shape is its own code.</summary>
internal interface ISyncWork<TState, TResult>
{
    static abstract TResult Invoke(Delegate work, TState state, CancellationToken token);
}

/// <summary>A job that runs to its end in its worker.</summary>
internal sealed unsafe class SyncJob<TState, TResult, TWork> : AwaitedJob<TResult>
    where TWork : struct, ISyncWork<TState, TResult>
{
    public static readonly JobPool<SyncJob<TState, TResult, TWork>> Jobs =
        new(static pool => new SyncJob<TState, TResult, TWork>(pool));

    private Delegate? _work;
    private TState? _state;
    private TResult? _inContext; // carries the result out of a context's callback

    private SyncJob(int pool)
        : base(&RunJob, pool)
    {
    }

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
        _inContext = default;
    }

    private static bool RunJob(Job job, Worker? worker)
    {
        var self = Unsafe.As<SyncJob<TState, TResult, TWork>>(job);
        if (!self.TryStart())
        {
            return true;
        }

        TResult result;
        try
        {
            result = self.Context is null ? self.Invoke() : self.InvokeInContext();
        }
        catch (Exception e)
        {
            Clean(worker);
            self.Fail(e);
            return true;
        }

        Clean(worker);
        self.Complete(result);
        return true;
    }

    private static void Clean(Worker? worker)
    {
        if (worker is not null)
        {
            JobContext.Clean(worker);
        }
    }

    private TResult Invoke() => TWork.Invoke(_work!, _state!, Token);

    private TResult InvokeInContext()
    {
        ExecutionContext.Run(
            Context!,
            static state =>
            {
                var self = (SyncJob<TState, TResult, TWork>)state!;
                self._inContext = self.Invoke();
            },
            this);
        return _inContext!;
    }
}

internal readonly struct ActionWork<TState> : ISyncWork<TState, Nothing>
{
    public static Nothing Invoke(Delegate work, TState state, CancellationToken token)
    {
        Unsafe.As<Action<TState>>(work)(state);
        return default;
    }
}

internal readonly struct TokenActionWork<TState> : ISyncWork<TState, Nothing>
{
    public static Nothing Invoke(Delegate work, TState state, CancellationToken token)
    {
        Unsafe.As<Action<TState, CancellationToken>>(work)(state, token);
        return default;
    }
}

internal readonly struct FuncWork<TState, TResult> : ISyncWork<TState, TResult>
{
    public static TResult Invoke(Delegate work, TState state, CancellationToken token) =>
        Unsafe.As<Func<TState, TResult>>(work)(state);
}

internal readonly struct TokenFuncWork<TState, TResult> : ISyncWork<TState, TResult>
{
    public static TResult Invoke(Delegate work, TState state, CancellationToken token) =>
        Unsafe.As<Func<TState, CancellationToken, TResult>>(work)(state, token);
}

/// <summary>The result of work that has none.</summary>
internal readonly struct Nothing;
