using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using FastJobs.Scheduling;
using CLoop = FastJobs.Scheduling.EventLoop<nint, FastJobs.Interop.SchedulerOps>;

namespace FastJobs.Interop;

/// <summary>
/// The schedulers of the process: which there are, which is the master, and the completions that go through them. Any
/// thread. What C programs ask of them is in SchedulerCalls and SchedulerInstances.
/// </summary>
/// <remarks>
/// An ec_scheduler_inst is no memory but a number that is never used again, so that one that was destroyed is known. The
/// lock guards the master and the end; it is not held while user code runs.
/// </remarks>
internal static unsafe class Schedulers
{
    private const int HandleShift = 4; // no valid address, so that nobody reads there for long

    private static readonly Lock s_lock = new();
    private static readonly ConcurrentDictionary<int, CLoop> s_loops = new();
    private static CLoop? s_master;
    private static int s_numbers;
    private static volatile bool s_closed;
    private static long s_posted;
    private static long s_ended;

    [ThreadStatic]
    private static Stack<CLoop>? t_driven;

    /// <summary>The master, if it has started or was adopted.</summary>
    public static CLoop? Master => Volatile.Read(ref s_master); // acquire: pairs with the stores under the lock

    /// <summary>The scheduler that this thread is inside of, or null.</summary>
    public static CLoop? Current => t_driven is { Count: > 0 } driven ? driven.Peek() : null;

    /// <summary>Whether no scheduler is made any more.</summary>
    public static bool IsClosed => s_closed;

    /// <summary>Completions on their way, for "nothing is in flight".</summary>
    public static IJobAccount Account { get; } = new CompletionAccount();

    /// <summary>Whether this is the thread of a scheduler that works.</summary>
    public static bool IsSchedulerThread
    {
        get
        {
            if (Current is not null)
            {
                return true;
            }

            if (LoopThread.Known is null)
            {
                return false;
            }

            foreach ((_, CLoop loop) in s_loops)
            {
                if (loop.IsMine && !loop.IsClosed)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Completions that this thread delivers now: it cannot wait for their end.</summary>
    public static int CompletionsInProgress
    {
        get
        {
            int sum = 0;
            foreach (CLoop loop in t_driven ?? [])
            {
                sum += loop.CallsInProgress;
            }

            return sum;
        }
    }

    public static nint HandleOf(CLoop loop) => (nint)loop.Number << HandleShift;

    public static bool TryFind(nint handle, [NotNullWhen(true)] out CLoop? loop)
    {
        loop = null;
        return handle > 0
            && (handle & ((1 << HandleShift) - 1)) == 0
            && handle >> HandleShift <= int.MaxValue
            && s_loops.TryGetValue((int)(handle >> HandleShift), out loop)
            && !loop.IsCondemned;
    }

    /// <summary>The master, started if need be. False: the error is set.</summary>
    public static bool TryGetMaster([NotNullWhen(true)] out CLoop? master)
    {
        master = Master;
        if (master is not null)
        {
            return true;
        }

        lock (s_lock)
        {
            master = s_master;
            if (master is null && TryCreate("scheduler", true, out master))
            {
                Volatile.Write(ref s_master, master);
            }

            return master is not null;
        }
    }

    /// <summary>Makes a scheduler. False: the error is set.</summary>
    public static bool TryCreate(string name, bool ownThread, [NotNullWhen(true)] out CLoop? made)
    {
        lock (s_lock)
        {
            made = null;
            if (s_closed)
            {
                return Errors.Fail(fj_error.FJ_ESHUTDOWN, "ec_thread_pool_shutdown was called: no more schedulers are made");
            }

            if (!CLoop.TryCreate(s_numbers + 1, out CLoop? loop, out int error))
            {
                return Errors.Fail(fj_error.FJ_ENOMEM, $"scheduler \"{name}\": no descriptor is to be had (error number {error})");
            }

            s_numbers++;
            loop.CallEnded = CompletionEnded;
            s_loops[loop.Number] = loop; // before the thread starts, which looks for it
            if (!ownThread)
            {
                loop.Owner = LoopThread.Current;
            }
            else if (!loop.TryStart(name))
            {
                Remove(loop);
                loop.Dispose();
                return Errors.Fail(fj_error.FJ_ENOMEM, $"scheduler \"{name}\": no thread is to be had");
            }

            made = loop;
            return true;
        }
    }

    /// <summary>Makes a scheduler the master. False: there is one.</summary>
    public static bool TryAdopt(CLoop loop)
    {
        lock (s_lock)
        {
            if (s_master is not null)
            {
                return false;
            }

            Volatile.Write(ref s_master, loop);
            return true;
        }
    }

    /// <summary>Makes a scheduler one that nobody finds any more. False: it is the master, or that was done before.</summary>
    public static bool TryCondemn(CLoop loop)
    {
        lock (s_lock)
        {
            bool may = !ReferenceEquals(loop, s_master) && !loop.IsCondemned;
            loop.IsCondemned |= may;
            return may;
        }
    }

    /// <summary>Forgets a scheduler that was condemned.</summary>
    public static void Remove(CLoop loop) => s_loops.TryRemove(loop.Number, out _);

    /// <summary>Hands a job to the scheduler that its completion names. False: there is none that takes it.</summary>
    public static bool TryPostCompletion(ec_thread_pool_job* job)
    {
        if (!TryFindFor(job, out CLoop? loop))
        {
            return false;
        }

        Interlocked.Increment(ref s_posted);
        if (loop.TryPostCall((nint)job))
        {
            return true;
        }

        CompletionEnded();
        return false;
    }

    /// <summary>Whether the scheduler that a job's completion names exists; the master is started if need be.</summary>
    public static bool TryFindFor(ec_thread_pool_job* job, [NotNullWhen(true)] out CLoop? loop)
    {
        nint handle = job->completion switch
        {
            ec_thread_pool_job._ec_thread_pool_job_completion.ECTP_COMPLETE_EVENT_INST => (nint)job->r.e.inst,
            ec_thread_pool_job._ec_thread_pool_job_completion.ECTP_COMPLETE_CALLBACK_SCHED_INST => (nint)job->r.cb.inst,
            ec_thread_pool_job._ec_thread_pool_job_completion.ECTP_COMPLETE_MODULE =>
                ValidateContexts.SchedulerOf((nint)job->r.e.ctx),
            _ => 0,
        };
        bool namesOne = job->completion is ec_thread_pool_job._ec_thread_pool_job_completion.ECTP_COMPLETE_EVENT_INST
            or ec_thread_pool_job._ec_thread_pool_job_completion.ECTP_COMPLETE_CALLBACK_SCHED_INST;
        return handle != 0 || namesOne ? TryFind(handle, out loop) : TryGetMaster(out loop);
    }

    public static void Enter(int number)
    {
        CLoop loop = s_loops[number];
        (t_driven ??= new Stack<CLoop>()).Push(loop);
        Host.WorkerStarted(CEngine.NameOf(CEngine.SchedulerId, number));
    }

    public static void Leave()
    {
        t_driven!.Pop();
        if (Current is { } outer)
        {
            Host.WorkerStarted(CEngine.NameOf(CEngine.SchedulerId, outer.Number));
        }
        else
        {
            Host.WorkerEnds();
        }
    }

    /// <summary>A callback ended the thread that drove a scheduler.</summary>
    public static void OnThreadKilled(int number)
    {
        if (s_loops.TryGetValue(number, out CLoop? loop))
        {
            loop.OnThreadKilled();
        }
    }

    /// <summary>
    /// For a thread that waits for all completions: delivers those that wait for this thread, or for one that is no more.
    /// </summary>
    /// <returns>Whether there is a scheduler whose completions wait for this thread.</returns>
    public static bool DeliverOwn()
    {
        bool any = false;
        foreach ((_, CLoop loop) in s_loops)
        {
            if (loop.IsDrivenByMe)
            {
                loop.DeliverPosts();
                any = true;
            }
            else if ((loop.IsMine || (!loop.HasOwnThread && loop.Owner is { IsAlive: false })) && loop.TryEnter())
            {
                loop.DeliverPosts();
                loop.Leave();
                any = true;
            }
        }

        return any;
    }

    /// <summary>Makes those with a thread of their own take nothing any more, and no new ones.</summary>
    public static void Close()
    {
        lock (s_lock)
        {
            s_closed = true;
            foreach ((_, CLoop loop) in s_loops)
            {
                if (loop.HasOwnThread)
                {
                    loop.Close();
                }
            }
        }
    }

    /// <summary>Ends the threads of the schedulers that have one.</summary>
    public static void End()
    {
        foreach ((_, CLoop loop) in s_loops)
        {
            if (loop.HasOwnThread)
            {
                loop.End();
            }
        }
    }

    private static void CompletionEnded()
    {
        Interlocked.Increment(ref s_ended);
        CEngine.Current.Lanes.Look();
    }

    private sealed class CompletionAccount : IJobAccount
    {
        public long SubmittedJobs => Volatile.Read(ref s_posted);

        public long FinishedJobs => Volatile.Read(ref s_ended);
    }
}
