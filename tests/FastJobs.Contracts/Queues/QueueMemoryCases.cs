using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>What is left behind: nothing, by waits that did not come to their end, by queues, by jobs.</summary>
internal sealed class QueueMemoryCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(EnqueueAndCollect_SteadyState_AllocatesNothing),
        Case(EnqueueAndAwait_SteadyState_AllocatesNothing),
        Case(Waits_CanceledTimedOutAbandoned_LeaveNothing),
        Case(Jobs_CanceledInAPausedQueue_LeaveNothing),
        Case(Queues_MadeAndDeleted_LeaveNothing),
        Case(PendingJob_AtMost64Bytes),
    ];

    private void EnqueueAndCollect_SteadyState_AllocatesNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        CheckAllocations(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                Check.Equal(i, queue.Wait<int>(queue.Enqueue(static n => n, i)));
                queue.Wait<string>(queue.Enqueue(static s => s, "text"));
            }
        });
    }

    private void EnqueueAndAwait_SteadyState_AllocatesNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        var pending = new QueuedJobId[64];
        CheckAllocations(() =>
        {
            for (int round = 0; round < 200; round++)
            {
                for (int i = 0; i < pending.Length; i++)
                {
                    pending[i] = queue.Enqueue(static n => n, i);
                }

                foreach (QueuedJobId id in pending)
                {
                    ValueTask<int> wait = queue.WaitAsync<int>(id);
                    Spin.Until(wait);
                }
            }
        });
    }

    private void Waits_CanceledTimedOutAbandoned_LeaveNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        JobQueue other = engine.Queues.Create("other", 1);
        queue.Pause();
        QueuedJobId id = queue.Enqueue(static n => n, 1);
        int waits = Stress.Scale(20_000, 1_000_000);
        Try(4000);

        // Less than the smallest object a wait, 24 bytes: 20 of them in the short size, 1 in the long one. It is not zero
        // because each thread that takes part keeps up to two magazines of each pool, however many waits there were. The thread
        // pool may send in more threads for a while: what waits leave behind they leave each time.
        long most = Math.Max(400_000, waits);
        long left = long.MaxValue;
        for (int round = 0; round < 5 && left > most; round++)
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            Try(waits);
            left = GC.GetTotalMemory(forceFullCollection: true) - before;
        }

        Check.AtMost(most, left);
        queue.Resume();
        Check.Equal(1, queue.Wait<int>(id, Patience.Wait));

        void Try(int count)
        {
            List<Task> ends = [];
            for (int i = 0; i < count; i++)
            {
                TryOne(i % 5, ends);
                if (i % 500 == 499)
                {
                    // No deeper burst than in the first rounds, or the pools would grow with it.
                    Spin.Until(() => ends.All(static end => end.IsCompleted) && other.GetInfo() is { Scheduled: 0, Running: 0 });
                    ends.Clear();
                }
            }

            Spin.Until(() => ends.All(static end => end.IsCompleted) && other.GetJobs().Count == 0);
        }

        void TryOne(int kind, List<Task> ends)
        {
            using CancellationTokenSource source = new();
            switch (kind)
            {
                case 0:
                    ends.Add(queue.WaitAsync<int>(id, TimeSpan.FromHours(1), source.Token).AsTask());
                    source.Cancel();
                    break;
                case 1:
                    Check.Equal(QueuedJobOutcome.None, queue.GetJob(id)!.Outcome);
                    Check.True(queue.WaitAsync<int>(id, TimeSpan.Zero).IsFaulted);
                    break;
                case 2:
                    ends.Add(queue.WaitAnyAsync(TimeSpan.FromHours(1), source.Token).AsTask());
                    source.Cancel();
                    break;
                case 3:
                    ends.Add(queue.WaitAnyAsync(TimeSpan.FromTicks(1)).AsTask());
                    break;
                default:
                    Abandon(other);
                    break;
            }
        }
    }

    // Nobody ever looks at the ValueTask, not even to make a task of it: that would take the result.
    private static void Abandon(JobQueue queue)
    {
        QueuedJobId id = queue.Enqueue(static n => n, 2);
#pragma warning disable CA2012 // it is what is tried here
        _ = queue.WaitAsync<int>(id);
#pragma warning restore CA2012
    }

    private void Jobs_CanceledInAPausedQueue_LeaveNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 1);
        queue.Pause();
        queue.Enqueue(static n => n, 0);
        Try(5000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Try(100_000);
        Check.AtMost(400_000, GC.GetTotalMemory(forceFullCollection: true) - before);
        Check.Equal(1, queue.GetJobs().Count);

        void Try(int count)
        {
            for (int i = 0; i < count; i++)
            {
                QueuedJobOptions? options = (i % 4) switch
                {
                    0 => null,
                    1 => Head,
                    2 => new QueuedJobOptions { Id = "own" },
                    _ => new QueuedJobOptions { Delay = TimeSpan.FromHours(1), Detached = true },
                };
                QueuedJobId id = queue.Enqueue(static n => n, i, options);
                queue.Cancel(id);
                if (i % 4 != 3)
                {
                    Check.True(queue.WaitForEndAsync(id, TimeSpan.Zero).IsCompletedSuccessfully);
                }
            }
        }
    }

    private void Queues_MadeAndDeleted_LeaveNothing(JobEngine engine)
    {
        Try(1000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Try(Stress.Scale(10_000, 100_000));
        Check.AtMost(400_000, GC.GetTotalMemory(forceFullCollection: true) - before);
        Check.Equal((0, 0L), (engine.Queues.List().Count, engine.Queues.Pool.MaxThreads));
        Check.AtMost(4, engine.Queues.Pool.Threads);

        void Try(int count)
        {
            for (int i = 0; i < count; i++)
            {
                JobQueue queue = engine.Queues.Create($"queue {i}", 2);
                Check.Equal(i, queue.Wait<int>(queue.Enqueue(static n => n, i)));
                queue.Delete();
            }
        }
    }

    private void PendingJob_AtMost64Bytes(JobEngine engine)
    {
        const int Jobs = 200_000;
        JobQueue queue = engine.Queues.Create("q", 1);
        queue.Pause();
        object state = new();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Jobs; i++)
        {
            queue.Enqueue(static s => s.ToString(), state, Detached);
        }

        Check.AtMost(64 * Jobs, GC.GetTotalMemory(forceFullCollection: true) - before);
        before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Jobs; i++)
        {
            queue.Enqueue(static s => 5L, state, Detached);
        }

        // The state is a reference here too, of 8 bytes.
        Check.AtMost((64 + 8) * Jobs, GC.GetTotalMemory(forceFullCollection: true) - before);
        queue.Resume();
    }

    // The least of a few: another thread of the process may allocate, and a pool that has seen no such burst yet grows.
    private static void CheckAllocations(Action rounds)
    {
        rounds();
        long least = long.MaxValue;
        for (int i = 0; i < 5 && least > 24_000; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            rounds();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Check.AtMost(24_000, least);
    }

    private static class Spin
    {
        public static void Until(Func<bool> condition) => Contracts.Spin.Until(condition);

        // Polls, so that nothing but the queue can allocate.
        public static void Until(ValueTask<int> wait)
        {
            Contracts.Spin spin = default;
            while (!wait.IsCompleted)
            {
                spin.Once();
            }

            _ = wait.Result;
        }
    }
}
