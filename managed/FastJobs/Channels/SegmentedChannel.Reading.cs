using System.Runtime.CompilerServices;

namespace FastJobs.Channels;

/// <summary>Readers that wait: they enlist under the gate. docs/protocols.md#waiting.</summary>
internal partial class SegmentedChannel<T, TSlot>
{
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
}
