using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>Why a job goes the long way: see CEngine.Special.</summary>
internal static class Special
{
    public const int ShuttingDown = 1;
    public const int Checking = 2;
    public const int Tracing = 4;

    /// <summary>ThreadSanitizer watches the program.</summary>
    public const int Sanitized = 8;

    /// <summary>A job is run by <see cref="JobWatch.Run"/>.</summary>
    public const int Watched = Tracing | Sanitized;
}

/// <summary>
/// What is done for jobs while FASTJOBS_CHECK is set, a trace is installed, or ThreadSanitizer watches. All of it is behind
/// one test of a word that jobs load anyway.
/// </summary>
internal static unsafe class JobWatch
{
    /// <summary>A job is about to be queued. False: it must not; the error is set.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Queueing(ec_thread_pool_job* job, sbyte* file, int line, int special)
    {
        if ((special & Special.Checking) != 0 && !JobChecks.TryHold(job))
        {
            return JobErrors.QueuedTwice(job);
        }

        if ((special & Special.Tracing) != 0)
        {
            job->file = file;
            job->line = line;
            Trace.Tell(fj_trace_kind.FJ_TRACE_QUEUED, new WatchedJob(job));
        }

        if ((special & Special.Sanitized) != 0)
        {
            Sanitizer.Given(job);
        }

        return true;
    }

    /// <summary>Calls a job's worker. worker: null in the submitter's thread.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(ec_thread_pool_job* job, Worker? worker, int special)
    {
        bool goneAfterWorker = job->completion == Mode.ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0;
        var watched = new WatchedJob(job); // the worker may free it
        void* semaphore = job->concurrency;
        if ((special & Special.Sanitized) != 0)
        {
            Sanitizer.Starts(job, worker);
        }

        Trace.Tell(fj_trace_kind.FJ_TRACE_STARTED, watched);
        job->worker(job, job->closure);
        Trace.Tell(fj_trace_kind.FJ_TRACE_FINISHED, watched);
        if (goneAfterWorker)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_COMPLETED, watched);
        }

        if ((special & Special.Sanitized) != 0)
        {
            Sanitizer.Ended(job, semaphore, watched.JobClass, completes: !goneAfterWorker);
        }
    }

    /// <summary>Performs a job's completion.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Deliver(ec_thread_pool_job* job, CLoop? loop, int special)
    {
        bool sanitized = (special & Special.Sanitized) != 0;
        int jobClass = job->job_class;
        JobChecks.Returned(job);
        if (sanitized)
        {
            Sanitizer.Taken(job);
            if (job->completion == Mode.ECTP_COMPLETE_SEMAPHORE)
            {
                Sanitizer.Given(job->r.sema);
            }
        }

        if (CEngine.Current.IsTraced)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_COMPLETED, new WatchedJob(job));
        }

        CJobOps.DeliverNow(job, loop);
        if (sanitized)
        {
            Sanitizer.PoolGiven(jobClass);
        }
    }

    /// <summary>The job was traced as queued and will not run.</summary>
    public static void Dropped(ec_thread_pool_job* job)
    {
        JobChecks.Returned(job);
        if (CEngine.Current.IsTraced)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_DROPPED, new WatchedJob(job));
        }
    }
}

/// <summary>What is told of a job after its worker was called, kept because the job itself may be gone.</summary>
internal readonly unsafe struct WatchedJob(ec_thread_pool_job* job)
{
    public readonly nint Job = (nint)job;
    public readonly nint Worker = CallJobs.FunctionOf(job) is not 0 and nint function ? function : (nint)job->worker;
    public readonly nint File = (nint)job->file;
    public readonly int Line = job->line;
    public readonly int JobClass = job->job_class;
}
