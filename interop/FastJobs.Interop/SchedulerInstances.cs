using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using FastJobs.Scheduling;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;

namespace FastJobs.Interop;

/// <summary>What C programs do with scheduler instances: make, adopt, drive, end.</summary>
internal static unsafe class SchedulerInstances
{
    public static nint Create(byte* name, int kind)
    {
        if (kind is not (NativeConstants.FJ_SCHEDULER_THREAD or NativeConstants.FJ_SCHEDULER_HOST))
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"fj_scheduler_create: {kind} is no kind of scheduler");
            return 0;
        }

        string text = Marshal.PtrToStringUTF8((nint)name) ?? "scheduler";
        return Schedulers.TryCreate(text, kind == NativeConstants.FJ_SCHEDULER_THREAD, out CLoop? loop)
            ? Schedulers.HandleOf(loop)
            : 0;
    }

    public static bool Destroy(nint inst)
    {
        const string Function = "fj_scheduler_destroy";
        if (!TryFind(inst, Function, out CLoop? loop) || !MayDrive(Function))
        {
            return false;
        }

        if (!loop.HasOwnThread && !TryEnter(loop, Function))
        {
            return false;
        }

        if (!Schedulers.TryCondemn(loop))
        {
            LeaveIfEntered(loop);
            return Errors.Fail(fj_error.FJ_EBUSY, $"{Function}: it is the master, or another thread destroys it now");
        }

        loop.Close();
        if (loop.HasOwnThread)
        {
            loop.End();
            loop.TryEnter(); // its thread has ended and nobody else can
        }

        loop.DeliverPosts();
        loop.ReleaseAll();
        loop.Leave();
        Schedulers.Remove(loop);
        loop.Dispose();
        return true;
    }

    public static bool Adopt(nint inst)
    {
        const string Function = "fj_scheduler_adopt";
        if (!TryFindHosted(inst, Function, out CLoop? loop))
        {
            return false;
        }

        return Schedulers.TryAdopt(loop)
            || Errors.Fail(
                fj_error.FJ_EBUSY,
                Schedulers.Master!.HasOwnThread
                    ? $"{Function}: the library's own scheduler thread has started: adopt before the first job or Event needs it"
                    : $"{Function}: another scheduler was adopted before");
    }

    public static bool Run(nint inst)
    {
        const string Function = "fj_scheduler_run";
        if (!TryFindHosted(inst, Function, out CLoop? loop) || !MayDrive(Function) || !TryEnter(loop, Function))
        {
            return false;
        }

        loop.Run();
        loop.Leave();
        return true;
    }

    public static int RunOnce(nint inst, int timeout)
    {
        const string Function = "fj_scheduler_run_once";
        if (!TryFindHosted(inst, Function, out CLoop? loop) || !MayDrive(Function))
        {
            return -1;
        }

        if (timeout < -1)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: {timeout} ms is no time-out");
            return -1;
        }

        if (!TryEnter(loop, Function))
        {
            return -1;
        }

        bool did = loop.RunOnce(timeout);
        loop.Leave();
        return did ? 1 : 0;
    }

    public static bool Stop(nint inst)
    {
        if (!TryFindHosted(inst, "fj_scheduler_stop", out CLoop? loop))
        {
            return false;
        }

        loop.Stop();
        return true;
    }

    public static int Descriptor(nint inst) => TryFindHosted(inst, "fj_scheduler_fd", out CLoop? loop) ? loop.Descriptor : -1;

    public static int MasterThreadId()
    {
        if (!Schedulers.TryGetMaster(out CLoop? master))
        {
            return 0;
        }

        SpinWait.SpinUntil(() => master.Owner is not null); // its thread has just been started
        return master.Owner!.Id;
    }

    public static bool Stats(nint inst, fj_scheduler_stats* stats)
    {
        if (stats == null || stats->struct_size != (nuint)sizeof(fj_scheduler_stats))
        {
            return Errors.Fail(
                fj_error.FJ_EINVAL,
                stats == null ? "fj_scheduler_stats_get: the struct is NULL"
                    : $"fj_scheduler_stats_get: struct_size is {stats->struct_size}, this version knows {sizeof(fj_scheduler_stats)}");
        }

        CLoop? loop = Schedulers.Master;
        if (inst != 0 && !TryFind(inst, "fj_scheduler_stats_get", out loop))
        {
            return false;
        }

        *stats = new fj_scheduler_stats { struct_size = (nuint)sizeof(fj_scheduler_stats) };
        if (loop is not null)
        {
            stats->iterations = (ulong)loop.Iterations;
            stats->callbacks = (ulong)loop.Dispatches;
            stats->posts = (ulong)loop.PostsTaken;
            stats->wakes = (ulong)loop.Signals;
            stats->fds = loop.Descriptors;
            stats->timers = loop.Timers;
        }

        return true;
    }

    private static bool TryFind(nint inst, string function, [NotNullWhen(true)] out CLoop? loop) =>
        Schedulers.TryFind(inst, out loop)
        || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: there is no such scheduler, or it was destroyed");

    private static bool TryFindHosted(nint inst, string function, [NotNullWhen(true)] out CLoop? loop) =>
        TryFind(inst, function, out loop)
        && (!loop.HasOwnThread
            || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the scheduler has a thread of its own, which drives it"));

    private static bool MayDrive(string function) =>
        (Worker.Current is null && !InlineRuns.Any && Schedulers.Current is null)
        || Errors.Fail(fj_error.FJ_EDEADLK, $"{function}: not in a job, nor in a callback of a scheduler");

    private static bool TryEnter(CLoop loop, string function) =>
        loop.TryEnter() || Errors.Fail(fj_error.FJ_EBUSY, $"{function}: another thread drives the scheduler");

    private static void LeaveIfEntered(CLoop loop)
    {
        if (loop.IsDrivenByMe)
        {
            loop.Leave();
        }
    }
}
