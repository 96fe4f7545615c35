using System.Diagnostics;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>Collecting results: for one job, for any, with a time-out, with a token.</summary>
internal sealed class QueueWaitCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Wait_Done_CollectsOnce),
        Case(Wait_Running_ContinuesAtTheEnd),
        Case(Wait_SecondWaiter_Fails),
        Case(Wait_Detached_Fails),
        Case(Wait_OtherType_FailsAndCollectsNothing),
        Case(Wait_TimedOut_CanBeWaitedAgain),
        Case(Wait_Token_CanBeWaitedAgain),
        Case(Wait_FailedJob_ThrowsCodeAndDetail),
        Case(Wait_BlockingFromManyThreads_EachGetsItsOwn),
        Case(Wait_StaleId_FindsNothing),
        Case(WaitAny_EmptyQueue_ReturnsAtOnce),
        Case(WaitAny_JobDone_ReturnsAtOnceAndCollectsNothing),
        Case(WaitAny_NothingDone_WaitsTheWholeTime),
        Case(WaitAny_JobGetsDone_AllReturn),
        Case(WaitAny_LastDetachedEnds_Returns),
        Case(WaitAny_FailedJob_DoesNotThrow),
    ];

    private async Task Wait_Done_CollectsOnce(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(static s => s + "!", "done");
        AwaitDone(queue, id);
        Check.True(queue.Exists(id));
        Check.Equal("done!", await queue.WaitAsync<string>(id));
        Check.False(queue.Exists(id));
        JobQueueException e = await Check.Throws<JobQueueException, string>(queue.WaitAsync<string>(id));
        Check.Equal(JobQueueError.NoSuchJob, e.Error);
        Check.Equal("no such job: job0 (queue \"q\")", e.Message);
        Check.Equal(JobQueueError.NoSuchJob, ErrorOf(() => queue.Cancel(id)));
    }

    private async Task Wait_Running_ContinuesAtTheEnd(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        Task wait = queue.WaitAsync(first).AsTask();
        Check.True(queue.GetJob(first)!.IsWaitedFor);
        Check.False(wait.IsCompleted);
        gate.Open();
        await wait.Within();
        Check.False(queue.Exists(first));
    }

    private async Task Wait_SecondWaiter_Fails(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        Task wait = queue.WaitAsync(first).AsTask();
        Check.Equal(JobQueueError.WaitedJob, await ErrorOf(queue.WaitAsync<object>(first)));
        gate.Open();
        await wait.Within();
    }

    private async Task Wait_Detached_Fails(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId id = queue.Enqueue(static n => n, 1, Detached);
        Check.Equal(JobQueueError.DetachedJob, await ErrorOf(queue.WaitAsync<int>(id)));
        gate.Open();
        Spin.Until(() => !queue.Exists(id));
    }

    private async Task Wait_OtherType_FailsAndCollectsNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(static n => n, 7);
        Check.Equal(JobQueueError.OtherResultType, await ErrorOf(queue.WaitAsync<string>(id)));
        Check.Equal(JobQueueError.OtherResultType, ErrorOf(() => queue.Wait<string>(id)));
        Check.Equal(7, (int)await queue.WaitAsync<object>(id).Within());
    }

    private async Task Wait_TimedOut_CanBeWaitedAgain(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        QueuedJobId id = queue.Enqueue(static n => n, 3);
        long began = Stopwatch.GetTimestamp();
        await Check.Throws<TimeoutException, int>(queue.WaitAsync<int>(id, TimeSpan.FromMilliseconds(40)));
        Check.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(40));
        began = Stopwatch.GetTimestamp();
        Check.Throws<TimeoutException>(() => queue.Wait<int>(id, TimeSpan.FromMilliseconds(40)));
        Check.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(40));
        await Check.Throws<TimeoutException, int>(queue.WaitAsync<int>(id, TimeSpan.Zero));
        Check.Throws<TimeoutException>(() => queue.Wait<int>(id, TimeSpan.Zero));
        gate.Open();
        Check.Equal(3, await queue.WaitAsync<int>(id, TimeSpan.FromSeconds(30)));
        queue.Wait<object>(first);
    }

    private async Task Wait_Token_CanBeWaitedAgain(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId id = queue.Enqueue(static n => n, 3);
        using CancellationTokenSource source = new();
        Task<int> wait = queue.WaitAsync<int>(id, source.Token).AsTask();
        source.Cancel();
        await Check.Canceled(wait, source.Token);
        await Check.Canceled(queue.WaitAsync<int>(id, source.Token), source.Token);
        gate.Open();
        Check.Equal(3, await queue.WaitAsync<int>(id).Within());
    }

    private async Task Wait_FailedJob_ThrowsCodeAndDetail(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId own = queue.Enqueue<int, int>(static _ => throw new QueuedJobException("no", "E42", "where"), 0);
        QueuedJobException e = await Check.Throws<QueuedJobException, int>(queue.WaitAsync<int>(own));
        Check.Equal(("no", "E42", "where", "q", "job0"), (e.Message, e.Code, e.Detail, e.Queue, e.Job.ToString()));
        QueuedJobId other = queue.Enqueue<int, string>(static _ => throw new FormatException("bad"), 0);
        AwaitDone(queue, other);
        Check.Equal("bad", queue.GetJob(other)!.Error!.Message);
        e = Check.Throws<QueuedJobException>(() => queue.Wait<string>(other));
        Check.Equal(("bad", "System.FormatException"), (e.Message, e.Code));
        Check.True(e.InnerException is FormatException);
        Check.False(queue.Exists(other));
    }

    private async Task Wait_BlockingFromManyThreads_EachGetsItsOwn(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q", 2);
        await Crew.Run(4, thread =>
        {
            for (int i = 0; i < 2000; i++)
            {
                int value = (thread * 10_000) + i;
                Check.Equal(value, queue.Wait<int>(queue.Enqueue(static n => n, value)));
            }
        });
        Check.Equal(0, queue.GetJobs().Count);
    }

    private void Wait_StaleId_FindsNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId old = queue.Enqueue(static n => n, 1);
        queue.Wait<int>(old);
        for (int i = 0; i < 1000; i++)
        {
            QueuedJobId id = queue.Enqueue(static n => n, i);
            Check.Equal(JobQueueError.NoSuchJob, ErrorOf(() => queue.Wait<int>(old)));
            Check.Equal(i, queue.Wait<int>(id));
        }
    }

    private async Task WaitAny_EmptyQueue_ReturnsAtOnce(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        Check.True(queue.WaitAnyAsync().IsCompletedSuccessfully);
        queue.WaitAny(TimeSpan.Zero);
        await queue.WaitAnyAsync(TimeSpan.Zero);
    }

    private void WaitAny_JobDone_ReturnsAtOnceAndCollectsNothing(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(static n => n, 1);
        queue.WaitAny(Patience.Wait);
        Check.Equal(QueuedJobState.Done, StateOf(queue, id));
        queue.WaitAny(TimeSpan.Zero);
        Check.True(queue.WaitAnyAsync().IsCompletedSuccessfully);
        Check.Equal(1, queue.Wait<int>(id));
    }

    private async Task WaitAny_NothingDone_WaitsTheWholeTime(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        long began = Stopwatch.GetTimestamp();
        await Check.Throws<TimeoutException>(queue.WaitAnyAsync(TimeSpan.FromMilliseconds(40)));
        Check.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(40));
        began = Stopwatch.GetTimestamp();
        Check.Throws<TimeoutException>(() => queue.WaitAny(TimeSpan.FromMilliseconds(40)));
        Check.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(40));
        using CancellationTokenSource source = new();
        Task wait = queue.WaitAnyAsync(source.Token).AsTask();
        source.Cancel();
        await Check.Canceled(wait, source.Token);
    }

    private async Task WaitAny_JobGetsDone_AllReturn(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        Task own = queue.WaitAsync(first).AsTask();
        Task[] waits = [.. Enumerable.Range(0, 5).Select(_ => queue.WaitAnyAsync(Patience.Wait).AsTask())];
        Task blocking = Crew.Run(() => queue.WaitAny(Patience.Wait));
        Check.False(waits.Any(wait => wait.IsCompleted));
        gate.Open();
        await Task.WhenAll(waits).Within();
        await blocking.Within();
        await own.Within();
    }

    private async Task WaitAny_LastDetachedEnds_Returns(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        queue.Enqueue(static gate => gate.Pass(), gate, Detached);
        Task wait = queue.WaitAnyAsync().AsTask();
        gate.AwaitEntered(1);
        Check.False(wait.IsCompleted);
        gate.Open();
        await wait.Within();
    }

    private async Task WaitAny_FailedJob_DoesNotThrow(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue<int, int>(static _ => throw new FormatException(), 0);
        await queue.WaitAnyAsync(Patience.Wait);
        await Check.Throws<QueuedJobException, int>(queue.WaitAsync<int>(id));
    }
}
