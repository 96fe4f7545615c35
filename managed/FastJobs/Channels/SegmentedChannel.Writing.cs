using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>Writers that wait: they enlist under the gate. docs/protocols.md#waiting.</summary>
internal partial class SegmentedChannel<T, TSlot>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueTask WriteAsync(T item, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (TryWriteOrDrop(item, out _))
        {
            return default;
        }

        return WriteOrEnlist(item, cancellationToken);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask WriteOrEnlist(T item, CancellationToken cancellationToken) =>
        TryWriteOrEnlist(item, RunInline, cancellationToken, null, out Waiter<T>? waiter, out bool closed) ? default
            : closed ? new ValueTask(ClosedTask<bool>())
            : waiter!.UntypedTask;

    /// <summary>Writes; if there is no room, returns a waiter whose continuation runs in the thread that makes room.</summary>
    public bool TryWriteOrWait(T item, out Waiter<T>? waiter, out bool closed) =>
        TryWriteOrEnlist(item, runInline: true, default, null, out waiter, out closed);

    /// <summary>Writes, now or when there is room, without a caller that waits. False: the channel is closed.</summary>
    /// <param name="item">The item.</param>
    /// <param name="refused">Called with the item if the channel is closed before there was room.</param>
    public bool WriteEventually(T item, Action<T> refused) =>
        TryWriteOrEnlist(item, runInline: true, default, refused, out _, out bool closed) || !closed;

    // refused: nobody will await the waiter. It is detached under the gate, before anybody can complete it, so that who closes
    // the channel has called refused when the close returns.
    private bool TryWriteOrEnlist(
        T item,
        bool runInline,
        CancellationToken cancellationToken,
        Action<T>? refused,
        out Waiter<T>? waiter,
        out bool closed)
    {
        bool notify = false;
        waiter = null;
        lock (_gate)
        {
            // Full fence. Pairs with the exchange of a claiming reader: either its claim is seen below or it sees the
            // flag, and admits the writer. On a closed channel the flag is idle.
            Interlocked.Or(ref _head.Value, HeadWord.WritersWait);
            BoundedWrite write = _writes.First is null
                ? TryWriteBoundedCore(item, Capacity, mayOvertake: true, out notify)
                : BoundedWrite.Full;
            closed = new TailWord(Volatile.Read(ref _tail.Value)).IsClosed;
            if (write != BoundedWrite.Written)
            {
                if (!closed)
                {
                    waiter = ItemWaiters.Enlist(_writes, runInline, cancellationToken);
                    waiter.Item = item;
                    if (refused is not null)
                    {
                        waiter.Detach(refused);
                    }
                }

                return false;
            }

            ForgetWriters();
        }

        if (notify)
        {
            NotifyReaders();
        }

        return true;
    }

    private ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        lock (_gate)
        {
            if (new TailWord(Volatile.Read(ref _tail.Value)).IsClosed)
            {
                return _error is null ? new ValueTask<bool>(false) : ValueTask.FromException<bool>(_error);
            }

            if (_settings.FullMode != BoundedChannelFullMode.Wait || Count < Capacity)
            {
                return new ValueTask<bool>(true);
            }

            Interlocked.Or(ref _head.Value, HeadWord.WritersWait); // full fence: as in WriteAsync
            return Count < Capacity
                ? new ValueTask<bool>(true)
                : TurnWaiters.Enlist(_writeWaits, RunInline, cancellationToken).Task;
        }
    }

    // There is room, and there is or was a writer that came before.
    private BoundedWrite TryWriteBehindWaiters(T item, out bool notify)
    {
        notify = false;
        lock (_gate)
        {
            if (_writes.First is not null)
            {
                return BoundedWrite.Full; // the room is theirs: whoever made it is about to admit them
            }

            BoundedWrite write = TryWriteBoundedCore(item, Capacity, mayOvertake: true, out notify);
            ForgetWriters();
            return write;
        }
    }
}
