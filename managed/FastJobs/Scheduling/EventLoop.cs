using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace FastJobs.Scheduling;

/// <summary>
/// An event loop over epoll: descriptors, timers, recurrent functions, and what other threads post. One thread at a time
/// drives it: a thread of its own, or the host's, an iteration at a time. This part is its iteration.
/// </summary>
/// <remarks>
/// Any thread may post, signal and read figures. All else is the driving thread's, or that of the thread to which the loop
/// belongs while nobody drives it (<see cref="TryBorrow"/>); what it keeps needs no lock. No lock is held and no state
/// half changed while user code runs, so a callback may end its thread: the next one goes on behind it.
/// </remarks>
internal sealed unsafe partial class EventLoop<TItem, TOps> : IDisposable
    where TItem : notnull
    where TOps : struct, IEventOps<TItem>
{
    private const int BatchSize = 64;
    private const ulong InboxMark = ulong.MaxValue;
    private const ulong SpanTimerMark = ulong.MaxValue - 1;
    private const ulong WallTimerMark = ulong.MaxValue - 2;

    private readonly int _eventFd;
    private readonly AlarmClock<TItem> _spans;
    private readonly AlarmClock<TItem> _walls;
    private readonly Inbox<TItem> _inbox;
    private readonly Action<Post<TItem>> _takeOne;
    private readonly byte* _reported = (byte*)NativeMemory.Alloc(BatchSize, 16);
    private readonly Queue<Ready> _ready = new();
    private (nint Function, nint Closure)[] _recurrent = [];
    private int _reportedCount;
    private int _reportedNext;
    private bool _inboxReported;
    private long _now; // when the iteration began, in microseconds since the epoch
    private long _iterations;
    private long _dispatches;
    private Running _running;

    private EventLoop(int number, int epoll, int eventFd, int spanTimer, int wallTimer)
    {
        Number = number;
        _epoll = epoll;
        _eventFd = eventFd;
        _spans = new AlarmClock<TItem>(spanTimer, LinuxCalls.ClockMonotonic);
        _walls = new AlarmClock<TItem>(wallTimer, LinuxCalls.ClockRealtime);
        _inbox = new Inbox<TItem>(eventFd);
        _takeOne = TakeOne;
        WatchOwn();
    }

    /// <summary>Unique in the process.</summary>
    public int Number { get; }

    /// <summary>Readable, level-triggered, while there is something to do; timers included.</summary>
    public int Descriptor => _epoll;

    public long Iterations => Volatile.Read(ref _iterations);

    public long Dispatches => Volatile.Read(ref _dispatches);

    public long Signals => _inbox.Signals;

    public long PostsTaken => _inbox.Taken;

    public int Timers => _spans.Timers.Count + _walls.Timers.Count;

    public int Descriptors => Volatile.Read(ref _slotsTaken);

    /// <summary>Calls (not events) that run in the driving thread now, one inside the other.</summary>
    public int CallsInProgress { get; private set; }

    /// <summary>Makes a loop; false: the system has no descriptors left, the error number says which limit.</summary>
    public static bool TryCreate(int number, [NotNullWhen(true)] out EventLoop<TItem, TOps>? loop, out int error)
    {
        Span<int> made = [-1, -1, -1, -1];
        loop = null;
        error = 0;
        for (int i = 0; i < made.Length; i++)
        {
            made[i] = i switch
            {
                0 => LinuxCalls.CreateEpoll(),
                1 => LinuxCalls.CreateEventFd(),
                2 => LinuxCalls.CreateTimer(LinuxCalls.ClockMonotonic),
                _ => LinuxCalls.CreateTimer(LinuxCalls.ClockRealtime),
            };
            if (made[i] < 0)
            {
                error = LinuxCalls.LastError;
                for (int k = 0; k < i; k++)
                {
                    LinuxCalls.Close(made[k]);
                }

                return false;
            }
        }

        loop = new EventLoop<TItem, TOps>(number, made[0], made[1], made[2], made[3]);
        return true;
    }

    /// <summary>Hands a call over. Any thread. False: the loop takes nothing any more.</summary>
    public bool TryPostCall(TItem call) => TryPost(new Post<TItem>(call, 0, true));

    /// <summary>Hands an event over, to be armed and, if the mask is not 0, called. Any thread.</summary>
    public bool TryPostEvent(TItem item, int mask) => TryPost(new Post<TItem>(item, mask, false));

    /// <summary>Makes the loop go through one iteration. Any thread.</summary>
    public void Ping() => _inbox.Signal();

    /// <summary>Refuses posts from now on.</summary>
    public void Close() => _inbox.Close();

    public bool IsClosed => _inbox.IsClosed;

    /// <summary>Adds a function that is called once an iteration. Any thread.</summary>
    public void AddRecurrent(nint function, nint closure)
    {
        lock (_threadLock)
        {
            Volatile.Write(ref _recurrent, [.. _recurrent, (function, closure)]); // release: pairs with Recur
        }

        _inbox.Signal(); // it is called soon for the first time, although there may be nothing else to do
    }

    private bool TryPost(in Post<TItem> post)
    {
        bool posted = _inbox.TryPost(post);
        if (_lacksThread)
        {
            Revive();
        }

        return posted;
    }

    /// <summary>One iteration: waits until there is something to do or the time is over, and does it.</summary>
    /// <returns>Whether there was something to do.</returns>
    private bool Iterate(int timeoutMilliseconds)
    {
        if (_reportedNext >= _reportedCount && !WaitForReports(timeoutMilliseconds))
        {
            return false;
        }

        long before = _dispatches + PostsTaken;
        Volatile.Write(ref _iterations, _iterations + 1); // release: pairs with the read of a figure
        // In this order, the reverse of that in SetTimer: when a span is over, so it is on the wall's clock.
        _time = LinuxCalls.Now(LinuxCalls.ClockMonotonic);
        long wall = LinuxCalls.Now(LinuxCalls.ClockRealtime);
        _now = wall / 1000;
        Recur();
        RunTimers(_spans.Timers, _time);
        RunTimers(_walls.Timers, wall);
        TakePosts();
        RunReady(_ready.Count);
        DispatchReported();
        return _dispatches + PostsTaken != before;
    }

    private void Recur()
    {
        foreach ((nint function, nint closure) in Volatile.Read(ref _recurrent))
        {
            Running outer = Begin(new Running { Function = function, Closure = closure });
            TOps.Recur(function, closure, _now);
            _running = outer;
        }
    }

    private void RunTimers(TimerHeap<TItem> timers, long now)
    {
        // A callback may arm its event for a time that is over: then it is the next iteration's.
        long last = _order;
        while (timers.NextDeadline <= now && timers.First.Order <= last)
        {
            Dispatch(timers.First, EventMask.Timeout | timers.First.ReadyMask);
        }
    }

    /// <summary>Takes what was posted: events are armed, calls get in line.</summary>
    private void TakePosts()
    {
        bool reported = _inboxReported;
        _inboxReported = false;
        _inbox.Take(reported, _takeOne);
    }

    private void TakeOne(Post<TItem> post)
    {
        if (post.IsCall)
        {
            _ready.Enqueue(new Ready(post.Item, null, 0));
        }
        else if (Schedule(post.Item, post.Mask, out _) is not (Scheduled.Done or Scheduled.Busy))
        {
            Fail(post.Item);
        }
    }

    // What stands in line now; what comes meanwhile is the next iteration's.
    private void RunReady(int count)
    {
        for (; count > 0 && _ready.TryDequeue(out Ready ready); count--)
        {
            if (ready.Registration is null)
            {
                Running outer = Begin(default);
                CallsInProgress++;
                TOps.Call(ready.Call);
                CallsInProgress--;
                _running = outer;
                CallEnded?.Invoke();
            }
            else if (ready.Registration.Generation == ready.Generation)
            {
                Dispatch(ready.Registration, ready.Registration.ReadyMask);
            }
        }
    }

    private void DispatchReported()
    {
        // The place in the batch is the loop's, not this method's: a callback that ends its thread leaves the rest to the next.
        while (_reportedNext < _reportedCount)
        {
            LinuxCalls.Decode(_reported, _reportedNext++, out uint what, out ulong data);
            if (data < WallTimerMark)
            {
                DispatchReport((int)(uint)data, (uint)(data >> 32), what);
            }
        }
    }

    private Running Begin(Running next)
    {
        Running outer = _running;
        _running = next;
        Volatile.Write(ref _dispatches, _dispatches + 1); // release: pairs with the read of a figure
        return outer;
    }

    public void Dispose()
    {
        _inbox.End();
        LinuxCalls.Close(_epoll);
        LinuxCalls.Close(_eventFd);
        LinuxCalls.Close(_spans.Descriptor);
        LinuxCalls.Close(_walls.Descriptor);
        NativeMemory.Free(_reported);
    }

    /// <summary>What is in line to run: a call, or an event to be called with its ready mask.</summary>
    private readonly record struct Ready(TItem Call, Registration<TItem>? Registration, uint Generation);

    /// <summary>What user code runs now, a call if neither is set: if it ends its thread, this is over.</summary>
    private struct Running
    {
        public Registration<TItem>? Event;
        public nint Function;
        public nint Closure;
    }
}
