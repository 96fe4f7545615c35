namespace FastJobs.Contracts.Engine;

/// <summary>What each form of submit does during and after a stop.</summary>
internal sealed class SubmitAfterStopCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_AfterAStop_Throws),
        Case(Submit_AfterAStopInALaneWithoutConcurrency_Throws),
        Case(AddLane_AfterAStop_Throws),
        Case(DrainAsync_AfterAStop_Completes),
        Case(Submit_WhileTheStopDrains_Runs),
        Case(Submit_BlockedWhenTheStopGivesUp_Throws),
        Case(SubmitAsync_WaitingWhenTheStopGivesUp_Fails),
        Case(Submit_FromAJobAfterTheStopGaveUp_Throws),
    ];

    private async Task Submit_AfterAStop_Throws() => await CheckRefuses(static engine => engine.Cpu);

    private async Task Submit_AfterAStopInALaneWithoutConcurrency_Throws() =>
        await CheckRefuses(static engine => engine["Close"]);

    private static async Task CheckRefuses(Func<JobEngine, JobLane> find)
    {
        JobEngine engine = new();
        JobLane lane = find(engine);
        Counter ran = new();
        lane.Submit(static ran => ran.Increment(), ran);
        await engine.DisposeAsync().Within();
        Check.Equal(1, ran.Value);
        for (int i = 0; i < 3; i++)
        {
            Check.Throws<ObjectDisposedException>(() => lane.Submit(static ran => ran.Increment(), ran));
            Check.Throws<ObjectDisposedException>(() => lane.UnsafeSubmit(static ran => ran.Increment(), ran));
            Check.Throws<ObjectDisposedException>(() => lane.SubmitCancelable(static ran => ran.Increment(), ran));
            Check.Throws<ObjectDisposedException>(() => lane.Submit(static (ran, _) => Raise(ran), ran));
            Check.False(lane.TrySubmit(static ran => ran.Increment(), ran));
            await Check.Throws<ObjectDisposedException>(lane.SubmitAsync(static ran => ran.Increment(), ran));
            await Check.Throws<ObjectDisposedException>(lane.RunAsync(static ran => ran.Increment(), ran));
            await Check.Throws<ObjectDisposedException>(lane.RunAsync(static (ran, _) => Raise(ran), ran));
            await Check.Throws<ObjectDisposedException, int>(lane.RunAsync(static ran => ran.Value, ran));
        }

        Check.Equal(1, ran.Value);
        Check.Equal(0L, lane.QueuedJobs);
        Check.Equal(1L, lane.GetStatistics().Invocations);

        static ValueTask Raise(Counter ran)
        {
            ran.Increment();
            return default;
        }
    }

    private async Task AddLane_AfterAStop_Throws()
    {
        JobEngine engine = new();
        await engine.DisposeAsync().Within();
        Check.Throws<ObjectDisposedException>(() => engine.AddLane(new LaneOptions { Name = "Tested" }));
    }

    private async Task DrainAsync_AfterAStop_Completes()
    {
        JobEngine engine = new();
        engine.Cpu.Submit(static _ => { }, 0);
        await engine.DisposeAsync().Within();
        await engine.DrainAsync().Within();
        Check.Throws<ObjectDisposedException>(() => engine.Cpu.Submit(static _ => { }, 0));
        await engine.DrainAsync().Within();
    }

    private async Task Submit_WhileTheStopDrains_Runs()
    {
        using Gate gate = new();
        Counter ran = new();
        JobEngine engine = new();
        engine.IO.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        Task stop = engine.DisposeAsync().AsTask();
        engine.Cpu.Submit(static ran => ran.Increment(), ran);
        Check.True(engine.Cpu.TrySubmit(static ran => ran.Increment(), ran));
        Check.Equal(7, await engine.Cpu.RunAsync(static x => x, 7).Within());
        gate.Open();
        await stop.Within();
        Check.Equal(2, ran.Value);
    }

    private async Task Submit_BlockedWhenTheStopGivesUp_Throws()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Counter submitting = new();
        Task blocked = Crew.Run(() =>
        {
            submitting.Increment();
            lane.Submit(static gate => gate.Pass(), gate);
        });
        submitting.Await(1);
        Check.Equal(new StopReport(1, 1), await engine.StopAsync(TimeSpan.FromMilliseconds(20)).Within());
        await Check.Throws<ObjectDisposedException>(blocked);
        Check.Equal(1, gate.Entered);
    }

    private async Task SubmitAsync_WaitingWhenTheStopGivesUp_Fails()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task waiting = lane.SubmitAsync(static gate => gate.Pass(), gate).AsTask();
        Check.False(waiting.IsCompleted);
        Check.Equal(new StopReport(1, 1), await engine.StopAsync(TimeSpan.Zero).Within());
        await Check.Throws<ObjectDisposedException>(waiting);
        Check.Equal(1, gate.Entered);
    }

    private Task Submit_FromAJobAfterTheStopGaveUp_Throws() => FailureCases.Handled(async (engine, handled) =>
    {
        JobLane lane = Lane(engine, 1);
        Counter running = new();
        Task<bool> job = lane.RunAsync(
            static job =>
            {
                job.Running.Increment();
                job.Engine.Stopping.WaitHandle.WaitOne(Patience.Wait);

                // Refused at once: the lanes closed before the jobs were told to stop.
                Check.False(job.Lane.TrySubmit(static _ => { }, 0));
                job.Lane.Submit(static _ => { }, 0);
                return true;
            },
            (Engine: engine, Lane: lane, Running: running)).AsTask();
        running.Await(1);
        Task stop = engine.StopAsync(TimeSpan.FromMilliseconds(200));
        await Check.Throws<ObjectDisposedException>(job);
        await stop.Within();
        Check.Equal(0, handled.Count);
    });
}
