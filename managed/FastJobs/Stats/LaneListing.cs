using System.Collections.Concurrent;
using System.Diagnostics;
using FastJobs.Channels;
using FastJobs.Jobs;
using FastJobs.Lanes;

namespace FastJobs.Stats;

/// <summary>Which delegates wait in a managed lane and which run. Any thread.</summary>
internal static class LaneListing
{
    /// <summary>The delegates that wait, with the time of their submit in Stopwatch ticks, oldest first.</summary>
    public static IEnumerable<(Delegate Work, long SubmittedAt)> Queued(ManagedLane lane, int limit)
    {
        var first = new List<(Delegate Work, long SubmittedAt)>();
        long next = 0;
        bool more;
        do
        {
            more = lane.Workers.VisitSomeUrgent(ref next, (item, submittedAt) =>
            {
                if (WorkOf(item) is { } work)
                {
                    first.Add((work, submittedAt));
                }
            });
        }
        while (more && first.Count < limit);
        foreach (var found in first.Take(limit))
        {
            yield return found;
        }

        limit -= Math.Min(limit, first.Count);
        var some = new Collector();
        next = 0;
        long end = lane.Queue.EndPosition;
        while (limit > 0 && lane.Queue.VisitSome(ref some, ref next, end))
        {
            foreach ((Delegate work, long position) in some.Found.Take(limit))
            {
                yield return (work, lane.Queue.SubmittedAt(position));
            }

            limit -= Math.Min(limit, some.Found.Count);
            some.Found.Clear();
        }
    }

    /// <summary>The delegates that workers run now.</summary>
    public static List<Delegate> Running(ManagedLane lane)
    {
        List<Delegate> running = [];
        lane.Workers.VisitWorkers(worker =>
        {
            // A job from the pool may end and be used again under our eyes, or was already, while what follows it runs on: what was
            // read is believed only if it is this lane's, and the same use before and after.
            object? current = worker.CurrentWork;
            Delegate? work = current as Delegate;
            if (current is Job job)
            {
                long use = job.Word.Generation;
                work = ReferenceEquals(job.Lane, lane) ? job.Work : null;
                Interlocked.MemoryBarrier();
                work = job.Word.Generation == use && ReferenceEquals(worker.CurrentWork, job) ? work : null;
            }

            if (work is not null)
            {
                running.Add(work);
            }
        });
        return running;
    }

    // Of one that nobody can claim, so a job from the pool is this one still. A cancelled one waits for nothing any more.
    private static Delegate? WorkOf(JobRef item) =>
        item.Job is not { } job ? (Delegate)item.Work
        : job.Word.State == JobState.Canceled ? null
        : job.Work;

    // Under the pause: notes what there is, no more.
    private readonly struct Collector : IItemVisitor<JobRef>
    {
        public Collector()
        {
        }

        public List<(Delegate Work, long Position)> Found { get; } = [];

        public bool Visit<TSlot>(ref TSlot slot, long position)
            where TSlot : struct, ISlot<JobRef, TSlot>
        {
            if (WorkOf(TSlot.Peek(ref slot)) is { } work)
            {
                Found.Add((work, position));
            }

            return false;
        }
    }
}

/// <summary>What a delegate's method is called. Works without reflection, so in programs that NativeAOT compiled too.</summary>
internal static class MethodNames
{
    private const int Most = 4096; // delegates that are made anew for each job must not be kept for ever

    private static readonly ConcurrentDictionary<Delegate, string> s_names = new(ReferenceEqualityComparer.Instance);

    public static string Of(Delegate work)
    {
        // Only delegates without a target, or with the compiler's shared one, are made once and seen again.
        if (work.Target is not null && !work.Target.GetType().Name.EndsWith("<>c", StringComparison.Ordinal))
        {
            return Find(work);
        }

        if (s_names.TryGetValue(work, out string? name))
        {
            return name;
        }

        name = Find(work);
        if (s_names.Count < Most)
        {
            s_names.TryAdd(work, name);
        }

        return name;
    }

    private static string Find(Delegate work) =>
        DiagnosticMethodInfo.Create(work) is not { } method ? "(a method without a name)"
        : method.DeclaringTypeName is { Length: > 0 } type ? $"{type}.{method.Name}"
        : method.Name;
}
