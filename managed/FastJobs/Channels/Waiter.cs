using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using FastJobs.Completion;

namespace FastJobs.Channels;

/// <summary>
/// One waiting call of a channel: a reader that waits for an item, a writer that waits for room, or either that waits to
/// be told. Pooled by its channel, cancellable ones too.
/// </summary>
/// <remarks>
/// All fields but those of the core belong to the channel's gate. A waiter goes back to the pool when its result has
/// been taken and its cancellation callback can come no more: a callback that was already running when the waiter
/// completed clears <see cref="CallbackPending"/> first. So a late cancel never meets the next user of the object.
/// </remarks>
internal sealed class Waiter<TResult> : IValueTaskSource<TResult>, IValueTaskSource, IThreadPoolWorkItem
{
    private readonly IWaiterOwner<TResult> _owner;
    private CompletionCore<TResult> _core;

    public Waiter(IWaiterOwner<TResult> owner) => _owner = owner;

    /// <summary>The list it waits in, or null.</summary>
    public WaiterList<TResult>? List;
    public Waiter<TResult>? Next;
    public Waiter<TResult>? Previous;

    public CancellationTokenRegistration Registration;
    public bool CallbackPending;
    public bool Consumed;

    /// <summary>The item of a waiting write.</summary>
    public TResult? Item;

    /// <summary>Gets the item of a waiting write that nobody awaits, if it is refused.</summary>
    public Action<TResult>? Refused;

    public ValueTask<TResult> Task => new(this, _core.Version);

    public ValueTask UntypedTask => new(this, _core.Version);

    public void SetResult(TResult result) => _core.SetResult(result, this);

    public void SetError(Exception error) => _core.SetError(error, this);

    public short Token => _core.Version;

    public void Reset(bool runInline)
    {
        _core.Reset();
        _core.RunInline = runInline;
        Registration = default;
        Consumed = false;
        Item = default;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags, this);

    /// <summary>
    /// For a continuation of ours that is short: it runs in the thread that completes the waiter, or in this one if that has
    /// happened. The ThreadPool is never asked, which in a C program would start threads outside the guard.
    /// </summary>
    public void ContinueHere(Action<object?> continuation, object state) =>
        _core.OnCompleted(continuation, state, Token, ValueTaskSourceOnCompletedFlags.None, this, inlineIfDone: true);

    public TResult GetResult(short token)
    {
        TResult result = Take(token, out Exception? error);
        if (error is not null)
        {
            CompletionCore<TResult>.Throw(error);
        }

        return result;
    }

    /// <summary>Lets nobody await it: it ends by itself.</summary>
    public void Detach(Action<TResult> refused)
    {
        Refused = refused;
        ContinueHere(static state => ((Waiter<TResult>)state!).EndDetached(), this);
    }

    private void EndDetached()
    {
        Action<TResult> refused = Refused!;
        TResult item = Item!;
        Refused = null;
        if (!TryGetResult(Token))
        {
            refused(item);
        }
    }

    /// <summary>As GetResult, where failing is no exception.</summary>
    public bool TryGetResult(short token)
    {
        Take(token, out Exception? error);
        return error is null;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    void IThreadPoolWorkItem.Execute() => _core.Continue();

    private TResult Take(short token, out Exception? error)
    {
        TResult result = _core.TakeResult(token, out error);
        _core.Reset(); // at once, so that a second await of the same ValueTask fails
        _owner.Consume(this);
        return result;
    }

    public void OnCanceled(CancellationToken token) => _owner.Cancel(this, token);
}

/// <summary>The channel, as its waiters see it.</summary>
internal interface IWaiterOwner<TResult>
{
    void Consume(Waiter<TResult> waiter);

    void Cancel(Waiter<TResult> waiter, CancellationToken token);
}

/// <summary>Waiters in the order of their coming. Guarded by the channel's gate.</summary>
internal sealed class WaiterList<TResult>
{
    private Waiter<TResult>? _last;

    public Waiter<TResult>? First { get; private set; }

    public void Add(Waiter<TResult> waiter)
    {
        waiter.List = this;
        waiter.Previous = _last;
        if (_last is null)
        {
            First = waiter;
        }
        else
        {
            _last.Next = waiter;
        }

        _last = waiter;
    }

    public void Remove(Waiter<TResult> waiter)
    {
        if (waiter.Previous is null)
        {
            First = waiter.Next;
        }
        else
        {
            waiter.Previous.Next = waiter.Next;
        }

        if (waiter.Next is null)
        {
            _last = waiter.Previous;
        }
        else
        {
            waiter.Next.Previous = waiter.Previous;
        }

        waiter.List = null;
        waiter.Next = waiter.Previous = null;
    }
}
