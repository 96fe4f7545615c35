using FastJobs.Interop.Generated;
using FastJobs.Scheduling;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;

namespace FastJobs.Interop;

/// <summary>What a scheduler does with Events, which are the caller's C structs, and with jobs to be completed.</summary>
internal readonly unsafe struct SchedulerOps : IEventOps<nint>
{
    /// <summary>In Event.unused: trigger is a span. native/src/event.c sets it.</summary>
    private const int Span = 1;

    public static EventWish WishOf(nint item)
    {
        var e = (_Event*)item;
        return new EventWish
        {
            Descriptor = e->fd,
            Mask = e->mask,
            Rounds = e->aggressive switch
            {
                NativeConstants.E_AGGRESSIVE_LOW => 4,
                NativeConstants.E_AGGRESSIVE_MED => 16,
                NativeConstants.E_AGGRESSIVE_HIGH => int.MaxValue,
                _ => 1,
            },
            Trigger = ((long)e->trigger.tv_sec * 1_000_000) + (long)e->trigger.tv_usec,
            IsSpan = (e->unused & Span) != 0,
        };
    }

    public static void SetMask(nint item, int mask) => ((_Event*)item)->mask = mask;

    public static void SetThread(nint item, LoopThread? thread) =>
        ((_Event*)item)->scheduled_thread = thread is null ? 0 : thread.Handle;

    public static int Dispatch(nint item, int mask, long now)
    {
        var e = (_Event*)item;
        timeval time = TimeOf(now);
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.Taken(e);
        }

        return e->callback(e, mask, e->closure, &time);
    }

    public static void Free(nint item) => Host.Free(NativeConstants.MEMTYPE_EVENT, (void*)item);

    public static void Call(nint item) => CJobOps.Deliver((ec_thread_pool_job*)item, Schedulers.Current);

    public static void Recur(nint function, nint closure, long now)
    {
        timeval time = TimeOf(now);
        ((delegate* unmanaged[Cdecl]<void*, timeval*, int>)function)((void*)closure, &time);
    }

    public static void BeforeThreadStart() => Host.BeforeThreadStart();

    public static void AfterThreadStart() => Host.AfterThreadStart();

    public static void OnEnter(int loop) => Schedulers.Enter(loop);

    public static void OnLeave(int loop) => Schedulers.Leave();

    private static timeval TimeOf(long microseconds) => new()
    {
        tv_sec = (nint)(microseconds / 1_000_000),
        tv_usec = (nint)(microseconds % 1_000_000),
    };
}
