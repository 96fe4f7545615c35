using FastJobs.Interop.Generated;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>fj_cancel_job: takes a job back that waits, wherever it waits. docs/protocols.md#cancel.</summary>
/// <remarks>
/// The job may be over and its memory free, so it is only compared with what waits until it is found. It waits in a queue,
/// then perhaps for a slot, or as an urgent job, which it may become before that too: the search goes the same way, and again if
/// jobs have moved on meanwhile.
/// </remarks>
internal static unsafe class JobCancel
{
    private const int MostRounds = 8;

    /// <summary>True: the job will not run and is the caller's again. False: no such job waits; the error is set.</summary>
    public static bool Cancel(ec_thread_pool_job* job)
    {
        if (job == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "fj_cancel_job: the job is NULL");
        }

        long moves = Moves(); // before the queues: a job that waits elsewhere after it left them is counted after this
        if (TryInQueues(job))
        {
            return true;
        }

        for (int round = 0; round < MostRounds; round++)
        {
            if (TryWaitingForSlot(job) || TryUrgent(job))
            {
                return true;
            }

            long now = Moves();
            if (now == moves)
            {
                break;
            }

            moves = now;
        }

        return Errors.Fail(fj_error.FJ_EBUSY, "fj_cancel_job: the job does not wait: it runs, is over, or was never queued");
    }

    // How often a job began to wait somewhere else than in a queue.
    private static long Moves()
    {
        long moves = SlotGate.Parked;
        foreach (CLane lane in CEngine.Current.Lanes.Lanes)
        {
            moves += lane.Workers.UrgentPushed;
        }

        return moves;
    }

    private static bool TryInQueues(ec_thread_pool_job* job)
    {
        foreach (CLane lane in CEngine.Current.Lanes.Lanes)
        {
            if (lane.TryCancelQueued((nint)job, CJobOps.Tombstone))
            {
                Return(job);
                return true;
            }
        }

        return false;
    }

    private static bool TryWaitingForSlot(ec_thread_pool_job* job)
    {
        if (!SlotGate.TryRemove((nint)job, out CLane? lane))
        {
            return false;
        }

        lane!.AddWaiting(-1);
        lane.Workers.CountCanceled();
        Return(job);
        return true;
    }

    private static bool TryUrgent(ec_thread_pool_job* job)
    {
        foreach (CLane lane in CEngine.Current.Lanes.Lanes)
        {
            bool withSlot = lane.Workers.TryRemoveUrgent(CJobOps.WithSlot(job));
            if (withSlot || lane.Workers.TryRemoveUrgent((nint)job))
            {
                if (withSlot)
                {
                    SlotGate.Release(job->concurrency);
                }

                lane.Workers.CountCanceled();
                Return(job);
                return true;
            }
        }

        return false;
    }

    // Nobody else knows the job any more.
    private static void Return(ec_thread_pool_job* job)
    {
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.Taken(job);
        }

        CJobOps.Abandon(job);
    }
}
