using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace FastJobs.Completion;

/// <summary>
/// How a result gets back to an awaiter: the state of a reusable <see cref="IValueTaskSource{TResult}"/>. Its owner
/// embeds it, forwards the interface to it, and implements <see cref="IThreadPoolWorkItem"/> by <see cref="Continue"/>,
/// so that running a continuation on the ThreadPool allocates nothing (the BCL's ManualResetValueTaskSourceCore
/// allocates a work item there).
/// </summary>
/// <remarks>
/// One completer, one awaiter. <see cref="_continuation"/> is null (neither came), the awaiter's continuation, or
/// <see cref="s_completed"/>; both sides exchange it, and the second to come runs the continuation.
/// </remarks>
internal struct CompletionCore<TResult>
{
    private static readonly Action<object?> s_completed = static _ => Debug.Fail("a sentinel is not called");

    private Action<object?>? _continuation;
    private object? _state;
    private object? _scheduler; // a SynchronizationContext, a TaskScheduler, or null
    private ExecutionContext? _context;
    private Exception? _error;
    private TResult? _result;
    private short _version;
    private bool _done;

    /// <summary>Whether continuations run in the thread that completes.</summary>
    public bool RunInline { get; set; }

    public readonly short Version => _version;

    /// <summary>Makes the source ready for its next use; tokens given out before become invalid.</summary>
    public void Reset()
    {
        _version++;
        _continuation = null;
        _state = null;
        _scheduler = null;
        _context = null;
        _error = null;
        _result = default;
        _done = false;
    }

    public void SetResult(TResult result, IThreadPoolWorkItem owner)
    {
        _result = result;
        Complete(owner);
    }

    public void SetError(Exception error, IThreadPoolWorkItem owner)
    {
        _error = error;
        Complete(owner);
    }

    public readonly ValueTaskSourceStatus GetStatus(short token)
    {
        CheckToken(token);
        return !IsDone ? ValueTaskSourceStatus.Pending
            : _error is null ? ValueTaskSourceStatus.Succeeded
            : _error is OperationCanceledException ? ValueTaskSourceStatus.Canceled
            : ValueTaskSourceStatus.Faulted;
    }

    // Done means that the completer has let go of the source, which it does with its exchange: a poller that went by
    // _done alone could recycle the source under the completer's hands. Acquire: pairs with the exchange in Complete.
    private readonly bool IsDone => Volatile.Read(in _continuation) is not null && _done;

    /// <summary>The result, or the error to throw. The owner resets or recycles the source before it throws.</summary>
    public readonly TResult TakeResult(short token, out Exception? error)
    {
        CheckToken(token);
        if (!IsDone)
        {
            throw new InvalidOperationException("The operation has not completed: await it instead of asking for its result.");
        }

        error = _error;
        return _result!;
    }

    public void OnCompleted(
        Action<object?> continuation,
        object? state,
        short token,
        ValueTaskSourceOnCompletedFlags flags,
        IThreadPoolWorkItem owner,
        bool inlineIfDone = false)
    {
        CheckToken(token);
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
        {
            _context = ExecutionContext.Capture();
        }

        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0)
        {
            _scheduler = SynchronizationContext.Current is { } synchronization
                    && synchronization.GetType() != typeof(SynchronizationContext) ? synchronization
                : TaskScheduler.Current != TaskScheduler.Default ? TaskScheduler.Current
                : null;
        }

        _state = state;

        // Full fence: publishes the fields above; pairs with the exchange in Complete.
        Action<object?>? before = Interlocked.CompareExchange(ref _continuation, continuation, null);
        if (before is null)
        {
            return;
        }

        if (!ReferenceEquals(before, s_completed))
        {
            throw new InvalidOperationException("The operation is awaited twice: a ValueTask may be awaited once.");
        }

        // Completed already. Not inline, unless the continuation is one of ours: an awaiter's stack would grow with every
        // operation that completes early.
        _continuation = continuation;
        Dispatch(owner, inlineIfDone);
    }

    /// <summary>Runs the continuation; the body of the owner's <see cref="IThreadPoolWorkItem.Execute"/>.</summary>
    public readonly void Continue()
    {
        // A continuation may complete, recycle and reuse this source: everything is read before it runs.
        Action<object?> continuation = _continuation!;
        object? state = _state;
        if (_context is { } context)
        {
            ExecutionContext.Run(
                context, static s => Invoke((Tuple<Action<object?>, object?>)s!), Tuple.Create(continuation, state));
        }
        else
        {
            continuation(state);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Throw(Exception error) => ExceptionDispatchInfo.Throw(error);

    private static void Invoke(Tuple<Action<object?>, object?> call) => call.Item1(call.Item2);

    private void Complete(IThreadPoolWorkItem owner)
    {
        _done = true;

        // Full fence: publishes the result; pairs with the exchange in OnCompleted and the read in IsDone.
        if (Interlocked.CompareExchange(ref _continuation, s_completed, null) is not null)
        {
            Dispatch(owner, RunInline);
        }

        // Where there was no continuation yet, the source may be another operation's by now.
    }

    private readonly void Dispatch(IThreadPoolWorkItem owner, bool inline)
    {
        switch (_scheduler)
        {
            case SynchronizationContext synchronization:
                synchronization.Post(static o => ((IThreadPoolWorkItem)o!).Execute(), owner);
                break;
            case TaskScheduler scheduler:
                Task.Factory.StartNew(
                    static o => ((IThreadPoolWorkItem)o!).Execute(),
                    owner,
                    default,
                    TaskCreationOptions.DenyChildAttach,
                    scheduler);
                break;
            default:
                if (inline)
                {
                    owner.Execute();
                }
                else
                {
                    ThreadPool.UnsafeQueueUserWorkItem(owner, preferLocal: false);
                }

                break;
        }
    }

    private readonly void CheckToken(short token)
    {
        if (token != _version)
        {
            throw new InvalidOperationException("The operation is over: its ValueTask was awaited before, and may be awaited once.");
        }
    }
}
