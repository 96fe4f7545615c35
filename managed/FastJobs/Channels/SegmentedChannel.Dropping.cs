using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>What a full channel that does not wait does with an item, and looking at the first one.</summary>
internal partial class SegmentedChannel<T, TSlot>
{
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
