using System.Collections.Concurrent;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>The end of the engine, as queues and those who wait see it.</summary>
internal sealed class QueueStopCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Dispose_JobsWait_AllRun),
        Case(Dispose_PausedAndDelayed_Run),
        Case(Stop_Deadline_DiscardsLogsAndTells),
        Case(Stop_WithoutTime_StartsNothingThatWaitsInAPause),
        Case(Stop_JobThatDoesNotEnd_WaitersGetAnError),
        Case(Stop_Afterwards_NothingIsTaken),
        Case(Stop_Results_CanStillBeCollected),
        Case(Drain_WhileJobsEnqueueJobs_WaitsForAll),
    ];

    private async Task Dispose_JobsWait_AllRun()
    {
        JobEngine engine = new();
        JobQueue queue = engine.Queues.Create("q", 2);
        Counter ran = new();
        for (int i = 0; i < 5000; i++)
        {
            queue.Enqueue(static ran => ran.Increment(), ran, Detached);
        }

        await engine.DisposeAsync().Within();
        Check.Equal(5000, ran.Value);
    }

    private async Task Dispose_PausedAndDelayed_Run()
    {
        JobEngine engine = new();
        JobQueue queue = engine.Queues.Create("q");
        queue.Pause();
        Counter ran = new();
        queue.Enqueue(static ran => ran.Increment(), ran, Detached);
        queue.Enqueue(
            static ran => ran.Increment(),
            ran,
            new QueuedJobOptions { Detached = true, Delay = TimeSpan.FromMilliseconds(50) });
        await engine.DisposeAsync().Within();
        Check.Equal(2, ran.Value);
    }

    private async Task Stop_Deadline_DiscardsLogsAndTells()
    {
        ConcurrentQueue<JobQueueLogEntry> log = new();
        JobEngine engine = new(new JobEngineOptions { Queues = new JobQueuesOptions { Log = log.Enqueue } });
        JobQueue queue = engine.Queues.Create("q", 1);
        Counter began = new();
        QueuedJobId running = queue.Enqueue(
            static (began, job) =>
            {
                CancellationToken token = job.Token;
                began.Increment();
                Check.True(token.WaitHandle.WaitOne(Patience.Wait));
            },
            began);
        began.Await(1);
        QueuedJobId[] ids = [.. Enumerable.Range(0, 20).Select(i => queue.Enqueue(static n => n, i))];
        queue.Enqueue(static n => n, 1, Detached);
        queue.Enqueue(static n => n, 1, new QueuedJobOptions { Id = "own", Delay = TimeSpan.FromHours(1) });
        Task<int> waits = queue.WaitAsync<int>(ids[3]).AsTask();
        Task runs = queue.WaitAsync(running).AsTask();
        Task blocked = Crew.Run(() => Check.Throws<JobDiscardedException>(() => queue.Wait<int>(ids[4])));
        Spin.Until(() => queue.GetJob(ids[4])!.IsWaitedFor);
        StopReport report = await engine.StopAsync(TimeSpan.FromSeconds(4)).Within(); // so long also for the job to end
        Check.Equal(new StopReport(22, 0), report);
        await Check.Throws<JobDiscardedException>(waits);
        await Check.Throws<QueuedJobCanceledException>(runs);
        await blocked.Within();
        await Check.Throws<JobDiscardedException, int>(queue.WaitAsync<int>(ids[5]));
        Check.Equal(22, log.Count(entry => entry.Kind == JobQueueLogKind.Discarded));
        Check.Equal(20, queue.GetJobs().Count(job => job.Outcome == QueuedJobOutcome.Discarded) + 2);
    }

    private async Task Stop_WithoutTime_StartsNothingThatWaitsInAPause()
    {
        const int Rounds = 50;
        const int Jobs = 100;
        Counter ran = new();
        for (int round = 0; round < Rounds; round++)
        {
            JobEngine engine = new(new JobEngineOptions { Queues = new JobQueuesOptions { Log = static _ => { } } });
            JobQueue queue = engine.Queues.Create("q", 2);
            queue.Wait<int>(queue.Enqueue(static n => n, 1)); // a worker is there, and looks for more
            queue.Pause();
            for (int i = 0; i < Jobs; i++)
            {
                queue.Enqueue(static ran => ran.Increment(), ran, Detached);
            }

            StopReport report = await engine.StopAsync(TimeSpan.Zero).Within();
            Check.Equal(new StopReport(Jobs, 0), report);
        }

        Check.Equal(0, ran.Value);
    }

    private async Task Stop_JobThatDoesNotEnd_WaitersGetAnError()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        Task wait = queue.WaitAsync(first).AsTask();
        Task any = queue.WaitAnyAsync().AsTask();
        Task blocked = Crew.Run(() => Check.Equal(
            JobQueueError.Stopped, Check.Throws<JobQueueException>(() => queue.WaitAny(Patience.Wait)).Error));
        Task<int> collects = Task.Run(async () => await queue.CollectAsync().CountAsync());
        StopReport report = await engine.StopAsync(TimeSpan.FromMilliseconds(100)).Within();
        Check.Equal(1, report.StillRunning);
        Check.Equal(JobQueueError.Stopped, (await Check.Throws<JobQueueException>(wait)).Error);
        Check.Equal(JobQueueError.Stopped, (await Check.Throws<JobQueueException>(any)).Error);
        await blocked.Within();
        Check.Equal(0, await collects.Within());
        Check.Equal(JobQueueError.Stopped, await ErrorOf(queue.WaitAsync<object>(first)));
    }

    private async Task Stop_Afterwards_NothingIsTaken()
    {
        JobEngine engine = new();
        JobQueue queue = engine.Queues.Create("q");
        await engine.DisposeAsync().Within();
        Check.Equal(JobQueueError.Refused, ErrorOf(() => queue.Enqueue(static n => n, 1)));
        Check.Equal(JobQueueError.Refused, ErrorOf(() => engine.Queues.Create("r")));
        Check.True(engine.Queues.Pool.IsStopping);
        Check.Equal(0, engine.Queues.Pool.Threads);
        JobEngine other = new();
        await other.DisposeAsync().Within();
        Check.Equal(JobQueueError.Refused, ErrorOf(() => other.Queues.Create("r")));
    }

    private async Task Stop_Results_CanStillBeCollected()
    {
        JobEngine engine = new();
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(static n => n, 9);
        await engine.DisposeAsync().Within();
        Check.Equal(9, await queue.WaitAsync<int>(id).Within());
    }

    private async Task Drain_WhileJobsEnqueueJobs_WaitsForAll(JobEngine engine)
    {
        JobQueue a = engine.Queues.Create("a", 2);
        JobQueue b = engine.Queues.Create("b", 1);
        for (int round = 0; round < 300; round++)
        {
            Counter ran = new();
            a.Enqueue(
                static s =>
                {
                    for (int i = 0; i < 3; i++)
                    {
                        s.b.Enqueue(
                            static s => s.a.Enqueue(static ran => ran.Increment(), s.ran, Detached), s, Detached);
                    }
                },
                (a, b, ran),
                Detached);
            await engine.DrainAsync().Within();
            Check.Equal(3, ran.Value);
        }
    }
}

/// <summary>Counting a stream without a package for it.</summary>
internal static class Streams
{
    public static async Task<int> CountAsync<T>(this IAsyncEnumerable<T> stream)
    {
        int count = 0;
        await foreach (T _ in stream)
        {
            count++;
        }

        return count;
    }
}
