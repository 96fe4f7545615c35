using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Interop.Queues;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>
/// The table of entry points that the C layer calls (native/src/guard.h has the same fields in the same order), and the
/// entry points: unpack, call, return a code. Each is guarded; no exception crosses.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EngineCalls
{
    private delegate* unmanaged[Cdecl]<ec_thread_pool_job*, sbyte*, int, int> _queue;
    private delegate* unmanaged[Cdecl]<ec_thread_pool_job*, void> _completeTail;
    private delegate* unmanaged[Cdecl]<byte*, int> _nameToClass;
    private delegate* unmanaged[Cdecl]<byte*, int, nuint, nuint, int> _create;
    private delegate* unmanaged[Cdecl]<int> _count;
    private delegate* unmanaged[Cdecl]<int, int> _setAutoShrink;
    private delegate* unmanaged[Cdecl]<int, int, int> _setDeferred;
    private delegate* unmanaged[Cdecl]<int, nuint, int> _setBacklog;
    private delegate* unmanaged[Cdecl]<int, nuint, int> _setStackSize;
    private delegate* unmanaged[Cdecl]<int, int, int> _setConcurrency;
    private delegate* unmanaged[Cdecl]<int, int, int> _setIdleTimeout;
    private delegate* unmanaged[Cdecl]<int, int> _isDeferred;
    private delegate* unmanaged[Cdecl]<int, int, int> _setOrder;
    private delegate* unmanaged[Cdecl]<int, nint, nint, void*, int> _setHooks;
    private delegate* unmanaged[Cdecl]<int, int> _queueSize;
    private delegate* unmanaged[Cdecl]<int, fj_pool_stats*, int> _stats;
    private delegate* unmanaged[Cdecl]<int, int> _statsReset;
    private delegate* unmanaged[Cdecl]<int, fj_job_kind*, int, int> _jobKinds;
    private delegate* unmanaged[Cdecl]<int> _shutdown;
    private delegate* unmanaged[Cdecl]<nuint, void> _workerKilled;
    private delegate* unmanaged[Cdecl]<byte*, nint, void*, int> _configLoadFile;
    private delegate* unmanaged[Cdecl]<byte*, byte*, nint, void*, int> _configLoadString;
    private delegate* unmanaged[Cdecl]<nint, void*, int> _configReload;
    private delegate* unmanaged[Cdecl]<_io_job*, ReadState*, void> _readRun;
    private delegate* unmanaged[Cdecl]<ReadState*, int> _readCancel;
    private delegate* unmanaged[Cdecl]<int, sbyte*> _poolName;
    private delegate* unmanaged[Cdecl]<int, delegate* unmanaged[Cdecl]<fj_queued_job*, void*, int>, void*, long> _listJobs;
    private delegate* unmanaged[Cdecl]<ec_thread_pool_job*, int> _cancelJob;
    private delegate* unmanaged[Cdecl]<int, int, int> _waitEmpty;
    private delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void>, void*, int> _setTrace;
    private delegate* unmanaged[Cdecl]<int, nint, nint, int> _call;
    private delegate* unmanaged[Cdecl]<int, nint, nint*, int, int> _callEach;
    private delegate* unmanaged[Cdecl]<ec_thread_pool_job**, int, sbyte*, int, int> _queueAll;
    private delegate* unmanaged[Cdecl]<int, int> _outboxPut;
    private delegate* unmanaged[Cdecl]<int, int> _leaseHasTaken;
    private delegate* unmanaged[Cdecl]<int> _leaseGoOn;

    [UnmanagedCallersOnly(EntryPoint = "fj_managed_start", CallConvs = [typeof(CallConvCdecl)])]
    private static void Start(EngineCalls* calls, SchedulerCalls* schedulers, QueueCalls* queues)
    {
        SchedulerCalls.Fill(schedulers);
        QueueCalls.Fill(queues);
        CEngine.Start();
        calls->_queue = &Queue;
        calls->_completeTail = &CompleteTail;
        calls->_nameToClass = &NameToClass;
        calls->_create = &Create;
        calls->_count = &Count;
        calls->_setAutoShrink = &SetAutoShrink;
        calls->_setDeferred = &SetDeferred;
        calls->_setBacklog = &SetBacklog;
        calls->_setStackSize = &SetStackSize;
        calls->_setConcurrency = &SetConcurrency;
        calls->_setIdleTimeout = &SetIdleTimeout;
        calls->_isDeferred = &IsDeferred;
        calls->_setOrder = &SetOrder;
        calls->_setHooks = &SetHooks;
        calls->_queueSize = &QueueSize;
        calls->_stats = &Stats;
        calls->_statsReset = &StatsReset;
        calls->_jobKinds = &JobKinds;
        calls->_shutdown = &Shutdown;
        calls->_workerKilled = &WorkerKilled;
        calls->_configLoadFile = &ConfigLoadFile;
        calls->_configLoadString = &ConfigLoadString;
        calls->_configReload = &ConfigReload;
        calls->_readRun = &ReadRun;
        calls->_readCancel = &ReadCancel;
        Configurations.LoadFromEnvironment();
        calls->_poolName = &PoolName;
        calls->_listJobs = &ListJobs;
        calls->_cancelJob = &CancelJob;
        calls->_waitEmpty = &WaitEmpty;
        calls->_setTrace = &SetTrace;
        calls->_call = &Call;
        calls->_callEach = &CallEach;
        calls->_queueAll = &QueueAll;
        calls->_outboxPut = &OutboxPut;
        calls->_leaseHasTaken = &LeaseHasTaken;
        calls->_leaseGoOn = &LeaseGoOn;
    }

    // The hot ones: their guards are written out, so that a submit pays for no delegate.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Queue(ec_thread_pool_job* job, sbyte* file, int line)
    {
        try
        {
            return CEngine.Current.Queue(job, file, line) ? 1 : 0;
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Call(int jobClass, nint function, nint closure)
    {
        try
        {
            return Calls.Call(jobClass, function, closure);
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CallEach(int jobClass, nint function, nint* closures, int count)
    {
        try
        {
            return Calls.CallEach(jobClass, function, new ReadOnlySpan<nint>(closures, count));
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int QueueAll(ec_thread_pool_job** jobs, int count, sbyte* file, int line)
    {
        int queued = 0;
        try
        {
            JobBatch.Queue(jobs, count, file, line, ref queued);
        }
        catch (Exception e)
        {
            Errors.FromException(e, 0);
        }

        return queued; // after an exception too: what a pool has is not the caller's
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OutboxPut(int at) => Errors.Guarded(at, 1, static at => CallOutbox.Put(at) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LeaseHasTaken(int at) => Errors.Guarded(at, 1, static at => CallOutbox.HasTaken(at) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int LeaseGoOn() => Errors.Guarded(0, 0, static _ =>
    {
        CallOutbox.GoOn();
        return 1;
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void CompleteTail(ec_thread_pool_job* job) =>
        Errors.Guarded((nint)job, 0, static job => CEngine.CompleteTail((ec_thread_pool_job*)job) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int NameToClass(byte* name) => Errors.Guarded((nint)name, -2, static name => Pools.ClassOf((byte*)name));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Create(byte* name, int concurrency, nuint stackSize, nuint backlog) => Errors.Guarded(
        (Name: (nint)name, concurrency, stackSize, backlog),
        -1,
        static a => Pools.Create((byte*)a.Name, a.concurrency, a.stackSize, a.backlog));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Count() => Errors.Guarded(0, 0, static _ => CEngine.Current.Lanes.Lanes.Length);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetAutoShrink(int jobClass) =>
        WithLane(jobClass, 0, 0, static (lane, _) => Pools.SetIdleTimeout(lane, 0));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetDeferred(int jobClass, int deferred) =>
        WithLane(jobClass, deferred, 0, static (lane, deferred) => Pools.SetDeferred(lane, deferred != 0));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetBacklog(int jobClass, nuint backlog) =>
        WithLane(jobClass, backlog, 0, static (lane, backlog) => Pools.SetBacklog(lane, backlog));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetStackSize(int jobClass, nuint size) =>
        WithLane(jobClass, size, 0, static (lane, size) => Pools.SetStackSize(lane, size));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetConcurrency(int jobClass, int concurrency) =>
        WithLane(jobClass, concurrency, 0, static (lane, concurrency) => Pools.SetConcurrency(lane, concurrency));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetIdleTimeout(int jobClass, int milliseconds) => WithLane(
        jobClass, milliseconds, 0, static (lane, milliseconds) => Pools.SetIdleTimeoutOrNever(lane, milliseconds));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int IsDeferred(int jobClass) => jobClass == NativeConstants.ECTP_CLASS_SHORT_LIVED
        ? 0
        : WithLane(jobClass, 0, -1, static (lane, _) => lane.Workers.Deferred ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetOrder(int jobClass, int order) =>
        WithLane(jobClass, order, 0, static (lane, order) => Pools.SetOrder(lane, order));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetHooks(int jobClass, nint onStart, nint onExit, void* closure) => Errors.Guarded(
        (jobClass, onStart, onExit, (nint)closure),
        0,
        static a => Pools.SetHooks(a.jobClass, a.onStart, a.onExit, (void*)a.Item4));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int QueueSize(int jobClass) =>
        WithLane(jobClass, 0, -1, static (lane, _) => (int)Math.Min(lane.WaitingJobs, int.MaxValue));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Stats(int jobClass, fj_pool_stats* stats) =>
        WithLane(jobClass, (nint)stats, 0, static (lane, stats) => PoolStats.Get(lane, (fj_pool_stats*)stats));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int StatsReset(int jobClass) => jobClass == NativeConstants.FJ_ALL_POOLS
        ? Errors.Guarded(0, 0, static _ => PoolStats.ResetAll())
        : WithLane(jobClass, 0, 0, static (lane, _) => PoolStats.Reset(lane));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int JobKinds(int jobClass, fj_job_kind* kinds, int capacity) => WithLane(
        jobClass,
        (Kinds: (nint)kinds, capacity),
        -1,
        static (lane, a) => PoolStats.GetKinds(lane, (fj_job_kind*)a.Kinds, a.capacity));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Shutdown() => Errors.Guarded(0, 0, static _ => CEngine.Current.Shutdown() ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void WorkerKilled(nuint worker) => Errors.Guarded(
        worker,
        0,
        static worker =>
        {
            CEngine.Current.WorkerKilled(worker);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ConfigLoadFile(byte* path, nint report, void* closure) => Errors.Guarded(
        (Path: (nint)path, report, Closure: (nint)closure),
        (int)fj_config_result.FJ_CONFIG_FAILED,
        static a => Configurations.LoadFile(
            (byte*)a.Path, (delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void>)a.report, (void*)a.Closure));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ConfigLoadString(byte* text, byte* name, nint report, void* closure) => Errors.Guarded(
        (Text: (nint)text, Name: (nint)name, report, Closure: (nint)closure),
        (int)fj_config_result.FJ_CONFIG_FAILED,
        static a => Configurations.LoadString(
            (byte*)a.Text,
            (byte*)a.Name,
            (delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void>)a.report,
            (void*)a.Closure));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ConfigReload(nint report, void* closure) => Errors.Guarded(
        (report, Closure: (nint)closure),
        (int)fj_config_result.FJ_CONFIG_FAILED,
        static a => Configurations.Reload(
            (delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void>)a.report, (void*)a.Closure));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ReadRun(_io_job* job, ReadState* state) => Errors.Guarded(
        (Job: (nint)job, State: (nint)state),
        0,
        static a =>
        {
            ReadJobs.Run((_io_job*)a.Job, (ReadState*)a.State);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ReadCancel(ReadState* state) =>
        Errors.Guarded((nint)state, 0, static state => ReadJobs.Cancel((ReadState*)state));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static sbyte* PoolName(int jobClass)
    {
        sbyte* name = null;
        WithLane(jobClass, (nint)(&name), 0, static (lane, name) =>
        {
            *(sbyte**)name = PoolStats.NameOf(lane);
            return 1;
        });
        return name;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long ListJobs(
        int jobClass, delegate* unmanaged[Cdecl]<fj_queued_job*, void*, int> visitor, void* closure)
    {
        long shown = 0;
        int listed = WithLane(
            jobClass,
            (Visitor: (nint)visitor, Closure: (nint)closure, Shown: (nint)(&shown)),
            0,
            static (lane, a) =>
            {
                *(long*)a.Shown = JobListing.List(
                    lane, (delegate* unmanaged[Cdecl]<fj_queued_job*, void*, int>)a.Visitor, (void*)a.Closure);
                return 1;
            });
        return listed == 0 ? -1 : shown;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CancelJob(ec_thread_pool_job* job) =>
        Errors.Guarded((nint)job, 0, static job => JobCancel.Cancel((ec_thread_pool_job*)job) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WaitEmpty(int jobClass, int milliseconds) =>
        WithLane(jobClass, milliseconds, 0, static (lane, milliseconds) => Pools.WaitEmpty(lane, milliseconds));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetTrace(delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void> function, void* closure) =>
        Errors.Guarded(
            ((nint)function, (nint)closure),
            0,
            static a => Trace.Set((delegate* unmanaged[Cdecl]<fj_trace_event*, void*, void>)a.Item1, (void*)a.Item2) ? 1 : 0);

    private static int WithLane<TArgument>(int jobClass, TArgument argument, int failure, Func<CLane, TArgument, int> call) =>
        Errors.Guarded(
            (jobClass, argument, failure, call),
            failure,
            static a =>
            {
                if (CEngine.Current.Lanes.Find(a.jobClass) is { } lane)
                {
                    return a.call(lane, a.argument);
                }

                Errors.Fail(fj_error.FJ_ENOCLASS, $"no pool has job class {a.jobClass}");
                return a.failure;
            });
}
