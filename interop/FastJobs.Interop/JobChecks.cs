using System.Collections.Concurrent;
using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>
/// FASTJOBS_CHECK=1: knows every job that the library holds, so that queueing one twice is an error and not a guess from
/// what its next field happens to say. Costs a dictionary operation at each end of a job.
/// </summary>
internal static unsafe class JobChecks
{
    private static readonly ConcurrentDictionary<nint, byte> s_held = new();

    public static bool IsAskedFor() => Host.IsCheckWanted() != 0;

    /// <summary>False: the library holds this job already.</summary>
    public static bool TryHold(ec_thread_pool_job* job) => s_held.TryAdd((nint)job, 0);

    /// <summary>The job is its caller's again.</summary>
    public static void Returned(ec_thread_pool_job* job)
    {
        if (CEngine.Current.Checks)
        {
            s_held.TryRemove((nint)job, out _);
        }
    }
}
