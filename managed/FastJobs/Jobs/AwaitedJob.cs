using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using FastJobs.Completion;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>
/// A job with an awaiter: the ValueTask's source is the job itself. What runs is a subclass's; the races of start,
/// cancel, completion and recycling are here. docs/protocols.md#job.
/// </summary>
/// <remarks>
/// A job is recycled by whoever lets go of it last. Run: the awaiter, when it takes the result. Cancelled while it
/// waited: the awaiter or the worker that finds it in the queue, whichever comes second (<see cref="_released"/>).
/// A job whose cancellation callback could not be withdrawn is left to the GC: the callback may still look at it.
/// </remarks>
internal abstract unsafe class AwaitedJob<TResult> : Job, IValueTaskSource<TResult>, IValueTaskSource, IThreadPoolWorkItem
{
    private CompletionCore<TResult> _core;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;
    private int _released;
    private bool _detached;
    private bool _tainted; // a cancellation callback may still come: the job must not be used again

    protected AwaitedJob(delegate*<Job, Worker?, bool> run, int pool)
        : base(run, pool)
    {
    }

    public ValueTask<TResult> Task => new(this, _core.Version);

    public ValueTask UntypedTask => new(this, _core.Version);

    protected CancellationToken Token => _token;

    /// <summary>Makes the job ready to be handed in.</summary>
    /// <param name="options">How it goes on.</param>
    /// <param name="detached">Nobody awaits it: an exception goes to the engine's handler.</param>
    /// <param name="token">Cancels the job while it waits; its work gets it too.</param>
    public void Prepare(JobOptions options, bool detached, CancellationToken token)
    {
        _core.RunInline = (options & JobOptions.ContinueInline) != 0;
        _detached = detached;
        _token = token;
        MakeCancelable();
        if (token.CanBeCanceled)
        {
            _registration = token.UnsafeRegister(static state => ((AwaitedJob<TResult>)state!).CancelWaiting(), this);
        }
    }

    public override void Discard()
    {
        if (TryMove(JobState.Waiting, JobState.Canceled))
        {
            EndUnrun(new JobDiscardedException(Lane!.Name));
        }

        LeaveQueue();
    }

    /// <summary>Ends a job that could not be handed in.</summary>
    public void Refuse(Exception error)
    {
        if (TryMove(JobState.Waiting, JobState.Canceled))
        {
            EndUnrun(error);
        }

        LeaveQueue();
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags, this);

    public TResult GetResult(short token)
    {
        TResult result = _core.TakeResult(token, out Exception? error);
        Release(error);
        if (error is not null)
        {
            CompletionCore<TResult>.Throw(error);
        }

        return result;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    void IThreadPoolWorkItem.Execute() => _core.Continue();

    /// <summary>False: the job was cancelled while it waited, and this was the queue's hold on it.</summary>
    protected bool TryStart()
    {
        if (TryMove(JobState.Waiting, JobState.Running))
        {
            return true;
        }

        LeaveQueue();
        return false;
    }

    /// <summary>The work is done. The job may be another's when this returns.</summary>
    protected void Complete(TResult result)
    {
        LeaveToken();
        if (_detached)
        {
            Recycle();
            return;
        }

        _core.SetResult(result, this);
    }

    protected void Fail(Exception error)
    {
        LeaveToken();
        if (!_detached)
        {
            _core.SetError(error, this);
            return;
        }

        if (error is not OperationCanceledException || !_token.IsCancellationRequested)
        {
            Lane!.Reports.ReportUnhandled(error, Lane);
        }

        Recycle();
    }

    /// <summary>Forgets the work and the state.</summary>
    protected abstract void Clear();

    private void CancelWaiting()
    {
        if (TryMove(JobState.Waiting, JobState.Canceled))
        {
            EndUnrun(new OperationCanceledException(_token));
        }
    }

    // By whoever moved the job to Canceled. The queue may still hold it.
    private void EndUnrun(Exception error)
    {
        if (_detached)
        {
            Release(error);
        }
        else
        {
            _core.SetError(error, this);
        }
    }

    // The job is out of the queue and will not run. It is in state Canceled.
    private void LeaveQueue() => ReleaseSecond();

    // The awaiter has taken the result.
    private void Release(Exception? error)
    {
        if (Word.State == JobState.Canceled)
        {
            _core.Reset(); // the queue may hold the job for long: a second await must fail now, not release it again
            ReleaseSecond();
        }
        else
        {
            Recycle();
        }
    }

    private void ReleaseSecond()
    {
        // Full fence. The first to come leaves a mark, the second recycles.
        if (Interlocked.Exchange(ref _released, 1) != 0)
        {
            LeaveToken();
            Recycle();
        }
    }

    private void LeaveToken()
    {
        if (_token.CanBeCanceled && !_registration.Unregister())
        {
            _tainted = true;
        }
    }

    private void Recycle()
    {
        bool tainted = _tainted;
        Clear();
        _core.Reset();
        _token = default;
        _registration = default;
        _released = 0;
        NextGeneration();
        if (!tainted)
        {
            JobPools.Return(this);
        }
    }
}
