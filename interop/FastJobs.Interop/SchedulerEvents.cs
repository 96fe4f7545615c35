using System.Diagnostics.CodeAnalysis;
using FastJobs.Interop.Generated;
using FastJobs.Scheduling;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;

namespace FastJobs.Interop;

/// <summary>What C programs do with Events: argument checks, and which scheduler is meant.</summary>
internal static unsafe class SchedulerEvents
{
    private const int MicrosecondsASecond = 1_000_000;

    public static bool Schedule(nint inst, _Event* e, bool dispatches, int mask)
    {
        string function = dispatches ? "schedule_event_and_dispatch" : "schedule_event";
        if (!IsValid(e, mask, function) || !TryResolve(inst, function, out CLoop? loop))
        {
            return false;
        }

        if (loop.IsClosed)
        {
            return Errors.Fail(fj_error.FJ_ESHUTDOWN, $"{function}: the scheduler has ended");
        }

        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.Given(e);
        }

        if (!loop.TryBorrow(out bool borrowed))
        {
            return loop.TryPostEvent((nint)e, mask)
                || Errors.Fail(fj_error.FJ_ESHUTDOWN, $"{function}: the scheduler has ended");
        }

        Scheduled scheduled = loop.Schedule((nint)e, mask, out int error);
        loop.Return(borrowed);
        return scheduled == Scheduled.Done || Fail(function, e, scheduled, error);
    }

    public static _Event* Find(nint inst, int descriptor, bool clear)
    {
        string function = clear ? "clear_event_by_fd" : "get_event_by_fd";
        if (descriptor < 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"{function}: {descriptor} is no descriptor");
            return null;
        }

        if (!TryBorrow(inst, function, out CLoop? loop, out bool borrowed))
        {
            return null;
        }

        bool found = clear ? loop.TryClear(descriptor, out nint item) : loop.TryFind(descriptor, out item);
        loop.Return(borrowed);
        return found ? (_Event*)item : null;
    }

    public static int ClearTimed(nint inst, _Event* e)
    {
        if (e == null)
        {
            Errors.Fail(fj_error.FJ_EINVAL, "clear_timed_event: the Event is NULL");
            return -1;
        }

        if (!TryBorrow(inst, "clear_timed_event", out CLoop? loop, out bool borrowed))
        {
            return -1;
        }

        bool cleared = loop.TryClear((nint)e);
        loop.Return(borrowed);
        return cleared ? 1 : 0;
    }

    public static bool Recur(nint inst, nint function, nint closure)
    {
        if (function == 0)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "scheduler_recurrent_func_add: the function is NULL");
        }

        if (!TryResolve(inst, "scheduler_recurrent_func_add", out CLoop? loop))
        {
            return false;
        }

        loop.AddRecurrent(function, closure);
        return true;
    }

    public static bool Ping(nint inst)
    {
        if (inst == 0 && Schedulers.Current is null && Schedulers.Master is null)
        {
            return true; // it would have nothing to do
        }

        if (!TryResolve(inst, "ping_scheduler", out CLoop? loop))
        {
            return false;
        }

        loop.Ping();
        return true;
    }

    /// <summary>An Event whose job is done. With no scheduler that takes it, it ends here.</summary>
    public static void Resume(_Event* e, int mask, CLoop? loop)
    {
        if (loop is null)
        {
            SchedulerOps.Dispatch((nint)e, EventMask.Exception, LinuxCalls.Now(LinuxCalls.ClockRealtime) / 1000);
            SchedulerOps.Free((nint)e);
        }
        else if (loop.CallNow((nint)e, mask) is not (Scheduled.Done or Scheduled.Busy))
        {
            loop.Fail((nint)e);
        }
    }

    /// <summary>The scheduler that is meant; the master is started if it is.</summary>
    public static bool TryResolve(nint inst, string function, [NotNullWhen(true)] out CLoop? loop)
    {
        loop = inst == 0 ? Schedulers.Current : null;
        if (loop is not null)
        {
            return true;
        }

        return inst == 0 ? Schedulers.TryGetMaster(out loop)
            : Schedulers.TryFind(inst, out loop)
            || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: there is no such scheduler, or it was destroyed");
    }

    // For what only the scheduler's thread may do: nothing is started for it.
    private static bool TryBorrow(nint inst, string function, [NotNullWhen(true)] out CLoop? loop, out bool borrowed)
    {
        borrowed = false;
        loop = inst == 0 ? Schedulers.Current ?? Schedulers.Master : null;
        if (inst != 0 && !TryResolve(inst, function, out loop))
        {
            return false;
        }

        return (loop is not null && loop.TryBorrow(out borrowed))
            || Errors.Fail(fj_error.FJ_ETHREAD, $"{function}: only the scheduler's thread may call this");
    }

    private static bool IsValid(_Event* e, int mask, string function)
    {
        if (e == null || e->callback == null)
        {
            return Errors.Fail(
                fj_error.FJ_EINVAL, e == null ? $"{function}: the Event is NULL" : $"{function}: the Event's callback is NULL");
        }

        if ((mask & ~EventMask.All) != 0 || (e->mask & ~EventMask.All) != 0)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{function}: a mask has an unknown bit: 0x{mask:x}, 0x{e->mask:x}");
        }

        if (mask == 0 && (e->mask & (EventMask.Io | EventMask.Timeout)) == 0)
        {
            return Fail(function, e, Scheduled.NothingToWaitFor, 0);
        }

        if ((e->mask & EventMask.Io) != 0 && (e->fd < 0 || !LinuxCalls.IsOpen(e->fd)))
        {
            return Fail(function, e, Scheduled.Refused, LinuxCalls.BadDescriptor);
        }

        return (e->mask & EventMask.Timeout) == 0
            || (e->trigger.tv_usec >= 0 && e->trigger.tv_usec < MicrosecondsASecond
                && e->trigger.tv_sec >= 0 && e->trigger.tv_sec <= (nint)1 << 53)
            || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: {e->trigger.tv_sec} s {e->trigger.tv_usec} us is no time");
    }

    private static bool Fail(string function, _Event* e, Scheduled scheduled, int error) => scheduled switch
    {
        Scheduled.NothingToWaitFor => Errors.Fail(
            fj_error.FJ_EINVAL, $"{function}: the Event has nothing to wait for: its mask is 0x{e->mask:x}"),
        Scheduled.Taken => Errors.Fail(fj_error.FJ_EEXIST, $"{function}: descriptor {e->fd} has an Event already"),
        Scheduled.Busy => Errors.Fail(
            fj_error.FJ_EBUSY, $"{function}: the Event is being called: its callback returns the mask to arm it with"),
        _ when error == LinuxCalls.BadDescriptor => Errors.Fail(
            fj_error.FJ_EINVAL, $"{function}: descriptor {e->fd} is not open"),
        _ when error == LinuxCalls.NotPermitted => Errors.Fail(
            fj_error.FJ_EINVAL, $"{function}: descriptor {e->fd} is of a kind that cannot be waited for, as a regular file"),
        _ => Errors.Fail(fj_error.FJ_ENOMEM, $"{function}: descriptor {e->fd} cannot be watched (error number {error})"),
    };
}
