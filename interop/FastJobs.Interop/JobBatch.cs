using FastJobs.Interop.Generated;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>ec_queue_async_jobs: runs of jobs of one pool are handed to it together.</summary>
internal static unsafe class JobBatch
{
    /// <summary>So many are handed in at once: workers wait for the first of them while the others are published.</summary>
    public const int Most = 64;

    /// <summary>Queues the jobs in their order. If not all of them, the error is set.</summary>
    /// <param name="jobs">The jobs.</param>
    /// <param name="count">How many.</param>
    /// <param name="file">Who queues them.</param>
    /// <param name="line">Where.</param>
    /// <param name="queued">How many are queued; 0 at first.</param>
    public static void Queue(ec_thread_pool_job** jobs, int count, sbyte* file, int line, ref int queued)
    {
        if (count < 0 || (jobs == null && count > 0))
        {
            Errors.Fail(
                fj_error.FJ_EINVAL,
                count < 0 ? "ec_queue_async_jobs: the count is negative" : "ec_queue_async_jobs: the array is NULL");
            return;
        }

        nint* handles = stackalloc nint[Most];
        while (queued < count)
        {
            CLane? lane = null;
            int gathered = 0;
            while (gathered < Most && queued + gathered < count
                && LaneOf(jobs[queued + gathered]) is { } its && (lane ??= its) == its)
            {
                ec_thread_pool_job* job = jobs[queued + gathered];
                job->file = file;
                job->line = line;
                handles[gathered++] = (nint)job;
            }

            if (gathered == 0)
            {
                if (!CEngine.Current.Queue(jobs[queued], file, line))
                {
                    return;
                }

                queued++;
                continue;
            }

            int taken = Submit(lane!, new ReadOnlySpan<nint>(handles, gathered));
            queued += taken;
            if (taken < gathered)
            {
                JobErrors.ShutDown();
                return;
            }
        }
    }

    /// <summary>Hands jobs or calls to a lane; a scheduler thread never waits for room. Returns how many it took.</summary>
    public static int Submit(CLane lane, ReadOnlySpan<nint> handles) =>
        lane.SubmitAll(handles, mayWait: !Schedulers.IsSchedulerThread);

    // The lane of a job that only has to be written there; null: it has to be queued by itself, or is not valid. One that runs
    // at once may change those behind it, which are the caller's still: they must not be looked at before.
    private static CLane? LaneOf(ec_thread_pool_job* job) =>
        CEngine.Current.Special == 0
        && JobErrors.IsValid(job)
        && job->completion is not (Mode.ECTP_COMPLETE_SYNC or Mode.ECTP_COMPLETE_MODULE)
        && CEngine.Current.Lanes.Find(job->job_class) is { Workers.Limit: not 0 } lane
            ? lane
            : null;
}
