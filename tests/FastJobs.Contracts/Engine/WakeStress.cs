namespace FastJobs.Contracts.Engine;

/// <summary>No wake-up is lost: a job that is blocked by the one behind it always sees that one run.</summary>
internal sealed class WakeStress() : EngineCases(nameof(AllContracts.EngineStress))
{
    private static readonly int s_pairs = Stress.Scale(20_000, 500_000);

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_PairsThatMeet_EachEnds),
        Case(Submit_PairsThatMeetWithPauses_EachEnds),
        Case(Submit_PairsWithoutAPauseBetween_EachEnds),
        Case(Submit_PairsByTwoSubmitters_EachEnds),
        Case(Submit_PairsInAShrinkingLane_EachEnds),
        Case(Submit_PairsInABoundedLane_EachEnds),
        Case(RunAsync_AsynchronousPairs_EachEnds),
        Case(Submit_PairsWhileTheLimitChanges_EachEnds),
    ];

    private void Submit_PairsThatMeet_EachEnds(JobEngine engine) => Meet(Lane(engine, 2), s_pairs, static _ => { });

    private void Submit_PairsThatMeetWithPauses_EachEnds(JobEngine engine) =>
        Meet(Lane(engine, 2), s_pairs, Pause);

    private void Submit_PairsInAShrinkingLane_EachEnds(JobEngine engine) => Meet(
        engine.AddLane(new LaneOptions { Name = "Tested", Concurrency = 2, IdleTimeout = TimeSpan.Zero }),
        s_pairs / 10,
        Pause);

    private void Submit_PairsInABoundedLane_EachEnds(JobEngine engine) => Meet(Lane(engine, 2, backlog: 1), s_pairs, Pause);

    // From none to 150 µs, around the time after which workers park; now and then so long that all of them do.
    private static void Pause(Random random)
    {
        if (random.Next(64) == 0)
        {
            Thread.Sleep(1);
        }

        Thread.SpinWait(random.Next(4_000));
    }

    private static void Meet(JobLane lane, int pairs, Action<Random> pause)
    {
        Random random = new(1);
        Pair pair = new();
        for (int i = 1; i <= pairs; i++)
        {
            lane.Submit(static pair => pair.Wait(), pair);
            lane.Submit(static pair => pair.Release(), pair);
            pair.AwaitMet(i);
            pause(random);
        }
    }

    private async Task Submit_PairsWithoutAPauseBetween_EachEnds(JobEngine engine)
    {
        // At most one job waits at a time, as the next one waits for its turn: so one of the two workers is free.
        JobLane lane = Lane(engine, 2);
        Pair pair = new();
        for (int i = 0; i < s_pairs; i++)
        {
            lane.Submit(static pair => pair.Wait(), pair);
            lane.Submit(static pair => pair.Release(), pair);
        }

        await engine.DrainAsync().Within();
        pair.AwaitMet(s_pairs);
    }

    private Task Submit_PairsByTwoSubmitters_EachEnds(JobEngine engine)
    {
        // Each submitter has one pair in flight, so two jobs wait at most, and a third worker is free.
        JobLane lane = Lane(engine, 3);
        return Crew.Run(2, _ => Meet(lane, s_pairs / 2, Pause));
    }

    private void RunAsync_AsynchronousPairs_EachEnds(JobEngine engine)
    {
        JobLane lane = Lane(engine, 2);
        Random random = new(1);
        for (int i = 0; i < s_pairs; i++)
        {
            TaskCompletionSource met = new();
            ValueTask waits = lane.RunAsync(static (met, _) => new ValueTask(met.Task), met);
            lane.Submit(static met => met.SetResult(), met);
            Spin.Until(() => waits.IsCompleted);
            waits.GetAwaiter().GetResult();
            Thread.SpinWait(random.Next(2_000));
        }
    }

    private async Task Submit_PairsWhileTheLimitChanges_EachEnds(JobEngine engine)
    {
        JobLane lane = Lane(engine, 2);
        Task pairs = Crew.Run(() => Meet(lane, s_pairs / 4, Pause));
        Random random = new(2);
        while (!pairs.IsCompleted)
        {
            lane.Concurrency = random.Next(2, 5);
            Thread.SpinWait(random.Next(50_000));
        }

        await pairs.Within();
    }

    /// <summary>Two jobs, of which the first waits for the second; used again and again.</summary>
    private sealed class Pair
    {
        private readonly SemaphoreSlim _released = new(0);
        private int _met;

        public void Wait()
        {
            if (!_released.Wait(Patience.Wait))
            {
                throw new TimeoutException("the second job of a pair did not run");
            }

            Interlocked.Increment(ref _met);
        }

        public void Release() => _released.Release();

        public void AwaitMet(int pairs)
        {
            Spin spin = default;
            while (Volatile.Read(ref _met) < pairs)
            {
                spin.Once();
            }
        }
    }
}
