namespace FastJobs.Contracts.Engine;

/// <summary>How many jobs run at once: as many as may, never more, also while that number changes.</summary>
internal sealed class ConcurrencyCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_MoreThanTheLimit_AsManyAsMayRunAtOnce),
        Case(Submit_NoConcurrency_RunsInTheSubmitter),
        Case(RunAsync_NoConcurrency_RunsInTheSubmitter),
        Case(Concurrency_Grows_WaitingJobsStartAtOnce),
        Case(Concurrency_Shrinks_AsJobsEnd),
        Case(Concurrency_ToZero_QueuedJobsRunAndNewOnesRunInline),
        Case(Concurrency_FromZero_NewJobsRunInWorkers),
        Case(Concurrency_ChangesUnderLoad_IsNeverExceeded),
        Case(Deferred_WhileSet_JobsPileUp),
        Case(Deferred_SetWhileRunning_NoFurtherJobStarts),
        Case(Deferred_SetWhileWorkersSearch_NoLaterJobStarts),
    ];

    private void Submit_MoreThanTheLimit_AsManyAsMayRunAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3);
        for (int i = 0; i < 10; i++)
        {
            lane.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(3);
        Check.Equal(7L, lane.QueuedJobs);
        Check.Equal(3, lane.GetStatistics().ActiveThreads);
        Check.Equal(3, gate.Entered);
    }

    private void Submit_NoConcurrency_RunsInTheSubmitter(JobEngine engine)
    {
        JobLane lane = engine["Close"];
        int thread = 0;
        lane.Submit(_ => thread = Environment.CurrentManagedThreadId, 0);
        Check.Equal(Environment.CurrentManagedThreadId, thread);
        thread = 0;
        Check.True(lane.TrySubmit(_ => thread = Environment.CurrentManagedThreadId, 0));
        Check.Equal(Environment.CurrentManagedThreadId, thread);
        thread = 0;
        Check.True(lane.SubmitAsync(_ => thread = Environment.CurrentManagedThreadId, 0).IsCompletedSuccessfully);
        Check.Equal(Environment.CurrentManagedThreadId, thread);
        Check.Equal(0, lane.GetStatistics().Threads);
        Check.Equal(3L, lane.GetStatistics().Invocations);
    }

    private async Task RunAsync_NoConcurrency_RunsInTheSubmitter(JobEngine engine)
    {
        JobLane lane = engine["Close"];
        ValueTask<int> result = lane.RunAsync(static _ => Environment.CurrentManagedThreadId, 0);
        Check.True(result.IsCompletedSuccessfully);
        Check.Equal(Environment.CurrentManagedThreadId, result.Result);
        await Check.Throws<NotSupportedException>(lane.RunAsync(static _ => throw new NotSupportedException(), 0));

        using Gate gate = new();
        ValueTask pending = lane.RunAsync(static (gate, _) => gate.PassAsync(), gate);
        Check.Equal(1, gate.Entered);
        Check.False(pending.IsCompleted);
        Task drain = engine.DrainAsync();
        Check.False(drain.IsCompleted);
        gate.Open();
        await pending.Within();
        await drain.Within();
    }

    private void Concurrency_Grows_WaitingJobsStartAtOnce(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        for (int i = 0; i < 6; i++)
        {
            lane.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(1);
        lane.Concurrency = 4;
        gate.AwaitEntered(4);
        Check.Equal(2L, lane.QueuedJobs);
    }

    private async Task Concurrency_Shrinks_AsJobsEnd(JobEngine engine)
    {
        using Gate first = new();
        using Gate second = new();
        JobLane lane = Lane(engine, 4);
        Fill(lane, first);
        lane.Concurrency = 1;
        Meter meter = new();
        for (int i = 0; i < 100; i++)
        {
            lane.Submit(static meter => meter.Enter(), meter);
        }

        first.Open();
        await engine.DrainAsync().Within();
        Check.Equal(100, meter.Count);
        Check.Equal(1, meter.Highest);
    }

    private async Task Concurrency_ToZero_QueuedJobsRunAndNewOnesRunInline(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 2);
        Fill(lane, gate);
        Counter queued = new();
        for (int i = 0; i < 10; i++)
        {
            lane.Submit(static queued => queued.Increment(), queued);
        }

        lane.Concurrency = 0;
        int thread = 0;
        lane.Submit(_ => thread = Environment.CurrentManagedThreadId, 0);
        Check.Equal(Environment.CurrentManagedThreadId, thread);
        Check.Equal(0, queued.Value);
        gate.Open();
        await engine.DrainAsync().Within();
        Check.Equal(10, queued.Value);
    }

    private async Task Concurrency_FromZero_NewJobsRunInWorkers(JobEngine engine)
    {
        JobLane lane = Lane(engine, 0);
        lane.Concurrency = 2;
        int ran = await lane.RunAsync(static _ => Environment.CurrentManagedThreadId, 0).Within();
        Check.False(ran == Environment.CurrentManagedThreadId);
        Check.AtMost(2, lane.GetStatistics().Threads);
    }

    private async Task Concurrency_ChangesUnderLoad_IsNeverExceeded(JobEngine engine)
    {
        JobLane lane = Lane(engine, 8);
        Meter meter = new();
        Task submitter = Crew.Run(() =>
        {
            for (int i = 0; i < 50_000; i++)
            {
                lane.Submit(static meter => meter.Enter(), meter);
            }
        });
        Random random = new(1);
        while (!submitter.IsCompleted)
        {
            lane.Concurrency = random.Next(1, 9);
            Thread.SpinWait(500);
        }

        await submitter.Within();
        await engine.DrainAsync().Within();
        Check.Equal(50_000, meter.Count);
        Check.AtMost(8, meter.Highest);
    }

    private async Task Deferred_WhileSet_JobsPileUp(JobEngine engine)
    {
        Counter ran = new();
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Tested", Concurrency = 2, Deferred = true });
        for (int i = 0; i < 100; i++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
        }

        Check.Equal(100L, lane.QueuedJobs);
        Check.Equal(0, lane.GetStatistics().Threads);
        lane.Deferred = false;
        ran.Await(100);
        await engine.DrainAsync().Within();
        Check.Equal(100, ran.Value);
    }

    private void Deferred_SetWhileRunning_NoFurtherJobStarts(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 2);
        Fill(lane, gate);
        Counter ran = new();
        lane.Submit(static ran => ran.Increment(), ran);
        lane.Deferred = true;
        gate.Open();
        Spin.Until(() => lane.GetStatistics().ActiveThreads == 0);
        Check.Equal(0, ran.Value);
        Check.Equal(1L, lane.QueuedJobs);
        lane.Deferred = false;
        ran.Await(1);
    }

    // The workers have just run a job and are about to look for the next one when the lane is deferred.
    private void Deferred_SetWhileWorkersSearch_NoLaterJobStarts(JobEngine engine)
    {
        Counter ran = new();
        JobLane lane = Lane(engine, 2);
        for (int round = 0; round < 5_000; round++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
            ran.Await((2 * round) + 1);
            Thread.SpinWait(round % 64);
            lane.Deferred = true;
            lane.Submit(static ran => ran.Increment(), ran);
            Spin.Until(() => lane.QueuedJobs == 1 && lane.GetQueuedJobs().Count == 1); // also one that a worker has put back
            Check.Equal((2 * round) + 1, ran.Value);
            lane.Deferred = false;
            ran.Await((2 * round) + 2);
        }
    }

    /// <summary>Measures how many are inside at once. Each stays a little, so that too many would meet.</summary>
    internal sealed class Meter
    {
        private int _inside;
        private int _highest;
        private int _count;

        public int Highest => Volatile.Read(ref _highest);

        public int Count => Volatile.Read(ref _count);

        public void Enter()
        {
            Begin();
            Thread.SpinWait(20);
            End();
        }

        public void Begin()
        {
            int inside = Interlocked.Increment(ref _inside);
            int highest;
            while (inside > (highest = Highest) && Interlocked.CompareExchange(ref _highest, inside, highest) != highest)
            {
            }
        }

        public void End()
        {
            Interlocked.Decrement(ref _inside);
            Interlocked.Increment(ref _count);
        }
    }
}
