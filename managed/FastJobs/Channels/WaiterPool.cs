namespace FastJobs.Channels;

/// <summary>
/// The waiters of one kind that a channel uses again. All members but <see cref="Consume"/> and <see cref="Cancel"/>
/// are called under the channel's gate.
/// </summary>
internal sealed class WaiterPool<TResult>(Lock gate) : IWaiterOwner<TResult>
{
    // As many spare waiters as a busy channel needs; a crowd of more that once waited together is left to the GC.
    private const int MaxSpare = 1024;

    private Waiter<TResult>? _spare;
    private int _spareCount;

    /// <summary>Lets a waiter wait in <paramref name="list"/> until it is detached or its token is cancelled.</summary>
    public Waiter<TResult> Enlist(WaiterList<TResult> list, bool runInline, CancellationToken cancellationToken)
    {
        Waiter<TResult>? waiter = _spare;
        if (waiter is null)
        {
            waiter = new Waiter<TResult>(this);
        }
        else
        {
            _spare = waiter.Next;
            waiter.Next = null;
            _spareCount--;
        }

        waiter.Reset(runInline);
        list.Add(waiter);
        if (cancellationToken.CanBeCanceled)
        {
            // If the token is cancelled already, the callback runs here and now; the gate may be entered again.
            waiter.Registration = cancellationToken.UnsafeRegister(
                static (state, token) => ((Waiter<TResult>)state!).OnCanceled(token), waiter);
        }

        return waiter;
    }

    /// <summary>Takes a waiter off its list, to complete it outside the gate.</summary>
    public static void Detach(Waiter<TResult> waiter)
    {
        waiter.List!.Remove(waiter);

        // A callback that can no longer be withdrawn waits for the gate: it finds CallbackPending and does nothing.
        waiter.CallbackPending = waiter.Registration.Token.CanBeCanceled && !waiter.Registration.Unregister();
    }

    /// <summary>Detaches every waiter of the list and chains them behind <paramref name="chain"/>.</summary>
    public static void DetachAll(WaiterList<TResult> list, ref Waiter<TResult>? chain)
    {
        while (list.First is { } waiter)
        {
            Detach(waiter);
            waiter.Next = chain;
            chain = waiter;
        }
    }

    public void Consume(Waiter<TResult> waiter)
    {
        lock (gate)
        {
            waiter.Consumed = true;
            if (!waiter.CallbackPending)
            {
                Free(waiter);
            }
        }
    }

    public void Cancel(Waiter<TResult> waiter, CancellationToken token)
    {
        lock (gate)
        {
            if (waiter.CallbackPending)
            {
                waiter.CallbackPending = false;
                if (waiter.Consumed)
                {
                    Free(waiter);
                }

                return;
            }

            if (waiter.List is null)
            {
                return; // it completed before its token was cancelled
            }

            waiter.List.Remove(waiter);
        }

        waiter.SetError(new OperationCanceledException(token));
    }

    private void Free(Waiter<TResult> waiter)
    {
        waiter.Registration = default;
        waiter.Item = default;
        if (_spareCount < MaxSpare)
        {
            waiter.Next = _spare;
            _spare = waiter;
            _spareCount++;
        }
    }
}
