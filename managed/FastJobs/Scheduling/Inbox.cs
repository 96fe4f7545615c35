namespace FastJobs.Scheduling;

/// <summary>What other threads hand to a loop.</summary>
/// <param name="Item">An event or a call.</param>
/// <param name="Mask">Of an event: what to call it with; 0: only arm it.</param>
/// <param name="IsCall">It is a call.</param>
internal readonly record struct Post<TItem>(TItem Item, int Mask, bool IsCall);

/// <summary>
/// Posts from any thread to the one that drives a loop, and the eventfd that wakes it. However many posts come before the
/// loop looks, the first alone writes to the eventfd. docs/protocols.md#inbox.
/// </summary>
/// <remarks>The lock is held for one append, one exchange of lists or one write to the eventfd.</remarks>
internal sealed class Inbox<TItem>(int eventFd)
{
    private readonly Lock _lock = new();
    private List<Post<TItem>> _posts = [];
    private List<Post<TItem>> _spare = [];
    private int _signalled;
    private long _signals;
    private long _taken;
    private bool _closed;
    private bool _ended;

    /// <summary>How often the eventfd was written to.</summary>
    public long Signals => Volatile.Read(ref _signals);

    /// <summary>How many posts were taken.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>False: closed. The post is the caller's then.</summary>
    public bool TryPost(in Post<TItem> post)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            _posts.Add(post); // P1
        }

        Signal();
        return true;
    }

    /// <summary>Makes the loop look.</summary>
    public void Signal()
    {
        // P2. Full fence: after the append; pairs with the exchange in Take, before the lists change places.
        if (Interlocked.Exchange(ref _signalled, 1) == 0)
        {
            lock (_lock) // not into a descriptor that is another's by now
            {
                if (!_ended)
                {
                    Volatile.Write(ref _signals, _signals + 1); // release: pairs with the read of a figure
                    LinuxCalls.WriteCounter(eventFd); // P3
                }
            }
        }
    }

    /// <summary>Hands all posts over, in their order. Called by the thread that drives the loop.</summary>
    /// <param name="reported">Whether the eventfd is known to be readable; else a look at the flag tells.</param>
    /// <param name="take">Called for each post. May post.</param>
    public void Take(bool reported, Action<Post<TItem>> take)
    {
        // Acquire: pairs with the exchange in Signal. A post whose flag is not seen here will write to the eventfd.
        if (!reported && Volatile.Read(ref _signalled) == 0)
        {
            return;
        }

        LinuxCalls.ReadCounter(eventFd); // L1, before the flag: it would swallow the signal of a post that comes after it
        Interlocked.Exchange(ref _signalled, 0); // L2. Full fence, before the lists change places; pairs with Signal
        List<Post<TItem>> posts;
        lock (_lock)
        {
            posts = _posts; // L3
            _posts = _spare;
        }

        foreach (Post<TItem> post in posts)
        {
            take(post);
        }

        Volatile.Write(ref _taken, _taken + posts.Count); // release: pairs with the read of a figure
        posts.Clear();
        _spare = posts;
    }

    /// <summary>Writes no more: the descriptor is about to be closed.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
        }
    }

    public bool IsClosed
    {
        get
        {
            lock (_lock)
            {
                return _closed;
            }
        }
    }

    /// <summary>Refuses posts from now on. Those before are still to be taken.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
        }
    }
}
