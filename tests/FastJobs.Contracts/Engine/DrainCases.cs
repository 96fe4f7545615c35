namespace FastJobs.Contracts.Engine;

/// <summary>Drain: what was queued, and what that submitted, has run.</summary>
internal sealed class DrainCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(DrainAsync_NothingInFlight_CompletesAtOnce),
        Case(DrainAsync_RunningJob_WaitsForIt),
        Case(DrainAsync_PendingAsynchronousJob_WaitsForIt),
        Case(DrainAsync_JobsWaitingForRoom_WaitsForThem),
        Case(DrainAsync_JobsThatSubmitAcrossLanes_WaitsForAll),
        Case(DrainAsync_AsynchronousJobsThatSubmitAcrossLanes_WaitsForAll),
        Case(DrainAsync_DeferredLane_StartsIt),
        Case(DrainAsync_Canceled_JobsGoOn),
        Case(DrainAsync_AfterEachSubmit_HasRunIt),
        Case(DrainAsync_AfterEachSubmitByMany_HasRunIt),
        Case(DrainAsync_CanceledJobsInTheQueue_Completes),
        Case(DrainAsync_Many_AllComplete),
    ];

    private void DrainAsync_NothingInFlight_CompletesAtOnce(JobEngine engine)
    {
        Check.True(engine.DrainAsync().IsCompletedSuccessfully);
        engine["Close"].Submit(static _ => { }, 0);
        Check.True(engine.DrainAsync().IsCompletedSuccessfully);
    }

    private async Task DrainAsync_RunningJob_WaitsForIt(JobEngine engine)
    {
        using Gate gate = new();
        engine.Cpu.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        Task drain = engine.DrainAsync();
        Check.False(drain.IsCompleted);
        gate.Open();
        await drain.Within();
    }

    private async Task DrainAsync_PendingAsynchronousJob_WaitsForIt(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        lane.Submit(static (gate, _) => gate.PassAsync(), gate);
        Spin.Until(() => lane.GetStatistics() is { PendingAsyncJobs: 1, ActiveThreads: 0 });
        Task drain = engine.DrainAsync();
        Check.False(drain.IsCompleted);
        gate.Open();
        await drain.Within();
    }

    private async Task DrainAsync_JobsWaitingForRoom_WaitsForThem(JobEngine engine)
    {
        using Gate gate = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        for (int i = 0; i < 100; i++)
        {
            _ = lane.RunAsync(static ran => ran.Increment(), ran);
        }

        Task drain = engine.DrainAsync();
        gate.Open();
        await drain.Within();
        Check.Equal(100, ran.Value);
    }

    private async Task DrainAsync_JobsThatSubmitAcrossLanes_WaitsForAll(JobEngine engine)
    {
        Counter hops = new();
        for (int i = 0; i < 4; i++)
        {
            engine.Cpu.Submit(Hop, (engine, hops, 2_500));
        }

        await engine.DrainAsync().Within();
        Check.Equal(10_000, hops.Value);

        static void Hop((JobEngine Engine, Counter Hops, int Left) journey)
        {
            journey.Hops.Increment();
            if (journey.Left > 1)
            {
                IReadOnlyList<JobLane> lanes = journey.Engine.Lanes;
                lanes[journey.Left % 4].Submit(Hop, journey with { Left = journey.Left - 1 });
            }
        }
    }

    private async Task DrainAsync_AsynchronousJobsThatSubmitAcrossLanes_WaitsForAll(JobEngine engine)
    {
        Counter hops = new();
        for (int i = 0; i < 4; i++)
        {
            engine.Cpu.Submit(Hop, (engine, hops, 2_500));
        }

        await engine.DrainAsync().Within();
        Check.Equal(10_000, hops.Value);

        static async ValueTask Hop((JobEngine Engine, Counter Hops, int Left) journey, CancellationToken token)
        {
            await Task.Yield();
            journey.Hops.Increment();
            if (journey.Left > 1)
            {
                IReadOnlyList<JobLane> lanes = journey.Engine.Lanes;
                lanes[journey.Left % lanes.Count].Submit(Hop, journey with { Left = journey.Left - 1 }, token);
            }
        }
    }

    private async Task DrainAsync_DeferredLane_StartsIt(JobEngine engine)
    {
        Counter ran = new();
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Tested", Deferred = true });
        lane.Submit(static ran => ran.Increment(), ran);
        await engine.DrainAsync().Within();
        Check.Equal(1, ran.Value);
        Check.False(lane.Deferred);
    }

    private async Task DrainAsync_Canceled_JobsGoOn(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        ValueTask job = engine.Cpu.RunAsync(static gate => gate.Pass(), gate);
        Task drain = engine.DrainAsync(source.Token);
        source.Cancel();
        await Check.Canceled(drain, source.Token);
        Check.False(job.IsCompleted);
        gate.Open();
        await job.Within();
        await engine.DrainAsync().Within();
    }

    private Task DrainAsync_AfterEachSubmit_HasRunIt(JobEngine engine) => SubmitAndDrain(engine, 0);

    private Task DrainAsync_AfterEachSubmitByMany_HasRunIt(JobEngine engine) =>
        Task.WhenAll(Enumerable.Range(0, 3).Select(lane => Task.Run(() => SubmitAndDrain(engine, lane))));

    // A drain that was asked for after a submit must not be answered by a look from before it.
    private static async Task SubmitAndDrain(JobEngine engine, int lane)
    {
        int rounds = Stress.Scale(10_000, 200_000);
        Counter ran = new();
        for (int i = 1; i <= rounds; i++)
        {
            engine.Lanes[lane].Submit(static ran => ran.Increment(), ran);
            await engine.DrainAsync().Within().ConfigureAwait(false);
            Check.Equal(i, ran.Value);
        }
    }

    private async Task DrainAsync_CanceledJobsInTheQueue_Completes(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        for (int i = 0; i < 100; i++)
        {
            _ = lane.RunAsync(static _ => { }, 0, source.Token).AsTask();
            Check.True(lane.SubmitCancelable(static _ => { }, 0).TryCancel());
        }

        source.Cancel();
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(0L, lane.QueuedJobs);
    }

    private async Task DrainAsync_Many_AllComplete(JobEngine engine)
    {
        using Gate gate = new();
        engine.Cpu.Submit(static gate => gate.Pass(), gate);
        Task[] drains = [.. Enumerable.Range(0, 100).Select(_ => engine.DrainAsync())];
        Check.True(drains.All(drain => !drain.IsCompleted));
        gate.Open();
        await Task.WhenAll(drains).Within();
    }
}
