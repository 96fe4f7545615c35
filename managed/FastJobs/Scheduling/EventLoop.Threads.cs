using FastJobs.Parking;

namespace FastJobs.Scheduling;

/// <summary>Who drives a loop: a thread of its own, or whoever of the host's threads calls.</summary>
internal sealed partial class EventLoop<TItem, TOps>
{
    private readonly Lock _threadLock = new();
    private LoopThread? _driver;
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

    /// <summary>Starts a thread that drives the loop. False: there is none to be had.</summary>
    public bool TryStart(string name)
    {
        lock (_threadLock)
        {
            _threadName = name;
            return _ending || _thread is not null || TryStartThread();
        }
    }

    /// <summary>Ends the loop's own thread after the iteration in hand and waits for that, except in that thread itself.</summary>
    public void End()
    {
        Thread? thread;
        lock (_threadLock)
        {
            _ending = true;
            thread = _thread;
        }

        _inbox.Signal();
        if (thread is not null && thread != Thread.CurrentThread)
        {
            thread.Join();
            _owner = LoopThread.Current; // what is still armed there can be cleared by whoever has ended it
        }
    }

    /// <summary>Makes the calling thread the one that drives the loop. False: another one does, or it does already.</summary>
    public bool TryEnter()
    {
        LoopThread me = LoopThread.Current;
        // Full fence: acquires what the thread wrote that drove it before; pairs with the release in Leave.
        if (Interlocked.CompareExchange(ref _driver, me, null) is not null)
        {
            return false;
        }

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

        borrowed = IsMine && Interlocked.CompareExchange(ref _driver, LoopThread.Current, null) is null;
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

    /// <summary>A callback ended the thread that drove the loop: what it ran is over, and the loop goes on.</summary>
    public void OnThreadKilled()
    {
        Running running = _running;
        int calls = CallsInProgress;
        _running = default;
        CallsInProgress = 0;
        if (running.Event is { } registration)
        {
            AfterDispatch(registration, 0);
        }
        else if (running.Function != 0)
        {
            lock (_threadLock)
            {
                Volatile.Write(ref _recurrent, [.. _recurrent.Where(one => one != (running.Function, running.Closure))]);
            }
        }

        lock (_threadLock)
        {
            Volatile.Write(ref _driver, null); // release: pairs with the exchange in TryEnter
            _thread = null;
            _lacksThread = HasOwnThread && !_ending && !TryStartThread();
        }

        for (; calls > 0; calls--)
        {
            CallEnded?.Invoke();
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

    // There may be threads again.
    private void Revive()
    {
        lock (_threadLock)
        {
            _lacksThread = _lacksThread && !_ending && !TryStartThread();
        }
    }

    private bool TryStartThread()
    {
        var thread = new Thread(Main) { IsBackground = true, Name = _threadName };
        TOps.BeforeThreadStart();
        try
        {
            thread.UnsafeStart();
            _thread = thread;
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
        finally
        {
            TOps.AfterThreadStart();
        }
    }

    private void Main()
    {
        ThreadName.Set(_threadName!);
        if (!TryEnter())
        {
            return;
        }

        while (!_ending)
        {
            Iterate(-1);
        }

        Leave();
    }
}
