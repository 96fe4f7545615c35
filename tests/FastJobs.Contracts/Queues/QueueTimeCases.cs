using System.Diagnostics;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>Delays, retries, expiry.</summary>
internal sealed class QueueTimeCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Delay_NotOver_JobWaits),
        Case(Delay_Over_JobIsBehindOthers),
        Case(Delay_ManyAtOnce_AllRunInTime),
        Case(Retry_FailsTwice_SucceedsAtLast),
        Case(Retry_LimitReached_Fails),
        Case(Retry_CanceledBetween_Ends),
        Case(Retry_Delays_GrowToALimit),
        Case(Expire_NobodyCollects_Disappears),
        Case(Expire_Collected_NothingIsLogged),
        Case(Expire_DeletedQueue_IsGone),
    ];

    private void Delay_NotOver_JobWaits(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        long began = Stopwatch.GetTimestamp();
        QueuedJobId id = queue.Enqueue(
            static _ => Stopwatch.GetTimestamp(), 0, new QueuedJobOptions { Delay = TimeSpan.FromMilliseconds(80) });
        QueuedJobId later = queue.Enqueue(static n => n, 0, new QueuedJobOptions { Delay = TimeSpan.FromHours(1) });
        Check.True(queue.GetJob(later)!.IsDelayed);
        Check.True(Stopwatch.GetElapsedTime(began, queue.Wait<long>(id)) >= TimeSpan.FromMilliseconds(80));
        queue.Cancel(later);
    }

    private void Delay_Over_JobIsBehindOthers(JobEngine engine)
    {
        // On a machine that is busy the time may be over before the next job comes: once more, then.
        while (!DelayedJobIsBehindOthers(engine))
        {
        }
    }

    // Whether the second job came in time.
    private static bool DelayedJobIsBehindOthers(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        System.Collections.Concurrent.ConcurrentQueue<string> ran = new();
        TimeSpan delay = TimeSpan.FromMilliseconds(30);
        long began = Stopwatch.GetTimestamp();
        Enqueue(new QueuedJobOptions { Delay = delay });
        Enqueue(null);
        bool inTime = Stopwatch.GetElapsedTime(began) < delay;
        Spin.Until(() => !queue.GetJob("job1")!.IsDelayed);
        Enqueue(null);
        gate.Open();
        Spin.Until(() => ran.Count == 3);
        if (inTime)
        {
            Check.Sequence(["job2", "job1", "job3"], ran);
        }

        queue.Delete();
        string[] ids = ["job0", "job1", "job2", "job3"];
        foreach (string id in ids)
        {
            queue.Wait<object>(id);
        }

        return inTime;

        void Enqueue(QueuedJobOptions? options) =>
            queue.Enqueue(static (ran, job) => ran.Enqueue(job.Id.ToString()), ran, options);
    }

    private async Task Delay_ManyAtOnce_AllRunInTime(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 2);
        Counter early = new();
        Counter ran = new();
        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            TimeSpan delay = TimeSpan.FromMilliseconds(random.Next(1, 60));
            queue.Enqueue(
                static s =>
                {
                    if (Stopwatch.GetElapsedTime(s.began) < s.delay)
                    {
                        s.early.Increment();
                    }

                    s.ran.Increment();
                },
                (early, ran, began: Stopwatch.GetTimestamp(), delay),
                new QueuedJobOptions { Delay = delay, Detached = true });
        }

        await engine.DrainAsync().Within();
        Check.Equal((2000, 0), (ran.Value, early.Value));
    }

    private void Retry_FailsTwice_SucceedsAtLast(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(
            static (_, job) => job.Attempt < 3 ? throw new FormatException() : job.Attempt,
            0,
            new QueuedJobOptions { Retry = new RetryPolicy(5, TimeSpan.FromMilliseconds(5)) });
        Check.Equal(3, queue.Wait<int>(id, Patience.Wait));
    }

    private void Retry_LimitReached_Fails(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        Counter tries = new();
        QueuedJobId id = queue.Enqueue<Counter, int>(
            static tries =>
            {
                tries.Increment();
                throw new QueuedJobException($"try {tries.Value}", "AGAIN");
            },
            tries,
            new QueuedJobOptions { Retry = new RetryPolicy(3, TimeSpan.FromMilliseconds(2)) });
        QueuedJobException e = Check.Throws<QueuedJobException>(() => queue.Wait<int>(id, Patience.Wait));
        Check.Equal(("try 3", "AGAIN", 3), (e.Message, e.Code, tries.Value));
    }

    private void Retry_CanceledBetween_Ends(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue<int, int>(
            static _ => throw new FormatException(),
            0,
            new QueuedJobOptions { Retry = new RetryPolicy(int.MaxValue, TimeSpan.FromHours(1)) });
        Spin.Until(() => queue.GetJob(id) is { Attempt: 2, IsDelayed: true });
        Check.False(queue.Cancel(id));
        Check.Throws<QueuedJobCanceledException>(() => queue.Wait<int>(id));
    }

    private void Retry_Delays_GrowToALimit()
    {
        RetryPolicy policy = new(9, TimeSpan.FromSeconds(1)) { BackOff = 3, MaxDelay = TimeSpan.FromSeconds(10) };
        Check.Sequence([1, 3, 9, 10, 10], Enumerable.Range(1, 5).Select(n => (int)policy.DelayAfter(n).TotalSeconds));
        Check.Equal(10, (int)policy.DelayAfter(100_000).TotalSeconds);
    }

    private async Task Expire_NobodyCollects_Disappears()
    {
        System.Collections.Concurrent.ConcurrentQueue<JobQueueLogEntry> log = new();
        await using JobEngine engine = new(new JobEngineOptions { Queues = new JobQueuesOptions { Log = log.Enqueue } });
        JobQueue queue = engine.Queues.Create(
            new JobQueueOptions { Name = "q", ExpireAfter = TimeSpan.FromMilliseconds(30) });
        QueuedJobId kept = queue.Enqueue(
            static n => n, 1, new QueuedJobOptions { ExpireAfter = Timeout.InfiniteTimeSpan });
        QueuedJobId id = queue.Enqueue(static n => n, 2);
        Spin.Until(() => !queue.Exists(id));
        Spin.Until(() => !log.IsEmpty);
        Check.Equal((JobQueueLogKind.Expired, "job1"), (log.First().Kind, log.First().Job.ToString()));
        Check.Equal(1, queue.Wait<int>(kept));
    }

    private async Task Expire_Collected_NothingIsLogged()
    {
        System.Collections.Concurrent.ConcurrentQueue<JobQueueLogEntry> log = new();
        await using JobEngine engine = new(new JobEngineOptions { Queues = new JobQueuesOptions { Log = log.Enqueue } });
        JobQueue queue = engine.Queues.Create(
            new JobQueueOptions { Name = "q", ExpireAfter = TimeSpan.FromMilliseconds(10) });
        QueuedJobId id = queue.Enqueue(static n => n, 2);
        try
        {
            Check.Equal(2, queue.Wait<int>(id));
        }
        catch (JobQueueException)
        {
            return; // the machine was so slow that it had expired
        }

        QueuedJobId later = queue.Enqueue(static n => n, 3);
        Spin.Until(() => !queue.Exists(later));
        Spin.Until(() => !log.IsEmpty);
        Check.Sequence(["job1"], log.Select(entry => entry.Job.ToString()!));
    }

    private void Expire_DeletedQueue_IsGone(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create(
            new JobQueueOptions { Name = "q", ExpireAfter = TimeSpan.FromMilliseconds(10) });
        queue.Enqueue(static n => n, 2);
        queue.Delete();
        Spin.Until(() => queue.IsGone);
    }
}
