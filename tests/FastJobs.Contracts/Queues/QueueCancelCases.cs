using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>Cancelling jobs in each state, and deleting queues.</summary>
internal sealed class QueueCancelCases : QueueCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Cancel_Scheduled_NeverStartsAndIsDoneAtOnce),
        Case(Cancel_ScheduledDetached_Disappears),
        Case(Cancel_ScheduledHeadAndOwn_LeaveTheirPlaces),
        Case(Cancel_Running_TokenAndResult),
        Case(Cancel_RunningWithoutToken_EndsCanceled),
        Case(Cancel_Waited_FailsAndJobGoesOn),
        Case(Cancel_Done_ResultStays),
        Case(Cancel_TokenAskedForLate_IsCanceled),
        Case(Delete_Empty_GoneAtOnce),
        Case(Delete_WithJobs_GoneWhenCollected),
        Case(Delete_DetachedOnly_GoneWhenTheyEnd),
        Case(Delete_NameIsFree_NewQueueStartsAnew),
        Case(Create_Twice_Fails),
    ];

    private async Task Cancel_Scheduled_NeverStartsAndIsDoneAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        Counter ran = new();
        QueuedJobId id = queue.Enqueue(static ran => ran.Increment(), ran);
        Check.False(queue.Cancel(id));
        QueuedJobInfo info = queue.GetJob(id)!;
        Check.Equal((QueuedJobState.Done, QueuedJobOutcome.Canceled), (info.State, info.Outcome));
        Check.False(queue.Cancel(id));
        QueuedJobCanceledException e = await Check.Throws<QueuedJobCanceledException>(queue.WaitAsync(id));
        Check.Equal("Job cancelled. (job job1 of queue \"q\")", e.Message);
        gate.Open();
        Spin.Until(() => queue.GetInfo().Running == 0);
        Check.Equal(0, ran.Value);
    }

    private void Cancel_ScheduledDetached_Disappears(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId id = queue.Enqueue(static n => n, 1, Detached);
        Check.False(queue.Cancel(id));
        Check.False(queue.Exists(id));
    }

    private void Cancel_ScheduledHeadAndOwn_LeaveTheirPlaces(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out _);
        QueuedJobId head = queue.Enqueue(static n => n, 1, Head);
        QueuedJobId head2 = queue.Enqueue(static n => n, 2, Head);
        QueuedJobId own = queue.Enqueue(static n => n, 3, new QueuedJobOptions { Id = "own" });
        QueuedJobId later = queue.Enqueue(static n => n, 4, new QueuedJobOptions { Delay = TimeSpan.FromHours(1) });
        foreach (QueuedJobId id in (QueuedJobId[])[head, own, later])
        {
            Check.False(queue.Cancel(id));
        }

        gate.Open();
        Check.Equal(2, queue.Wait<int>(head2));
        Check.Equal(0L, queue.GetInfo().Scheduled);
    }

    private async Task Cancel_Running_TokenAndResult(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        Counter began = new();
        QueuedJobId id = queue.Enqueue(
            static (began, job) =>
            {
                CancellationToken token = job.Token;
                began.Increment();
                Check.True(token.WaitHandle.WaitOne(Patience.Wait));
                return 5;
            },
            began);
        began.Await(1);
        Check.True(queue.Cancel(id));
        await Check.Throws<QueuedJobCanceledException, int>(queue.WaitAsync<int>(id));
    }

    private async Task Cancel_RunningWithoutToken_EndsCanceled(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        Check.True(queue.Cancel(first));
        Check.True(queue.Cancel(first));
        Check.Equal(QueuedJobState.Running, StateOf(queue, first));
        Task wait = queue.WaitAsync(first).AsTask();
        gate.Open();
        await Check.Throws<QueuedJobCanceledException>(wait);
    }

    private async Task Cancel_Waited_FailsAndJobGoesOn(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        QueuedJobId id = queue.Enqueue(static n => n, 8);
        Task<int> wait = queue.WaitAsync<int>(id).AsTask();
        Task running = queue.WaitAsync(first).AsTask();
        JobQueueException e = Check.Throws<JobQueueException>(() => queue.Cancel(id));
        Check.Equal("can't cancel job \"job1\", someone is waiting on it (queue \"q\")", e.Message);
        Check.Equal(JobQueueError.WaitedJob, ErrorOf(() => queue.Cancel(first)));
        gate.Open();
        Check.Equal(8, await wait.Within());
        await running.Within();
    }

    private void Cancel_Done_ResultStays(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        QueuedJobId id = queue.Enqueue(static n => n, 8);
        AwaitDone(queue, id);
        Check.False(queue.Cancel(id));
        Check.Equal(8, queue.Wait<int>(id));
    }

    private async Task Cancel_TokenAskedForLate_IsCanceled(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        bool canceled = false;
        QueuedJobId id = queue.Enqueue(
            (gate, job) =>
            {
                gate.Pass();
                canceled = job.Token.IsCancellationRequested;
            },
            gate);
        gate.AwaitEntered(1);
        Check.True(queue.Cancel(id));
        gate.Open();
        await Check.Throws<QueuedJobCanceledException>(queue.WaitAsync(id));
        Check.True(canceled);
    }

    private void Delete_Empty_GoneAtOnce(JobEngine engine)
    {
        JobQueue queue = engine.Queues.Create("q");
        engine.Queues.Delete("q");
        Check.True(queue.IsGone);
        Check.True(engine.Queues.Find("q") is null);
        Check.Equal("no such queue: q", Check.Throws<JobQueueException>(() => engine.Queues.Delete("q")).Message);
        Check.Equal(JobQueueError.NoSuchQueue, ErrorOf(() => queue.Enqueue(static n => n, 1)));
        Check.Equal(0L, engine.Queues.Pool.MaxThreads);
    }

    private async Task Delete_WithJobs_GoneWhenCollected(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = Blocked(engine, gate, out QueuedJobId first);
        QueuedJobId second = queue.Enqueue(static n => n, 2);
        queue.Delete();
        queue.Delete();
        Check.True(queue.GetInfo().IsDeleting);
        Check.Equal(JobQueueError.Refused, ErrorOf(() => queue.Enqueue(static n => n, 1)));
        Check.Equal(JobQueueError.QueueExists, ErrorOf(() => engine.Queues.Create("q")));
        gate.Open();
        Check.Equal(2, await queue.WaitAsync<int>(second).Within());
        Check.False(queue.IsGone);
        await queue.WaitAsync(first).Within();
        Check.True(queue.IsGone);
        Check.True(engine.Queues.Find("q") is null);
        Check.Equal(JobQueueError.NoSuchQueue, await ErrorOf(queue.WaitAsync<int>(second)));
    }

    private async Task Delete_DetachedOnly_GoneWhenTheyEnd(JobEngine engine)
    {
        using Gate gate = new();
        JobQueue queue = engine.Queues.Create("q");
        queue.Enqueue(static gate => gate.Pass(), gate, Detached);
        queue.Delete();
        Task any = queue.WaitAnyAsync().AsTask();
        Check.False(queue.IsGone);
        gate.Open();
        await any.Within();
        Spin.Until(() => queue.IsGone && engine.Queues.Pool.MaxThreads == 0);
    }

    private void Delete_NameIsFree_NewQueueStartsAnew(JobEngine engine)
    {
        for (int i = 0; i < 1000; i++)
        {
            JobQueue queue = engine.Queues.Create("q");
            Check.Same(queue, engine.Queues["q"]);
            QueuedJobId id = queue.Enqueue(static n => n, i);
            Check.Equal("job0", id.ToString());
            queue.Delete();
            Check.Equal(i, queue.Wait<int>(id));
        }

        Check.Equal(0, engine.Queues.List().Count);
    }

    private void Create_Twice_Fails(JobEngine engine)
    {
        engine.Queues.Create("q");
        Check.Equal("queue already exists: q", Check.Throws<JobQueueException>(() => engine.Queues.Create("q")).Message);
        engine.Queues.Create("Q");
        Check.Throws<ArgumentOutOfRangeException>(() => engine.Queues.Create("r", 0));
        Check.Throws<ArgumentException>(() => engine.Queues.Create(""));
        Check.Sequence(["q", "Q"], engine.Queues.List().Select(queue => queue.Name));
    }
}
