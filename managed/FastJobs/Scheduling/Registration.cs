namespace FastJobs.Scheduling;

/// <summary>
/// What a loop remembers of one event that it was given. Events have no room for it, so it is looked up by the event's
/// name or by its descriptor. Used again when the event has gone; touched by the thread that drives the loop only.
/// </summary>
internal sealed class Registration<TItem>
{
    public TItem Item = default!;

    /// <summary>The descriptor whose slot this is, or -1.</summary>
    public int Descriptor = -1;

    /// <summary>Raised with every use, so that an old place in a queue is known.</summary>
    public uint Generation;

    /// <summary>The kernel has the descriptor in its set: armed, or reported once and silent since.</summary>
    public bool IsInSet;

    /// <summary>What the kernel's reports carry; unique in the loop.</summary>
    public uint Arming;

    /// <summary>The kernel reports it again and again, until so many nanoseconds of the monotonic clock; 0: once.</summary>
    public long StaysUntil;

    /// <summary>What the kernel watches for.</summary>
    public uint Events;

    /// <summary>In which wait's reports the event was called or armed last: those are out of date.</summary>
    public long TouchedIn;

    /// <summary>When it was called last, and whether that was soon after the call before.</summary>
    public long CalledAt;
    public bool IsBusy;

    /// <summary>The place in the timers, or -1, and what decides there.</summary>
    public int HeapIndex = -1;
    public long Deadline;
    public long Order;
    public bool IsSpan;

    /// <summary>It waits to be called with this mask; 0: it does not.</summary>
    public int ReadyMask;

    /// <summary>It could not be armed: it is called with Exception, and that is its end.</summary>
    public bool HasFailed;

    /// <summary>Its callback runs.</summary>
    public bool IsDispatching;

    /// <summary>The event that was scheduled for the same descriptor while this one's callback runs.</summary>
    public Registration<TItem>? Successor;

    /// <summary>Whose successor it is; and the descriptor that it waits for.</summary>
    public Registration<TItem>? Holder;
    public int Wanted;

    public bool IsWaiting => Holder is not null;

    public void Reset()
    {
        Item = default!;
        Descriptor = -1;
        Generation++;
        IsInSet = false;
        StaysUntil = 0;
        CalledAt = 0;
        IsBusy = false;
        HeapIndex = -1;
        ReadyMask = 0;
        HasFailed = false;
        IsDispatching = false;
        Successor = null;
        Holder = null;
    }
}
