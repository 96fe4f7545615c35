using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop.Queues;

/// <summary>
/// The table of entry points of named queues (native/src/queue_calls.h has the same fields in the same order), and the entry
/// points of sets and queues. Each is guarded; no exception crosses.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe partial struct QueueCalls
{
    private delegate* unmanaged[Cdecl]<fj_queue_set_options*, nint> _setCreate;
    private delegate* unmanaged[Cdecl]<nint, int, long> _setClose;
    private delegate* unmanaged[Cdecl]<nint, void> _setFree;
    private delegate* unmanaged[Cdecl]<nint, fj_queue_settings*, int> _setConfigure;
    private delegate* unmanaged[Cdecl]<nint, fj_queue_settings*, int> _setSettings;
    private delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> _setNewId;
    private delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<fj_queue_info*, void*, int>, void*, long> _setList;
    private delegate* unmanaged[Cdecl]<nint, fj_queue_threads*, int> _setThreads;
    private delegate* unmanaged[Cdecl]<nint, fj_queue_options*, nint> _create;
    private delegate* unmanaged[Cdecl]<nint, byte*, nint> _find;
    private delegate* unmanaged[Cdecl]<nint, void> _release;
    private delegate* unmanaged[Cdecl]<nint, int> _delete;
    private delegate* unmanaged[Cdecl]<nint, int, int> _setConcurrency;
    private delegate* unmanaged[Cdecl]<nint, int, int> _setPaused;
    private delegate* unmanaged[Cdecl]<nint, fj_queue_info*, int> _getInfo;
    private delegate* unmanaged[Cdecl]<nint, fj_work*, void*, fj_job_options*, fj_job_id*, int> _add;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, int, fj_job_result*, int> _wait;
    private delegate* unmanaged[Cdecl]<nint, int, int> _waitAny;
    private delegate* unmanaged[Cdecl]<fj_queued_id*, nuint, int, fj_job_result*, int> _waitAll;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, nint, void*, int> _onDone;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, int> _cancel;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, int> _exists;
    private delegate* unmanaged[Cdecl]<nint, nint, void*, long> _listJobs;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, nint, void*, int> _visitJob;
    private delegate* unmanaged[Cdecl]<nint, nint> _feedOpen;
    private delegate* unmanaged[Cdecl]<nint, int, fj_job_id*, int> _feedNext;
    private delegate* unmanaged[Cdecl]<nint, void> _feedClose;
    private delegate* unmanaged[Cdecl]<nint, fj_job_id, nint> _outputOpen;
    private delegate* unmanaged[Cdecl]<nint, void*, nuint, int, long> _outputRead;
    private delegate* unmanaged[Cdecl]<nint, void> _outputClose;
    private delegate* unmanaged[Cdecl]<RunState*, sbyte*> _runQueueName;
    private delegate* unmanaged[Cdecl]<RunState*, byte*, int> _runReport;
    private delegate* unmanaged[Cdecl]<RunState*, void*, nuint, int> _runWrite;
    private delegate* unmanaged[Cdecl]<RunState*, void> _runThreadEnded;

    public static void Fill(QueueCalls* calls)
    {
        CQueuedJob.Start();
        FastJobs.Queues.QueueThreads.BeforeStart = Host.BeforeThreadStart;
        FastJobs.Queues.QueueThreads.AfterStart = Host.AfterThreadStart;
        calls->_setCreate = &SetCreate;
        calls->_setClose = &SetClose;
        calls->_setFree = &SetFree;
        calls->_setConfigure = &SetConfigure;
        calls->_setSettings = &SetSettings;
        calls->_setNewId = &SetNewId;
        calls->_setList = &SetList;
        calls->_setThreads = &SetThreads;
        calls->_create = &Create;
        calls->_find = &Find;
        calls->_release = &Release;
        calls->_delete = &Delete;
        calls->_setConcurrency = &SetConcurrency;
        calls->_setPaused = &SetPaused;
        calls->_getInfo = &GetInfo;
        calls->_add = &Add;
        calls->_wait = &Wait;
        calls->_waitAny = &WaitAny;
        calls->_waitAll = &WaitAll;
        calls->_onDone = &OnDone;
        calls->_cancel = &Cancel;
        calls->_exists = &Exists;
        calls->_listJobs = &ListJobs;
        calls->_visitJob = &VisitJob;
        calls->_feedOpen = &FeedOpen;
        calls->_feedNext = &FeedNext;
        calls->_feedClose = &FeedClose;
        calls->_outputOpen = &OutputOpen;
        calls->_outputRead = &OutputRead;
        calls->_outputClose = &OutputClose;
        calls->_runQueueName = &RunQueueName;
        calls->_runReport = &RunReport;
        calls->_runWrite = &RunWrite;
        calls->_runThreadEnded = &RunThreadEnded;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint SetCreate(fj_queue_set_options* options) =>
        Errors.Guarded((nint)options, (nint)0, static options => CQueueSet.Create((fj_queue_set_options*)options));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long SetClose(nint set, int timeout) =>
        WithSet(set, timeout, "fj_queue_set_close", -1L, static (set, timeout) => set.Close(timeout));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void SetFree(nint set) => Errors.Guarded(
        set,
        0,
        static set =>
        {
            CQueueSet.Free(set);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetConfigure(nint set, fj_queue_settings* settings) => WithSet(
        set, (nint)settings, "fj_queue_set_configure", 0, static (set, a) => set.Configure((fj_queue_settings*)a) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetSettings(nint set, fj_queue_settings* settings) => WithSet(
        set, (nint)settings, "fj_queue_set_settings", 0, static (set, a) => set.GetSettings((fj_queue_settings*)a) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetNewId(nint set, byte* buffer, nuint size) => WithSet(
        set,
        (Buffer: (nint)buffer, size),
        "fj_queue_set_new_id",
        0,
        static (set, a) => set.NewId((byte*)a.Buffer, a.size) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long SetList(nint set, delegate* unmanaged[Cdecl]<fj_queue_info*, void*, int> visitor, void* closure) =>
        WithSet(
            set,
            (Visitor: (nint)visitor, Closure: (nint)closure),
            "fj_queue_set_list",
            -1L,
            static (set, a) => set.List((delegate* unmanaged[Cdecl]<fj_queue_info*, void*, int>)a.Visitor, (void*)a.Closure));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetThreads(nint set, fj_queue_threads* threads) => WithSet(
        set, (nint)threads, "fj_queue_set_threads", 0, static (set, a) => set.GetThreads((fj_queue_threads*)a) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Create(nint set, fj_queue_options* options) => WithSet(
        set, (nint)options, "fj_queue_create", (nint)0, static (set, options) => set.CreateQueue((fj_queue_options*)options));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Find(nint set, byte* name) =>
        WithSet(set, (nint)name, "fj_queue_find", (nint)0, static (set, name) => set.FindQueue((byte*)name));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(nint queue) => Errors.Guarded(
        queue,
        0,
        static queue =>
        {
            CQueue.Release(queue);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(nint queue) => WithQueue(
        queue,
        0,
        "fj_queue_delete",
        static (queue, _) =>
        {
            queue.Core.Delete();
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetConcurrency(nint queue, int concurrency) => WithQueue(
        queue,
        concurrency,
        "fj_queue_set_concurrency",
        static (queue, concurrency) =>
        {
            if (concurrency < 1)
            {
                Errors.Fail(
                    fj_error.FJ_EINVAL,
                    $"fj_queue_set_concurrency: queue \"{queue.Core.Name}\": the concurrency is 1 or more, not {concurrency}");
                return 0;
            }

            queue.Core.Concurrency = concurrency;
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SetPaused(nint queue, int paused) => WithQueue(
        queue,
        paused,
        paused != 0 ? "fj_queue_pause" : "fj_queue_resume",
        static (queue, paused) =>
        {
            if (paused != 0)
            {
                queue.Core.Pause();
            }
            else
            {
                queue.Core.Resume();
            }

            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GetInfo(nint queue, fj_queue_info* info) => WithQueue(
        queue,
        (nint)info,
        "fj_queue_get_info",
        static (queue, a) =>
        {
            var info = (fj_queue_info*)a;
            if (!QueueErrors.IsStruct(
                info, info == null ? 0 : info->struct_size, sizeof(fj_queue_info), "fj_queue_get_info", "fj_queue_info"))
            {
                return 0;
            }

            CQueueSet.Fill(queue, info);
            return 1;
        });

    private static TResult WithSet<TArgument, TResult>(
        nint handle, TArgument argument, string function, TResult failure, Func<CQueueSet, TArgument, TResult> call) =>
        Errors.Guarded(
            (handle, argument, function, failure, call),
            failure,
            static a => CQueueSet.TryGet(a.handle, a.function, out CQueueSet set) ? a.call(set, a.argument) : a.failure);

    private static int WithQueue<TArgument>(
        nint handle, TArgument argument, string function, Func<CQueue, TArgument, int> call) =>
        Errors.Guarded(
            (handle, argument, function, call),
            0,
            static a => CQueue.TryGet(a.handle, a.function, out CQueue queue) ? a.call(queue, a.argument) : 0);
}
