using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>Asynchronous jobs, progress, output, groups, streams of finished jobs.</summary>
internal sealed class QueueExtraCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Async_Pending_KeepsItsPlaceAndNoThread),
        Case(Async_CompletedOrFailed_AsOthers),
        Case(Progress_Reported_IsSeen),
        Case(Context_AfterTheJob_Throws),
        Case(Output_WhileRunning_CanBeRead),
        Case(Output_BeforeTheStart_CanBeAskedFor),
        Case(Output_Failure_ReachesTheReader),
        Case(Group_OfTwoQueues_WaitsForAll),
        Case(Group_TimedOut_CanBeWaitedAgain),
        Case(Group_JobsThatAreGoneOrDetached_LeaveItWithTheirErrors),
        Case(Collect_JobsAsTheyEnd_UntilTheQueueIsGone),
        Case(Collect_TokenCanceled_Ends),
        Case(Context_AsyncLocal_DoesNotFlow),
    ];

    private async Task Async_Pending_KeepsItsPlaceAndNoThread(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q", 2);
        QueuedJobId[] ids = [.. Enumerable.Range(0, 6).Select(i => queue.EnqueueAsync(
            static async (s, job) =>
            {
                await s.gate.PassAsync();
                Check.Equal($"job{s.i}", job.Id.ToString());
                return s.i;
            },
            (gate, i)))];
        gate.AwaitEntered(2);
        Spin.Until(() => engine.Queues.Pool is { IdleThreads: var idle, Threads: var all } && idle == all);
        Check.Equal((2, 2L), (gate.Entered, queue.GetInfo().Running));
        Task drain = engine.DrainAsync();
        Check.False(drain.IsCompleted);
        gate.Open();
        for (int i = 0; i < ids.Length; i++)
        {
            Check.Equal(i, await queue.WaitAsync<int>(ids[i]).Within());
        }

        await drain.Within();
    }

    private async Task Async_CompletedOrFailed_AsOthers(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        Check.Equal(5, await queue.WaitAsync<int>(queue.EnqueueAsync(static (n, _) => Task.FromResult(n), 5)).Within());
        QueuedJobId failed = queue.EnqueueAsync<int, int>(
            static async (_, _) =>
            {
                await Task.Yield();
                throw new FormatException("late");
            },
            0);
        Check.Equal("late", (await Check.Throws<QueuedJobException, int>(queue.WaitAsync<int>(failed))).Message);
        QueuedJobId nothing = queue.EnqueueAsync<int, int>(static (_, _) => null!, 0);
        await Check.Throws<QueuedJobException, int>(queue.WaitAsync<int>(nothing));
        QueuedJobId canceled = queue.EnqueueAsync(
            static async (_, job) =>
            {
                await Task.Delay(Timeout.Infinite, job.Token);
                return 1;
            },
            0);
        Spin.Until(() => StateOf(queue, canceled) == QueuedJobState.Running);
        Check.True(queue.Cancel(canceled));
        await Check.Throws<QueuedJobCanceledException, int>(queue.WaitAsync<int>(canceled));
    }

    private void Progress_Reported_IsSeen(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(
            static (gate, job) =>
            {
                job.Report(0.5);
                gate.Pass();
                job.Report("nearly");
            },
            gate);
        gate.AwaitEntered(1);
        Check.Equal(0.5, (double)queue.GetJob(id)!.Progress!);
        gate.Open();
        AwaitDone(queue, id);
        Check.Equal("nearly", (string)queue.GetJobs()[0].Progress!);
    }

    private void Context_AfterTheJob_Throws(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobContext kept = default;
        Check.Throws<InvalidOperationException>(() => kept.Report(1));
        queue.Wait<object>(queue.Enqueue(
            (_, job) =>
            {
                kept = job;
                Check.Same(job.Queue, engine.Queues["q"]);
                Check.Equal(1, job.Attempt);
            },
            0));
        Spin.Until(() => queue.GetInfo().Running == 0);
        queue.Wait<int>(queue.Enqueue(static n => n, 1));
        Check.Throws<InvalidOperationException>(() => kept.Report(1));
        Check.Throws<InvalidOperationException>(() => _ = kept.Token);
    }

    private async Task Output_WhileRunning_CanBeRead(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(
            static (gate, job) =>
            {
                Write(job.Output, "first ");
                gate.Pass();
                Write(job.Output, "second");
            },
            gate);
        gate.AwaitEntered(1);
        PipeReader reader = queue.GetOutput(id);
        ReadResult read = await reader.ReadAsync().Within();
        Check.Equal("first ", Encoding.UTF8.GetString(read.Buffer));
        Check.False(read.IsCompleted);
        reader.AdvanceTo(read.Buffer.End);
        gate.Open();
        Check.Equal("second", await ReadAllAsync(reader));
        await queue.WaitAsync(id).Within();
        Check.Equal(JobQueueError.NoSuchJob, ErrorOf(() => queue.GetOutput(id)));
    }

    private async Task Output_BeforeTheStart_CanBeAskedFor(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId runs = queue.Enqueue(static (_, job) => Write(job.Output, new string('x', 200_000)), 0);
        QueuedJobId canceled = queue.Enqueue(static n => n, 0);
        PipeReader output = queue.GetOutput(runs);
        PipeReader none = queue.GetOutput(canceled);
        queue.Cancel(canceled);
        Check.Equal("", await ReadAllAsync(none));
        gate.Open();
        await queue.WaitAsync(runs).Within();
        Check.Equal(200_000, (await ReadAllAsync(output)).Length);
    }

    private async Task Output_Failure_ReachesTheReader(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        queue.Pause();
        QueuedJobId id = queue.Enqueue(static (_, _) => throw new FormatException("cut"), 0);
        PipeReader output = queue.GetOutput(id);
        queue.Resume();
        await Check.Throws<FormatException>(ReadAllAsync(output));
        await Check.Throws<QueuedJobException>(queue.WaitAsync(id));
    }

    private async Task Group_OfTwoQueues_WaitsForAll(JobEngine engine)
    {
        JobQueue a = engine.Queues.Create("a");
        JobQueue b = engine.Queues.Create("b");
        JobGroup group = new();
        group.Add(a, a.Enqueue(static n => n, 1));
        group.Add(b, b.Enqueue<int, int>(static _ => throw new FormatException("x"), 2));
        group.Add(a, a.Enqueue(static s => s, "three"));
        Check.Equal(3, group.Count);
        IReadOnlyList<FinishedJob> jobs = await group.WaitAllAsync().Within();
        Check.Sequence(
            [QueuedJobOutcome.Completed, QueuedJobOutcome.Failed, QueuedJobOutcome.Completed],
            jobs.Select(job => job.Outcome));
        Check.Equal((1, "three"), ((int)jobs[0].Result!, (string)jobs[2].Result!));
        Check.True(jobs[1].Error is QueuedJobException);
        Check.Same(b, jobs[1].Queue);
        Check.Equal(0, group.Count);
        Check.Equal(0, a.GetJobs().Count + b.GetJobs().Count);
    }

    private async Task Group_TimedOut_CanBeWaitedAgain(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        JobGroup group = new();
        group.Add(queue, queue.Enqueue(static n => n, 1));
        group.Add(queue, queue.Enqueue(static gate => gate.Pass(), gate));
        await Check.Throws<TimeoutException>(group.WaitAllAsync(TimeSpan.FromMilliseconds(30)).AsTask());
        gate.Open();
        Check.Equal(2, (await group.WaitAllAsync(Patience.Wait).AsTask().Within()).Count);
    }

    private async Task Group_JobsThatAreGoneOrDetached_LeaveItWithTheirErrors(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q", 1);
        QueuedJobId expiring = queue.Enqueue(
            static n => n, 2, new QueuedJobOptions { ExpireAfter = TimeSpan.FromMilliseconds(1) });
        QueuedJobId taken = queue.Enqueue(static n => n, 3);
        JobGroup group = new();
        group.Add(queue, queue.Enqueue(static n => n, 1));
        group.Add(queue, expiring);
        group.Add(queue, taken);
        group.Add(queue, queue.Enqueue(static gate => gate.Pass(), gate, Detached));
        group.Add(queue, queue.Enqueue(static n => n, 4));
        Spin.Until(() => queue.GetJob(expiring) is null);
        Check.Equal(3, queue.Wait<int>(taken));
        Check.Equal(JobQueueError.NoSuchJob, await ErrorOf(group.WaitAllAsync()));
        Check.Equal(3, group.Count); // without the one that it has collected
        Check.Equal(JobQueueError.NoSuchJob, await ErrorOf(group.WaitAllAsync()));
        Check.Equal(JobQueueError.DetachedJob, await ErrorOf(group.WaitAllAsync()));
        gate.Open();
        IReadOnlyList<FinishedJob> left = await group.WaitAllAsync().Within();
        Check.Sequence([1, 4], left.Select(static job => (int)job.Result!));
        Check.Equal(0, group.Count);
    }

    private async Task Collect_JobsAsTheyEnd_UntilTheQueueIsGone(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 2);
        AwaitDone(queue, queue.Enqueue(static n => n, 0));
        HashSet<int> results = [];
        Task collector = Task.Run(async () =>
        {
            await foreach (FinishedJob job in queue.CollectAsync())
            {
                Check.Equal(QueuedJobOutcome.Completed, job.Outcome);
                Check.True(results.Add((int)job.Result!));
            }
        });
        for (int i = 1; i < 500; i++)
        {
            queue.Enqueue(static n => n, i);
        }

        queue.Delete();
        await collector.Within();
        Check.Equal(500, results.Count);
        Check.True(queue.IsGone);
    }

    private async Task Collect_TokenCanceled_Ends(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        using CancellationTokenSource source = new();
        await using (IAsyncEnumerator<FinishedJob> jobs = queue.CollectAsync(source.Token).GetAsyncEnumerator())
        {
            ValueTask<bool> next = jobs.MoveNextAsync();
            source.Cancel();
            await Check.Throws<OperationCanceledException, bool>(next);
        }

        Check.Equal(3, queue.Wait<int>(queue.Enqueue(static n => n, 3)));
    }

    private void Context_AsyncLocal_DoesNotFlow(JobEngine engine)
    {
        AsyncLocal<string> local = new() { Value = "outside" };
        JobQueue queue = engine.Queues.Create("q", 1);
        Check.Equal(null, queue.Wait<string?>(queue.Enqueue(static local => local.Value, local)));
        queue.Wait<object>(queue.Enqueue(static local => local.Value = "inside", local));
        Check.Equal(null, queue.Wait<string?>(queue.Enqueue(static local => local.Value, local)));
        Check.Equal("outside", local.Value);
    }

    private static void Write(PipeWriter writer, string text)
    {
        writer.Write(Encoding.UTF8.GetBytes(text));
        Check.True(writer.FlushAsync().IsCompletedSuccessfully);
    }

    private static async Task<string> ReadAllAsync(PipeReader reader)
    {
        while (true)
        {
            ReadResult read = await reader.ReadAsync().Within();
            if (read.IsCompleted)
            {
                return Encoding.UTF8.GetString(read.Buffer);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
