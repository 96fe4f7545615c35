namespace FastJobs.Scheduling;

/// <summary>
/// The events of a loop: arm, call, clear. For the thread that drives the loop, or has borrowed it. docs/protocols.md#dispatch.
/// </summary>
/// <remarks>
/// A descriptor is armed for one report (EPOLLONESHOT) and armed again by what its callback returns, except where it stays armed
/// for some milliseconds (EventLoop.Watching.cs). What is reported carries the number of its arming, so that a report that was
/// overtaken by a clear is known.
/// </remarks>
internal sealed partial class EventLoop<TItem, TOps>
{
    private readonly Dictionary<TItem, Registration<TItem>> _byItem = [];
    private readonly Stack<Registration<TItem>> _spare = new();
    private Registration<TItem>?[] _slots = new Registration<TItem>?[64]; // by descriptor
    private int _slotsTaken;
    private long _order;

    /// <summary>Arms an event, or, with a mask, puts it in line to be called.</summary>
    /// <param name="item">The event.</param>
    /// <param name="mask">What to call it with; 0: only arm it.</param>
    /// <param name="error">The system's error number, where the system refused.</param>
    public Scheduled Schedule(TItem item, int mask, out int error)
    {
        error = 0;
        if (_byItem.TryGetValue(item, out Registration<TItem>? registration))
        {
            return ScheduleAgain(registration, mask, out error);
        }

        EventWish wish = TOps.WishOf(item);
        if (mask == 0 && (wish.Mask & (EventMask.Io | EventMask.Timeout)) == 0)
        {
            return Scheduled.NothingToWaitFor;
        }

        int descriptor = UsesSlot(wish) ? wish.Descriptor : -1;
        if (!CanHaveSlot(descriptor))
        {
            error = LinuxCalls.BadDescriptor;
            return Scheduled.Refused;
        }

        registration = _spare.TryPop(out Registration<TItem>? spare) ? spare : new Registration<TItem>();
        registration.Item = item;
        if (descriptor >= 0 && SlotOf(descriptor) is { } holder)
        {
            if (!holder.IsDispatching || holder.Successor is not null)
            {
                Recycle(registration);
                return Scheduled.Taken;
            }

            // A connection that was suspended goes on before the callback that suspended it has returned.
            holder.Successor = registration;
            registration.Holder = holder;
            registration.Wanted = descriptor;
            registration.ReadyMask = mask;
            Adopt(registration);
            return Scheduled.Done;
        }

        TakeSlot(registration, descriptor);
        Adopt(registration);
        if (mask != 0)
        {
            GetInLine(registration, mask);
            return Scheduled.Done;
        }

        Scheduled armed = Arm(registration, wish, out error);
        if (armed != Scheduled.Done)
        {
            Release(registration);
        }

        return armed;
    }

    /// <summary>The event of a descriptor that is armed, in line or being called.</summary>
    public bool TryFind(int descriptor, out TItem item)
    {
        TakePosts();
        Registration<TItem>? holder = SlotOf(descriptor);
        item = holder is null ? default! : holder.Item;
        return holder is not null;
    }

    /// <summary>Takes the event of a descriptor out; it is the caller's, except the one that is being called now.</summary>
    public bool TryClear(int descriptor, out TItem item)
    {
        TakePosts();
        Registration<TItem>? holder = SlotOf(descriptor);
        item = holder is null ? default! : holder.Item;
        if (holder is null)
        {
            return false;
        }

        if (holder.IsDispatching)
        {
            Disarm(holder);
            LeaveSlot(holder);
            Promote(holder);
        }
        else
        {
            Release(holder);
        }

        return true;
    }

    /// <summary>Takes an event out and frees it. False: it was not armed, or it is being called now.</summary>
    public bool TryClear(TItem item)
    {
        TakePosts();
        if (!_byItem.TryGetValue(item, out Registration<TItem>? registration) || registration.IsDispatching)
        {
            return false;
        }

        Release(registration);
        TOps.Free(item);
        return true;
    }

    /// <summary>Calls an event at once, armed or not. Not from within a callback: it gets in line then.</summary>
    public Scheduled CallNow(TItem item, int mask)
    {
        Scheduled scheduled = Schedule(item, mask, out _);
        if (scheduled == Scheduled.Done && mask != 0 && !_byItem[item].IsWaiting)
        {
            Dispatch(_byItem[item], _byItem[item].ReadyMask);
        }

        return scheduled;
    }

    /// <summary>An event that nobody can be told of otherwise: it is called with Exception, and that is its end.</summary>
    public void Fail(TItem item)
    {
        Registration<TItem> registration = _spare.TryPop(out Registration<TItem>? spare) ? spare : new Registration<TItem>();
        registration.Item = item;
        registration.HasFailed = true;
        Adopt(registration);
        GetInLine(registration, EventMask.Exception);
    }

    private Scheduled ScheduleAgain(Registration<TItem> registration, int mask, out int error)
    {
        error = 0;
        if (registration.IsDispatching || registration.HasFailed)
        {
            return Scheduled.Busy;
        }

        if (mask != 0)
        {
            GetInLine(registration, registration.ReadyMask | mask);
            return Scheduled.Done;
        }

        if (registration.ReadyMask != 0 || registration.IsWaiting)
        {
            return Scheduled.Done; // it is armed when it has been called
        }

        return Rearm(registration, out error);
    }

    private void DispatchReport(int descriptor, uint arming, uint what)
    {
        Registration<TItem>? registration = SlotOf(descriptor);
        if (registration is null || registration.Arming != arming)
        {
            HasStrayed(); // cleared, or armed anew, since it was reported
        }
        else if (!registration.IsDispatching && registration.ReadyMask == 0 && registration.TouchedIn != _waits)
        {
            Dispatch(registration, MaskOf(what, TOps.WishOf(registration.Item).Mask));
        }
    }

    private void Dispatch(Registration<TItem> registration, int mask)
    {
        registration.ReadyMask = 0;
        registration.Generation++; // what was put in line before is out of date
        registration.TouchedIn = _waits; // and what was reported
        registration.IsBusy = _time - registration.CalledAt < BusySpan;
        registration.CalledAt = _time;
        registration.IsDispatching = true;
        LeaveTimers(registration);
        Running outer = Begin(new Running { Event = registration });
        int again = CallBack(registration, mask);
        _running = outer;
        AfterDispatch(registration, again);
    }

    private int CallBack(Registration<TItem> registration, int mask)
    {
        TItem item = registration.Item;
        int rounds = TOps.WishOf(item).Rounds;
        while (true)
        {
            int again = TOps.Dispatch(item, mask, _now);
            if (--rounds <= 0 || (again & EventMask.Io) == 0 || registration.HasFailed || registration.Descriptor < 0)
            {
                return again;
            }

            uint found = LinuxCalls.Poll(registration.Descriptor, KernelMask(again));
            if (found == 0)
            {
                return again;
            }

            mask = MaskOf(found, again);
            TOps.SetMask(item, again);
        }
    }

    private void AfterDispatch(Registration<TItem> registration, int again)
    {
        registration.IsDispatching = false;
        Registration<TItem>? successor = registration.Successor;
        if (again == 0 || registration.HasFailed)
        {
            TItem item = registration.Item;
            Release(registration);
            TOps.Free(item);
            return;
        }

        TOps.SetMask(registration.Item, again);
        if (successor is not null)
        {
            // Both want the descriptor; the one that has it keeps it.
            registration.Successor = null;
            successor.Holder = null;
            FailLater(successor);
        }

        if (Rearm(registration, out _) != Scheduled.Done)
        {
            FailLater(registration);
        }
    }

    private void FailLater(Registration<TItem> registration)
    {
        Disarm(registration);
        LeaveSlot(registration);
        registration.HasFailed = true;
        GetInLine(registration, EventMask.Exception);
    }
}
