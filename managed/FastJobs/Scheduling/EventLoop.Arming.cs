namespace FastJobs.Scheduling;

/// <summary>How an event gets into the kernel's set and the timers, its slot and the line, and out of them again.</summary>
internal sealed partial class EventLoop<TItem, TOps>
{
    // The event may wait for something else now, at another descriptor even.
    private Scheduled Rearm(Registration<TItem> registration, out int error)
    {
        EventWish wish = TOps.WishOf(registration.Item);
        error = 0;
        int descriptor = UsesSlot(wish) ? wish.Descriptor : -1;
        if (registration.Descriptor != descriptor)
        {
            if (descriptor >= 0 && SlotOf(descriptor) is not null)
            {
                return Scheduled.Taken;
            }

            if (!CanHaveSlot(descriptor))
            {
                error = LinuxCalls.BadDescriptor;
                return Scheduled.Refused;
            }

            LeaveSlot(registration);
            TakeSlot(registration, descriptor);
        }

        LeaveTimers(registration);
        return (wish.Mask & (EventMask.Io | EventMask.Timeout)) == 0
            ? Scheduled.NothingToWaitFor
            : Arm(registration, wish, out error);
    }

    private Scheduled Arm(Registration<TItem> registration, in EventWish wish, out int error)
    {
        error = 0;
        registration.Generation++;
        if ((wish.Mask & EventMask.Io) != 0)
        {
            error = Watch(registration, KernelMask(wish.Mask));
            if (error != 0)
            {
                return Scheduled.Refused;
            }
        }

        if ((wish.Mask & EventMask.Timeout) != 0)
        {
            SetTimer(registration, wish);
        }

        return Scheduled.Done;
    }

    private void SetTimer(Registration<TItem> registration, in EventWish wish)
    {
        long trigger = wish.Trigger > long.MaxValue / 1000 ? long.MaxValue - 1 : Math.Max(0, wish.Trigger) * 1000;
        registration.Deadline = trigger;
        if (wish.IsSpan)
        {
            // The wall's clock is read first, so that the span does not end before it.
            long left = trigger - LinuxCalls.Now(LinuxCalls.ClockRealtime);
            long now = LinuxCalls.Now(LinuxCalls.ClockMonotonic);
            registration.Deadline = left > long.MaxValue - now ? long.MaxValue - 1 : now + left;
        }

        registration.IsSpan = wish.IsSpan;
        registration.Order = ++_order;
        (wish.IsSpan ? _spans : _walls).Timers.Add(registration);
    }

    private void GetInLine(Registration<TItem> registration, int mask)
    {
        registration.ReadyMask = mask;
        if (!registration.IsWaiting)
        {
            registration.Generation++;
            _ready.Enqueue(new Ready(default!, registration, registration.Generation));
        }
    }

    // The slot is free: the one that waits for it takes it.
    private void Promote(Registration<TItem> holder)
    {
        Registration<TItem>? successor = holder.Successor;
        holder.Successor = null;
        if (successor is null)
        {
            return;
        }

        successor.Holder = null;
        TakeSlot(successor, successor.Wanted);
        if (successor.ReadyMask != 0)
        {
            GetInLine(successor, successor.ReadyMask);
        }
        else if (Rearm(successor, out _) != Scheduled.Done)
        {
            FailLater(successor);
        }
    }

    private void Adopt(Registration<TItem> registration)
    {
        _byItem.Add(registration.Item, registration);
        TOps.SetThread(registration.Item, _driver ?? Owner);
    }

    // The event is not the loop's any more.
    private void Release(Registration<TItem> registration)
    {
        Disarm(registration);
        LeaveSlot(registration);
        if (registration.Holder is { } holder)
        {
            holder.Successor = null;
        }

        Promote(registration);
        _byItem.Remove(registration.Item);
        TOps.SetThread(registration.Item, null);
        Recycle(registration);
    }

    private void Recycle(Registration<TItem> registration)
    {
        registration.Reset();
        _spare.Push(registration);
    }

    private void Disarm(Registration<TItem> registration)
    {
        LeaveTimers(registration);
        Unwatch(registration);
    }

    private void LeaveTimers(Registration<TItem> registration)
    {
        if (registration.HeapIndex >= 0)
        {
            (registration.IsSpan ? _spans : _walls).Timers.Remove(registration);
        }
    }

    private Registration<TItem>? SlotOf(int descriptor) =>
        (uint)descriptor < (uint)_slots.Length ? _slots[descriptor] : null;

    private void TakeSlot(Registration<TItem> registration, int descriptor)
    {
        registration.Descriptor = descriptor;
        if (descriptor < 0)
        {
            return;
        }

        if (descriptor >= _slots.Length)
        {
            Array.Resize(ref _slots, Math.Max(descriptor + 1, _slots.Length * 2));
        }

        _slots[descriptor] = registration;
        _slotsTaken++;
    }

    private void LeaveSlot(Registration<TItem> registration)
    {
        if (registration.Descriptor < 0)
        {
            return;
        }

        Unwatch(registration);
        _slots[registration.Descriptor] = null;
        _slotsTaken--;
        registration.Descriptor = -1;
    }

    // One that only waits for a time does not keep others from its descriptor.
    private static bool UsesSlot(in EventWish wish) => (wish.Mask & EventMask.Io) != 0 && wish.Descriptor >= 0;

    // No slots for numbers that are none.
    private bool CanHaveSlot(int descriptor) => descriptor < _slots.Length || LinuxCalls.IsOpen(descriptor);

    private static uint KernelMask(int mask) =>
        ((mask & EventMask.Read) != 0 ? LinuxCalls.EpollIn : 0)
        | ((mask & EventMask.Write) != 0 ? LinuxCalls.EpollOut : 0)
        | ((mask & EventMask.Exception) != 0 ? LinuxCalls.EpollPri : 0);

    // An error or a hang-up is reported as whatever the event waits for: reading or writing tells what it is.
    private static int MaskOf(uint found, int wanted)
    {
        int mask = ((found & LinuxCalls.EpollIn) != 0 ? EventMask.Read : 0)
            | ((found & LinuxCalls.EpollOut) != 0 ? EventMask.Write : 0)
            | ((found & LinuxCalls.EpollPri) != 0 ? EventMask.Exception : 0);
        return (found & (LinuxCalls.EpollErr | LinuxCalls.EpollHup)) != 0 ? mask | (wanted & EventMask.Io) : mask;
    }
}
