using System.Runtime.CompilerServices;

namespace FastJobs.Channels;

/// <summary>Writing where there is a limit to how many items may wait. docs/protocols.md#queue.</summary>
internal partial class SegmentedChannel<T, TSlot>
{
    /// <summary>Writes where <see cref="Capacity"/> is not <see cref="long.MaxValue"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private protected virtual bool TryWriteLimited(T item, out bool closed)
    {
        BoundedWrite write = TryWriteBoundedCore(item, Capacity, mayOvertake: false, out bool notify);
        if (write == BoundedWrite.OthersWait)
        {
            write = TryWriteBehindWaiters(item, out notify);
        }

        if (notify)
        {
            NotifyReaders();
        }

        closed = write == BoundedWrite.Closed;
        return write == BoundedWrite.Written;
    }

    private enum BoundedWrite
    {
        Written,
        Full,
        Closed,

        /// <summary>A writer waits for room, or did until now: whoever comes later must not overtake it.</summary>
        OthersWait,
    }

    // notify: the caller must call NotifyReaders, once it holds no gate.
    private BoundedWrite TryWriteBoundedCore(T item, long capacity, bool mayOvertake, out bool notify)
    {
        notify = false;
        while (true)
        {
            long raw = Volatile.Read(ref _tail.Value);
            var tail = new TailWord(raw);
            if (tail.IsClosed)
            {
                return BoundedWrite.Closed;
            }

            if (tail.IsLeased)
            {
                BreakLease();
                continue;
            }

            // The head is read after the tail: at the moment of that read at least tail - head items waited, so "full"
            // is true of that moment. The head only grows, so room that is seen is still there when the exchange wins.
            // While writers wait the cached head says "full", so that all come to the look at the flag: nobody brings it up
            // to date then, those who admit writers neither, or others would take the room behind their backs.
            if (tail.Position - Volatile.Read(ref _tail.Cached) >= capacity)
            {
                var head = new HeadWord(Volatile.Read(ref _head.Value));
                if (tail.Position - head.Position >= capacity)
                {
                    return BoundedWrite.Full;
                }

                if (head.HasWritersWaiting && !mayOvertake)
                {
                    return BoundedWrite.OthersWait;
                }

                if (!head.HasWritersWaiting)
                {
                    Volatile.Write(ref _tail.Cached, head.Position);
                }
            }

            // Full fence, as in TryWriteForced.
            if (Interlocked.CompareExchange(ref _tail.Value, raw + TailWord.PositionOne, raw) == raw)
            {
                Publish(tail.Position, item);
                notify = tail.NeedsNotify;
                if (tail.WantsStamp)
                {
                    TakeStamp();
                }

                return BoundedWrite.Written;
            }
        }
    }
}
