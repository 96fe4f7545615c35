using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>
/// Where the worker of a job with skip_completion and the caller of ec_async_complete_tail meet. Either may come first;
/// the second to come performs the completion, so it happens once and after the worker. The job struct has no room for
/// this and is not ours to write in, so the first leaves its name in a table. docs/protocols.md#tail.
/// </summary>
internal static unsafe class TailRendezvous
{
    private const int Stripes = 16;

    private static readonly HashSet<nint>[] s_arrived = CreateStripes();

    /// <summary>True: the tail call came first, and the caller completes the job.</summary>
    public static bool WorkerReturned(ec_thread_pool_job* job) => ComesSecond(job);

    /// <summary>True: the worker has returned, and the caller completes the job.</summary>
    public static bool TailCalled(ec_thread_pool_job* job) => ComesSecond(job);

    private static bool ComesSecond(ec_thread_pool_job* job)
    {
        HashSet<nint> stripe = s_arrived[((nuint)job >> 6) % Stripes];
        lock (stripe)
        {
            return !stripe.Add((nint)job) && stripe.Remove((nint)job);
        }
    }

    private static HashSet<nint>[] CreateStripes()
    {
        var stripes = new HashSet<nint>[Stripes];
        for (int i = 0; i < Stripes; i++)
        {
            stripes[i] = [];
        }

        return stripes;
    }
}
