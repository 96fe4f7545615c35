using System.Diagnostics;

namespace FastJobs.Contracts.Engine;

/// <summary>What lanes without a job do: nothing; and when their workers end.</summary>
internal sealed class IdleCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Idle_ManyWorkers_UseNoProcessor),
        Case(Idle_NoTimeout_WorkersStay),
        Case(IdleTimeout_Zero_WorkersEndWithoutAJob),
        Case(IdleTimeout_Passed_WorkersEnd),
        Case(IdleTimeout_ToZeroWhileIdle_WorkersEnd),
        Case(IdleTimeout_Zero_LosesNoJob),
        Case(IdleTimeout_Short_LosesNoJob),
        Case(Submit_OneAtATime_WakesOneWorker),
    ];

    private async Task Idle_ManyWorkers_UseNoProcessor(JobEngine engine)
    {
        using Gate gate = new();
        foreach (JobLane lane in engine.Lanes)
        {
            Fill(lane, gate);
        }

        gate.Open();
        await engine.DrainAsync().Within();
        Check.True(engine.Lanes.Sum(lane => lane.GetStatistics().Threads) > 80);

        // A bound, not a race: workers that polled or spun would use seconds. The least of a few, because other things
        // of this process may still come to their end; what is measured is processor time, so a busy machine is none.
        TimeSpan least = TimeSpan.MaxValue;
        for (int i = 0; i < 5 && least > TimeSpan.FromMilliseconds(100); i++)
        {
            TimeSpan before = ProcessorTime();
            Thread.Sleep(2_000);
            TimeSpan used = ProcessorTime() - before;
            least = used < least ? used : least;
        }

        Check.AtMost(100, (long)least.TotalMilliseconds);
    }

    private static TimeSpan ProcessorTime()
    {
        using Process self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private void Idle_NoTimeout_WorkersStay(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3);
        Fill(lane, gate);
        gate.Open();
        Spin.Until(() => lane.GetStatistics().ActiveThreads == 0);
        Check.Equal(3, lane.GetStatistics().Threads);
        Check.Equal(3, lane.GetStatistics().InactiveThreads);
    }

    private void IdleTimeout_Zero_WorkersEndWithoutAJob(JobEngine engine) => CheckEnd(engine, TimeSpan.Zero);

    private void IdleTimeout_Passed_WorkersEnd(JobEngine engine) => CheckEnd(engine, TimeSpan.FromMilliseconds(30));

    private static void CheckEnd(JobEngine engine, TimeSpan timeout)
    {
        using Gate gate = new();
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Tested", Concurrency = 3, IdleTimeout = timeout });
        Fill(lane, gate);
        Check.Equal(3, lane.GetStatistics().Threads);
        gate.Open();
        Spin.Until(() => lane.GetStatistics().Threads == 0);
        Check.Equal(3L, lane.GetStatistics().Invocations);

        // And they come back.
        Counter ran = new();
        lane.Submit(static ran => ran.Increment(), ran);
        ran.Await(1);
    }

    private void IdleTimeout_ToZeroWhileIdle_WorkersEnd(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3);
        Fill(lane, gate);
        gate.Open();
        Spin.Until(() => lane.GetStatistics().ActiveThreads == 0);
        lane.IdleTimeout = TimeSpan.Zero;
        Check.Equal(TimeSpan.Zero, lane.IdleTimeout);
        Spin.Until(() => lane.GetStatistics().Threads == 0);
    }

    private void IdleTimeout_Zero_LosesNoJob(JobEngine engine) => CheckPings(engine, TimeSpan.Zero, rounds: 2_000);

    private void IdleTimeout_Short_LosesNoJob(JobEngine engine) =>
        CheckPings(engine, TimeSpan.FromMilliseconds(1), rounds: 1_000);

    // Each job comes at a moment at which the worker of the one before may be about to end.
    private static void CheckPings(JobEngine engine, TimeSpan timeout, int rounds)
    {
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Tested", Concurrency = 2, IdleTimeout = timeout });
        Counter ran = new();
        Random random = new(1);
        for (int i = 1; i <= rounds; i++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
            ran.Await(i);
            if (timeout > TimeSpan.Zero && i % 2 == 0)
            {
                Thread.Sleep(timeout);
            }

            Thread.SpinWait(random.Next(2_000));
        }

        Check.AtMost(4, lane.GetStatistics().Threads); // as below
    }

    private async Task Submit_OneAtATime_WakesOneWorker(JobEngine engine)
    {
        // Only one job is there at any time, so no second worker is ever needed.
        JobLane lane = Lane(engine, 8);
        for (int i = 0; i < 1_000; i++)
        {
            await lane.RunAsync(static _ => { }, 0).Within();
            await engine.DrainAsync().Within();
        }

        // One, or a few where a worker was preempted between its job and its next look, and so seemed busy; never one a job.
        Check.AtMost(4, lane.GetStatistics().Threads);
    }
}
