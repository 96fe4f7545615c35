namespace FastJobs.Contracts.Engine;

/// <summary>Drain, then the end of the workers.</summary>
internal sealed class StopCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(StopAsync_NothingInFlight_ReportsNothing),
        Case(DisposeAsync_QueuedJobs_RunsThemAll),
        Case(DisposeAsync_DeferredLane_RunsItsJobs),
        Case(DisposeAsync_JobsThatSubmit_RunsThoseToo),
        Case(DisposeAsync_JobsWaitingForRoom_RunsThemAll),
        Case(DisposeAsync_IdleWorkers_EndTheirThreads),
        Case(DisposeAsync_Twice_IsOneStop),
        Case(StopAsync_Twice_SameReport),
        Case(StopAsync_BadDeadline_Throws),
        Case(StopAsync_LongDeadline_IsTaken),
        Case(StopAsync_PendingDrains_Complete),
        Case(Stopping_DrainedInTime_IsNotCanceled),
    ];

    private async Task StopAsync_NothingInFlight_ReportsNothing()
    {
        Check.Equal(default, await new JobEngine().StopAsync(TimeSpan.Zero).Within());
        JobEngine engine = new();
        await engine.Cpu.RunAsync(static _ => { }, 0).Within();
        await engine.DrainAsync().Within();
        Check.Equal(default, await engine.StopAsync(TimeSpan.FromSeconds(20)).Within());
    }

    private async Task DisposeAsync_QueuedJobs_RunsThemAll()
    {
        Runs runs = new(10_000);
        JobEngine engine = new();
        for (int i = 0; i < 10_000; i++)
        {
            engine.Lanes[i % engine.Lanes.Count].Submit(static job => job.Runs.Enter(job.Number), (Runs: runs, Number: i));
        }

        await engine.DisposeAsync().Within();
        runs.CheckEachOnce();
    }

    private async Task DisposeAsync_DeferredLane_RunsItsJobs()
    {
        Counter ran = new();
        JobEngine engine = new();
        engine.AddLane(new LaneOptions { Name = "Tested", Deferred = true }).Submit(static ran => ran.Increment(), ran);
        await engine.DisposeAsync().Within();
        Check.Equal(1, ran.Value);
    }

    private async Task DisposeAsync_JobsThatSubmit_RunsThoseToo()
    {
        using Gate gate = new();
        Counter ran = new();
        JobEngine engine = new();
        engine.Cpu.Submit(
            static job =>
            {
                job.Gate.Pass();
                job.Engine.IO.Submit(
                    static async (job, _) =>
                    {
                        await Task.Yield();
                        job.Engine.Cpu.Submit(static ran => ran.Increment(), job.Ran);
                    },
                    job);
            },
            (Engine: engine, Gate: gate, Ran: ran));
        gate.AwaitEntered(1);
        Task stop = engine.DisposeAsync().AsTask();
        gate.Open();
        await stop.Within();
        Check.Equal(1, ran.Value);
    }

    private async Task DisposeAsync_JobsWaitingForRoom_RunsThemAll()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task<int>[] waiting = [.. Enumerable.Range(0, 50).Select(i => lane.RunAsync(static x => x, i).AsTask())];
        Task stop = engine.DisposeAsync().AsTask();
        gate.Open();
        Check.Sequence(Enumerable.Range(0, 50), await Task.WhenAll(waiting).Within());
        await stop.Within();
    }

    private async Task DisposeAsync_IdleWorkers_EndTheirThreads()
    {
        using Gate gate = new();
        JobEngine engine = new();
        foreach (JobLane lane in engine.Lanes)
        {
            Fill(lane, gate);
        }

        gate.Open();
        await engine.DisposeAsync().Within();
        Check.True(engine.Lanes.All(lane => lane.GetStatistics().Threads == 0));
        Check.Equal(89L + 100, engine.Lanes.Sum(lane => lane.GetStatistics().Invocations));
    }

    private async Task DisposeAsync_Twice_IsOneStop()
    {
        JobEngine engine = new();
        engine.Cpu.Submit(static _ => { }, 0);
        await Task.WhenAll(engine.DisposeAsync().AsTask(), engine.DisposeAsync().AsTask()).Within();
        await engine.DisposeAsync().Within();
        Check.Equal(default, await engine.StopAsync(TimeSpan.Zero).Within());
    }

    private async Task StopAsync_Twice_SameReport()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        lane.Submit(static _ => { }, 0);
        lane.Submit(static _ => { }, 0);
        StopReport first = await engine.StopAsync(TimeSpan.Zero).Within();
        Check.Equal(new StopReport(2, 1), first);
        gate.Open();
        Check.Equal(first, await engine.StopAsync(Timeout.InfiniteTimeSpan).Within());
        await engine.DisposeAsync().Within();
    }

    private async Task StopAsync_BadDeadline_Throws(JobEngine engine)
    {
        Check.Throws<ArgumentOutOfRangeException>(() => engine.StopAsync(TimeSpan.FromSeconds(-1)));

        // A refused call has stopped nothing.
        Check.Equal(1, await engine.Cpu.RunAsync(static x => x, 1).Within());
    }

    private async Task StopAsync_LongDeadline_IsTaken()
    {
        JobEngine engine = new();
        engine.Cpu.Submit(static _ => { }, 0);
        Check.Equal(default, await engine.StopAsync(TimeSpan.FromDays(20)).Within());

        // Longer than the system's timers go: either way the engine must not be left half stopped.
        JobEngine other = new();
        Check.Throws<ArgumentOutOfRangeException>(() => other.StopAsync(TimeSpan.MaxValue));
        await other.DisposeAsync().Within();
    }

    private async Task StopAsync_PendingDrains_Complete()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        lane.Submit(static _ => { }, 0);
        Task drain = engine.DrainAsync();
        Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
        Spin.Until(() => lane.QueuedJobs == 0);
        gate.Open();
        Check.Equal(1L, (await stop.Within()).Discarded);
        await drain.Within();
    }

    private async Task Stopping_DrainedInTime_IsNotCanceled()
    {
        JobEngine engine = new();
        engine.Cpu.Submit(static _ => { }, 0);
        await engine.DisposeAsync().Within();
        Check.False(engine.Stopping.IsCancellationRequested);
    }
}
