namespace FastJobs.Scheduling;

/// <summary>Who drives a loop: a thread of its own, or whoever of the host's threads calls.</summary>
internal sealed partial class EventLoop<TItem, TOps>
{
    private readonly Lock _threadLock = new();
    private LoopThread? _driver;
    private volatile LoopThread? _borrower; // who has it for a moment, had it, or tried to
    private volatile LoopThread? _owner;
    private Thread? _thread;
    private string? _threadName;
    private volatile bool _stopped;
    private volatile bool _ending;
    private volatile bool _condemned;
    private volatile bool _lacksThread; // it was killed and there was no other to be had

    /// <summary>Called after each posted call, not under a lock.</summary>
    public Action? CallEnded { get; set; }

    /// <summary>The thread whose loop it is: its own, or the one that drove it last, or that made it.</summary>
    public LoopThread? Owner
    {
        get => _owner;
        set => _owner = value;
    }

    /// <summary>Whether the loop has, or had, a thread of its own.</summary>
    public bool HasOwnThread => _threadName is not null;

    /// <summary>Somebody is about to dispose of the loop: nobody else may look for it.</summary>
    public bool IsCondemned
    {
        get => _condemned;
        set => _condemned = value;
    }

    public bool IsMine => _owner is { } owner && ReferenceEquals(owner, LoopThread.Known);

    /// <summary>Whether the calling thread is inside of an iteration.</summary>
    public bool IsDrivenByMe => _driver is { } driver && ReferenceEquals(driver, LoopThread.Known);

    /// <summary>Makes the calling thread the one that drives the loop. False: another one does, or it does already.</summary>
    public bool TryEnter()
    {
        LoopThread me = LoopThread.Current;
        var spinner = default(SpinWait);
        // Full fence: acquires what the thread wrote that drove it before; pairs with the release in Leave.
        while (Interlocked.CompareExchange(ref _driver, me, null) is { } driver)
        {
            if (!ReferenceEquals(driver, _borrower) || ReferenceEquals(driver, me))
            {
                return false;
            }

            spinner.SpinOnce(); // whoever only does something to the loop gives it back
        }

        _borrower = null; // it stays after a return: this thread may have been it
        _owner = me;
        TOps.OnEnter(Number);
        return true;
    }

    public void Leave()
    {
        Settle();
        TOps.OnLeave(Number);
        Volatile.Write(ref _driver, null); // release: pairs with the exchange in TryEnter
    }

    /// <summary>Lets the loop's thread, in a callback or between two iterations, do something to it.</summary>
    /// <param name="borrowed">To be given to <see cref="Return"/>.</param>
    public bool TryBorrow(out bool borrowed)
    {
        borrowed = false;
        if (IsDrivenByMe)
        {
            return true;
        }

        if (IsMine)
        {
            LoopThread me = LoopThread.Current;
            _borrower = me; // before the exchange: whoever finds this thread to be the driver knows why
            borrowed = Interlocked.CompareExchange(ref _driver, me, null) is null;
        }

        return borrowed;
    }

    public void Return(bool borrowed)
    {
        if (borrowed)
        {
            Settle();
            Volatile.Write(ref _driver, null); // release: pairs with the exchanges in TryEnter and TryBorrow
        }
    }

    /// <summary>Goes round until <see cref="Stop"/>. The thread has entered.</summary>
    public void Run()
    {
        while (!_stopped)
        {
            Iterate(-1);
        }

        _stopped = false;
    }

    /// <summary>Makes Run return, the next one if none runs. Any thread.</summary>
    public void Stop()
    {
        _stopped = true;
        _inbox.Signal();
    }

    /// <summary>One iteration of at most so many milliseconds, -1 without end. The thread has entered.</summary>
    public bool RunOnce(int timeoutMilliseconds) => Iterate(timeoutMilliseconds);

    /// <summary>Delivers what was posted and nothing else, in a callback if need be. The thread has entered or borrowed.</summary>
    public void DeliverPosts()
    {
        TakePosts();
        RunReady(_ready.Count);
    }

    /// <summary>Frees every event without calling it. The thread has entered or borrowed.</summary>
    public void ReleaseAll()
    {
        foreach (Registration<TItem> registration in _byItem.Values.ToArray())
        {
            TItem item = registration.Item;
            registration.Successor = null; // it is in the list itself
            registration.Holder = null;
            Release(registration);
            TOps.Free(item);
        }
    }

    // The kernel's view is that of the loop when nobody drives it: whoever watches its descriptor is told.
    private void Settle()
    {
        _spans.Set();
        _walls.Set();
        if (_ready.Count > 0 || _reportedNext < _reportedCount || _inboxReported)
        {
            _inbox.Signal();
        }
    }
}
