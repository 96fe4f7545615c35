using System.Runtime.CompilerServices;

namespace FastJobs.Channels;

/// <summary>
/// Who waits, and how those are told that can go on. Everything here runs under the gate except the completion of waiters,
/// which may run user code and comes after it. docs/protocols.md#waiting.
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

    // newCapacity: what it becomes. Whoever finds it larger finds the writers that waited for the smaller one admitted.
    private protected void AdmitWriters(long? newCapacity = null)
    {
        Waiter<T>? admitted = null;
        Waiter<bool>? told = null;
        bool notify = false;
        lock (_gate)
        {
            long capacity = newCapacity ?? Capacity;
            while (_writes.First is { } write
                && TryWriteBoundedCore(write.Item!, capacity, mayOvertake: true, out bool sleepers) == BoundedWrite.Written)
            {
                notify |= sleepers;
                WaiterPool<T>.Detach(write);
                write.Next = admitted;
                admitted = write;
            }

            Volatile.Write(ref _capacity, capacity); // only here, under the gate
            if (_writeWaits.First is not null && Count < capacity)
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

    private static void Tell(Waiter<bool>? chain, bool result)
    {
        for (Waiter<bool>? next; chain is not null; chain = next)
        {
            next = chain.Next;
            chain.Next = null;
            chain.SetResult(result);
        }
    }
}
