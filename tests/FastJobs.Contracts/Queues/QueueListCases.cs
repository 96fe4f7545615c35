using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>What listings show.</summary>
internal sealed class QueueListCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(GetJobs_EachState_Shown),
        Case(GetJobs_Times_Shown),
        Case(GetJobs_ManyWithGaps_InOrder),
        Case(GetInfo_Counts_Shown),
        Case(Pool_SumOfQueues_Shown),
        Case(NewId_ManyThreads_AllDifferent),
        Case(Settings_Invalid_Refused),
        Case(Log_SlowJobAndDetachedFailure_Told),
    ];

    private void GetJobs_EachState_Shown(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q", 1);
        QueuedJobId done = queue.Enqueue(static n => n * 2, 21);
        AwaitDone(queue, done);
        queue.Enqueue(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        QueuedJobId waited = queue.Enqueue(static s => s, "state");
        queue.Enqueue(static s => s, "state", Detached);
        Task<string> wait = queue.WaitAsync<string>(waited).AsTask();
        QueuedJobInfo[] jobs = [.. queue.GetJobs()];
        Check.Equal(4, jobs.Length);
        Check.Equal(
            (QueuedJobState.Done, QueuedJobOutcome.Completed, 42, 21, 0),
            (jobs[0].State, jobs[0].Outcome, (int)jobs[0].Result!, (int)jobs[0].WorkState!, jobs[0].ThreadId));
        Check.Equal(
            (QueuedJobState.Running, QueuedJobOutcome.None, null, false),
            (jobs[1].State, jobs[1].Outcome, jobs[1].Result, jobs[1].IsDetached));
        Check.True(jobs[1].ThreadId != 0);
        Check.Equal((QueuedJobState.Scheduled, true, "state"), (jobs[2].State, jobs[2].IsWaitedFor, jobs[2].WorkState));
        Check.Equal((QueuedJobState.Scheduled, true), (jobs[3].State, jobs[3].IsDetached));
        gate.Open();
        Check.Equal("state", wait.Within().Result);
    }

    private void GetJobs_Times_Shown(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        DateTimeOffset before = DateTimeOffset.UtcNow;
        QueuedJobId id = queue.Enqueue(static _ => Thread.Sleep(50), 0);
        AwaitDone(queue, id);
        QueuedJobInfo job = queue.GetJob(id)!;
        Check.True(job.Time >= TimeSpan.FromMilliseconds(50) && job.Time < Patience.Wait);
        Check.True(job.StartTime >= before - TimeSpan.FromMilliseconds(20) && job.StartTime <= DateTimeOffset.UtcNow);
        Check.Equal(job.StartTime + job.Time, job.EndTime!.Value);
        queue.Pause();
        QueuedJobId waiting = queue.Enqueue(static n => n, 0);
        Thread.Sleep(30);
        job = queue.GetJob(waiting)!;
        Check.True(job.Time >= TimeSpan.FromMilliseconds(20) && job.Time < Patience.Wait);
        Check.True(job.EndTime is null);
        queue.Resume();
    }

    private void GetJobs_ManyWithGaps_InOrder(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        queue.Pause();
        List<string> expected = [];
        for (int i = 0; i < 3000; i++)
        {
            QueuedJobId id = queue.Enqueue(static n => n, i);
            if (i % 700 < 500)
            {
                queue.Cancel(id);
                Check.Throws<QueuedJobCanceledException>(() => queue.Wait<int>(id));
            }
            else
            {
                expected.Add(id.ToString());
            }
        }

        Check.Sequence(expected, queue.GetJobs().Select(job => job.Id.ToString()));
        queue.Resume();
        foreach (string id in expected)
        {
            Check.Equal(id, $"job{queue.Wait<int>(id)}");
        }
    }

    private void GetInfo_Counts_Shown(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create(new JobQueueOptions { Name = "q", Description = "what for", Concurrency = 1 });
        QueuedJobId done = queue.Enqueue(static n => n, 1);
        AwaitDone(queue, done);
        queue.Enqueue(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        queue.Enqueue(static n => n, 1);
        queue.Enqueue(static n => n, 1, new QueuedJobOptions { Delay = TimeSpan.FromMilliseconds(1) });
        JobQueueInfo info = queue.GetInfo();
        Check.Equal(("q", "what for", 1), (info.Name, info.Description, info.Concurrency));
        Check.Equal((1L, 2L, 1L, false), (info.Running, info.Scheduled, info.Done, info.IsDeleting));
    }

    private void Pool_SumOfQueues_Shown(JobEngine engine)
    {
        Check.Equal(new JobPoolInfo(0, 0, 0, false), engine.Queues.Pool);
        engine.Queues.Create("a", 3);
        JobQueue queue = engine.Queues.Create("b", 5);
        Check.Equal(8L, engine.Queues.Pool.MaxThreads);
        queue.Wait<int>(queue.Enqueue(static n => n, 1));
        Spin.Until(() => engine.Queues.Pool is { Threads: 1, IdleThreads: 1 });
        engine.Queues.Delete("a");
        Check.Equal(5L, engine.Queues.Pool.MaxThreads);
    }

    private async Task NewId_ManyThreads_AllDifferent(JobEngine engine)
    {
        string[][] ids = new string[4][];
        await Crew.Run(4, i => ids[i] = [.. Enumerable.Range(0, 2000).Select(_ => engine.Queues.NewId())]);
        Check.Equal(8000, ids.SelectMany(some => some).Distinct().Count());
        Check.True(ids[0].All(id => System.Text.RegularExpressions.Regex.IsMatch(id, "^queue_id_[0-9a-f]+_[0-9a-f]+$")));
    }

    private void Settings_Invalid_Refused(JobEngine engine)
    {
        JobQueueSettings before = engine.Queues.Settings;
        Check.Equal(new JobQueueSettings(), before);
        Check.Throws<ArgumentOutOfRangeException>(() => engine.Queues.Settings = before with { JobsPerThread = -1 });
        Check.Throws<ArgumentOutOfRangeException>(
            () => engine.Queues.Settings = before with { IdleTimeout = TimeSpan.FromSeconds(-2) });
        Check.Equal(before, engine.Queues.Settings);
        engine.Queues.Settings = before with { IdleTimeout = Timeout.InfiniteTimeSpan };
        Check.Equal(Timeout.InfiniteTimeSpan, engine.Queues.Settings.IdleTimeout);
    }

    private async Task Log_SlowJobAndDetachedFailure_Told()
    {
        System.Collections.Concurrent.ConcurrentQueue<JobQueueLogEntry> log = new();
        await using JobEngine engine = new(new JobEngineOptions
        {
            Queues = new JobQueuesOptions
            {
                Log = log.Enqueue,
                Settings = new JobQueueSettings { LogMinDuration = TimeSpan.FromMilliseconds(20) },
            },
        });
        JobQueue queue = engine.Queues.Create("q", 1);
        queue.Wait<object>(queue.Enqueue(static _ => Thread.Sleep(25), 0));
        queue.Wait<int>(queue.Enqueue(static n => n, 0));
        queue.Enqueue(static _ => throw new FormatException("bad"), 0, Detached);
        Spin.Until(() => log.Count(entry => entry.Kind == JobQueueLogKind.DetachedFailure) == 1);
        JobQueueLogEntry slow = log.First(entry => entry.Kind == JobQueueLogKind.SlowJob);
        Check.Equal(("q", "job0"), (slow.Queue, slow.Job.ToString()));
        Check.True(slow.Duration >= TimeSpan.FromMilliseconds(25));
        JobQueueLogEntry failure = log.First(entry => entry.Kind == JobQueueLogKind.DetachedFailure);
        Check.True(failure.Error is FormatException);
        Check.True(failure.Message.EndsWith("bad (context: detached job)", StringComparison.Ordinal));
    }
}
