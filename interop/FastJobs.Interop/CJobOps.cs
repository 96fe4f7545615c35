using FastJobs.Channels;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>
/// What a lane does with a job that is the caller's own C struct. The queue holds its address; the low bit, free by
/// alignment, says that the job already has its concurrency slot. A negative word is a call: <see cref="CallTable"/>.
/// </summary>
/// <remarks>
/// The engine touches a job only between the claim and its completion, and a job with completion NONE and no memory type
/// not at all once its worker has started: the worker may have freed it.
/// </remarks>
internal readonly unsafe struct CJobOps : ILaneOps<nint>
{
    private const nint HasSlot = 1;

    /// <summary>In the place of a job that was cancelled, and counted, while it was queued: docs/protocols.md#cancel.</summary>
    public const nint Tombstone = 2;

    /// <summary>What a handle has beside the job's address.</summary>
    public const nint HandleBits = HasSlot;

    public static bool Run(nint handle, Worker worker)
    {
        if (CallTable.IsCall(handle))
        {
            Calls.Run(handle, worker);
            return true;
        }

        if (handle == Tombstone)
        {
            ((Lane<nint, PointerSlot, CJobOps>)worker.Host.Owner!).ClaimTombstone();
            return false;
        }

        return RunIn(worker, handle);
    }

    /// <summary>Not while somebody has to see each job: looked at with the set's lock, which a recall by SetSpecial takes later.</summary>
    public static bool MayTakeSeveral => CEngine.Current.Special == 0;

    /// <summary>The C layer takes and runs calls, and jobs without completion or slot: hand.c.</summary>
    public static bool TryRunHand(Hand<nint> hand, Worker worker, Lock handLock, out nint job)
    {
        hand.Native(out OwnedCount* count, out void* jobs);
        nint taken = 0;
        while (CEngine.Current.Special == 0) // before each look whether the hand was closed: pairs with SetSpecial
        {
            switch (Host.RunHand(count, jobs, worker.Now, &taken))
            {
                case HandEnd.Returned:
                    Finish((ec_thread_pool_job*)taken);
                    worker.CountJob();
                    continue;

                case HandEnd.Taken:
                    worker.Position = hand.LastPosition;
                    job = taken;
                    return true;

                case HandEnd.Stopped:
                    worker.Position = hand.LastPosition;
                    job = taken;
                    return hand.HasTaken(handLock);

                default:
                    job = 0;
                    return false;
            }
        }

        job = 0;
        return false;
    }

    public static bool RunInline(nint handle, object lane)
    {
        if (CallTable.IsCall(handle))
        {
            Calls.Run(handle);
            return true;
        }

        return RunIn(null, handle);
    }

    // worker: null in the submitter's thread.
    private static bool RunIn(Worker? worker, nint handle)
    {
        var job = (ec_thread_pool_job*)(handle & ~HasSlot);
        int special = CEngine.Current.Special;
        if ((special & Special.ShuttingDown) != 0 && job->skip_on_shutdown != 0 && worker is not null)
        {
            Discard(handle);
            return true;
        }

        void* semaphore = job->concurrency;
        if (semaphore != null && (handle & HasSlot) == 0 && !TakeSlot(semaphore, job, worker))
        {
            return false;
        }

        bool goneAfterWorker = job->completion == Mode.ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0;
        if (worker is not null)
        {
            worker.CurrentSlot = (nint)semaphore;
            worker.CurrentLine = job->line;
            Volatile.Write(ref worker.CurrentKind, (nint)job->file); // release: a listing that sees it sees the line
        }

        if (goneAfterWorker)
        {
            JobChecks.Returned(job); // its worker may queue it again
        }

        if ((special & Special.Watched) == 0)
        {
            job->worker(job, job->closure);
        }
        else
        {
            JobWatch.Run(job, worker, special);
        }

        if (worker is not null)
        {
            worker.CurrentSlot = 0;
            Volatile.Write(ref worker.CurrentKind, Worker.NoKind);
        }

        if (semaphore != null)
        {
            SlotGate.Release(semaphore);
        }

        if (!goneAfterWorker)
        {
            Finish(job);
        }

        return true;
    }

    // Its worker has returned.
    private static void Finish(ec_thread_pool_job* job)
    {
        if (job->skip_completion == 0 || TailRendezvous.WorkerReturned(job))
        {
            Complete(job);
        }
    }

    public static void Discard(nint handle)
    {
        if (CallTable.IsCall(handle))
        {
            return;
        }

        var job = (ec_thread_pool_job*)(handle & ~HasSlot);
        if ((handle & HasSlot) != 0)
        {
            SlotGate.Release(job->concurrency);
        }

        Abandon(job);

        if (job->free_on_completion_memtype != 0)
        {
            Host.Free(job->free_on_completion_memtype, job);
        }
    }

    /// <summary>Lets go of a job that was taken and will not run.</summary>
    public static void Abandon(ec_thread_pool_job* job)
    {
        if (job->completion == Mode.ECTP_COMPLETE_MODULE)
        {
            ValidateContexts.GiveUp(job);
        }

        JobWatch.Dropped(job);
    }

    /// <summary>Performs the completion, or hands it to the scheduler thread.</summary>
    public static void Complete(ec_thread_pool_job* job)
    {
        if (NeedsScheduler(job->completion) && Schedulers.TryPostCompletion(job))
        {
            return;
        }

        Deliver(job, null); // also a tail call after the shutdown: no scheduler takes its job any more
    }

    private static bool NeedsScheduler(Mode completion) => completion is Mode.ECTP_COMPLETE_EVENT
        or Mode.ECTP_COMPLETE_MODULE
        or Mode.ECTP_COMPLETE_CALLBACK_SCHED
        or Mode.ECTP_COMPLETE_EVENT_INST
        or Mode.ECTP_COMPLETE_CALLBACK_SCHED_INST;

    /// <summary>Performs the completion.</summary>
    /// <param name="job">The job.</param>
    /// <param name="loop">The scheduler in whose thread this is, where the completion needs one; null: there is none.</param>
    public static void Deliver(ec_thread_pool_job* job, CLoop? loop)
    {
        int special = CEngine.Current.Special;
        if (special != 0)
        {
            JobWatch.Deliver(job, loop, special);
        }
        else
        {
            DeliverNow(job, loop);
        }
    }

    /// <summary>The completion itself. The memory type is read first: the completion may reuse or free the job.</summary>
    public static void DeliverNow(ec_thread_pool_job* job, CLoop? loop)
    {
        int memoryType = job->free_on_completion_memtype;
        switch (job->completion)
        {
            case Mode.ECTP_COMPLETE_CALLBACK or Mode.ECTP_COMPLETE_CALLBACK_SCHED or Mode.ECTP_COMPLETE_CALLBACK_SCHED_INST:
                job->r.cb.func(job, job->r.cb.closure);
                break;
            case Mode.ECTP_COMPLETE_SEMAPHORE:
                Host.Post(job->r.sema);
                break;
            case Mode.ECTP_COMPLETE_EVENT or Mode.ECTP_COMPLETE_EVENT_INST:
                SchedulerEvents.Resume(job->r.e.@event, job->r.e.mask, loop);
                break;
            case Mode.ECTP_COMPLETE_MODULE:
                ValidateContexts.Resume(job);
                break;
        }

        if (memoryType != 0)
        {
            Host.Free(memoryType, job);
        }
    }

    public static void BeforeThreadStart() => Host.BeforeThreadStart();

    public static void AfterThreadStart() => Host.AfterThreadStart();

    public static void OnWorkerStart(Worker worker)
    {
        WorkerHooks.Started(worker);
        Host.WorkerStarted(CEngine.NameOf(worker));
    }

    public static void OnWorkerExit(Worker worker)
    {
        Host.WorkerEnds();
        WorkerHooks.Ends(worker);
    }

    private static bool TakeSlot(void* semaphore, ec_thread_pool_job* job, Worker? worker)
    {
        if (worker is null)
        {
            SlotGate.Await(semaphore);
            return true;
        }

        return SlotGate.TryTake(semaphore, job, CEngine.Current.Lanes.Find(worker.Host.LaneId)!, worker);
    }

    public static nint WithSlot(ec_thread_pool_job* job) => (nint)job | HasSlot;

    public static bool IsWithSlot(nint handle) => !CallTable.IsCall(handle) && (handle & HasSlot) != 0;
}
