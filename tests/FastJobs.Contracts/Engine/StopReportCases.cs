namespace FastJobs.Contracts.Engine;

/// <summary>Stop past its deadline: what waited is discarded and said to be, what ran is told and waited for.</summary>
internal sealed class StopReportCases : EngineCases
{
    // Long enough for a job that heeds Stopping to end on a busy machine; such a stop ends as soon as it has.
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(4);

    public override IEnumerable<ContractCase> List() =>
    [
        Case(StopAsync_PastTheDeadline_DiscardsWhatWaits),
        Case(StopAsync_PastTheDeadline_AwaitersGetTheException),
        Case(StopAsync_JobsWaitingForRoom_AreDiscardedAndCounted),
        Case(StopAsync_EachFormQueued_IsDiscarded),
        Case(StopAsync_JobsThatHeedStopping_EndInTime),
        Case(StopAsync_JobThatDoesNotEnd_IsReported),
        Case(StopAsync_PendingAsynchronousJob_IsReported),
        Case(StopAsync_AsynchronousJobThatHeedsStopping_EndsInTime),
        Case(StopAsync_StoppingCallbackThrows_StopsAllTheSame),
        Case(StopAsync_FromAJob_ReportsThatJob),
    ];

    private async Task StopAsync_PastTheDeadline_DiscardsWhatWaits()
    {
        using Gate gate = new();
        Counter ran = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 2);
        Fill(lane, gate);
        for (int i = 0; i < 1_000; i++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
        }

        Task<StopReport> stop = engine.StopAsync(TimeSpan.FromMilliseconds(20));
        Check.Equal(new StopReport(1_000, 2), await stop.Within());
        Check.True(engine.Stopping.IsCancellationRequested);
        Check.Equal(0L, lane.QueuedJobs);
        gate.Open();
        Spin.Until(() => lane.GetStatistics().Threads == 0);
        Check.Equal(0, ran.Value);
    }

    private async Task StopAsync_PastTheDeadline_AwaitersGetTheException()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        Task sync = lane.RunAsync(static _ => { }, 0).AsTask();
        Task<int> result = lane.RunAsync(static x => x, 0).AsTask();
        Task asynchronous = lane.RunAsync(static (_, _) => default(ValueTask), 0).AsTask();
        Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
        Check.True((await Check.Throws<JobDiscardedException>(sync)).Message.Contains("Tested", StringComparison.Ordinal));
        await Check.Throws<JobDiscardedException>(result);
        await Check.Throws<JobDiscardedException>(asynchronous);
        Check.Equal(new StopReport(3, 1), await stop.Within());
    }

    private async Task StopAsync_JobsWaitingForRoom_AreDiscardedAndCounted()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1, backlog: 2);
        Fill(lane, gate);
        Task[] waiting = [.. Enumerable.Range(0, 5).Select(_ => lane.RunAsync(static _ => { }, 0).AsTask())];
        Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
        foreach (Task job in waiting)
        {
            await Check.Throws<JobDiscardedException>(job);
        }

        Check.Equal(new StopReport(7, 1), await stop.Within());
    }

    private async Task StopAsync_EachFormQueued_IsDiscarded()
    {
        using Gate gate = new();
        Counter ran = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        lane.Submit(static ran => ran.Increment(), ran);
        lane.UnsafeSubmit(static ran => ran.Increment(), ran);
        lane.SubmitCancelable(static ran => ran.Increment(), ran);
        Check.True(lane.TrySubmit(static ran => ran.Increment(), ran));
        await lane.SubmitAsync(static ran => ran.Increment(), ran);
        lane.Submit(
            static (ran, _) =>
            {
                ran.Increment();
                return default;
            },
            ran);
        Check.Equal(new StopReport(6, 1), await engine.StopAsync(TimeSpan.Zero).Within());
        gate.Open();
        Spin.Until(() => lane.GetStatistics().Threads == 0);
        Check.Equal(0, ran.Value);
    }

    private async Task StopAsync_JobsThatHeedStopping_EndInTime()
    {
        JobEngine engine = new();
        JobLane lane = Lane(engine, 2);
        Counter running = new();
        for (int i = 0; i < 5; i++)
        {
            lane.Submit(
                static job =>
                {
                    job.Running.Increment();
                    job.Engine.Stopping.WaitHandle.WaitOne(Patience.Wait);
                },
                (Engine: engine, Running: running));
        }

        running.Await(2);
        Check.Equal(new StopReport(3, 0), await engine.StopAsync(s_deadline).Within());
        Check.Equal(2, running.Value);
    }

    private async Task StopAsync_JobThatDoesNotEnd_IsReported()
    {
        using Gate gate = new();
        JobEngine engine = new();
        Fill(Lane(engine, 1), gate);
        engine.IO.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(2);
        Check.Equal(new StopReport(0, 2), await engine.StopAsync(TimeSpan.FromMilliseconds(20)).Within());
    }

    private async Task StopAsync_PendingAsynchronousJob_IsReported()
    {
        using Gate gate = new();
        JobEngine engine = new();
        JobLane lane = Lane(engine, 5);
        for (int i = 0; i < 3; i++)
        {
            lane.Submit(static (gate, _) => gate.PassAsync(), gate);
        }

        gate.AwaitEntered(3);
        Check.Equal(new StopReport(0, 3), await engine.StopAsync(TimeSpan.FromMilliseconds(20)).Within());
    }

    private async Task StopAsync_AsynchronousJobThatHeedsStopping_EndsInTime()
    {
        JobEngine engine = new();
        Counter running = new();
        Task job = engine.Cpu.RunAsync(
            static async (job, _) =>
            {
                job.Running.Increment();
                await Task.Delay(Timeout.Infinite, job.Engine.Stopping);
            },
            (Engine: engine, Running: running)).AsTask();
        running.Await(1);
        Check.Equal(default, await engine.StopAsync(s_deadline).Within());
        await Check.Canceled(job, engine.Stopping);
    }

    private async Task StopAsync_StoppingCallbackThrows_StopsAllTheSame()
    {
        using Gate gate = new();
        JobEngine engine = new();
        engine.Stopping.Register(static () => throw new NotSupportedException());
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        lane.Submit(static _ => { }, 0);
        Check.Equal(new StopReport(1, 1), await engine.StopAsync(TimeSpan.Zero).Within());
        gate.Open();
        Spin.Until(() => lane.GetStatistics().Threads == 0);
    }

    private async Task StopAsync_FromAJob_ReportsThatJob()
    {
        // It cannot wait for itself: with a deadline it ends, and says who still ran.
        JobEngine engine = new();
        StopReport report = await engine.Cpu.RunAsync(
            static (engine, _) => new ValueTask<StopReport>(engine.StopAsync(TimeSpan.FromMilliseconds(20))), engine).Within();
        Check.Equal(new StopReport(0, 1), report);
    }
}
