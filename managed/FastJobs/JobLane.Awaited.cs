using System.Runtime.CompilerServices;
using FastJobs.Jobs;
using FastJobs.Lanes;

namespace FastJobs;

/// <summary>Jobs with a result: one overload for each shape of work.</summary>
public sealed partial class JobLane
{
    /// <summary>Runs a job; the task completes when it has run.</summary>
    /// <param name="work">The work; a static lambda allocates nothing.</param>
    /// <param name="state">What the work gets.</param>
    /// <param name="cancellationToken">Cancels the job while it waits.</param>
    /// <param name="options">How the awaiter goes on, and whether the ExecutionContext flows.</param>
    /// <returns>May be awaited once. Fails with the exception of the work, or with
    /// <see cref="ObjectDisposedException"/>, <see cref="JobDiscardedException"/> or
    /// <see cref="OperationCanceledException"/> if the job did not run.</returns>
    /// <remarks>Never blocks: where the lane's backlog is full, the job waits for room.</remarks>
    public ValueTask RunAsync<TState>(
        Action<TState> work, TState state, CancellationToken cancellationToken = default, JobOptions options = JobOptions.None) =>
        RunSync<TState, Nothing, ActionWork<TState>>(work, state, cancellationToken, options).UntypedTask;

    /// <summary>As <see cref="RunAsync{TState}(Action{TState}, TState, CancellationToken, JobOptions)"/>; the work gets the token.</summary>
    public ValueTask RunAsync<TState>(
        Action<TState, CancellationToken> work,
        TState state,
        CancellationToken cancellationToken = default,
        JobOptions options = JobOptions.None) =>
        RunSync<TState, Nothing, TokenActionWork<TState>>(work, state, cancellationToken, options).UntypedTask;

    /// <summary>As <see cref="RunAsync{TState}(Action{TState}, TState, CancellationToken, JobOptions)"/>, with a result.</summary>
    public ValueTask<TResult> RunAsync<TState, TResult>(
        Func<TState, TResult> work,
        TState state,
        CancellationToken cancellationToken = default,
        JobOptions options = JobOptions.None) =>
        RunSync<TState, TResult, FuncWork<TState, TResult>>(work, state, cancellationToken, options).Task;

    /// <summary>As <see cref="RunAsync{TState}(Action{TState}, TState, CancellationToken, JobOptions)"/>, with token and result.</summary>
    public ValueTask<TResult> RunAsync<TState, TResult>(
        Func<TState, CancellationToken, TResult> work,
        TState state,
        CancellationToken cancellationToken = default,
        JobOptions options = JobOptions.None) =>
        RunSync<TState, TResult, TokenFuncWork<TState, TResult>>(work, state, cancellationToken, options).Task;

    /// <summary>
    /// Runs asynchronous work. The job keeps its slot in the lane until its task ends; the worker's thread is free
    /// meanwhile.
    /// </summary>
    /// <inheritdoc cref="RunAsync{TState}(Action{TState}, TState, CancellationToken, JobOptions)"/>
    public ValueTask RunAsync<TState>(
        Func<TState, CancellationToken, ValueTask> work,
        TState state,
        CancellationToken cancellationToken = default,
        JobOptions options = JobOptions.None) =>
        StartAsync<TState, Nothing, ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter, ValueTaskWork<TState>>(
            work, state, cancellationToken, options, detached: false).UntypedTask;

    /// <summary>Runs asynchronous work with a result.</summary>
    /// <inheritdoc cref="RunAsync{TState}(Func{TState, CancellationToken, ValueTask}, TState, CancellationToken, JobOptions)"/>
    public ValueTask<TResult> RunAsync<TState, TResult>(
        Func<TState, CancellationToken, ValueTask<TResult>> work,
        TState state,
        CancellationToken cancellationToken = default,
        JobOptions options = JobOptions.None) =>
        StartAsync<TState, TResult, ConfiguredValueTaskAwaitable<TResult>.ConfiguredValueTaskAwaiter, ResultValueTaskWork<TState, TResult>>(
            work, state, cancellationToken, options, detached: false).Task;

    /// <summary>Runs asynchronous work that nobody awaits; its exception goes to the engine's handler.</summary>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public void Submit<TState>(
        Func<TState, CancellationToken, ValueTask> work, TState state, CancellationToken cancellationToken = default)
    {
        StartAsync<TState, Nothing, ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter, ValueTaskWork<TState>>(
            work, state, cancellationToken, JobOptions.None, detached: true);
    }

    private SyncJob<TState, TResult, TWork> RunSync<TState, TResult, TWork>(
        Delegate work, TState state, CancellationToken token, JobOptions options)
        where TWork : struct, ISyncWork<TState, TResult>
    {
        ArgumentNullException.ThrowIfNull(work);
        SyncJob<TState, TResult, TWork> job = SyncJob<TState, TResult, TWork>.Jobs.Get();
        job.Set(work, state);
        Launch(job, token, options, detached: false);
        return job;
    }

    private AsyncJob<TState, TResult, TAwaiter, TWork> StartAsync<TState, TResult, TAwaiter, TWork>(
        Delegate work, TState state, CancellationToken token, JobOptions options, bool detached)
        where TAwaiter : struct, ICriticalNotifyCompletion
        where TWork : struct, IAsyncWork<TState, TResult, TAwaiter>
    {
        ArgumentNullException.ThrowIfNull(work);
        AsyncJob<TState, TResult, TAwaiter, TWork> job = AsyncJob<TState, TResult, TAwaiter, TWork>.Jobs.Get();
        job.Set(work, state);
        Launch(job, token, options, detached);
        return job;
    }

    private void Launch<TResult>(AwaitedJob<TResult> job, CancellationToken token, JobOptions options, bool detached)
    {
        job.Lane = Inner;
        job.Context = (options & JobOptions.SuppressFlow) != 0 ? null : JobContext.Capture();
        job.Prepare(options, detached, token);
        Submitted submitted = detached ? Inner.Submit(new JobRef(job)) : Inner.TrySubmit(new JobRef(job));
        if (submitted == Submitted.Full)
        {
            submitted = Inner.Queue.WriteEventually(new JobRef(job), RefuseWaiting<TResult>)
                ? Submitted.Queued
                : Submitted.Closed;
        }

        if (submitted != Submitted.Closed)
        {
            return;
        }

        job.Refuse(Stopped());
        if (detached)
        {
            throw Stopped();
        }
    }

    private static void RefuseWaiting<TResult>(JobRef refused)
    {
        var job = (AwaitedJob<TResult>)refused.Job!;
        job.Lane!.CountRefused();
        job.Refuse(new JobDiscardedException(job.Lane.Name));
    }
}
