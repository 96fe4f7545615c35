namespace FastJobs.Contracts.Engine;

/// <summary>Lanes that share threads: each keeps its order and its limit, and none starves another.</summary>
internal sealed class SharedWorkersCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_ManyLanes_AsManyThreadsAsAllowed),
        Case(Submit_ManyLanes_EachInItsOrder),
        Case(Submit_BesideABacklog_RunsBeforeItsEnd),
        Case(Submit_BesideLongJobs_RunsBeforeTheirEnd),
        Case(Submit_LaneAtItsLimit_LeavesThreadsToOthers),
        Case(Submit_IntoAFullLaneOnTheSameThreads_GoesOverTheLimit),
        Case(Submit_AThousandLanes_AllRun),
        Case(Threads_Grow_WaitingLanesStart),
        Case(Threads_Shrink_FewerJobsAtOnce),
        Case(Statistics_SharedLane_CountsWhatRunsInIt),
        Case(UnhandledException_SharedLane_NamesTheLane),
        Case(AddLane_SharedWithItsOwnStack_Throws),
        Case(AddLane_WorkersOfAnotherEngine_Throws),
        Case(AddSharedWorkers_BadOptions_Throw),
        Case(AddSharedWorkers_AfterAStop_Throws),
        Case(Hooks_SharedWorkers_RunInEachThread),
        Case(DisposeAsync_SharedWorkers_EndsTheThreads),
    ];

    private static SharedWorkers Share(JobEngine engine, int threads) =>
        engine.AddSharedWorkers(new SharedWorkersOptions { Name = "Shared", Threads = threads });

    private static JobLane Add(JobEngine engine, SharedWorkers workers, string name, int concurrency, int backlog = 0) =>
        engine.AddLane(new LaneOptions { Name = name, Concurrency = concurrency, Backlog = backlog, Workers = workers });

    private async Task Submit_ManyLanes_AsManyThreadsAsAllowed(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 3);
        JobLane[] lanes = [.. Enumerable.Range(0, 20).Select(i => Add(engine, workers, $"Lane{i}", 2))];
        using Gate gate = new();
        foreach (JobLane lane in lanes)
        {
            lane.Submit(static gate => gate.Pass(), gate);
            lane.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(3);
        Check.Equal(3, workers.RunningThreads);
        Check.Equal(37L, lanes.Sum(lane => lane.QueuedJobs));
        Check.Equal(3, gate.Entered);
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(40, gate.Entered);
        Check.Equal(3, workers.RunningThreads);
    }

    private async Task Submit_ManyLanes_EachInItsOrder(JobEngine engine)
    {
        const int Jobs = 2_000;
        SharedWorkers workers = Share(engine, 3);
        JobLane[] lanes = [.. Enumerable.Range(0, 10).Select(i => Add(engine, workers, $"Lane{i}", 1))];
        int[] next = new int[lanes.Length];
        int wrong = 0;
        for (int i = 0; i < Jobs; i++)
        {
            for (int lane = 0; lane < lanes.Length; lane++)
            {
                lanes[lane].Submit(
                    job =>
                    {
                        // One at a time: nobody else writes next[lane] now.
                        if (next[job.Lane]++ != job.Number)
                        {
                            Interlocked.Increment(ref wrong);
                        }
                    },
                    (Lane: lane, Number: i));
            }
        }

        await engine.DrainAsync().Within();
        Check.Equal(0, wrong);
        Check.True(next.All(count => count == Jobs));
    }

    private async Task Submit_BesideABacklog_RunsBeforeItsEnd(JobEngine engine)
    {
        const int Backlog = 200_000;
        SharedWorkers workers = Share(engine, 1);
        JobLane busy = Add(engine, workers, "Busy", 1);
        JobLane other = Add(engine, workers, "Other", 1);
        busy.Deferred = true;
        Counter ran = new();
        int before = -1;
        other.Deferred = true;
        other.Submit(_ => before = ran.Value, 0);

        // The first job of the backlog lets the other lane go, so that however late this thread is all but one are left.
        busy.Submit(_ =>
        {
            ran.Increment();
            other.Deferred = false;
        }, 0);
        for (int i = 1; i < Backlog; i++)
        {
            busy.Submit(static ran => ran.Increment(), ran);
        }

        busy.Deferred = false;
        await engine.DrainAsync().Within();
        Check.Equal(Backlog, ran.Value);
        Check.True(before is >= 1 and < Backlog, $"the other lane's job ran after {before} of {Backlog}");
    }

    private async Task Submit_BesideLongJobs_RunsBeforeTheirEnd(JobEngine engine)
    {
        // One thread; a lane whose jobs each wait until the next one has been submitted never runs out of work.
        SharedWorkers workers = Share(engine, 1);
        JobLane busy = Add(engine, workers, "Busy", 1);
        JobLane other = Add(engine, workers, "Other", 1);
        bool done = false;
        void Again(int _)
        {
            if (!Volatile.Read(ref done))
            {
                busy.Submit(Again, 0);
                Thread.SpinWait(100);
            }
        }

        busy.Submit(Again, 0);
        await other.RunAsync(static _ => { }, 0).AsTask().Within();
        Volatile.Write(ref done, true);
    }

    private async Task Submit_LaneAtItsLimit_LeavesThreadsToOthers(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 2);
        JobLane stuck = Add(engine, workers, "Stuck", 1);
        JobLane other = Add(engine, workers, "Other", 2);
        using Gate gate = new();
        for (int i = 0; i < 10; i++)
        {
            stuck.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(1);
        for (int i = 0; i < 100; i++)
        {
            await other.RunAsync(static _ => { }, 0).AsTask().Within();
        }

        Check.Equal(1, gate.Entered);
        gate.Open();
    }

    private async Task Submit_IntoAFullLaneOnTheSameThreads_GoesOverTheLimit(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 1);
        JobLane source = Add(engine, workers, "Source", 1);
        JobLane small = Add(engine, workers, "Small", 1, backlog: 2);
        Counter ran = new();
        source.Submit(
            job =>
            {
                for (int i = 0; i < 10; i++)
                {
                    small.Submit(static ran => ran.Increment(), job);
                }
            },
            ran);
        await engine.DrainAsync().Within();
        Check.Equal(10, ran.Value);
    }

    private async Task Submit_AThousandLanes_AllRun(JobEngine engine)
    {
        const int Lanes = 1_000;
        const int Jobs = 20;
        SharedWorkers workers = Share(engine, 2);
        JobLane[] lanes = [.. Enumerable.Range(0, Lanes).Select(i => Add(engine, workers, $"Lane{i}", 2))];
        Runs runs = new(Lanes * Jobs);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(half => Crew.Run(() =>
        {
            for (int i = half; i < Lanes * Jobs; i += 2)
            {
                lanes[i % Lanes].Submit(static job => job.runs.Enter(job.i), (runs, i));
            }
        }))).Within();
        await engine.DrainAsync().Within();
        runs.CheckEachOnce();
        Check.True(workers.RunningThreads <= 2);
    }

    private async Task Threads_Grow_WaitingLanesStart(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 1);
        JobLane lane = Add(engine, workers, "Tested", 4);
        using Gate gate = new();
        for (int i = 0; i < 4; i++)
        {
            lane.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(1);
        workers.Threads = 3;
        gate.AwaitEntered(3);
        Check.Equal(3, workers.RunningThreads);
        gate.Open();
        await engine.DrainAsync().Within();
    }

    private async Task Threads_Shrink_FewerJobsAtOnce(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 3);
        JobLane[] lanes = [.. Enumerable.Range(0, 6).Select(i => Add(engine, workers, $"Lane{i}", 3))];
        using (Gate gate = new())
        {
            for (int i = 0; i < 3; i++)
            {
                lanes[i].Submit(static gate => gate.Pass(), gate);
            }

            gate.AwaitEntered(3);
            workers.Threads = 1;
        }

        await engine.DrainAsync().Within();
        Spin.Until(() => workers.RunningThreads == 1);
        int running = 0;
        int most = 0;
        for (int i = 0; i < 600; i++)
        {
            lanes[i % 6].Submit(
                _ =>
                {
                    most = Math.Max(most, Interlocked.Increment(ref running));
                    Thread.SpinWait(50);
                    Interlocked.Decrement(ref running);
                },
                0);
        }

        await engine.DrainAsync().Within();
        Check.Equal(1, most);
    }

    private async Task Statistics_SharedLane_CountsWhatRunsInIt(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 2);
        JobLane lane = Add(engine, workers, "Tested", 2);
        JobLane idle = Add(engine, workers, "Idle", 2);
        using Gate gate = new();
        lane.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        Check.Equal(1, lane.GetStatistics().ActiveThreads);
        Check.Equal(0, idle.GetStatistics().ActiveThreads);
        Check.Equal(0, idle.GetStatistics().Threads);
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(1L, lane.GetStatistics().Invocations);
        Check.Equal(0L, idle.GetStatistics().Invocations);
    }

    private Task UnhandledException_SharedLane_NamesTheLane() => FailureCases.Handled(async (engine, handled) =>
    {
        SharedWorkers workers = Share(engine, 1);
        JobLane lane = Add(engine, workers, "Tested", 1);
        lane.Submit(static _ => throw new NotSupportedException("direct"), "");
        lane.Submit(static _ => throw new NotSupportedException("pooled"), 0);
        await engine.DrainAsync().Within();
        Check.Equal(2, handled.Count);
        Check.True(handled.All(failure => ReferenceEquals(failure.Lane, lane)));
    });

    private void AddLane_SharedWithItsOwnStack_Throws(JobEngine engine)
    {
        SharedWorkers workers = Share(engine, 1);
        var failure = Check.Throws<ArgumentException>(
            () => engine.AddLane(new LaneOptions { Name = "Tested", StackSize = 65536, Workers = workers }));
        Check.True(failure.Message.Contains("\"Shared\"", StringComparison.Ordinal), failure.Message);
    }

    private async Task AddLane_WorkersOfAnotherEngine_Throws(JobEngine engine)
    {
        await using JobEngine other = new();
        SharedWorkers workers = Share(other, 1);
        Check.Throws<ArgumentException>(() => Add(engine, workers, "Tested", 1));
    }

    private void AddSharedWorkers_BadOptions_Throw(JobEngine engine)
    {
        Check.Throws<ArgumentNullException>(() => engine.AddSharedWorkers(null!));
        Check.Throws<ArgumentException>(() => engine.AddSharedWorkers(new SharedWorkersOptions { Name = "" }));
        Check.Throws<ArgumentOutOfRangeException>(() => Share(engine, 0));
        Check.Throws<ArgumentOutOfRangeException>(() => Share(engine, 1).Threads = 0);
        Check.Throws<ArgumentOutOfRangeException>(
            () => engine.AddSharedWorkers(new SharedWorkersOptions { Name = "Shared", StackSize = 1 }));
    }

    private async Task AddSharedWorkers_AfterAStop_Throws()
    {
        JobEngine engine = new();
        await engine.DisposeAsync().Within();
        Check.Throws<ObjectDisposedException>(() => Share(engine, 1));
    }

    private async Task Hooks_SharedWorkers_RunInEachThread()
    {
        Counter started = new();
        Counter ended = new();
        JobEngine engine = new();
        SharedWorkers workers = engine.AddSharedWorkers(new SharedWorkersOptions
        {
            Name = "Shared",
            Threads = 2,
            OnWorkerStart = started.Increment,
            OnWorkerExit = ended.Increment,
        });
        using Gate gate = new();
        JobLane one = Add(engine, workers, "One", 1);
        JobLane two = Add(engine, workers, "Two", 1);
        one.Submit(static gate => gate.Pass(), gate);
        two.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(2);
        Check.Equal(2, started.Value);
        gate.Open();
        await engine.DisposeAsync().Within();
        Check.Equal(2, ended.Value);
    }

    private async Task DisposeAsync_SharedWorkers_EndsTheThreads()
    {
        JobEngine engine = new();
        SharedWorkers workers = Share(engine, 2);
        JobLane lane = Add(engine, workers, "Tested", 2);
        Counter ran = new();
        for (int i = 0; i < 1_000; i++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
        }

        await engine.DisposeAsync().Within();
        Check.Equal(1_000, ran.Value);
        Check.Equal(0, workers.RunningThreads);
        Check.Throws<ObjectDisposedException>(() => lane.Submit(static _ => { }, 0));
    }
}
