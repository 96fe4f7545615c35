using System.Collections.Concurrent;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>The workers that queues share: how many, how long, what they keep, and jobs that wait for jobs.</summary>
internal sealed class QueueWorkerCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(JobsPerThread_Reached_ThreadIsReplacedAndAllRun),
        Case(JobsPerThread_EveryJob_LosesNone),
        Case(IdleTimeout_Passed_ThreadsEndAndCome),
        Case(Hooks_EachThreadAndJob_Called),
        Case(Hooks_Throwing_JobsRunNevertheless),
        Case(Wait_InAJobOfAnotherQueue_DoesNotStarveIt),
        Case(Wait_InAJobOfItsOwnQueue_LendsItsPlace),
        Case(Wait_NestedInOneQueue_AllEnd),
        Case(FullQueue_OtherQueue_RunsAtOnce),
        Case(LongBacklogs_ManyQueues_TakeTurns),
    ];

    private static JobEngine Engine(JobQueuesOptions options) => new(new JobEngineOptions { Queues = options });

    private async Task JobsPerThread_Reached_ThreadIsReplacedAndAllRun()
    {
        ConcurrentDictionary<object, int> jobs = new();
        int ended = 0;
        await using JobEngine engine = Engine(new JobQueuesOptions
        {
            Settings = new JobQueueSettings { JobsPerThread = 2 },
            OnWorkerStart = static () => new object(),
            OnWorkerExit = _ => Interlocked.Increment(ref ended),
        });
        JobQueue queue = engine.Queues.Create("q", 1);
        QueuedJobId[] ids = [.. Enumerable.Range(0, 5).Select(i => queue.Enqueue(
            (n, job) => jobs.AddOrUpdate(job.WorkerState!, 1, static (_, n) => n + 1), i))];
        foreach (QueuedJobId id in ids)
        {
            await queue.WaitAsync(id).Within();
        }

        Check.Sequence([1, 2, 2], jobs.Values.Order());
        Spin.Until(() => Volatile.Read(ref ended) == 2 && engine.Queues.Pool.Threads == 1);
    }

    private void JobsPerThread_EveryJob_LosesNone(JobEngine engine)
    {
        engine.Queues.Settings = new JobQueueSettings { JobsPerThread = 1 };
        JobQueue[] queues = [.. Enumerable.Range(0, 3).Select(i => engine.Queues.Create($"q{i}", 2))];
        QueuedJobId[] ids = [.. Enumerable.Range(0, 600).Select(i => queues[i % 3].Enqueue(static n => n, i))];
        for (int i = 0; i < ids.Length; i++)
        {
            Check.Equal(i, queues[i % 3].Wait<int>(ids[i], Patience.Wait));
        }

        Spin.Until(() => engine.Queues.Pool.Threads <= 1);
    }

    private void IdleTimeout_Passed_ThreadsEndAndCome(JobEngine engine)
    {
        engine.Queues.Settings = new JobQueueSettings { IdleTimeout = TimeSpan.FromMilliseconds(20) };
        JobQueue queue = engine.Queues.Create("q");
        for (int i = 0; i < 3; i++)
        {
            Check.Equal(i, queue.Wait<int>(queue.Enqueue(static n => n, i)));
            Spin.Until(() => engine.Queues.Pool.Threads == 0);
        }
    }

    private async Task Hooks_EachThreadAndJob_Called()
    {
        int[] counts = new int[3];
        JobEngine engine = Engine(new JobQueuesOptions
        {
            OnWorkerStart = () => Interlocked.Increment(ref counts[0]),
            AfterJob = state =>
            {
                Check.Equal(1, (int)state!);
                Interlocked.Increment(ref counts[1]);
            },
            OnWorkerExit = _ => Interlocked.Increment(ref counts[2]),
        });
        JobQueue queue = engine.Queues.Create("q", 1);
        for (int i = 0; i < 5; i++)
        {
            Check.Equal(1, (int)queue.Wait<object>(queue.Enqueue(static (_, job) => job.WorkerState!, 0)));
            Spin.Until(() => Volatile.Read(ref counts[1]) == i + 1);
        }

        await engine.DisposeAsync().Within();
        Check.Sequence([1, 5, 1], counts);
    }

    private async Task Hooks_Throwing_JobsRunNevertheless()
    {
        ConcurrentQueue<JobQueueLogEntry> log = new();
        JobEngine engine = Engine(new JobQueuesOptions
        {
            Log = log.Enqueue,
            OnWorkerStart = static () => throw new FormatException("start"),
            AfterJob = static _ => throw new FormatException("after"),
            OnWorkerExit = static _ => throw new FormatException("exit"),
        });
        JobQueue queue = engine.Queues.Create("q", 1);
        Check.Equal(4, queue.Wait<int>(queue.Enqueue(static n => n, 4)));
        await engine.DisposeAsync().Within();
        Check.Sequence(["start", "after", "exit"], log.Select(entry => entry.Error!.Message));
        Check.True(log.All(entry => entry.Kind == JobQueueLogKind.HookFailure));
    }

    private void Wait_InAJobOfAnotherQueue_DoesNotStarveIt(JobEngine engine)
    {
        JobQueue outer = engine.Queues.Create("outer", 4);
        JobQueue inner = engine.Queues.Create("inner", 1);
        QueuedJobId[] ids = [.. Enumerable.Range(0, 50).Select(i => outer.Enqueue(
            static s => s.inner.Wait<int>(s.inner.Enqueue(static n => n * 2, s.i)), (inner, i)))];
        for (int i = 0; i < ids.Length; i++)
        {
            Check.Equal(2 * i, outer.Wait<int>(ids[i], Patience.Wait));
        }
    }

    private void Wait_InAJobOfItsOwnQueue_LendsItsPlace(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        QueuedJobId id = queue.Enqueue(static queue => queue.Wait<int>(queue.Enqueue(static n => n + 1, 1)) + 1, queue);
        Check.Equal(3, queue.Wait<int>(id, Patience.Wait));
        Spin.Until(() => engine.Queues.Pool.MaxThreads == 1 && queue.GetInfo().Running == 0);
    }

    private void Wait_NestedInOneQueue_AllEnd(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 2);
        int[] results = [.. Enumerable.Range(0, 4).Select(_ => queue.Enqueue(static s => Depth(s), (queue, 6)))
            .Select(id => queue.Wait<int>(id, Patience.Wait))];
        Check.Sequence([6, 6, 6, 6], results);
        Spin.Until(() => engine.Queues.Pool.MaxThreads == 2);

        static int Depth((JobQueue Queue, int Left) s) => s.Left == 0
            ? 0
            : 1 + s.Queue.Wait<int>(s.Queue.Enqueue(static s => Depth(s), (s.Queue, s.Left - 1)));
    }

    private void FullQueue_OtherQueue_RunsAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue full = Blocked(engine, gate, out _);
        for (int i = 0; i < 10_000; i++)
        {
            full.Enqueue(static gate => gate.Pass(), gate, Detached);
        }

        JobQueue other = engine.Queues.Create("other", 1);
        for (int i = 0; i < 100; i++)
        {
            Check.Equal(i, other.Wait<int>(other.Enqueue(static n => n, i), Patience.Wait));
        }
    }

    private async Task LongBacklogs_ManyQueues_TakeTurns(JobEngine engine)
    {
        JobQueue[] queues = [.. Enumerable.Range(0, 40).Select(i => engine.Queues.Create($"q{i}", 1))];
        Counter ran = new();
        foreach (JobQueue queue in queues)
        {
            for (int i = 0; i < 200; i++)
            {
                queue.Enqueue(static ran => ran.Increment(), ran, Detached);
            }
        }

        await engine.DrainAsync().Within();
        Check.Equal(8000, ran.Value);
    }
}
