using FastJobs.Channels;

namespace FastJobs.Parking;

/// <summary>Lets a thread wait for what is otherwise awaited, without an allocation: each thread keeps its parker.</summary>
internal static class BlockingWait
{
    [ThreadStatic]
    private static Parker? t_parker;

    /// <summary>Writes, waiting for room. False: the channel is closed.</summary>
    public static bool Write<T, TSlot>(SegmentedChannel<T, TSlot> channel, T item)
        where TSlot : struct, ISlot<T, TSlot>
    {
        if (channel.TryWriteOrWait(item, out Waiter<T>? waiter, out bool closed))
        {
            return true;
        }

        if (closed)
        {
            return false;
        }

        Parker parker = t_parker ??= new Parker();
        short token = waiter!.Token;
        waiter.ContinueHere(static state => ((Parker)state!).Unpark(), parker);
        parker.Park(Timeout.Infinite);
        return waiter.TryGetResult(token);
    }
}
