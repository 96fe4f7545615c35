using System.Runtime.CompilerServices;
using FastJobs.Jobs;

namespace FastJobs.Queues;

/// <summary>A job of the managed API: its result has a type.</summary>
internal abstract class TypedJob<TResult>(int pool) : QueuedJob(pool)
{
    /// <summary>What it returned; of a completed job that is the caller's alone, or under the lock.</summary>
    public abstract TResult Result { get; }

    public override object? BoxedResult =>
        Outcome == JobFlags.Completed && typeof(TResult) != typeof(Nothing) ? Result : null;
}

/// <summary>How a delegate of a certain shape is called; empty structs, so that each shape is its own code.</summary>
internal interface IQueuedWork<TState, TResult>
{
    static abstract TResult Invoke(Delegate work, TState state, QueuedJobContext context);
}

internal readonly struct PlainFunc<TState, TResult> : IQueuedWork<TState, TResult>
{
    public static TResult Invoke(Delegate work, TState state, QueuedJobContext context) =>
        Unsafe.As<Func<TState, TResult>>(work)(state);
}

internal readonly struct ContextFunc<TState, TResult> : IQueuedWork<TState, TResult>
{
    public static TResult Invoke(Delegate work, TState state, QueuedJobContext context) =>
        Unsafe.As<Func<TState, QueuedJobContext, TResult>>(work)(state, context);
}

internal readonly struct PlainAction<TState> : IQueuedWork<TState, Nothing>
{
    public static Nothing Invoke(Delegate work, TState state, QueuedJobContext context)
    {
        Unsafe.As<Action<TState>>(work)(state);
        return default;
    }
}

internal readonly struct ContextAction<TState> : IQueuedWork<TState, Nothing>
{
    public static Nothing Invoke(Delegate work, TState state, QueuedJobContext context)
    {
        Unsafe.As<Action<TState, QueuedJobContext>>(work)(state, context);
        return default;
    }
}

/// <summary>A job whose result is a value: it has a field for it.</summary>
internal sealed class ValueResultJob<TState, TResult, TWork> : TypedJob<TResult>
    where TWork : struct, IQueuedWork<TState, TResult>
{
    public static readonly JobPool<ValueResultJob<TState, TResult, TWork>> Pooled = new(static pool => new(pool));

    private TState? _state;
    private TResult? _result;

    private ValueResultJob(int pool)
        : base(pool)
    {
    }

    public override TResult Result => _result!;

    public override object? BoxedState => _state;

    public static QueuedJob Get(Delegate work, TState state)
    {
        ValueResultJob<TState, TResult, TWork> job = Pooled.Get();
        job.Prepare(work);
        job._state = state;
        return job;
    }

    public override RunEnd Run(RunSlot slot)
    {
        try
        {
            _result = TWork.Invoke(Unsafe.As<Delegate>(slot.Inner)!, _state!, new QueuedJobContext(slot));
            slot.Inner = null;
            return RunEnd.Completed;
        }
        catch (Exception e)
        {
            slot.Inner = e;
            return RunEnd.Failed;
        }
    }

    protected override void Clear()
    {
        _state = default;
        _result = default;
    }
}

/// <summary>A job whose result is a reference: it takes the place of the work.</summary>
internal sealed class ReferenceResultJob<TState, TResult, TWork> : TypedJob<TResult>
    where TWork : struct, IQueuedWork<TState, TResult>
{
    public static readonly JobPool<ReferenceResultJob<TState, TResult, TWork>> Pooled = new(static pool => new(pool));

    private TState? _state;

    private ReferenceResultJob(int pool)
        : base(pool)
    {
    }

    public override TResult Result
    {
        get
        {
            object? result = Inner;
            return Unsafe.As<object?, TResult>(ref result);
        }
    }

    public override object? BoxedState => _state;

    public static QueuedJob Get(Delegate work, TState state)
    {
        ReferenceResultJob<TState, TResult, TWork> job = Pooled.Get();
        job.Prepare(work);
        job._state = state;
        return job;
    }

    public override RunEnd Run(RunSlot slot)
    {
        try
        {
            slot.Inner = TWork.Invoke(Unsafe.As<Delegate>(slot.Inner)!, _state!, new QueuedJobContext(slot));
            return RunEnd.Completed;
        }
        catch (Exception e)
        {
            slot.Inner = e;
            return RunEnd.Failed;
        }
    }

    protected override void Clear() => _state = default;
}

/// <summary>A job that may go on after its thread is free: it keeps its place in the queue until its task ends.</summary>
internal sealed class AsyncResultJob<TState, TResult> : TypedJob<TResult>
{
    public static readonly JobPool<AsyncResultJob<TState, TResult>> Pooled = new(static pool => new(pool));

    private TState? _state;
    private TResult? _result;

    private AsyncResultJob(int pool)
        : base(pool)
    {
    }

    public override TResult Result => _result!;

    public override object? BoxedState => _state;

    public static QueuedJob Get(Delegate work, TState state)
    {
        AsyncResultJob<TState, TResult> job = Pooled.Get();
        job.Prepare(work);
        job._state = state;
        return job;
    }

    public override RunEnd Run(RunSlot slot)
    {
        RunSlot own = slot.GoElsewhere(); // before the work sees it: its context must outlive the thread
        Task<TResult> task;
        try
        {
            task = Unsafe.As<Func<TState, QueuedJobContext, Task<TResult>>>(slot.Inner)!(_state!, new QueuedJobContext(own))
                ?? throw new InvalidOperationException("The work of an asynchronous job returned null in place of a task.");
        }
        catch (Exception e)
        {
            slot.Inner = e;
            return RunEnd.Failed;
        }

        if (task.IsCompleted)
        {
            RunEnd end = Take(task, own);
            slot.Inner = own.Inner;
            return end;
        }

        slot.Queue!.GoesElsewhere();
        task.ContinueWith(
            static (task, state) =>
            {
                var own = (RunSlot)state!;
                own.FinishElsewhere(((AsyncResultJob<TState, TResult>)own.Job!).Take((Task<TResult>)task, own));
            },
            own,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
        return RunEnd.Pending;
    }

    private RunEnd Take(Task<TResult> task, RunSlot own)
    {
        try
        {
            _result = task.GetAwaiter().GetResult();
            own.Inner = null;
            return RunEnd.Completed;
        }
        catch (Exception e)
        {
            own.Inner = e;
            return RunEnd.Failed;
        }
    }

    protected override void Clear()
    {
        _state = default;
        _result = default;
    }
}
