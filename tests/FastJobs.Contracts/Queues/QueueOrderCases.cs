using System.Collections.Concurrent;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>In which order jobs run, and what they are called.</summary>
internal sealed class QueueOrderCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Enqueue_OneAtATime_RunInOrder),
        Case(Enqueue_Head_LastHeadRunsFirst),
        Case(Enqueue_OwnIds_KeepTheirPlace),
        Case(Enqueue_AnyIds_AreNumbersInOrder),
        Case(Enqueue_OwnIdThatIsTaken_Fails),
        Case(Enqueue_OwnIdLikeANumber_IsSkippedByNumbers),
        Case(Enqueue_CanceledInBetween_OthersRun),
        Case(Concurrency_NeverExceeded),
        Case(Concurrency_ChangedWhileRunning_Holds),
        Case(Pause_JobsWait_UntilResume),
    ];

    private async Task Enqueue_OneAtATime_RunInOrder(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        ConcurrentQueue<int> ran = new();
        foreach (int i in Enumerable.Range(0, 1000))
        {
            queue.Enqueue(static s => s.ran.Enqueue(s.i), (ran, i), Detached);
        }

        await engine.DrainAsync().Within();
        Check.Sequence(Enumerable.Range(0, 1000), ran);
        Check.Equal(0, queue.GetJobs().Count);
    }

    private void Enqueue_Head_LastHeadRunsFirst(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        ConcurrentQueue<char> ran = new();
        QueuedJobId[] ids = [.. "ABCDE".Select(letter => queue.Enqueue(
            static s => s.ran.Enqueue(s.letter), (ran, letter), letter is 'C' or 'D' ? Head : null))];
        Check.Sequence(["job0", "job1", "job2", "job3", "job4", "job5"], queue.GetJobs().Select(job => job.Id.ToString()));
        gate.Open();
        foreach (QueuedJobId id in ids)
        {
            queue.WaitAsync(id).AsTask().Within().Wait();
        }

        Check.Equal("DCABE", string.Concat(ran));
    }

    private void Enqueue_OwnIds_KeepTheirPlace(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        ConcurrentQueue<string> ran = new();
        string?[] wanted = [null, "x", "y", null, null, "z", null];
        foreach (string? id in wanted)
        {
            queue.Enqueue(
                static (ran, job) => ran.Enqueue(job.Id.ToString()), ran, new QueuedJobOptions { Id = id });
        }

        string[] order = ["job1", "x", "y", "job2", "job3", "z", "job4"];
        Check.Sequence(["job0", .. order], queue.GetJobs().Select(job => job.Id.ToString()));
        gate.Open();
        Spin.Until(() => queue.GetInfo().Done == 8);
        Check.Sequence(order, ran);
        Check.Sequence(["job0", .. order], queue.GetJobs().Select(job => job.Id.ToString()));
    }

    private void Enqueue_AnyIds_AreNumbersInOrder(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        for (int i = 0; i < 700; i++)
        {
            QueuedJobId id = queue.Enqueue(static n => n, i);
            Check.Equal($"job{i}", id.ToString());
            Check.True(id == new QueuedJobId($"job{i}"));
            Check.Equal(i, queue.Wait<int>($"job{i}"));
            Check.False(queue.Exists(id));
        }

        Check.True(new QueuedJobId("job01") != new QueuedJobId("job1"));
    }

    private void Enqueue_OwnIdThatIsTaken_Fails(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobOptions own = new() { Id = "mine" };
        queue.Enqueue(static n => n, 1, own);
        Check.Equal(JobQueueError.JobExists, ErrorOf(() => queue.Enqueue(static n => n, 2, own)));
        Check.Equal(
            JobQueueError.JobExists,
            ErrorOf(() => queue.Enqueue(static n => n, 2, new QueuedJobOptions { Id = "job0" })));
        Check.Equal("job1", queue.Enqueue(static n => n, 3).ToString());
        gate.Open();
        Check.Equal(1, queue.Wait<int>("mine"));
        queue.Enqueue(static n => n, 4, own);
        Check.Equal(4, queue.Wait<int>("mine"));
    }

    private void Enqueue_OwnIdLikeANumber_IsSkippedByNumbers(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        queue.Enqueue(static n => n, 10, new QueuedJobOptions { Id = "job1" });
        Check.Equal("job0", queue.Enqueue(static n => n, 11).ToString());
        Check.Equal("job2", queue.Enqueue(static n => n, 12).ToString());
        Check.Equal(10, queue.Wait<int>("job1"));
        Check.Equal("job3", queue.Enqueue(static n => n, 13).ToString());
        Check.Equal(12, queue.Wait<int>("job2"));
    }

    private async Task Enqueue_CanceledInBetween_OthersRun(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId[] ids = [.. Enumerable.Range(0, 2000).Select(i => queue.Enqueue(static n => n, i))];
        for (int i = 0; i < ids.Length; i += i % 5 == 0 ? 1 : 2)
        {
            Check.False(queue.Cancel(ids[i]));
        }

        gate.Open();
        for (int i = 0, next = 0; i < ids.Length; i++)
        {
            if (i == next)
            {
                await Check.Throws<QueuedJobCanceledException, int>(queue.WaitAsync<int>(ids[i]));
                next += i % 5 == 0 ? 1 : 2;
            }
            else
            {
                Check.Equal(i, await queue.WaitAsync<int>(ids[i]).Within());
            }
        }
    }

    private async Task Concurrency_NeverExceeded(JobEngine engine)
    {
        int running = 0;
        int most = 0;
        JobQueue queue = engine.Queues.Create("q", 3);
        for (int i = 0; i < 3000; i++)
        {
            queue.Enqueue(
                _ =>
                {
                    int now = Interlocked.Increment(ref running);
                    for (int seen = most; now > seen; seen = most)
                    {
                        Interlocked.CompareExchange(ref most, now, seen);
                    }

                    Thread.SpinWait(50);
                    Interlocked.Decrement(ref running);
                },
                0,
                Detached);
        }

        await engine.DrainAsync().Within();
        Check.True(most is > 0 and <= 3);
    }

    private void Concurrency_ChangedWhileRunning_Holds(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q", 1);
        for (int i = 0; i < 6; i++)
        {
            queue.Enqueue(static gate => gate.Pass(), gate, Detached);
        }

        gate.AwaitEntered(1);
        queue.Concurrency = 3;
        gate.AwaitEntered(3);
        Check.Equal(3, engine.Queues.Pool.MaxThreads);
        queue.Concurrency = 2;
        Check.Equal(3L, queue.GetInfo().Running);
        Check.Equal(3L, queue.GetInfo().Scheduled);
        Check.Throws<ArgumentOutOfRangeException>(() => queue.Concurrency = 0);
        gate.Open();
        Spin.Until(() => engine.Queues.Pool.MaxThreads == 2 && queue.GetInfo() is { Running: 0, Scheduled: 0 });
    }

    private void Pause_JobsWait_UntilResume(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        queue.Pause();
        QueuedJobId id = queue.Enqueue(static n => n, 5);
        Check.Throws<TimeoutException>(() => queue.Wait<int>(id, TimeSpan.FromMilliseconds(30)));
        Check.True(queue.GetInfo().IsPaused);
        queue.Resume();
        Check.Equal(5, queue.Wait<int>(id));
    }
}
