namespace FastJobs.Contracts.Engine;

/// <summary>Which lanes there are, what they are made with, how they are found.</summary>
internal sealed class LaneCases : EngineCases
{
    // ec-async.md: names, concurrency, backlog.
    private static readonly (string Name, int Concurrency, int Backlog)[] s_predefined =
    [
        ("SwapOut", 5, 0), ("SwapIn", 5, 0), ("Unlink", 6, 100), ("Batch_Unlink", 4, 0), ("Close", 0, 0),
        ("CPU", 4, 0), ("IO", 50, 0), ("SpoolIn", 1, 0), ("Async_Bounce", 4, 0), ("Sieve_IO", 10, 0),
    ];

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Lanes_NewEngine_ArePredefined),
        Case(Lanes_NewEngine_HaveNoThread),
        Case(FindLane_AnyCaseOfLetters_IsTheSame),
        Case(FindLane_UnknownName_IsNull),
        Case(FindLane_WhileLanesAreAdded_FindsOrDoesNot),
        Case(AddLane_NewName_HasItsOptions),
        Case(AddLane_TakenName_Throws),
        Case(AddLane_BadOptions_Throw),
        Case(AddLane_AThousand_CostNoThread),
        Case(AddLane_AThousand_AllRun),
        Case(Settings_BadValues_Throw),
        Case(Engines_Two_AreApart),
    ];

    private void Lanes_NewEngine_ArePredefined(JobEngine engine)
    {
        Check.Equal(s_predefined.Length, engine.Lanes.Count);
        foreach ((string name, int concurrency, int backlog) in s_predefined)
        {
            JobLane lane = engine[name];
            Check.Equal(name, lane.Name);
            Check.Equal(concurrency, lane.Concurrency);
            Check.Equal(backlog, lane.Backlog);
            Check.Equal(0, lane.StackSize);
            Check.False(lane.Deferred);
            Check.Equal(Timeout.InfiniteTimeSpan, lane.IdleTimeout);
            Check.Same(lane, engine.Lanes[lane.JobClass]);
        }

        Check.Same(engine["CPU"], engine.Cpu);
        Check.Same(engine["IO"], engine.IO);
    }

    private void Lanes_NewEngine_HaveNoThread(JobEngine engine)
    {
        foreach (JobLane lane in engine.Lanes)
        {
            Check.Equal(0, lane.GetStatistics().Threads);
        }
    }

    private void FindLane_AnyCaseOfLetters_IsTheSame(JobEngine engine)
    {
        Check.Same(engine.Cpu, engine.FindLane("cpu"));
        Check.Same(engine["swapout"], engine["SWAPOUT"]);
    }

    private void FindLane_UnknownName_IsNull(JobEngine engine)
    {
        Check.True(engine.FindLane("Nothing of the kind") is null);
        Check.Throws<KeyNotFoundException>(() => _ = engine["Nothing of the kind"]);
        Check.Throws<ArgumentNullException>(() => engine.FindLane(null!));
    }

    private Task FindLane_WhileLanesAreAdded_FindsOrDoesNot(JobEngine engine)
    {
        const int Count = 500;
        bool added = false;
        return Crew.Run(
            () =>
            {
                for (int i = 0; i < Count; i++)
                {
                    engine.AddLane(new LaneOptions { Name = $"Lane {i}" });
                }

                Volatile.Write(ref added, true);
            },
            () =>
            {
                // Looks for the next lane until it is there: a lane that can be found can be used.
                for (int i = 0; i < Count && !(Volatile.Read(ref added) && i == 0);)
                {
                    i += engine.FindLane($"Lane {i}") is { } lane && engine.Lanes[lane.JobClass] == lane ? 1 : 0;
                }
            });
    }

    private void AddLane_NewName_HasItsOptions(JobEngine engine)
    {
        JobLane lane = engine.AddLane(new LaneOptions
        {
            Name = "Mine",
            Concurrency = 3,
            Backlog = 7,
            StackSize = 1 << 20,
            IdleTimeout = TimeSpan.FromSeconds(2),
            Deferred = true,
        });
        Check.Equal("Mine", lane.Name);
        Check.Equal(3, lane.Concurrency);
        Check.Equal(7, lane.Backlog);
        Check.Equal(1 << 20, lane.StackSize);
        Check.Equal(TimeSpan.FromSeconds(2), lane.IdleTimeout);
        Check.True(lane.Deferred);
        Check.Equal(s_predefined.Length, lane.JobClass);
        Check.Same(lane, engine["mine"]);
        Check.Same(lane, engine.Lanes[^1]);
    }

    private void AddLane_TakenName_Throws(JobEngine engine)
    {
        Check.Throws<ArgumentException>(() => engine.AddLane(new LaneOptions { Name = "cPu" }));
        Check.Equal(s_predefined.Length, engine.Lanes.Count);
    }

    private void AddLane_BadOptions_Throw(JobEngine engine)
    {
        Check.Throws<ArgumentNullException>(() => engine.AddLane(null!));
        Check.Throws<ArgumentException>(() => engine.AddLane(new LaneOptions { Name = "" }));
        Check.Throws<ArgumentException>(() => engine.AddLane(new LaneOptions { Name = null! }));
        Check.Throws<ArgumentOutOfRangeException>(() => engine.AddLane(new LaneOptions { Name = "A", Concurrency = -1 }));
        Check.Throws<ArgumentOutOfRangeException>(() => engine.AddLane(new LaneOptions { Name = "A", Backlog = -1 }));
        Check.Throws<ArgumentOutOfRangeException>(() => engine.AddLane(new LaneOptions { Name = "A", StackSize = 1 }));
        Check.Throws<ArgumentOutOfRangeException>(
            () => engine.AddLane(new LaneOptions { Name = "A", IdleTimeout = TimeSpan.FromSeconds(-5) }));
        Check.True(engine.FindLane("A") is null);
    }

    private void AddLane_AThousand_CostNoThread(JobEngine engine)
    {
        // Of the process: others may start threads meanwhile, but not a thousand.
        int before = ProcessThreads.Count;
        for (int i = 0; i < 1_000; i++)
        {
            Check.Equal(0, engine.AddLane(new LaneOptions { Name = $"Lane {i}", Concurrency = 4 }).GetStatistics().Threads);
        }

        Check.AtMost(before + 50, ProcessThreads.Count);
    }

    private async Task AddLane_AThousand_AllRun(JobEngine engine)
    {
        // Shrinking lanes, or the test would leave a thousand threads to a busy machine until the engine ends.
        Counter ran = new();
        for (int i = 0; i < 1_000; i++)
        {
            engine.AddLane(new LaneOptions { Name = $"Lane {i}", IdleTimeout = TimeSpan.Zero })
                .Submit(static ran => ran.Increment(), ran);
        }

        await engine.DrainAsync().Within();
        Check.Equal(1_000, ran.Value);
    }

    private void Settings_BadValues_Throw(JobEngine engine)
    {
        JobLane lane = Lane(engine, 2);
        Check.Throws<ArgumentOutOfRangeException>(() => lane.Concurrency = -1);
        Check.Throws<ArgumentOutOfRangeException>(() => lane.Backlog = -1);
        Check.Throws<ArgumentOutOfRangeException>(() => lane.StackSize = 100);
        Check.Throws<ArgumentOutOfRangeException>(() => lane.IdleTimeout = TimeSpan.FromSeconds(-5));
        Check.Throws<ArgumentNullException>(() => lane.Submit(null!, 0));
        Check.Throws<ArgumentNullException>(() => lane.TrySubmit(null!, 0));
        Check.Throws<ArgumentNullException>(() => new JobEngine(null!));
        Check.Equal(2, lane.Concurrency);
    }

    private async Task Engines_Two_AreApart(JobEngine engine)
    {
        using Gate gate = new();
        JobEngine other = new();
        other.Cpu.Submit(static gate => gate.Pass(), gate);
        gate.AwaitEntered(1);
        await engine.DrainAsync().Within();
        Check.Equal(0, engine.Cpu.GetStatistics().Threads);
        gate.Open();
        await other.DisposeAsync().Within();
        engine.Cpu.Submit(static _ => { }, 0);
    }
}
