using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>A million jobs with random cancels, waits, deletes and recycled threads: none is lost, none runs twice.</summary>
internal sealed class QueueStress : QueueCases
{
    private const int Threads = 4;

    public override IEnumerable<ContractCase> List() => [Case(Jobs_RandomLives_NoneIsLost)];

    private async Task Jobs_RandomLives_NoneIsLost()
    {
        int count = Stress.Scale(100_000, 1_000_000) / Threads;
        JobEngine engine = new(new JobEngineOptions
        {
            Queues = new JobQueuesOptions { Settings = new JobQueueSettings { JobsPerThread = 500 } },
        });
        JobQueue[] shared = [.. Enumerable.Range(0, 3).Select(i => engine.Queues.Create($"shared {i}", i + 1))];
        Runs runs = new(count * Threads);
        int[] expected = new int[count * Threads];
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Crew.Run(() =>
        {
            Random random = new(thread);
            for (int i = 0; i < count; i++)
            {
                int number = (thread * count) + i;
                expected[number] = Live(engine, shared[random.Next(shared.Length)], runs, number, random);
            }
        })));
        await engine.DrainAsync().Within();
        for (int i = 0; i < expected.Length; i++)
        {
            // 2: it was cancelled while it may have run.
            if (expected[i] == 2 ? runs.Of(i) > 1 : runs.Of(i) != expected[i])
            {
                throw new ContractFailure($"job {i} ran {runs.Of(i)} times, expected {expected[i]}");
            }
        }

        Check.Sequence([0, 0, 0], shared.Select(queue => queue.GetJobs().Count));
        Check.Equal(3, engine.Queues.List().Count);
        await engine.DisposeAsync().Within();
    }

    // How often the job ran. Nothing of it is left in its queue.
    private static int Live(JobEngine engine, JobQueue queue, Runs runs, int number, Random random)
    {
        int kind = random.Next(100);
        QueuedJobOptions? options = kind % 10 == 0 ? Head : kind % 10 == 1 ? new() { Id = $"own {number}" } : null;
        if (kind < 2)
        {
            return OwnQueue(engine, runs, number);
        }

        if (kind < 30)
        {
            queue.Enqueue(static s => s.runs.Enter(s.number), (runs, number), Detached);
            return 1;
        }

        QueuedJobId id = queue.Enqueue(
            static s =>
            {
                s.runs.Enter(s.number);
                return s.number;
            },
            (runs, number),
            options);
        return kind switch
        {
            < 60 => Collected(queue.Wait<int>(id), number),
            < 75 => Collected(queue.WaitAsync<int>(id).AsTask().GetAwaiter().GetResult(), number),
            < 85 => Retried(queue, id, number),
            _ => Canceled(queue, id, number),
        };
    }

    private static int OwnQueue(JobEngine engine, Runs runs, int number)
    {
        JobQueue queue = engine.Queues.Create($"own {number}", 1);
        QueuedJobId id = queue.Enqueue(static s => s.runs.Enter(s.number), (runs, number));
        queue.Delete();
        queue.Wait<object>(id);
        Check.True(queue.IsGone);
        return 1;
    }

    private static int Collected(int result, int number)
    {
        Check.Equal(number, result);
        return 1;
    }

    private static int Retried(JobQueue queue, QueuedJobId id, int number)
    {
        while (true)
        {
            using CancellationTokenSource source = new();
            source.CancelAfter(TimeSpan.FromMicroseconds(100));
            try
            {
                return Collected(
                    number % 2 == 0
                        ? queue.WaitAsync<int>(id, TimeSpan.FromMicroseconds(50), source.Token).AsTask().GetAwaiter().GetResult()
                        : queue.Wait<int>(id, TimeSpan.FromMicroseconds(50)),
                    number);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
            }
        }
    }

    private static int Canceled(JobQueue queue, QueuedJobId id, int number)
    {
        bool ran = queue.Cancel(id);
        try
        {
            return Collected(queue.Wait<int>(id), number); // it was done before
        }
        catch (QueuedJobCanceledException)
        {
            return ran ? 2 : 0;
        }
    }
}
