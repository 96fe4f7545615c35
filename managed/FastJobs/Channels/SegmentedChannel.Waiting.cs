using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FastJobs.Parking;

namespace FastJobs.Channels;

/// <summary>
/// Waiting, dropping and closing. Everything here runs under the gate except the completion of waiters, which may run
/// user code and comes after it. docs/protocols.md#waiting.
/// </summary>
internal partial class SegmentedChannel<T, TSlot>
{
    private readonly ChannelSettings<T> _settings;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion;

    private readonly WaiterList<T> _reads = new();
    private readonly WaiterList<bool> _readWaits = new();
    private readonly WaiterList<T> _writes = new();
    private readonly WaiterList<bool> _writeWaits = new();
    private WaiterPool<T>? _itemWaiters;
    private WaiterPool<bool>? _turnWaiters;

    private bool RunInline => _settings.RunContinuationsInline;

    private long _frozenEnd = -1;
    private Exception? _error;

    private WaiterPool<T> ItemWaiters => _itemWaiters ??= new(_gate);

    private WaiterPool<bool> TurnWaiters => _turnWaiters ??= new(_gate);

    /// <summary>Called by a writer that published an item while a reader slept: docs/protocols.md#wake.</summary>
    protected virtual void NotifyReaders()
    {
        Waiter<T>? served = null;
        Waiter<T>? lastServed = null;
        Waiter<bool>? told = null;
        HeadWord claimed = default;
        lock (_gate)
        {
            while (_reads.First is { } read && TryClaimCore(out T? item, ref claimed, out _) == Claim.Claimed)
            {
                WaiterPool<T>.Detach(read);
                read.Item = item;
                if (lastServed is null)
                {
                    served = read;
                }
                else
                {
                    lastServed.Next = read;
                }

                lastServed = read;
            }

            if (_readWaits.First is not null && Count > 0)
            {
                WaiterPool<bool>.DetachAll(_readWaits, ref told);
            }

            if (_reads.First is null && _readWaits.First is null)
            {
                // Pairs with the writers' operations on the tail, under the gate with the setting of the flag.
                Interlocked.And(ref _tail.Value, ~TailWord.Sleepers);
            }
        }

        // Before the readers go on: a continuation that runs inline may block on what this does.
        if (claimed.HasFlags)
        {
            AfterClaim(claimed);
        }

        for (Waiter<T>? next; served is not null; served = next)
        {
            next = served.Next;
            served.Next = null;
            served.SetResult(served.Item!);
        }

        Tell(told, true);
    }

    // Called by a reader that claimed an item while a writer waited, or while the channel was closing.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AfterClaim(HeadWord claimed)
    {
        if (claimed.HasWritersWaiting)
        {
            AdmitWriters();
        }

        if (claimed.IsClosing && HeadPosition >= FrozenEnd())
        {
            FinishClosing();
        }
    }

    private protected void AdmitWriters()
    {
        Waiter<T>? admitted = null;
        Waiter<bool>? told = null;
        bool notify = false;
        lock (_gate)
        {
            while (_writes.First is { } write
                && TryWriteBoundedCore(write.Item!, mayOvertake: true, out bool sleepers) == BoundedWrite.Written)
            {
                notify |= sleepers;
                WaiterPool<T>.Detach(write);
                write.Next = admitted;
                admitted = write;
            }

            if (_writeWaits.First is not null && Count < Capacity)
            {
                WaiterPool<bool>.DetachAll(_writeWaits, ref told);
            }

            ForgetWriters();
        }

        if (notify)
        {
            NotifyReaders(); // before the writers go on, as above
        }

        for (Waiter<T>? next; admitted is not null; admitted = next)
        {
            next = admitted.Next;
            admitted.Next = null;
            admitted.SetResult(default!);
        }

        Tell(told, true);
    }

    // Under the gate.
    private void ForgetWriters()
    {
        if (_writes.First is null && _writeWaits.First is null)
        {
            // Pairs with the exchange in TryClaim, under the gate with the setting of the flag.
            Interlocked.And(ref _head.Value, ~HeadWord.WritersWait);
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

            BoundedWrite write = TryWriteBoundedCore(item, mayOvertake: true, out notify);
            ForgetWriters();
            return write;
        }
    }

    private static void Tell(Waiter<bool>? chain, bool result)
    {
        for (Waiter<bool>? next; chain is not null; chain = next)
        {
            next = chain.Next;
            chain.Next = null;
            chain.SetResult(result);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueTask<T> ReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        return TryRead(out T? item) ? new ValueTask<T>(item) : ReadOrEnlist(cancellationToken);
    }

    // Apart, so that a call that finds an item sets up no frame for the gate.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask<T> ReadOrEnlist(CancellationToken cancellationToken)
    {
        HeadWord claimed = default;
        T? item;
        lock (_gate)
        {
            switch (ClaimOrSleep(out item, ref claimed))
            {
                case Claim.Empty when IsDrained:
                    return new ValueTask<T>(ClosedTask<T>());
                case Claim.Empty:
                    return ItemWaiters.Enlist(_reads, RunInline, cancellationToken).Task;
            }
        }

        if (claimed.HasFlags)
        {
            AfterClaim(claimed);
        }

        return new ValueTask<T>(item!);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        return Count > 0 ? new ValueTask<bool>(true) : EnlistToRead(cancellationToken);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask<bool> EnlistToRead(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // Full fence. Pairs with the add of a writer: either the count sees its position or it sees the flag.
            Interlocked.Or(ref _tail.Value, TailWord.Sleepers);
            return Count > 0 ? new ValueTask<bool>(true)
                : !IsDrained ? TurnWaiters.Enlist(_readWaits, RunInline, cancellationToken).Task
                : _error is null ? new ValueTask<bool>(false)
                : ValueTask.FromException<bool>(_error);
        }
    }

    // Under the gate: claims, or leaves the flag by which the next writer knows that somebody sleeps.
    private Claim ClaimOrSleep(out T? item, ref HeadWord claimed)
    {
        // Full fence. Pairs with the add of a writer: either its position is seen here or it sees the flag.
        Interlocked.Or(ref _tail.Value, TailWord.Sleepers);
        var spinner = default(SpinWait);
        Claim claim;
        while ((claim = TryClaimCore(out item, ref claimed, out _)) == Claim.Unpublished)
        {
            spinner.SpinOnce(); // that writer may have come before the flag, so it would not notify
        }

        return claim;
    }

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
                ? TryWriteBoundedCore(item, mayOvertake: true, out notify)
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

    // What a full channel does with an item. False: it is full and waits, or it is closed.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryWriteOrDrop(T item, out bool closed)
    {
        while (!TryWrite(item, out closed))
        {
            if (closed)
            {
                return false;
            }

            switch (_settings.FullMode)
            {
                case BoundedChannelFullMode.DropWrite:
                    _settings.ItemDropped?.Invoke(item);
                    return true;

                case BoundedChannelFullMode.DropOldest:
                    return WriteDroppingOldest(item, out closed);

                case BoundedChannelFullMode.DropNewest:
                    if (TryReplaceNewest(item, out T? newest))
                    {
                        _settings.ItemDropped?.Invoke(newest);
                        return true;
                    }

                    break;

                default:
                    return false;
            }
        }

        return true;
    }

    // The handler hears of what was dropped when the new item is in: it may look at the channel, or throw.
    private bool WriteDroppingOldest(T item, out bool closed)
    {
        Queue<T>? dropped = null; // more than one only if other writers take the room that was made
        bool written;
        while (!(written = TryWrite(item, out closed)) && !closed)
        {
            if (TryRead(out T? oldest) && _settings.ItemDropped is not null)
            {
                (dropped ??= new Queue<T>(1)).Enqueue(oldest);
            }
        }

        while (dropped is not null && dropped.TryDequeue(out T? oldest))
        {
            _settings.ItemDropped!(oldest);
        }

        return written;
    }

    // Pauses claims, so that nobody owns a position behind the head: docs/protocols.md#pause.
    private bool TryReplaceNewest(T item, [MaybeNullWhen(false)] out T newest)
    {
        newest = default;
        lock (_gate)
        {
            // Full fence. Pairs with the exchange in TryClaim, which fails from here on.
            long head = new HeadWord(Interlocked.Or(ref _head.Value, HeadWord.Paused)).Position;
            try
            {
                long position = EndPosition - 1;
                if (position - head + 1 < Capacity || _store.Find(position) is not { } segment)
                {
                    return false;
                }

                ref TSlot slot = ref segment.At(position & (Segment<T, TSlot>.Length - 1));
                if (!TSlot.IsPublished(ref slot))
                {
                    return false;
                }

                newest = TSlot.Take(ref slot);
                TSlot.Publish(ref slot, item);
                LowerClearFrom(segment, head);
                return true;
            }
            finally
            {
                Interlocked.And(ref _head.Value, ~HeadWord.Paused);
            }
        }
    }

    private bool TryPeek([MaybeNullWhen(false)] out T item)
    {
        if (_settings.FullMode != BoundedChannelFullMode.DropNewest)
        {
            return TryPeekCore(out item);
        }

        lock (_gate)
        {
            return TryPeekCore(out item); // nothing is replaced meanwhile
        }
    }
}
