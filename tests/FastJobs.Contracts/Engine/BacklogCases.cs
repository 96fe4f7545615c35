namespace FastJobs.Contracts.Engine;

/// <summary>What a submitter meets when as many jobs wait as may.</summary>
internal sealed class BacklogCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(TrySubmit_Full_IsFalse),
        Case(TrySubmit_RoomAgain_IsTrue),
        Case(Submit_Full_WaitsForRoom),
        Case(Submit_AsynchronousWorkAndFull_WaitsForRoom),
        Case(SubmitAsync_Room_CompletesAtOnce),
        Case(SubmitAsync_Full_WaitsForRoom),
        Case(SubmitAsync_FullAndCanceled_DoesNotRun),
        Case(SubmitAsync_CanceledBefore_DoesNotRun),
        Case(Backlog_Grows_AdmitsSubmitters),
        Case(Backlog_ToZero_AdmitsSubmitters),
        Case(Backlog_Shrinks_HoldsSubmittersUntilThereIsRoom),
        Case(Backlog_ManySubmitters_IsNeverExceeded),
    ];

    private void TrySubmit_Full_IsFalse(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 3);
        Fill(lane, gate);
        Check.Equal(3L, lane.QueuedJobs);
        Check.False(lane.TrySubmit(static gate => gate.Pass(), gate));
        Check.Equal(3L, lane.QueuedJobs);
        gate.Open();
        gate.AwaitEntered(4);
        engine.DrainAsync().Within().GetAwaiter().GetResult();
        Check.Equal(4, gate.Entered);
    }

    private async Task TrySubmit_RoomAgain_IsTrue(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 2);
        Fill(lane, gate);
        gate.Open();
        await engine.DrainAsync().Within();
        Check.True(lane.TrySubmit(static gate => gate.Pass(), gate));
        await engine.DrainAsync().Within();
        Check.Equal(4, gate.Entered);
    }

    private Task Submit_Full_WaitsForRoom(JobEngine engine) =>
        CheckWaits(engine, static (lane, ran) => lane.Submit(static ran => ran.Increment(), ran));

    private Task Submit_AsynchronousWorkAndFull_WaitsForRoom(JobEngine engine) => CheckWaits(
        engine,
        static (lane, ran) => lane.Submit(
            static (ran, _) =>
            {
                ran.Increment();
                return default;
            },
            ran));

    private async Task CheckWaits(JobEngine engine, Action<JobLane, Counter> submit)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Counter ran = new();
        Counter submitted = new();
        Task submitter = Crew.Run(() =>
        {
            submit(lane, ran);
            submitted.Increment();
        });

        // It cannot be seen that a thread will go on waiting, only that it has not gone on so far.
        Thread.Sleep(20);
        Check.Equal(0, submitted.Value);
        Check.Equal(1L, lane.QueuedJobs);
        gate.Open();
        await submitter.Within();
        await engine.DrainAsync().Within();
        Check.Equal(1, ran.Value);
    }

    private void SubmitAsync_Room_CompletesAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        lane.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        Check.True(lane.SubmitAsync(static gate => gate.Pass(), gate).IsCompletedSuccessfully);
    }

    private async Task SubmitAsync_Full_WaitsForRoom(JobEngine engine)
    {
        using Gate gate = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task[] submits = [.. Enumerable.Range(0, 5).Select(_ => lane.SubmitAsync(static ran => ran.Increment(), ran).AsTask())];
        Check.True(submits.All(submit => !submit.IsCompleted));
        gate.Open();
        await Task.WhenAll(submits).Within();
        await engine.DrainAsync().Within();
        Check.Equal(5, ran.Value);
    }

    private async Task SubmitAsync_FullAndCanceled_DoesNotRun(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task canceled = lane.SubmitAsync(static ran => ran.Increment(), ran, source.Token).AsTask();
        Task waiting = lane.SubmitAsync(static ran => ran.Increment(), ran).AsTask();
        Check.False(canceled.IsCompleted);
        source.Cancel();
        await Check.Canceled(canceled, source.Token);
        Check.False(waiting.IsCompleted);
        gate.Open();
        await waiting.Within();
        await engine.DrainAsync().Within();
        Check.Equal(1, ran.Value);
    }

    private async Task SubmitAsync_CanceledBefore_DoesNotRun(JobEngine engine)
    {
        Counter ran = new();
        CancellationToken canceled = new(canceled: true);
        await Check.Canceled(engine.Cpu.SubmitAsync(static ran => ran.Increment(), ran, canceled), canceled);
        await engine.DrainAsync().Within();
        Check.Equal(0, ran.Value);
    }

    private Task Backlog_Grows_AdmitsSubmitters(JobEngine engine) => CheckAdmits(engine, backlog: 10);

    private Task Backlog_ToZero_AdmitsSubmitters(JobEngine engine) => CheckAdmits(engine, backlog: 0);

    private async Task CheckAdmits(JobEngine engine, int backlog)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task submit = lane.SubmitAsync(static gate => gate.Pass(), gate).AsTask();
        Task blocked = Crew.Run(() => lane.Submit(static gate => gate.Pass(), gate));
        Check.False(submit.IsCompleted);
        lane.Backlog = backlog;
        await submit.Within();
        await blocked.Within();
        Check.Equal(3L, lane.QueuedJobs);
        Check.Equal(backlog, lane.Backlog);
    }

    private async Task Backlog_Shrinks_HoldsSubmittersUntilThereIsRoom(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 5);
        Fill(lane, gate);
        lane.Backlog = 2;
        Check.False(lane.TrySubmit(static gate => gate.Pass(), gate));
        Check.Equal(5L, lane.QueuedJobs);
        Task submit = lane.SubmitAsync(static gate => gate.Pass(), gate).AsTask();
        Check.False(submit.IsCompleted);
        gate.Open();
        await submit.Within();
        await engine.DrainAsync().Within();
        Check.Equal(7, gate.Entered);
    }

    private async Task Backlog_ManySubmitters_IsNeverExceeded(JobEngine engine)
    {
        const int Backlog = 4;
        Runs runs = new(40_000);
        JobLane lane = Lane(engine, 2, Backlog);
        long most = 0;
        await Crew.Run(4, producer =>
        {
            for (int i = producer; i < 40_000; i += 4)
            {
                lane.Submit(static job => job.Runs.Enter(job.Number), (Runs: runs, Number: i));
                long queued = lane.QueuedJobs;
                InterlockedMax(ref most, queued);
            }
        });
        await engine.DrainAsync().Within();
        runs.CheckEachOnce();
        Check.AtMost(Backlog, most);
    }

    private static void InterlockedMax(ref long most, long value)
    {
        long seen;
        while (value > (seen = Volatile.Read(ref most)) && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }
}
