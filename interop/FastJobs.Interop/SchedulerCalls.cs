using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>
/// The table of entry points of schedulers and validate contexts (native/src/scheduler_calls.h has the same fields in the
/// same order), and the entry points.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SchedulerCalls
{
    private delegate* unmanaged[Cdecl]<nint, _Event*, int, int, int> _schedule;
    private delegate* unmanaged[Cdecl]<nint, int, int, _Event*> _find;
    private delegate* unmanaged[Cdecl]<nint, _Event*, int> _clearTimed;
    private delegate* unmanaged[Cdecl]<nint, nint, nint, int> _recur;
    private delegate* unmanaged[Cdecl]<nint, int> _ping;
    private delegate* unmanaged[Cdecl]<int> _threadId;
    private delegate* unmanaged[Cdecl]<int> _isThread;
    private delegate* unmanaged[Cdecl]<byte*, int, nint> _create;
    private delegate* unmanaged[Cdecl]<nint, int> _destroy;
    private delegate* unmanaged[Cdecl]<nint> _master;
    private delegate* unmanaged[Cdecl]<nint, int> _adopt;
    private delegate* unmanaged[Cdecl]<nint, int> _run;
    private delegate* unmanaged[Cdecl]<nint, int, int> _runOnce;
    private delegate* unmanaged[Cdecl]<nint, int> _stop;
    private delegate* unmanaged[Cdecl]<nint, int> _descriptor;
    private delegate* unmanaged[Cdecl]<nint, fj_scheduler_stats*, int> _stats;
    private delegate* unmanaged[Cdecl]<nint, nint, nint, nint> _contextCreate;
    private delegate* unmanaged[Cdecl]<nint, int> _contextDestroy;
    private delegate* unmanaged[Cdecl]<nint, int> _contextIsSuspended;

    public static void Fill(SchedulerCalls* calls)
    {
        calls->_schedule = &Schedule;
        calls->_find = &Find;
        calls->_clearTimed = &ClearTimed;
        calls->_recur = &Recur;
        calls->_ping = &Ping;
        calls->_threadId = &ThreadId;
        calls->_isThread = &IsThread;
        calls->_create = &Create;
        calls->_destroy = &Destroy;
        calls->_master = &Master;
        calls->_adopt = &Adopt;
        calls->_run = &Run;
        calls->_runOnce = &RunOnce;
        calls->_stop = &Stop;
        calls->_descriptor = &Descriptor;
        calls->_stats = &Stats;
        calls->_contextCreate = &ContextCreate;
        calls->_contextDestroy = &ContextDestroy;
        calls->_contextIsSuspended = &ContextIsSuspended;
    }

    // Between a callback and the loop that calls it nothing may throw, so these are guarded like all others, although some
    // are called for every event: a static delegate costs little beside a system call.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Schedule(nint inst, _Event* e, int dispatches, int mask) => Errors.Guarded(
        (inst, e: (nint)e, dispatches, mask),
        0,
        static a => SchedulerEvents.Schedule(a.inst, (_Event*)a.e, a.dispatches != 0, a.mask) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static _Event* Find(nint inst, int descriptor, int clear)
    {
        try
        {
            return SchedulerEvents.Find(inst, descriptor, clear != 0);
        }
        catch (Exception e)
        {
            Errors.FromException(e, 0);
            return null;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ClearTimed(nint inst, _Event* e) =>
        Errors.Guarded((inst, e: (nint)e), -1, static a => SchedulerEvents.ClearTimed(a.inst, (_Event*)a.e));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Recur(nint inst, nint function, nint closure) => Errors.Guarded(
        (inst, function, closure), 0, static a => SchedulerEvents.Recur(a.inst, a.function, a.closure) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Ping(nint inst) => Errors.Guarded(inst, 0, static inst => SchedulerEvents.Ping(inst) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ThreadId() => Errors.Guarded(0, 0, static _ => SchedulerInstances.MasterThreadId());

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int IsThread() => Schedulers.IsSchedulerThread ? 1 : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Create(byte* name, int kind)
    {
        try
        {
            return SchedulerInstances.Create(name, kind);
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Destroy(nint inst) => Errors.Guarded(inst, 0, static inst => SchedulerInstances.Destroy(inst) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Master()
    {
        try
        {
            return Schedulers.TryGetMaster(out var master) ? Schedulers.HandleOf(master) : 0;
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Adopt(nint inst) => Errors.Guarded(inst, 0, static inst => SchedulerInstances.Adopt(inst) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Run(nint inst) => Errors.Guarded(inst, 0, static inst => SchedulerInstances.Run(inst) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RunOnce(nint inst, int timeout) =>
        Errors.Guarded((inst, timeout), -1, static a => SchedulerInstances.RunOnce(a.inst, a.timeout));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Stop(nint inst) => Errors.Guarded(inst, 0, static inst => SchedulerInstances.Stop(inst) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Descriptor(nint inst) => Errors.Guarded(inst, -1, static inst => SchedulerInstances.Descriptor(inst));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Stats(nint inst, fj_scheduler_stats* stats) => Errors.Guarded(
        (inst, stats: (nint)stats), 0, static a => SchedulerInstances.Stats(a.inst, (fj_scheduler_stats*)a.stats) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ContextCreate(nint resume, nint closure, nint inst)
    {
        try
        {
            return ValidateContexts.Create(resume, closure, inst);
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ContextDestroy(nint context) =>
        Errors.Guarded(context, 0, static context => ValidateContexts.Destroy(context) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ContextIsSuspended(nint context) =>
        Errors.Guarded(context, -1, static context => ValidateContexts.IsSuspended(context));
}
