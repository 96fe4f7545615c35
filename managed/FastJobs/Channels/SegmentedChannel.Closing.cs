using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>
/// Closing: the frozen end, who fails, and when the channel is drained. docs/protocols.md#waiting.
/// </summary>
internal partial class SegmentedChannel<T, TSlot>
{
    /// <summary>Closes the channel: no more writes; what was written can still be read. False if it was closed.</summary>
    public bool TryClose(Exception? error)
    {
        Waiter<T>? writes = null;
        Waiter<bool>? writeWaits = null;
        lock (_gate)
        {
            if (new TailWord(Volatile.Read(ref _tail.Value)).IsClosed)
            {
                return false;
            }

            _error = error;

            // Full fence. A write whose add comes before is in the channel, one whose add comes after is refused.
            var tail = new TailWord(Interlocked.Or(ref _tail.Value, TailWord.Closed));
            Volatile.Write(ref _frozenEnd, tail.Position); // release: pairs with FrozenEnd

            // Full fence. Pairs with the exchange in TryClaim: either the last claim is seen below or it sees the flag.
            Interlocked.Or(ref _head.Value, HeadWord.Closing);
            WaiterPool<T>.DetachAll(_writes, ref writes);
            WaiterPool<bool>.DetachAll(_writeWaits, ref writeWaits);
        }

        for (Waiter<T>? next; writes is not null; writes = next)
        {
            next = writes.Next;
            writes.Next = null;
            writes.SetError(ClosedException());
        }

        EndWaits(writeWaits);
        if (IsDrained)
        {
            FinishClosing();
        }

        return true;
    }

    private bool IsDrained => new TailWord(Volatile.Read(ref _tail.Value)).IsClosed && HeadPosition >= FrozenEnd();

    // As the BCL has it: a channel that was closed by a cancellation cancels, any other says that it is closed.
    private Exception ClosedException() => _error is OperationCanceledException ? _error : new ChannelClosedException(_error);

    private Task<TResult> ClosedTask<TResult>() =>
        _error is not OperationCanceledException canceled ? Task.FromException<TResult>(ClosedException())
        : Task.FromCanceled<TResult>(
            canceled.CancellationToken.IsCancellationRequested ? canceled.CancellationToken : new CancellationToken(true));

    // Where the items of a closed channel end. The closer sets it right after the flag.
    private long FrozenEnd()
    {
        long end = Volatile.Read(ref _frozenEnd);
        return end >= 0 ? end : AwaitFrozenEnd();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long AwaitFrozenEnd()
    {
        long end;
        var spinner = default(SpinWait);
        while ((end = Volatile.Read(ref _frozenEnd)) < 0)
        {
            spinner.SpinOnce();
        }

        return end;
    }

    private void FinishClosing()
    {
        Waiter<T>? reads = null;
        Waiter<bool>? readWaits = null;
        lock (_gate)
        {
            WaiterPool<T>.DetachAll(_reads, ref reads);
            WaiterPool<bool>.DetachAll(_readWaits, ref readWaits);
        }

        switch (_error)
        {
            case null:
                _completion.TrySetResult();
                break;
            case OperationCanceledException canceled:
                _completion.TrySetCanceled(canceled.CancellationToken);
                break;
            default:
                _completion.TrySetException(_error);
                break;
        }

        for (Waiter<T>? next; reads is not null; reads = next)
        {
            next = reads.Next;
            reads.Next = null;
            reads.SetError(ClosedException());
        }

        EndWaits(readWaits);
    }

    private void EndWaits(Waiter<bool>? chain)
    {
        if (_error is null)
        {
            Tell(chain, false);
            return;
        }

        for (Waiter<bool>? next; chain is not null; chain = next)
        {
            next = chain.Next;
            chain.Next = null;
            chain.SetError(_error);
        }
    }
}
