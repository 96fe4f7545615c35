using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>The pool functions of ec_thread_pool.h: argument checks, and the settings of lanes.</summary>
internal static unsafe class Pools
{
    public const string ShortLivedName = "Short_Lived";
    private const int NoSuchClass = -2;

    public static int ClassOf(byte* name)
    {
        string? text = Marshal.PtrToStringUTF8((nint)name);
        if (string.Equals(text, ShortLivedName, StringComparison.OrdinalIgnoreCase))
        {
            return NativeConstants.ECTP_CLASS_SHORT_LIVED;
        }

        if (text is not null && CEngine.Current.Lanes.Find(text) is { } lane)
        {
            return lane.Id;
        }

        Errors.Fail(fj_error.FJ_ENOCLASS, text is null ? "the pool's name is NULL" : $"no pool is named \"{text}\"");
        return NoSuchClass;
    }

    public static int Create(byte* name, int concurrency, nuint stackSize, nuint backlog)
    {
        string? text = Marshal.PtrToStringUTF8((nint)name);
        bool valid = !string.IsNullOrEmpty(text)
            ? concurrency >= 0
                || Errors.Fail(fj_error.FJ_EINVAL, $"pool \"{text}\": the concurrency is negative: {concurrency}")
            : Errors.Fail(fj_error.FJ_EINVAL, "a pool needs a name: it is NULL or empty");
        if (!valid || !IsStackSize(text!, stackSize))
        {
            return -1;
        }

        if (CEngine.Current.IsShutDown)
        {
            Errors.Fail(fj_error.FJ_ESHUTDOWN, $"pool \"{text}\": ec_thread_pool_shutdown was called: no more pools are made");
            return -1;
        }

        if (string.Equals(text, ShortLivedName, StringComparison.OrdinalIgnoreCase)
            || !CEngine.Current.Lanes.TryAdd(
                id => new WorkerSetSettings { Name = text!, LaneId = id, Limit = concurrency, StackSize = (int)stackSize },
                (long)Math.Min(backlog, long.MaxValue),
                out CLane lane))
        {
            Errors.Fail(fj_error.FJ_EEXIST, $"there is a pool \"{text}\" already");
            return -1;
        }

        return lane.Id;
    }

    /// <summary>Waits until no job of the lane waits or runs. Negative: as long as it takes.</summary>
    public static int WaitEmpty(CLane lane, int milliseconds)
    {
        if (lane.IsOwnWorker || InlineRuns.Any)
        {
            Errors.Fail(
                fj_error.FJ_EDEADLK, $"fj_pool_wait_empty was called by a job: pool \"{lane.Name}\" would wait for itself");
            return 0;
        }

        if (lane.WaitUntilIdle(milliseconds < 0 ? Timeout.Infinite : milliseconds))
        {
            if (CEngine.Current.IsSanitized)
            {
                Sanitizer.PoolTaken(lane.Id);
            }

            return 1;
        }

        Errors.Fail(fj_error.FJ_ETIMEDOUT, $"pool \"{lane.Name}\" has jobs still after {milliseconds} ms");
        return 0;
    }

    public static int SetDeferred(CLane lane, bool deferred)
    {
        lane.Workers.Deferred = deferred;
        return 1;
    }

    public static int SetBacklog(CLane lane, nuint backlog)
    {
        if (lane.Workers.HasSpunUp)
        {
            Errors.Fail(fj_error.FJ_EBUSY, $"pool \"{lane.Name}\" has threads already: its backlog cannot change");
            return 0;
        }

        lane.Backlog = (long)Math.Min(backlog, long.MaxValue);
        return 1;
    }

    public static int SetStackSize(CLane lane, nuint size)
    {
        if (!IsStackSize(lane.Name, size))
        {
            return 0;
        }

        lane.Workers.Settings.StackSize = (int)size;
        return 1;
    }

    public static int SetConcurrency(CLane lane, int concurrency)
    {
        if (concurrency < 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"pool \"{lane.Name}\": the concurrency is negative: {concurrency}");
            return 0;
        }

        lane.Limit = concurrency;
        return 1;
    }

    public static int SetOrder(CLane lane, int order)
    {
        if (!Enum.IsDefined((fj_order)order))
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"pool \"{lane.Name}\": {order} is no order (FJ_ORDER_FIFO, FJ_ORDER_RELAXED)");
            return 0;
        }

        lane.IsRelaxed = (fj_order)order == fj_order.FJ_ORDER_RELAXED;
        return 1;
    }

    /// <summary>0: idle workers stay, as C callers say it.</summary>
    public static int SetIdleTimeoutOrNever(CLane lane, int milliseconds)
    {
        if (milliseconds < 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"pool \"{lane.Name}\": the idle time-out is negative: {milliseconds}");
            return 0;
        }

        return SetIdleTimeout(lane, milliseconds == 0 ? Timeout.Infinite : milliseconds);
    }

    /// <summary>Infinite: idle workers stay; 0: they go at once.</summary>
    public static int SetIdleTimeout(CLane lane, int milliseconds)
    {
        lane.Workers.Settings.IdleTimeoutMilliseconds = milliseconds;
        lane.Workers.EndSleepers(); // those that sleep now would not look at it
        return 1;
    }

    public static int SetHooks(int jobClass, nint onStart, nint onExit, void* closure)
    {
        if (jobClass != NativeConstants.FJ_ALL_POOLS && CEngine.Current.Lanes.Find(jobClass) is null)
        {
            Errors.Fail(fj_error.FJ_ENOCLASS, $"no pool has job class {jobClass}");
            return 0;
        }

        WorkerHooks.Set(
            jobClass,
            (delegate* unmanaged[Cdecl]<int, void*, void>)onStart,
            (delegate* unmanaged[Cdecl]<int, void*, void>)onExit,
            closure);
        return 1;
    }

    // The smallest that the system takes for a thread (PTHREAD_STACK_MIN), and what an int can say.
    private static bool IsStackSize(string pool, nuint size) =>
        size is 0 or (>= 16384 and <= int.MaxValue)
        || Errors.Fail(fj_error.FJ_EINVAL, $"pool \"{pool}\": a stack of {size} bytes cannot be had (0, or 16384 to 2147483647)");
}
