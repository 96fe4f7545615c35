namespace FastJobs.Scheduling;

/// <summary>
/// What the kernel watches for the loop, and the wait for its reports. docs/protocols.md#dispatch.
/// </summary>
/// <remarks>
/// A descriptor that is called again and again stays armed, so that a call costs no system call of the loop's own. For some
/// milliseconds only, because the loop cannot see what a callback does to its descriptor: one that was closed and opened anew is
/// not in the set, and what a copy of a closed one keeps in the set would be reported for ever. And only by a loop with a thread
/// of its own: nobody else waits for its set, so that another can take its place.
/// </remarks>
internal sealed unsafe partial class EventLoop<TItem, TOps>
{
    private const long BusySpan = 1_000_000; // ns from call to call of a descriptor that is worth it
    private const long StaySpan = 10_000_000; // ns
    private readonly Queue<Staying> _staying = new(); // by the time at which it is over
    private int _epoll;
    private uint _armings;
    private bool _mayHaveGhosts; // a descriptor was closed while it stayed armed
    private long _waits;
    private long _time; // when the iteration began, in nanoseconds of the monotonic clock

    private int Watch(Registration<TItem> registration, uint events)
    {
        if (registration.StaysUntil != 0 && registration.Events == events)
        {
            registration.TouchedIn = _waits;
            return 0;
        }

        return Watch(registration, events, HasOwnThread && registration.IsBusy);
    }

    private int Watch(Registration<TItem> registration, uint events, bool stays)
    {
        int descriptor = registration.Descriptor;
        uint arming = ++_armings;
        ulong data = ((ulong)arming << 32) | (uint)descriptor;
        uint all = events | (stays ? 0 : LinuxCalls.EpollOneShot);
        int first = registration.IsInSet ? LinuxCalls.ControlModify : LinuxCalls.ControlAdd;
        int error = LinuxCalls.Control(_epoll, first, descriptor, all, data);
        if (error is LinuxCalls.NoEntry or LinuxCalls.Exists)
        {
            // The descriptor was closed and opened anew, or its last event ended without leaving the set.
            _mayHaveGhosts |= registration.StaysUntil != 0;
            int other = first == LinuxCalls.ControlAdd ? LinuxCalls.ControlModify : LinuxCalls.ControlAdd;
            error = LinuxCalls.Control(_epoll, other, descriptor, all, data);
        }

        _mayHaveGhosts |= error != 0 && registration.StaysUntil != 0;
        registration.Arming = arming;
        registration.Events = events;
        registration.IsInSet = error == 0;
        registration.StaysUntil = stays && error == 0 ? _time + StaySpan : 0;
        if (registration.StaysUntil != 0)
        {
            _staying.Enqueue(new Staying(registration, arming));
        }

        return error;
    }

    private void Unwatch(Registration<TItem> registration)
    {
        if (!registration.IsInSet)
        {
            return;
        }

        // It fails where the descriptor was closed, which takes it out of the set too, unless there is a copy of it.
        int error = LinuxCalls.Control(_epoll, LinuxCalls.ControlDelete, registration.Descriptor, 0, 0);
        _mayHaveGhosts |= error != 0 && registration.StaysUntil != 0;
        registration.IsInSet = false;
        registration.StaysUntil = 0;
    }

    // Between two iterations: those whose time is over are armed anew, for one report unless they were called just now.
    private void EndStays()
    {
        while (_staying.TryPeek(out Staying first) && !(first.IsCurrent && first.Registration.StaysUntil > _time))
        {
            _staying.Dequeue();
            Registration<TItem> registration = first.Registration;
            if (first.IsCurrent && Watch(registration, registration.Events, _time - registration.CalledAt < BusySpan) != 0)
            {
                FailLater(registration);
            }
        }
    }

    // False: nothing in the given time.
    private bool WaitForReports(int timeoutMilliseconds)
    {
        EndStays();
        // The alarm clock and not the wait's time-out, which would set the processor's timer with every wait.
        _spans.Set(_staying.TryPeek(out Staying next) ? next.Registration.StaysUntil : long.MaxValue);
        _walls.Set();
        int timeout = _ready.Count > 0 ? 0 : timeoutMilliseconds;
        int count = LinuxCalls.Wait(_epoll, _reported, BatchSize, timeout);
        _waits++;
        _reportedNext = 0;
        _reportedCount = Math.Max(0, count);
        for (int i = 0; i < _reportedCount; i++)
        {
            LinuxCalls.Decode(_reported, i, out _, out ulong data);
            switch (data)
            {
                case InboxMark:
                    _inboxReported = true;
                    break;
                case SpanTimerMark:
                    _spans.HasRung();
                    break;
                case WallTimerMark:
                    _walls.HasRung();
                    break;
            }
        }

        return count != 0 || _ready.Count > 0;
    }

    // A report of an arming that is not any more. What stays armed under it would be reported for ever.
    private void HasStrayed()
    {
        if (!_mayHaveGhosts)
        {
            return;
        }

        int made = LinuxCalls.CreateEpoll();
        if (made < 0)
        {
            return; // the next report tries again
        }

        LinuxCalls.Close(_epoll);
        _epoll = made;
        _mayHaveGhosts = false;
        WatchOwn();
        foreach (Registration<TItem> registration in _byItem.Values)
        {
            if (registration.IsInSet)
            {
                registration.IsInSet = false;
                if (Watch(registration, registration.Events, registration.StaysUntil != 0) != 0 && !registration.HasFailed)
                {
                    FailLater(registration);
                }
            }
        }
    }

    private void WatchOwn()
    {
        LinuxCalls.Control(_epoll, LinuxCalls.ControlAdd, _eventFd, LinuxCalls.EpollIn, InboxMark);
        LinuxCalls.Control(_epoll, LinuxCalls.ControlAdd, _spans.Descriptor, LinuxCalls.EpollIn, SpanTimerMark);
        LinuxCalls.Control(_epoll, LinuxCalls.ControlAdd, _walls.Descriptor, LinuxCalls.EpollIn, WallTimerMark);
    }

    /// <summary>An arming that ends; not current if the event was armed anew or cleared since.</summary>
    private readonly record struct Staying(Registration<TItem> Registration, uint Arming)
    {
        public bool IsCurrent => Registration.StaysUntil != 0 && Registration.Arming == Arming;
    }
}
