namespace FastJobs.Contracts.Engine;

/// <summary>Stops that race submits: a submit that did not throw has run, or was discarded and counted.</summary>
internal sealed class StopStress() : EngineCases(nameof(AllContracts.EngineStress))
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(DisposeAsync_RacingSubmits_RunsWhatWasTaken),
        Case(StopAsync_RacingSubmits_RunsOrDiscardsWhatWasTaken),
        Case(DisposeAsync_RacingSubmitsWithoutConcurrency_Ends),
        Case(DisposeAsync_RacingAFirstSubmit_Ends),
    ];

    private Task DisposeAsync_RacingSubmits_RunsWhatWasTaken() => Race(Timeout.InfiniteTimeSpan);

    private Task StopAsync_RacingSubmits_RunsOrDiscardsWhatWasTaken() => Race(TimeSpan.Zero);

    private static async Task Race(TimeSpan deadline)
    {
        for (int round = 0; round < Stress.Scale(200, 10_000); round++)
        {
            JobEngine engine = new();
            JobLane lane = Lane(engine, 2, backlog: round % 3 == 0 ? 2 : 0);
            Counter ran = new();
            Counter taken = new();
            Counter discarded = new();
            Task submitters = Crew.Run(2, submitter =>
            {
                Random random = new(submitter);
                try
                {
                    while (true)
                    {
                        // With pauses: a drain without a deadline waits for a moment at which nothing is in flight.
                        Thread.SpinWait(random.Next(2_000));
                        if (submitter == 0)
                        {
                            lane.Submit(static ran => ran.Increment(), ran);
                        }
                        else
                        {
                            Await(lane.RunAsync(static ran => ran.Increment(), ran), discarded);
                        }

                        taken.Increment();
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            taken.Await(round % 50);
            StopReport report = await engine.StopAsync(deadline).Within();
            await submitters;
            await engine.DrainAsync().Within();

            // With no time at all for the jobs that ran just then, they are reported, and end nevertheless.
            Check.AtMost(deadline == TimeSpan.Zero ? 2 : 0, report.StillRunning);
            Check.Equal(taken.Value, ran.Value + (int)report.Discarded);
            Check.AtMost(report.Discarded, discarded.Value);
        }
    }

    private static void Await(ValueTask job, Counter discarded)
    {
        Task observer = Observe(job, discarded);
        if (observer.IsFaulted)
        {
            observer.GetAwaiter().GetResult(); // the lane took no more jobs
        }

        static async Task Observe(ValueTask job, Counter discarded)
        {
            try
            {
                await job.ConfigureAwait(false);
            }
            catch (JobDiscardedException)
            {
                discarded.Increment(); // taken and discarded, maybe before its submit returned
            }
        }
    }

    private async Task DisposeAsync_RacingSubmitsWithoutConcurrency_Ends()
    {
        for (int round = 0; round < Stress.Scale(200, 10_000); round++)
        {
            JobEngine engine = new();
            JobLane lane = engine["Close"];
            Counter ran = new();
            int taken = 0;
            Task submitter = Crew.Run(() =>
            {
                // Goes on for a while when it is refused, so that the stop meets refused jobs too.
                for (int refused = 0; refused < 1_000;)
                {
                    refused += lane.TrySubmit(static ran => ran.Increment(), ran) ? 0 : 1;
                    taken += refused == 0 ? 1 : 0;
                }
            });
            await engine.DisposeAsync().Within();
            await submitter.Within();
            Check.Equal(taken, ran.Value);
        }
    }

    private async Task DisposeAsync_RacingAFirstSubmit_Ends()
    {
        // Workers are being started while the engine ends.
        for (int round = 0; round < Stress.Scale(1_000, 50_000); round++)
        {
            JobEngine engine = new();
            int ran = 0;
            int taken = 0;
            Task[] submitters = [.. engine.Lanes.Take(4).Select(lane => Task.Run(() =>
            {
                for (int i = 0; i < 3 && lane.TrySubmit(_ => Interlocked.Increment(ref ran), 0); i++)
                {
                    Interlocked.Increment(ref taken);
                }
            }))];
            Thread.SpinWait(round % 100 * 20);
            Check.Equal(default, await engine.StopAsync(Timeout.InfiniteTimeSpan).Within());
            await Task.WhenAll(submitters).Within();
            Check.Equal(taken, ran);
            Check.True(engine.Lanes.All(lane => lane.GetStatistics().Threads == 0));
        }
    }
}
