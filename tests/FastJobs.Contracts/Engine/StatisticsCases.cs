using System.Diagnostics;

namespace FastJobs.Contracts.Engine;

/// <summary>A lane's figures.</summary>
internal sealed class StatisticsCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(GetStatistics_NewLane_IsEmpty),
        Case(GetStatistics_AfterADrain_CountsExactly),
        Case(GetStatistics_WorkersCameAndWent_CountsExactly),
        Case(GetStatistics_WhileRunning_ShowsThreadsAndJobs),
        Case(GetStatistics_BusyLane_MeasuresConcurrency),
        Case(ResetStatistics_AfterJobs_StartsAnew),
    ];

    private void GetStatistics_NewLane_IsEmpty(JobEngine engine)
    {
        LaneStatistics figures = engine.IO.GetStatistics();
        Check.Equal("IO", figures.Name);
        Check.Equal(50, figures.Concurrency);
        Check.Equal(0L, figures.Invocations);
        Check.Equal(0.0, figures.AverageConcurrency);
        Check.Equal(0.0, figures.Saturation);
        Check.Equal(TimeSpan.Zero, figures.AverageWallclockPerOperation);
        Check.Equal(0L, figures.QueuedJobs);
        Check.Equal(0, figures.Threads);
        Check.Equal(0, figures.InactiveThreads);
        Check.Equal(0, figures.PendingAsyncJobs);
    }

    private Task GetStatistics_AfterADrain_CountsExactly(JobEngine engine) => CheckCounts(engine, Lane(engine, 3));

    private Task GetStatistics_WorkersCameAndWent_CountsExactly(JobEngine engine) => CheckCounts(
        engine, engine.AddLane(new LaneOptions { Name = "Tested", Concurrency = 3, IdleTimeout = TimeSpan.Zero }));

    private static async Task CheckCounts(JobEngine engine, JobLane lane)
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                lane.Submit(static _ => { }, 0);
                await lane.RunAsync(static _ => { }, 0).ConfigureAwait(false);
                await lane.RunAsync(static async (_, _) => await Task.Yield(), 0).ConfigureAwait(false);
                lane.Submit(static (_, _) => default, 0);
            }
        }))).Within();
        await engine.DrainAsync().Within();
        LaneStatistics figures = lane.GetStatistics();
        Check.Equal(16_000L, figures.Invocations);
        Check.Equal(0L, figures.QueuedJobs);
        Check.Equal(0, figures.PendingAsyncJobs);
        Check.AtMost(3, figures.Threads);
        Check.True(figures.AverageConcurrency is > 0 and <= 3);
    }

    private void GetStatistics_WhileRunning_ShowsThreadsAndJobs(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3, backlog: 5);
        Fill(lane, gate);
        LaneStatistics figures = lane.GetStatistics();
        Check.Equal(3, figures.Threads);
        Check.Equal(3, figures.ActiveThreads);
        Check.Equal(0, figures.InactiveThreads);
        Check.Equal(5L, figures.QueuedJobs);
        Check.Equal(0L, figures.Invocations);
        gate.Open();
        Spin.Until(() => lane.GetStatistics() is { ActiveThreads: 0, Invocations: 8 });
        Check.Equal(3, lane.GetStatistics().InactiveThreads);
    }

    private async Task GetStatistics_BusyLane_MeasuresConcurrency(JobEngine engine)
    {
        // Both workers are busy from here to there, the third never is: the bounds follow from the two clocks.
        using Gate gate = new();
        JobLane lane = Lane(engine, 4);
        lane.ResetStatistics();
        long start = Stopwatch.GetTimestamp();
        ValueTask first = lane.RunAsync(static gate => gate.Pass(), gate);
        ValueTask second = lane.RunAsync(static gate => gate.Pass(), gate);
        gate.AwaitEntered(2);
        long busy = Stopwatch.GetTimestamp();
        Spin.Until(() => Stopwatch.GetElapsedTime(busy) > TimeSpan.FromMilliseconds(50));
        TimeSpan atLeast = Stopwatch.GetElapsedTime(busy);
        gate.Open();
        await first.Within();
        await second.Within();
        await engine.DrainAsync().Within();
        LaneStatistics figures = lane.GetStatistics();
        TimeSpan atMost = Stopwatch.GetElapsedTime(start);
        Check.Equal(2L, figures.Invocations);
        Check.True(figures.AverageWallclockPerOperation >= atLeast);
        Check.True(figures.AverageWallclockPerOperation <= atMost);
        Check.True(figures.AverageConcurrency <= 2);
        Check.True(figures.AverageConcurrency >= 2 * atLeast / atMost * 0.99);
        Check.True(Math.Abs(figures.Saturation - (figures.AverageConcurrency * 25)) < 0.001);
    }

    private async Task ResetStatistics_AfterJobs_StartsAnew(JobEngine engine)
    {
        JobLane lane = Lane(engine, 2);
        for (int i = 0; i < 100; i++)
        {
            lane.Submit(static _ => { }, 0);
        }

        await engine.DrainAsync().Within();
        lane.ResetStatistics();
        Check.Equal(0L, lane.GetStatistics().Invocations);
        Check.Equal(TimeSpan.Zero, lane.GetStatistics().AverageWallclockPerOperation);
        engine["Close"].Submit(static _ => { }, 0);
        engine["Close"].ResetStatistics();
        Check.Equal(0L, engine["Close"].GetStatistics().Invocations);
        lane.Submit(static _ => { }, 0);
        await engine.DrainAsync().Within();
        Check.Equal(1L, lane.GetStatistics().Invocations);
    }
}
