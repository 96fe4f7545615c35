namespace FastJobs.Scheduling;

/// <summary>What can be waited for, and what an event is called with. The numbers are those of the C API.</summary>
internal static class EventMask
{
    public const int Read = 1;
    public const int Write = 2;
    public const int Exception = 4;
    public const int Timeout = 8;
    public const int Async = 16;

    /// <summary>What a descriptor can be watched for.</summary>
    public const int Io = Read | Write | Exception;

    public const int All = Io | Timeout | Async;
}

/// <summary>What an event waits for, as it says itself at the moment at which it is armed.</summary>
internal struct EventWish
{
    public int Descriptor;
    public int Mask;

    /// <summary>How often it may be called in a row while there is more to do; 1: once an iteration.</summary>
    public int Rounds;

    /// <summary>When it is due, in microseconds since the epoch.</summary>
    public long Trigger;

    /// <summary>The time is so far from now; else it is what the clock on the wall shows then, however that is set.</summary>
    public bool IsSpan;
}

/// <summary>
/// What a loop must know of the things it is handed: events, and calls (completions), which are known by the same kind of
/// name. Implemented by empty structs, so that a loop of C events is code of its own, without a virtual call.
/// </summary>
/// <typeparam name="TItem">An event's or a call's name: a pointer, or a reference in a struct.</typeparam>
internal interface IEventOps<TItem>
{
    /// <summary>What the event waits for.</summary>
    static abstract EventWish WishOf(TItem item);

    /// <summary>The event's callback asked to be armed with this mask.</summary>
    static abstract void SetMask(TItem item, int mask);

    /// <summary>The event is the loop's from now on, or, with null, not any more.</summary>
    static abstract void SetThread(TItem item, LoopThread? thread);

    /// <summary>Calls the event's callback; returns the mask to arm it with, or 0: it has ended. Throws nothing.</summary>
    /// <param name="item">The event.</param>
    /// <param name="mask">What has happened.</param>
    /// <param name="now">When the iteration began, in microseconds since the epoch.</param>
    static abstract int Dispatch(TItem item, int mask, long now);

    /// <summary>Frees an event that has ended.</summary>
    static abstract void Free(TItem item);

    /// <summary>Makes a posted call. Throws nothing.</summary>
    static abstract void Call(TItem item);

    /// <summary>Calls a recurrent function. Throws nothing.</summary>
    static abstract void Recur(nint function, nint closure, long now);

    /// <summary>Called around the start of a loop's own thread, in the thread that starts it.</summary>
    static abstract void BeforeThreadStart();

    static abstract void AfterThreadStart();

    /// <summary>Called when a thread begins and ends to drive the loop with this number.</summary>
    static abstract void OnEnter(int loop);

    static abstract void OnLeave(int loop);
}

/// <summary>How a schedule ended.</summary>
internal enum Scheduled
{
    Done,

    /// <summary>The event waits for nothing.</summary>
    NothingToWaitFor,

    /// <summary>The descriptor has another event.</summary>
    Taken,

    /// <summary>The event is being called.</summary>
    Busy,

    /// <summary>The loop takes nothing any more.</summary>
    Closed,

    /// <summary>The system does not watch this descriptor; the error number says why.</summary>
    Refused,
}
