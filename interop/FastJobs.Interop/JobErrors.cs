using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using FastJobs.Scheduling;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>Why a job is not taken: the check, and apart from it the texts.</summary>
internal static unsafe class JobErrors
{
    /// <summary>Whether a job is complete enough to be queued.</summary>
    /// <remarks>An address with the sign bit, as tagged ones may have it, would be taken for a call: CallTable.IsCall.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsValid(ec_thread_pool_job* job) =>
        (nint)job > 0 && job->worker != null && (job->completion == Mode.ECTP_COMPLETE_NONE || HasContext(job));

    /// <summary>Sets the error of a job that is not valid.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Refuse(ec_thread_pool_job* job)
    {
        if (job == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "ec_queue_async_job: the job is NULL");
        }

        if ((nint)job < 0)
        {
            return Errors.Fail(
                fj_error.FJ_EINVAL, $"ec_queue_async_job: the job's address {(nint)job:x} is none of user space, or has a tag");
        }

        if (job->worker == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "ec_queue_async_job: the job's worker is NULL");
        }

        return job->completion switch
        {
            Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_EVENT_INST when job->r.e.@event == null => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the completion is an Event and r.e.event is NULL"),
            Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_EVENT_INST when !IsMask(job->r.e.mask) => Errors.Fail(
                fj_error.FJ_EINVAL, $"ec_queue_async_job: r.e.mask has an unknown bit: 0x{job->r.e.mask:x}"),
            Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_EVENT_INST when job->r.e.@event->callback == null => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the callback of r.e.event is NULL"),
            Mode.ECTP_COMPLETE_EVENT_INST => NoScheduler("r.e.inst", (nint)job->r.e.inst),
            Mode.ECTP_COMPLETE_CALLBACK_SCHED_INST when job->r.cb.func != null =>
                NoScheduler("r.cb.inst", (nint)job->r.cb.inst),
            Mode.ECTP_COMPLETE_MODULE when !ValidateContexts.IsKnown((nint)job->r.e.ctx) => Errors.Fail(
                fj_error.FJ_EINVAL,
                job->r.e.ctx == null ? "ec_queue_async_job: the completion is MODULE and r.e.ctx is NULL"
                    : "ec_queue_async_job: r.e.ctx is no validate context, or it was destroyed"),
            Mode.ECTP_COMPLETE_MODULE when ValidateContexts.SchedulerOf((nint)job->r.e.ctx) is not 0 and nint inst =>
                NoScheduler("the scheduler of r.e.ctx", inst),

            // The master could not be started: the error says why already.
            Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_MODULE => false,
            Mode.ECTP_COMPLETE_CALLBACK_SCHED when job->r.cb.func != null => false,
            Mode.ECTP_COMPLETE_CALLBACK or Mode.ECTP_COMPLETE_CALLBACK_SCHED
                or Mode.ECTP_COMPLETE_CALLBACK_SCHED_INST => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the completion is a callback and r.cb.func is NULL"),
            Mode.ECTP_COMPLETE_SEMAPHORE => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the completion is SEMAPHORE and r.sema is NULL"),
            _ => Errors.Fail(fj_error.FJ_EINVAL, $"ec_queue_async_job: unknown completion {(uint)job->completion}"),
        };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool UnknownClass(int jobClass) =>
        Errors.Fail(fj_error.FJ_ENOCLASS, $"no pool has job class {jobClass}");

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool QueuedTwice(ec_thread_pool_job* job) =>
        Errors.Fail(fj_error.FJ_EBUSY, $"the job {(nint)job:x} is queued or running already (FASTJOBS_CHECK)");

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool ShutDown(ec_thread_pool_job* job)
    {
        CJobOps.Abandon(job);
        return ShutDown();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool ShutDown() =>
        Errors.Fail(fj_error.FJ_ESHUTDOWN, "ec_thread_pool_shutdown was called: no more jobs are taken");

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Suspended(ec_thread_pool_job* job)
    {
        JobWatch.Dropped(job);
        return Errors.Fail(fj_error.FJ_EBUSY, "ec_queue_async_job: another job has the validate context r.e.ctx suspended");
    }

    private static bool NoScheduler(string what, nint inst) => Errors.Fail(
        fj_error.FJ_EINVAL,
        inst == 0 ? $"ec_queue_async_job: {what} is NULL"
            : $"ec_queue_async_job: {what} is no scheduler, or it was destroyed");

    private static bool IsMask(int mask) => (mask & ~EventMask.All) == 0;

    private static bool HasContext(ec_thread_pool_job* job) => job->completion switch
    {
        Mode.ECTP_COMPLETE_SYNC => true,
        Mode.ECTP_COMPLETE_CALLBACK => job->r.cb.func != null,
        Mode.ECTP_COMPLETE_SEMAPHORE => job->r.sema != null,
        Mode.ECTP_COMPLETE_CALLBACK_SCHED or Mode.ECTP_COMPLETE_CALLBACK_SCHED_INST =>
            job->r.cb.func != null && Schedulers.TryFindFor(job, out _),
        Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_EVENT_INST =>
            job->r.e.@event != null && job->r.e.@event->callback != null && IsMask(job->r.e.mask)
            && Schedulers.TryFindFor(job, out _),
        Mode.ECTP_COMPLETE_MODULE =>
            ValidateContexts.IsKnown((nint)job->r.e.ctx) && Schedulers.TryFindFor(job, out _),
        _ => false,
    };
}
