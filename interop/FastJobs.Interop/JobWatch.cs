using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using Mode = FastJobs.Interop.Generated.ec_thread_pool_job._ec_thread_pool_job_completion;

namespace FastJobs.Interop;

/// <summary>Why a job goes the long way: see CEngine.Special.</summary>
internal static class Special
{
    public const int ShuttingDown = 1;
    public const int Checking = 2;
    public const int Tracing = 4;
}

/// <summary>
/// What is done for jobs while FASTJOBS_CHECK is set or a trace is installed. All of it is behind one test of a word that
/// jobs load anyway.
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
            Trace.Tell(fj_trace_kind.FJ_TRACE_QUEUED, new TracedJob(job));
        }

        return true;
    }

    /// <summary>Runs a job's worker with its trace.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RunTraced(ec_thread_pool_job* job)
    {
        bool goneAfterWorker = job->completion == Mode.ECTP_COMPLETE_NONE && job->free_on_completion_memtype == 0;
        var traced = new TracedJob(job); // the worker may free it
        Trace.Tell(fj_trace_kind.FJ_TRACE_STARTED, traced);
        job->worker(job, job->closure);
        Trace.Tell(fj_trace_kind.FJ_TRACE_FINISHED, traced);
        if (goneAfterWorker)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_COMPLETED, traced);
        }
    }

    /// <summary>The completion comes next.</summary>
    public static void Completing(ec_thread_pool_job* job)
    {
        JobChecks.Returned(job);
        if (CEngine.Current.IsTraced)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_COMPLETED, new TracedJob(job));
        }
    }

    /// <summary>The job was traced as queued and will not run.</summary>
    public static void Dropped(ec_thread_pool_job* job)
    {
        JobChecks.Returned(job);
        if (CEngine.Current.IsTraced)
        {
            Trace.Tell(fj_trace_kind.FJ_TRACE_DROPPED, new TracedJob(job));
        }
    }
}

/// <summary>What a trace says of a job, kept because the job itself may be gone.</summary>
internal readonly unsafe struct TracedJob(ec_thread_pool_job* job)
{
    public readonly nint Job = (nint)job;
    public readonly nint Worker = (nint)job->worker;
    public readonly nint File = (nint)job->file;
    public readonly int Line = job->line;
    public readonly int JobClass = job->job_class;
}
