using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>Why a job is not taken: the check, and apart from it the texts.</summary>
internal static unsafe class JobErrors
{
    /// <summary>Whether a job is complete enough to be queued.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsValid(ec_thread_pool_job* job) =>
        job != null && job->worker != null && (job->completion == Mode.ECTP_COMPLETE_NONE || HasContext(job));

    /// <summary>Sets the error of a job that is not valid.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Refuse(ec_thread_pool_job* job)
    {
        if (job == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "ec_queue_async_job: the job is NULL");
        }

        if (job->worker == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "ec_queue_async_job: the job's worker is NULL");
        }

        return job->completion switch
        {
            Mode.ECTP_COMPLETE_CALLBACK or Mode.ECTP_COMPLETE_CALLBACK_SCHED => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the completion is a callback and r.cb.func is NULL"),
            Mode.ECTP_COMPLETE_SEMAPHORE => Errors.Fail(
                fj_error.FJ_EINVAL, "ec_queue_async_job: the completion is SEMAPHORE and r.sema is NULL"),
            <= (Mode)8 => Errors.Fail(
                fj_error.FJ_ENOTSUP, $"ec_queue_async_job: {job->completion} is not available in this version"),
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
        JobWatch.Dropped(job);
        return Errors.Fail(fj_error.FJ_ESHUTDOWN, "ec_thread_pool_shutdown was called: no more jobs are taken");
    }

    private static bool HasContext(ec_thread_pool_job* job) => job->completion switch
    {
        Mode.ECTP_COMPLETE_SYNC => true,
        Mode.ECTP_COMPLETE_CALLBACK or Mode.ECTP_COMPLETE_CALLBACK_SCHED => job->r.cb.func != null,
        Mode.ECTP_COMPLETE_SEMAPHORE => job->r.sema != null,
        _ => false,
    };
}
