namespace FastJobs.Contracts.Engine;

/// <summary>Cancelling a job before it is handed in, while it waits, while it runs, and when it is over.</summary>
internal sealed class CancelCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(RunAsync_TokenCanceledBefore_DoesNotRun),
        Case(RunAsync_TokenCanceledWhileQueued_CompletesAtOnce),
        Case(RunAsync_TokenCanceledWhileRunning_IsTheWorksAffair),
        Case(RunAsync_TokenCanceledAndIgnored_GivesTheResult),
        Case(RunAsync_TokenCanceledAfter_ChangesNothing),
        Case(RunAsync_AsynchronousAndCanceled_AwaiterIsCanceled),
        Case(RunAsync_ManyOnOneToken_AreAllCanceled),
        Case(RunAsync_SourceDisposedWhileQueued_Runs),
        Case(Submit_AsynchronousAndTokenCanceledWhileQueued_DoesNotRun),
        Case(TryCancel_Queued_DoesNotRun),
        Case(TryCancel_Twice_IsTrueOnce),
        Case(TryCancel_Running_IsFalse),
        Case(TryCancel_Over_IsFalse),
        Case(TryCancel_OverAndItsObjectInUse_HitsNobody),
        Case(TryCancel_NoHandle_IsFalse),
        Case(TryCancel_Discarded_IsFalse),
    ];

    private async Task RunAsync_TokenCanceledBefore_DoesNotRun(JobEngine engine)
    {
        Counter ran = new();
        CancellationToken canceled = new(canceled: true);
        await Check.Canceled(engine.Cpu.RunAsync(static ran => ran.Increment(), ran, canceled), canceled);
        await Check.Canceled(engine.Cpu.RunAsync(static (_, _) => new ValueTask<int>(1), ran, canceled), canceled);
        engine.Cpu.Submit(
            static (ran, _) =>
            {
                ran.Increment();
                return default;
            },
            ran,
            canceled);
        await engine.DrainAsync().Within();
        Check.Equal(0, ran.Value);
    }

    private async Task RunAsync_TokenCanceledWhileQueued_CompletesAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        ValueTask queued = lane.RunAsync(static ran => ran.Increment(), ran, source.Token);
        ValueTask<int> other = lane.RunAsync(static x => x, 5);
        source.Cancel();

        // While the lane is still blocked: the job need not come to its turn first.
        await Check.Canceled(queued, source.Token);
        gate.Open();
        Check.Equal(5, await other.Within());
        await engine.DrainAsync().Within();
        Check.Equal(0, ran.Value);
    }

    private async Task RunAsync_TokenCanceledWhileRunning_IsTheWorksAffair(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        ValueTask running = engine.Cpu.RunAsync(
            static (gate, token) =>
            {
                gate.Pass();
                Check.True(token.IsCancellationRequested);
                token.ThrowIfCancellationRequested();
            },
            gate,
            source.Token);
        gate.AwaitEntered(1);
        source.Cancel();
        Check.False(running.IsCompleted);
        gate.Open();
        await Check.Canceled(running, source.Token);
    }

    private async Task RunAsync_TokenCanceledAndIgnored_GivesTheResult(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        ValueTask<int> running = engine.Cpu.RunAsync(
            static gate =>
            {
                gate.Pass();
                return 9;
            },
            gate,
            source.Token);
        gate.AwaitEntered(1);
        source.Cancel();
        gate.Open();
        Check.Equal(9, await running.Within());
    }

    private async Task RunAsync_TokenCanceledAfter_ChangesNothing(JobEngine engine)
    {
        using CancellationTokenSource source = new();
        ValueTask<int> over = engine.Cpu.RunAsync(static x => x, 9, source.Token);
        await engine.DrainAsync().Within();
        source.Cancel();
        Check.Equal(9, await over.Within());
    }

    private async Task RunAsync_AsynchronousAndCanceled_AwaiterIsCanceled(JobEngine engine)
    {
        using CancellationTokenSource source = new();
        Counter started = new();
        ValueTask running = engine.Cpu.RunAsync(
            static async (started, token) =>
            {
                started.Increment();
                await Task.Delay(Timeout.Infinite, token);
            },
            started,
            source.Token);
        started.Await(1);
        source.Cancel();
        await Check.Canceled(running, source.Token);
    }

    private async Task RunAsync_ManyOnOneToken_AreAllCanceled(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        Task[] queued = [.. Enumerable.Range(0, 1_000).Select(
            _ => lane.RunAsync(static ran => ran.Increment(), ran, source.Token).AsTask())];
        source.Cancel();
        foreach (Task job in queued)
        {
            await Check.Canceled(job, source.Token);
        }

        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(0, ran.Value);
    }

    private async Task RunAsync_SourceDisposedWhileQueued_Runs(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        ValueTask<int> queued;
        using (CancellationTokenSource source = new())
        {
            queued = lane.RunAsync(static x => x, 3, source.Token);
        }

        gate.Open();
        Check.Equal(3, await queued.Within());
    }

    private async Task Submit_AsynchronousAndTokenCanceledWhileQueued_DoesNotRun(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        lane.Submit(
            static (ran, _) =>
            {
                ran.Increment();
                return default;
            },
            ran,
            source.Token);
        source.Cancel();
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(0, ran.Value);
    }

    private async Task TryCancel_Queued_DoesNotRun(JobEngine engine)
    {
        using Gate gate = new();
        Runs runs = new(3);
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        JobHandle[] handles = [.. Enumerable.Range(0, 3).Select(
            i => lane.SubmitCancelable(static job => job.Runs.Enter(job.Number), (Runs: runs, Number: i)))];
        Check.True(handles[1].TryCancel());
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(1, runs.Of(0));
        Check.Equal(0, runs.Of(1));
        Check.Equal(1, runs.Of(2));
    }

    private void TryCancel_Twice_IsTrueOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        JobHandle handle = lane.SubmitCancelable(static _ => { }, 0);
        Check.True(handle.TryCancel());
        Check.False(handle.TryCancel());
    }

    private async Task TryCancel_Running_IsFalse(JobEngine engine)
    {
        using Gate gate = new();
        JobHandle handle = engine.Cpu.SubmitCancelable(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        Check.False(handle.TryCancel());
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(1, gate.Entered);
    }

    private async Task TryCancel_Over_IsFalse(JobEngine engine)
    {
        JobHandle handle = engine.Cpu.SubmitCancelable(static _ => { }, 0);
        await engine.DrainAsync().Within();
        Check.False(handle.TryCancel());
        JobHandle inline = engine["Close"].SubmitCancelable(static _ => { }, 0);
        Check.False(inline.TryCancel());
    }

    private async Task TryCancel_OverAndItsObjectInUse_HitsNobody(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        List<JobHandle> stale = [];
        for (int i = 0; i < 200; i++)
        {
            stale.Add(lane.SubmitCancelable(static _ => { }, 0));
            await engine.DrainAsync().Within();
        }

        using Gate gate = new();
        Counter ran = new();
        Fill(lane, gate);
        for (int i = 0; i < 1_000; i++)
        {
            lane.SubmitCancelable(static ran => ran.Increment(), ran);
        }

        Check.True(stale.All(handle => !handle.TryCancel()));
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(1_000, ran.Value);
    }

    private void TryCancel_NoHandle_IsFalse() => Check.False(default(JobHandle).TryCancel());

    private async Task TryCancel_Discarded_IsFalse(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        JobHandle handle = lane.SubmitCancelable(static _ => { }, 0);
        Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
        Spin.Until(() => lane.QueuedJobs == 0);
        gate.Open();
        await stop.Within();
        Check.False(handle.TryCancel());
    }
}
