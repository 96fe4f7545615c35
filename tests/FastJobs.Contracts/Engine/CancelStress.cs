namespace FastJobs.Contracts.Engine;

/// <summary>
/// Cancels that race the run, and cancels that come when the job's object may be another's already: each job runs or is
/// cancelled, never both, never neither.
/// </summary>
internal sealed class CancelStress() : EngineCases(nameof(AllContracts.EngineStress))
{
    private static readonly int s_rounds = Stress.Scale(100_000, 2_000_000);

    public override IEnumerable<ContractCase> List() =>
    [
        Case(TryCancel_RacingTheRun_CancelsOrRuns),
        Case(TryCancel_RacingTheStop_CancelsOrDiscards),
        Case(RunAsync_TokenRacingTheRun_CancelsOrRuns),
        Case(RunAsync_TokenRacingAnAsynchronousRun_CancelsOrRuns),
        Case(Submit_TokenRacingTheRun_CancelsOrRuns),
    ];

    private async Task TryCancel_RacingTheRun_CancelsOrRuns(JobEngine engine)
    {
        // A ring of recent handles: the canceller takes one of now, or one of up to 63 jobs ago.
        JobLane lane = Lane(engine, 2);
        Runs runs = new(s_rounds);
        int[] canceled = new int[s_rounds];
        Published[] ring = [.. Enumerable.Range(0, 64).Select(_ => new Published())];
        int submitted = -1;
        await Crew.Run(
            () =>
            {
                Random random = new(1);
                for (int i = 0; i < s_rounds; i++)
                {
                    JobHandle handle = lane.SubmitCancelable(
                        static job => job.Runs.Enter(job.Number), (Runs: runs, Number: i));
                    ring[i % ring.Length].Set(i, handle);
                    Volatile.Write(ref submitted, i);
                    Thread.SpinWait(random.Next(60));
                }
            },
            () =>
            {
                Random random = new(2);
                Spin spin = default;
                int last;
                while ((last = Volatile.Read(ref submitted)) < s_rounds - 1)
                {
                    int target = last - (random.Next(2) == 0 ? 0 : random.Next(ring.Length));
                    if (target >= 0 && ring[target % ring.Length].TryCancel(out int number))
                    {
                        Interlocked.Increment(ref canceled[number]);
                        spin.Reset();
                    }

                    spin.Once();
                }
            });
        await engine.DrainAsync().Within();
        CheckBooks(runs, canceled);
    }

    /// <summary>A number and its handle, always seen together.</summary>
    private sealed class Published
    {
        private readonly Lock _lock = new();
        private int _number;
        private JobHandle _handle;

        public void Set(int number, JobHandle handle)
        {
            lock (_lock)
            {
                (_number, _handle) = (number, handle);
            }
        }

        public bool TryCancel(out int number)
        {
            JobHandle handle;
            lock (_lock)
            {
                (number, handle) = (_number, _handle);
            }

            return handle.TryCancel();
        }
    }

    private static void CheckBooks(Runs runs, int[] canceled)
    {
        for (int i = 0; i < canceled.Length; i++)
        {
            if (runs.Of(i) + canceled[i] != 1)
            {
                throw new ContractFailure($"job {i} ran {runs.Of(i)} times and was cancelled {canceled[i]} times");
            }
        }
    }

    private async Task TryCancel_RacingTheStop_CancelsOrDiscards()
    {
        for (int round = 0; round < Stress.Scale(10, 500); round++)
        {
            using Gate gate = new();
            JobEngine engine = new();
            JobLane lane = Lane(engine, 1);
            Fill(lane, gate);
            Counter ran = new();
            JobHandle[] handles = [.. Enumerable.Range(0, 500).Select(
                _ => lane.SubmitCancelable(static ran => ran.Increment(), ran))];
            Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
            await Crew.Run(() => Array.ForEach(handles, handle => handle.TryCancel()));
            Check.True(handles.All(handle => !handle.TryCancel()));

            // A job that was cancelled was in the queue all the same: the report counts what was taken off it.
            Check.Equal(500L, (await stop.Within()).Discarded);
            Check.Equal(0, ran.Value);
        }
    }

    private Task RunAsync_TokenRacingTheRun_CancelsOrRuns(JobEngine engine) => Race(
        Lane(engine, 2),
        static (lane, runs, i, token) => lane.RunAsync(
            static job =>
            {
                job.Runs.Enter(job.Number);
                return job.Number;
            },
            (Runs: runs, Number: i),
            token));

    private Task RunAsync_TokenRacingAnAsynchronousRun_CancelsOrRuns(JobEngine engine) => Race(
        Lane(engine, 2),
        static (lane, runs, i, token) => lane.RunAsync(
            static async (job, _) =>
            {
                job.Runs.Enter(job.Number);
                await Task.Yield();
                return job.Number;
            },
            (Runs: runs, Number: i),
            token));

    // The work ignores its token: so the awaiter's cancel means that it has not run, and its result that it has.
    private static async Task Race(JobLane lane, Func<JobLane, Runs, int, CancellationToken, ValueTask<int>> run)
    {
        Runs runs = new(s_rounds);
        int[] canceled = new int[s_rounds];
        CancellationTokenSource?[] sources = new CancellationTokenSource?[s_rounds];
        int submitted = -1;
        Task canceller = Crew.Run(() =>
        {
            Random random = new(2);
            Spin spin = default;
            for (int next = 0; next < s_rounds;)
            {
                if (next > Volatile.Read(ref submitted))
                {
                    spin.Once();
                    continue;
                }

                // Mostly at once; sometimes late, when the job's object may be another job's.
                spin.Reset();
                Thread.SpinWait(random.Next(random.Next(8) == 0 ? 2_000 : 60));
                sources[next]!.Cancel();
                sources[next++] = null;
            }
        });
        Task awaiter = Task.Run(async () =>
        {
            for (int i = 0; i < s_rounds; i++)
            {
                CancellationTokenSource source = new();
                sources[i] = source;
                ValueTask<int> job = run(lane, runs, i, source.Token);
                Volatile.Write(ref submitted, i);
                try
                {
                    Check.Equal(i, await job.ConfigureAwait(false));
                }
                catch (OperationCanceledException e)
                {
                    Check.Equal(source.Token, e.CancellationToken);
                    canceled[i] = 1;
                }
            }
        });
        await await Task.WhenAny(awaiter, canceller).WaitAsync(Patience.Case);
        await awaiter.WaitAsync(Patience.Case);
        await canceller.WaitAsync(Patience.Case);
        CheckBooks(runs, canceled);
    }

    private Task Submit_TokenRacingTheRun_CancelsOrRuns() => FailureCases.Handled(async (engine, handled) =>
    {
        // Nobody awaits these: nothing may run twice, and no cancel is a failure for the handler.
        JobLane lane = Lane(engine, 2);
        Runs runs = new(s_rounds);
        for (int i = 0; i < s_rounds; i += 50)
        {
            using CancellationTokenSource source = new();
            await Crew.Run(() =>
            {
                for (int j = i; j < i + 50; j++)
                {
                    lane.Submit(
                        static (job, _) =>
                        {
                            job.Runs.Enter(job.Number);
                            return default;
                        },
                        (Runs: runs, Number: j),
                        source.Token);
                }

                source.Cancel();
            });
        }

        await engine.DrainAsync().Within();
        for (int i = 0; i < s_rounds; i++)
        {
            Check.AtMost(1, runs.Of(i));
        }

        Check.Equal(0, handled.Count);
        Check.Equal((long)s_rounds, lane.GetStatistics().Invocations);
    });
}
