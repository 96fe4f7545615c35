using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using FastJobs.Stats;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>The figures of a lane in the C struct, and the jobs of a lane by kind.</summary>
internal static unsafe class PoolStats
{
    private static readonly ConcurrentDictionary<int, nint> s_names = new();

    public static int Get(CLane lane, fj_pool_stats* stats)
    {
        if (stats == null || stats->struct_size != (nuint)sizeof(fj_pool_stats))
        {
            Errors.Fail(
                fj_error.FJ_EINVAL,
                stats == null ? "fj_pool_stats_get: the struct is NULL"
                    : $"fj_pool_stats_get: struct_size is {stats->struct_size}, this version knows {sizeof(fj_pool_stats)}");
            return 0;
        }

        LaneFigures figures = lane.GetFigures();
        stats->name = NameOf(lane);
        stats->job_class = lane.Id;
        stats->concurrency = figures.Concurrency;
        stats->invocations = (ulong)figures.Invocations;
        stats->avg_concurrency = figures.AverageConcurrency;
        stats->saturation = figures.Saturation;
        stats->avg_wallclock_time_per_op = figures.AverageWallclockPerOperation.TotalSeconds;
        stats->queue_sz = (int)Math.Min(lane.WaitingJobs, int.MaxValue);
        stats->num_threads = figures.Threads;
        stats->num_active_threads = figures.ActiveThreads;
        stats->num_inactive_threads = figures.Threads - figures.ActiveThreads;
        return 1;
    }

    /// <summary>The lane's name, for the life of the process.</summary>
    public static sbyte* NameOf(CLane lane) =>
        (sbyte*)s_names.GetOrAdd(lane.Id, static (_, lane) => Marshal.StringToCoTaskMemUTF8(lane.Name), lane);

    public static int Reset(CLane lane)
    {
        lane.ResetFigures();
        return 1;
    }

    public static int ResetAll()
    {
        foreach (CLane lane in CEngine.Current.Lanes.Lanes)
        {
            lane.ResetFigures();
        }

        return 1;
    }

    public static int GetKinds(CLane lane, fj_job_kind* kinds, int capacity)
    {
        if (capacity < 0 || (capacity > 0 && kinds == null))
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_pool_job_kinds: the array is NULL or its capacity negative");
            return -1;
        }

        var count = new KindCount();
        new JobListing(lane).Show(entry =>
        {
            count.AddQueued(entry.File, entry.Line);
            return true;
        });
        lane.Workers.VisitWorkers(worker =>
        {
            nint file = Volatile.Read(ref worker.CurrentKind);
            int line = worker.CurrentLine;
            if (file != Worker.NoKind && file == Volatile.Read(ref worker.CurrentKind))
            {
                count.AddRunning(CallTable.IsCall(file) ? 0 : file, CallTable.IsCall(file) ? 0 : line);
            }
        });
        int filled = 0;
        foreach (((nint file, int line), (int queued, int running)) in count.Kinds)
        {
            if (filled < capacity)
            {
                kinds[filled++] = new fj_job_kind
                {
                    file = (sbyte*)file,
                    line = line,
                    job_num_queued = queued,
                    job_num_running = running,
                };
            }
        }

        return count.Kinds.Count;
    }

    private readonly struct KindCount
    {
        public KindCount()
        {
        }

        public Dictionary<(nint File, int Line), (int Queued, int Running)> Kinds { get; } = [];

        public void AddQueued(nint file, int line)
        {
            ref (int Queued, int Running) kind = ref CollectionsMarshal.GetValueRefOrAddDefault(Kinds, (file, line), out _);
            kind.Queued++;
        }

        public void AddRunning(nint file, int line)
        {
            ref (int Queued, int Running) kind = ref CollectionsMarshal.GetValueRefOrAddDefault(Kinds, (file, line), out _);
            kind.Running++;
        }
    }
}
