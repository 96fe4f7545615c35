using FastJobs.Channels;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>The one engine of a C process: its lanes, its scheduler thread, its end.</summary>
/// <remarks>
/// An object in a static field that has no initialiser, so that a submit does not ask whether the statics of the class
/// were initialised. The C layer sets it before it lets anybody in.
/// </remarks>
internal sealed unsafe class CEngine
{
    public const int SchedulerId = -4;

    // Worker names: lane ids start at SchedulerId, and a name is never zero.
    private const int IdBias = 16;

    private int _special = (JobChecks.IsAskedFor() ? FastJobs.Interop.Special.Checking : 0)
        | (Sanitizer.IsHere() != 0 ? FastJobs.Interop.Special.Sanitized : 0);

    private CEngine()
    {
        CallOutbox.SetMaker();
        Parking.ThreadBase.Runner = Host.RunThread;
        Lanes = new(static (settings, backlog) => new CLane(settings, backlog)) { ThreadMissing = Log.ThreadMissing };
        Lanes.AddPredefined();
        Lanes.Include(ShortLived);
        Lanes.Include(Schedulers.Account);
    }

    /// <summary>The engine, once the C layer has started it.</summary>
    public static CEngine Current = null!;

    /// <summary>Why jobs have to go the long way: bits of <see cref="FastJobs.Interop.Special"/>, mostly 0.</summary>
    public int Special => Volatile.Read(ref _special);

    /// <summary>FASTJOBS_CHECK: see JobChecks.</summary>
    public bool Checks => (Special & FastJobs.Interop.Special.Checking) != 0;

    /// <summary>A trace is installed.</summary>
    public bool IsTraced => (Special & FastJobs.Interop.Special.Tracing) != 0;

    /// <summary>ThreadSanitizer watches the program.</summary>
    public bool IsSanitized => (Special & FastJobs.Interop.Special.Sanitized) != 0;

    public LaneGroup<nint, PointerSlot, CJobOps> Lanes { get; }

    /// <summary>Where ECTP_CLASS_SHORT_LIVED jobs are counted: they run in their submitter's thread.</summary>
    public CLane ShortLived { get; } = new(
        new WorkerSetSettings { Name = "Short_Lived", LaneId = NativeConstants.ECTP_CLASS_SHORT_LIVED, Limit = 0 }, 0);

    /// <summary>The functions of calls that may be queued.</summary>
    public CallTable CallTable { get; } = new();

    public static void Start() => Current = new CEngine();

    /// <summary>Whether the shutdown has begun: queued jobs with skip_on_shutdown are discarded.</summary>
    public bool IsShutDown => (Special & FastJobs.Interop.Special.ShuttingDown) != 0;

    /// <summary>Sets or clears a bit. Full fence. True: it was set before.</summary>
    public bool SetSpecial(int bit, bool on)
    {
        int before = on ? Interlocked.Or(ref _special, bit) : Interlocked.And(ref _special, ~bit);
        if (on && (before & bit) == 0)
        {
            // Calls that are gathered would go the short way, and jobs in hands too. Who begins to gather now, or has a hand
            // run, sees the bit: CallOutbox.TryBegin, CJobOps.TryRunHand.
            foreach (CLane lane in Lanes.Lanes)
            {
                lane.Settle();
            }
        }

        return (before & bit) != 0;
    }

    /// <summary>Checks a job and hands it to its lane. False: the error is set and the job is the caller's.</summary>
    /// <remarks>The hot path of the library. What fails is in JobErrors, so that no text is made room for here.</remarks>
    public bool Queue(ec_thread_pool_job* job, sbyte* file, int line)
    {
        if (!JobErrors.IsValid(job))
        {
            return JobErrors.Refuse(job);
        }

        CLane? lane = job->job_class == NativeConstants.ECTP_CLASS_SHORT_LIVED ? ShortLived : Lanes.Find(job->job_class);
        if (lane is null)
        {
            return JobErrors.UnknownClass(job->job_class);
        }

        int special = Special;
        if (special != 0 && !JobWatch.Queueing(job, file, line, special))
        {
            return false;
        }

        if (job->completion == Mode.ECTP_COMPLETE_MODULE && !ValidateContexts.TrySuspend(job))
        {
            return JobErrors.Suspended(job);
        }

        job->file = file;
        job->line = line;
        Submitted submitted = job->completion == Mode.ECTP_COMPLETE_SYNC
            ? lane.RunInline((nint)job)
            : lane.TrySubmit((nint)job);
        if (submitted == Submitted.Full)
        {
            // The scheduler thread must never block: it goes over the limit.
            submitted = Schedulers.IsSchedulerThread ? lane.SubmitForced((nint)job) : lane.Submit((nint)job);
        }

        return submitted != Submitted.Closed || JobErrors.ShutDown(job);
    }

    /// <summary>The other half of a job with skip_completion.</summary>
    public static bool CompleteTail(ec_thread_pool_job* job)
    {
        if (job == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "ec_async_complete_tail: the job is NULL");
        }

        if (Current.IsSanitized)
        {
            Sanitizer.Given(job);
        }

        bool nothingToDo = job->completion == Mode.ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0;
        if (!nothingToDo && TailRendezvous.TailCalled(job))
        {
            CJobOps.Complete(job);
        }

        return true;
    }

    /// <summary>Runs what is queued, then ends all threads. False: the error is set.</summary>
    public bool Shutdown()
    {
        if (Worker.Current is not null || InlineRuns.Any)
        {
            return Errors.Fail(
                fj_error.FJ_EDEADLK, "ec_thread_pool_shutdown was called by a job: it would wait for itself");
        }

        if (SetSpecial(FastJobs.Interop.Special.ShuttingDown, true))
        {
            return Errors.Fail(fj_error.FJ_ESHUTDOWN, "ec_thread_pool_shutdown has been called before");
        }

        int ownJobs = Schedulers.CompletionsInProgress;
        SlotGate.DiscardSkipped();
        Await(Lanes.DrainAsync(ownJobs));
        Lanes.Close();
        ShortLived.Close();
        Await(Lanes.DrainAsync(ownJobs)); // what slipped in before the lanes closed
        Schedulers.Close(); // from here on a tail call delivers in its own thread
        Await(Lanes.DrainAsync(ownJobs)); // what tail calls handed to the scheduler before
        SlotGate.EndPolling();
        foreach (Thread thread in Lanes.End())
        {
            thread.Join();
        }

        Schedulers.End();
        if (IsSanitized)
        {
            foreach (CLane lane in Lanes.Lanes)
            {
                Sanitizer.PoolTaken(lane.Id);
            }
        }

        return true;
    }

    /// <summary>A job ended its worker's thread with pthread_exit: another one takes its place.</summary>
    public void WorkerKilled(nuint name)
    {
        int laneId = (int)(name >> 32) - IdBias;
        int number = (int)(name & uint.MaxValue);
        if (laneId == SchedulerId)
        {
            Schedulers.OnThreadKilled(number);
        }
        else
        {
            if (IsSanitized)
            {
                Sanitizer.PoolGiven(laneId); // the calling thread was started by the one that ended
            }

            Worker? killed = Lanes.Find(laneId)?.Workers.OnWorkerKilled(number);
            if (killed is { CurrentSlot: not 0 })
            {
                if (IsSanitized)
                {
                    Sanitizer.Given((void*)killed.CurrentSlot);
                }

                SlotGate.Release((void*)killed.CurrentSlot);
            }
        }
    }

    /// <summary>A worker as one word that the C layer can keep with the thread.</summary>
    public static nuint NameOf(Worker worker) => NameOf(worker.Host.LaneId, worker.Number);

    public static nuint NameOf(int id, int number) => ((nuint)(id + IdBias) << 32) | (uint)number;

    // Completions may wait for this thread, and the host's thread that they wait for may end meanwhile.
    private void Await(Task quiet)
    {
        int pause;
        do
        {
            pause = Schedulers.DeliverOwn() ? 1 : 20;
            Lanes.Look();
        }
        while (!quiet.Wait(pause));
    }
}
