using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop.Queues;

/// <summary>The entry points of jobs. The guards of the two that are called for every job are written out.</summary>
internal unsafe partial struct QueueCalls
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Add(nint queue, fj_work* work, void* state, fj_job_options* options, fj_job_id* id)
    {
        try
        {
            return QueueJobs.Add(queue, work, state, options, id) ? 1 : 0;
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Wait(nint queue, fj_job_id id, int timeout, fj_job_result* result)
    {
        try
        {
            return QueueJobs.Wait(queue, id, timeout, result) ? 1 : 0;
        }
        catch (Exception e)
        {
            return Errors.FromException(e, 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WaitAny(nint queue, int timeout) =>
        Errors.Guarded((queue, timeout), 0, static a => QueueJobs.WaitAny(a.queue, a.timeout) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int WaitAll(fj_queued_id* jobs, nuint count, int timeout, fj_job_result* results) => Errors.Guarded(
        (Jobs: (nint)jobs, count, timeout, Results: (nint)results),
        0,
        static a => QueueJobs.WaitAll((fj_queued_id*)a.Jobs, a.count, a.timeout, (fj_job_result*)a.Results) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnDone(nint queue, fj_job_id id, nint done, void* closure) => Errors.Guarded(
        (queue, id, done, Closure: (nint)closure),
        0,
        static a => QueueJobs.OnDone(
            a.queue, a.id, (delegate* unmanaged[Cdecl]<fj_job_result*, void*, void>)a.done, (void*)a.Closure) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Cancel(nint queue, fj_job_id id) =>
        Errors.Guarded((queue, id), -1, static a => QueueJobs.Cancel(a.queue, a.id));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Exists(nint queue, fj_job_id id) =>
        Errors.Guarded((queue, id), 0, static a => QueueJobs.Exists(a.queue, a.id) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long ListJobs(nint queue, nint visitor, void* closure) => Errors.Guarded(
        (queue, visitor, Closure: (nint)closure),
        -1L,
        static a => QueueListing.ListJobs(
            a.queue, (delegate* unmanaged[Cdecl]<fj_job_info*, void*, int>)a.visitor, (void*)a.Closure));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int VisitJob(nint queue, fj_job_id id, nint visitor, void* closure) => Errors.Guarded(
        (queue, id, visitor, Closure: (nint)closure),
        0,
        static a => QueueListing.VisitJob(
            a.queue, a.id, (delegate* unmanaged[Cdecl]<fj_job_info*, void*, int>)a.visitor, (void*)a.Closure) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint FeedOpen(nint queue) => Errors.Guarded(queue, (nint)0, CFeed.Open);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FeedNext(nint feed, int timeout, fj_job_id* id) => Errors.Guarded(
        (feed, timeout, Id: (nint)id), 0, static a => CFeed.Next(a.feed, a.timeout, (fj_job_id*)a.Id) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void FeedClose(nint feed) => Errors.Guarded(
        feed,
        0,
        static feed =>
        {
            CFeed.Close(feed);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint OutputOpen(nint queue, fj_job_id id) =>
        Errors.Guarded((queue, id), (nint)0, static a => COutput.Open(a.queue, a.id));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long OutputRead(nint output, void* buffer, nuint size, int timeout) => Errors.Guarded(
        (output, Buffer: (nint)buffer, size, timeout),
        -1L,
        static a => COutput.Read(a.output, (void*)a.Buffer, a.size, a.timeout));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OutputClose(nint output) => Errors.Guarded(
        output,
        0,
        static output =>
        {
            COutput.Close(output);
            return 1;
        });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static sbyte* RunQueueName(RunState* run) =>
        (sbyte*)Errors.Guarded((nint)run, (nint)0, static run => (nint)QueueRuns.QueueName((RunState*)run));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RunReport(RunState* run, byte* progress) => Errors.Guarded(
        (Run: (nint)run, Progress: (nint)progress), 0, static a => QueueRuns.Report((RunState*)a.Run, (byte*)a.Progress) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RunWrite(RunState* run, void* bytes, nuint size) => Errors.Guarded(
        (Run: (nint)run, Bytes: (nint)bytes, size),
        0,
        static a => QueueRuns.Write((RunState*)a.Run, (void*)a.Bytes, a.size) ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void RunThreadEnded(RunState* run) => Errors.Guarded(
        (nint)run,
        0,
        static run =>
        {
            QueueRuns.ThreadEnded((RunState*)run);
            return 1;
        });
}
