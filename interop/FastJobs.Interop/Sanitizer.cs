using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>
/// Tells ThreadSanitizer what a program may rely on: what happened before a job was queued comes before the job, the job
/// before its completion, and that before whoever waits for either. Called only where <see cref="Special.Sanitized"/> is set.
/// </summary>
internal static unsafe partial class Sanitizer
{
    private const int Queues = -100; // no job class

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_is_sanitized")]
    public static partial int IsHere();

    /// <summary>What the thread has done so far comes before what follows a <see cref="Taken"/> of the address.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_given")]
    public static partial void Given(void* address);

    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_taken")]
    public static partial void Taken(void* address);

    /// <summary>A job of the pool is over, its completion perhaps not.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_pool_given")]
    public static partial void PoolGiven(int jobClass);

    /// <summary>The jobs of the pool that are over come before.</summary>
    [LibraryImport("fastjobs_c", EntryPoint = "fj_host_pool_taken")]
    public static partial void PoolTaken(int jobClass);

    /// <summary>What stands for a queue's job: its state, if it has one.</summary>
    public static void* JobOf(fj_work* work, void* state) => state != null ? state : work;

    // Apart, because a method that calls C saves all registers.

    /// <summary>What a job of a queue was handed in with, or has left: for whoever takes it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void GivenJob(fj_work* work, void* state) => Given(JobOf(work, state));

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void TakenJob(fj_work* work, void* state) => Taken(JobOf(work, state));

    /// <summary>A job of a queue starts. It comes after those with which it does not run at once.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void QueuedStarts(fj_work* work, void* state, int concurrency)
    {
        Taken(JobOf(work, state));
        if (concurrency == 1)
        {
            QueuesTaken();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void QueuedEnded(fj_work* work, void* state)
    {
        Given(JobOf(work, state));
        QueuesGiven();
    }

    /// <summary>What the thread has done so far comes before what follows a <see cref="QueuesTaken"/>.</summary>
    public static void QueuesGiven() => PoolGiven(Queues);

    /// <summary>All jobs of queues that are over come before: they share one mark.</summary>
    public static void QueuesTaken() => PoolTaken(Queues);

    /// <summary>A job starts. It comes after those with which it does not run at once, because of its pool or semaphore.</summary>
    public static void Starts(ec_thread_pool_job* job, Worker? worker)
    {
        Taken(job);
        if (job->concurrency != null)
        {
            Taken(job->concurrency);
        }

        if (worker is { Host.Owner: CLane { Workers.Limit: 1 } })
        {
            PoolTaken(job->job_class);
        }
    }

    /// <summary>A job is over, and may be gone.</summary>
    public static void Ended(void* job, void* semaphore, int jobClass, bool completes)
    {
        if (completes)
        {
            Given(job);
        }

        if (semaphore != null)
        {
            Given(semaphore);
        }

        PoolGiven(jobClass);
    }
}
