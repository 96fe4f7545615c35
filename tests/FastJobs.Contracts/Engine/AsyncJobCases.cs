using System.Threading.Tasks.Sources;

namespace FastJobs.Contracts.Engine;

/// <summary>Asynchronous jobs: the lane's slot is held until the task ends, the thread is not.</summary>
internal sealed class AsyncJobCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(RunAsync_ThousandPending_NeedFewThreads),
        Case(RunAsync_ThousandsInABurst_NeedNoThreadEach),
        Case(RunAsync_PendingAtTheLimit_NoFurtherJobStarts),
        Case(RunAsync_PendingBelowTheLimit_SynchronousJobsRunInTheRest),
        Case(RunAsync_AsynchronousUnderLoad_LimitIsNeverExceeded),
        Case(Concurrency_ShrinksBelowThePending_NothingStartsUntilTheyEnd),
        Case(RunAsync_EndsElsewhere_NextJobStarts),
        Case(RunAsync_StaleValueTask_FailsTheAwaiter),
        Case(RunAsync_SourceThatThrows_FailsTheAwaiter),
        Case(Submit_StaleValueTask_ReachesTheHandler),
        Case(RunAsync_JobThatAwaitsAnotherLane_Ends),
    ];

    private async Task RunAsync_ThousandPending_NeedFewThreads(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1_000);
        List<Task> jobs = [];
        for (int i = 1; i <= 1_000; i++)
        {
            // One after the other: a worker that a busy machine holds up in its job is not there for the next, so jobs
            // that come at once may rightly need a thread each.
            jobs.Add(lane.RunAsync(static (gate, _) => gate.PassAsync(), gate).AsTask());
            Spin.Until(() => lane.GetStatistics().PendingAsyncJobs == i);
        }

        for (int i = 0; i < 100; i++)
        {
            jobs.Add(lane.RunAsync(static (gate, _) => gate.PassAsync(), gate).AsTask());
        }

        Check.AtMost(9, lane.GetStatistics().Threads);
        Spin.Until(() => lane.GetStatistics().ActiveThreads == 0);
        Check.Equal(100L, lane.QueuedJobs);
        Check.Equal(1_000, gate.Entered);
        Check.True(jobs.All(job => !job.IsCompleted));
        gate.Open();
        await Task.WhenAll(jobs).Within();
        await engine.DrainAsync().Within();
        Check.Equal(0, lane.GetStatistics().PendingAsyncJobs);
        Check.Equal(1_100L, lane.GetStatistics().Invocations);
    }

    private async Task RunAsync_ThousandsInABurst_NeedNoThreadEach(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1_000);
        Task[] jobs = [.. Enumerable.Range(0, 3_000).Select(
            _ => lane.RunAsync(static (gate, _) => gate.PassAsync(), gate).AsTask())];
        gate.AwaitEntered(1_000);
        Spin.Until(() => lane.GetStatistics() is { PendingAsyncJobs: 1_000, ActiveThreads: 0 });
        Check.Equal(1_000, gate.Entered);
        Check.Equal(2_000L, lane.QueuedJobs);
        gate.Open();
        await Task.WhenAll(jobs).Within();
        Check.AtMost(500, lane.GetStatistics().Threads);
    }

    private async Task RunAsync_PendingAtTheLimit_NoFurtherJobStarts(JobEngine engine)
    {
        using Gate gate = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 2);
        Task[] pending = [.. Enumerable.Range(0, 2).Select(
            _ => lane.RunAsync(static (gate, _) => gate.PassAsync(), gate).AsTask())];
        gate.AwaitEntered(2);
        Task[] queued = [.. Enumerable.Range(0, 20).Select(_ => lane.RunAsync(static ran => ran.Increment(), ran).AsTask())];

        // A further worker would have to be awake: none is, so no job will start before a slot is free.
        Spin.Until(() => lane.GetStatistics() is { PendingAsyncJobs: 2, ActiveThreads: 0 });
        Check.Equal(0, ran.Value);
        Check.Equal(20L, lane.QueuedJobs);
        gate.Open();
        await Task.WhenAll([.. pending, .. queued]).Within();
        Check.Equal(20, ran.Value);
    }

    private async Task RunAsync_PendingBelowTheLimit_SynchronousJobsRunInTheRest(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3);
        ValueTask first = lane.RunAsync(static (gate, _) => gate.PassAsync(), gate);
        ValueTask second = lane.RunAsync(static (gate, _) => gate.PassAsync(), gate);
        gate.AwaitEntered(2);
        ConcurrencyCases.Meter meter = new();
        for (int i = 0; i < 1_000; i++)
        {
            lane.Submit(static meter => meter.Enter(), meter);
        }

        Spin.Until(() => meter.Count == 1_000);
        Check.Equal(1, meter.Highest);
        gate.Open();
        await first.Within();
        await second.Within();
    }

    private async Task RunAsync_AsynchronousUnderLoad_LimitIsNeverExceeded(JobEngine engine)
    {
        ConcurrencyCases.Meter meter = new();
        JobLane lane = Lane(engine, 3);
        await Crew.Run(2, _ =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                lane.Submit(
                    static async (meter, _) =>
                    {
                        meter.Begin();
                        await Task.Yield();
                        meter.End();
                    },
                    meter);
                lane.Submit(static meter => meter.Enter(), meter);
            }
        });
        await engine.DrainAsync().Within();
        Check.Equal(40_000, meter.Count);
        Check.AtMost(3, meter.Highest);
        Check.Equal(40_000L, lane.GetStatistics().Invocations);
    }

    private async Task Concurrency_ShrinksBelowThePending_NothingStartsUntilTheyEnd(JobEngine engine)
    {
        Gate[] gates = [new(), new(), new()];
        JobLane lane = Lane(engine, 3);
        Task[] pending = [.. gates.Select(gate => lane.RunAsync(static (gate, _) => gate.PassAsync(), gate).AsTask())];
        Array.ForEach(gates, gate => gate.AwaitEntered(1));
        lane.Concurrency = 1;
        Task<int> queued = lane.RunAsync(static x => x, 1).AsTask();
        gates[0].Open();
        gates[1].Open();
        await pending[0].Within();
        await pending[1].Within();
        Spin.Until(() => lane.GetStatistics() is { PendingAsyncJobs: 1, ActiveThreads: 0 });
        Check.False(queued.IsCompleted);
        gates[2].Open();
        Check.Equal(1, await queued.Within());
    }

    private async Task RunAsync_EndsElsewhere_NextJobStarts(JobEngine engine)
    {
        // One slot, and every task ends in a thread that is not the lane's: each end must start the next job.
        JobLane lane = Lane(engine, 1);
        Counter ended = new();
        for (int i = 0; i < 10_000; i++)
        {
            lane.Submit(
                static async (ended, _) =>
                {
                    await Task.Yield();
                    ended.Increment();
                },
                ended);
        }

        await engine.DrainAsync().Within();
        Check.Equal(10_000, ended.Value);
        Check.AtMost(1, lane.GetStatistics().Threads);
    }

    private async Task RunAsync_StaleValueTask_FailsTheAwaiter(JobEngine engine)
    {
        // A bug of the job's, so an exception of the job's: it must not end the worker.
        ValueTask<int> stale = engine.IO.RunAsync(static x => x, 1);
        Check.Equal(1, await stale);
        await Check.Throws<InvalidOperationException, int>(engine.Cpu.RunAsync(static (stale, _) => stale, stale));
        Check.Equal(2, await engine.Cpu.RunAsync(static x => x, 2).Within());
    }

    private async Task RunAsync_SourceThatThrows_FailsTheAwaiter(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        await Check.Throws<NotSupportedException>(lane.RunAsync(
            static (_, _) => new ValueTask(new BrokenSource(), 0), 0));

        // The slot is free again.
        Check.Equal(2, await lane.RunAsync(static x => x, 2).Within());
        await engine.DrainAsync().Within();
        Check.Equal(0, lane.GetStatistics().PendingAsyncJobs);
        Check.Equal(2L, lane.GetStatistics().Invocations);
    }

    private Task Submit_StaleValueTask_ReachesTheHandler() => FailureCases.Handled(async (engine, handled) =>
    {
        ValueTask stale = engine.IO.RunAsync(static _ => { }, 1);
        await stale;
        engine.Cpu.Submit(static (stale, _) => stale, stale);
        await engine.DrainAsync().Within();
        Check.True(handled.Single().Exception is InvalidOperationException);
    });

    private async Task RunAsync_JobThatAwaitsAnotherLane_Ends(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        Check.Equal(3, await lane.RunAsync(
            static async (engine, token) => 1 + await engine.Cpu.RunAsync(static x => x, 2, token), engine).Within());
    }

    /// <summary>Is never completed, and cannot be awaited either.</summary>
    private sealed class BrokenSource : IValueTaskSource
    {
        public ValueTaskSourceStatus GetStatus(short token) => ValueTaskSourceStatus.Pending;

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            throw new NotSupportedException();

        public void GetResult(short token) => throw new NotSupportedException();
    }
}
