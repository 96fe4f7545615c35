using FastJobs.Configuration;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Configuration;

/// <summary>What an engine does with a configuration, and what it reports.</summary>
internal sealed class ConfigurationApplyCases() : EngineCases("ConfigurationContract")
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Apply_NewLane_IsAdded),
        Case(Apply_KnownLane_IsChanged),
        Case(Apply_SameValues_ChangesNothing),
        Case(Apply_BusyLane_IsChangedWhileJobsRun),
        Case(Apply_VanishedLane_StaysAndIsNamed),
        Case(Apply_OtherSource_DoesNotMissTheFirst),
        Case(Apply_FromManyThreads_AddsOnce),
        Case(Apply_StoppedEngine_Throws),
        Case(Report_Sentences_SayWhatBecame),
    ];

    private static ConfigurationReport Apply(JobEngine engine, string text, string? source = null) =>
        engine.Apply(JobEngineConfiguration.Parse(text, source));

    private async Task Apply_NewLane_IsAdded(JobEngine engine)
    {
        ConfigurationReport report = Apply(
            engine,
            """
            ThreadPool "mail" {
              Concurrency = 3
              Stack_Size = 131072
              Backlog = 7
              Idle_Timeout = 50
              Defer_Spawn = yes
            }
            ThreadPool "plain" {}
            """);
        Check.Sequence(
            [
                new ConfigurationEntry(ConfigurationOutcome.Added, "mail", null, null, null, null, 1, 1),
                new ConfigurationEntry(ConfigurationOutcome.Added, "plain", null, null, null, null, 8, 1),
            ],
            report.Entries);
        Check.True(report.IsComplete);
        JobLane mail = engine["MAIL"];
        Check.Equal((3, 131072, 7, true), (mail.Concurrency, mail.StackSize, mail.Backlog, mail.Deferred));
        Check.Equal(TimeSpan.FromMilliseconds(50), mail.IdleTimeout);
        JobLane plain = engine["plain"];
        Check.Equal((1, 0, 0, false), (plain.Concurrency, plain.StackSize, plain.Backlog, plain.Deferred));
        Check.Equal(Timeout.InfiniteTimeSpan, plain.IdleTimeout);
        ValueTask<int> job = mail.RunAsync(static n => n + 1, 1);
        Check.False(job.IsCompleted);
        Apply(engine, "ThreadPool \"mail\" { Defer_Spawn = no }");
        Check.Equal(2, await job.AsTask().Within());
    }

    private void Apply_KnownLane_IsChanged(JobEngine engine)
    {
        int lanes = engine.Lanes.Count;
        ConfigurationReport report = Apply(
            engine, "ThreadPool \"sWapOut\" { Concurrency = 9 Stack_Size = 65536 Backlog = 4 Auto_Shrink = on Defer_Spawn = off }");
        Check.Equal(lanes, engine.Lanes.Count);
        Check.Sequence(
            [
                Entry(ConfigurationOutcome.Changed, "Concurrency", "5", "9"),
                Entry(ConfigurationOutcome.Changed, "Stack_Size", "0", "65536"),
                Entry(ConfigurationOutcome.Changed, "Backlog", "0", "4"),
                Entry(ConfigurationOutcome.Changed, "Idle_Timeout", "never", "at once"),
                Entry(ConfigurationOutcome.Unchanged, "Defer_Spawn", "false", "false"),
            ],
            report.Entries);
        JobLane lane = engine["SwapOut"];
        Check.Equal((9, 65536, 4, false), (lane.Concurrency, lane.StackSize, lane.Backlog, lane.Deferred));
        Check.Equal(TimeSpan.Zero, lane.IdleTimeout);
    }

    private void Apply_SameValues_ChangesNothing(JobEngine engine)
    {
        const string Text = "ThreadPool \"IO\" { Concurrency = 51 }\nThreadPool \"new\" { Backlog = 2 }";
        Apply(engine, Text);
        ConfigurationReport again = Apply(engine, Text);
        Check.True(again.Entries.All(entry => entry.Outcome == ConfigurationOutcome.Unchanged));
        Check.Equal(2, again.Entries.Count);
        Check.Equal(51, engine.IO.Concurrency);
    }

    private async Task Apply_BusyLane_IsChangedWhileJobsRun(JobEngine engine)
    {
        JobLane lane = Lane(engine, concurrency: 1, backlog: 1);
        using Gate gate = new();
        Fill(lane, gate);
        Check.False(lane.TrySubmit(static gate => gate.Pass(), gate));
        ConfigurationReport report = Apply(engine, "ThreadPool \"Tested\" { Concurrency = 2 Stack_Size = 131072 Backlog = 5 }");
        Check.True(report.IsComplete);
        Check.Equal("for threads that start from now on", report.Entries[1].Note);
        gate.AwaitEntered(2); // the job that waited
        Check.True(lane.TrySubmit(static gate => gate.Pass(), gate));
        Check.True(lane.TrySubmit(static gate => gate.Pass(), gate));
        gate.Dispose();
        await engine.DrainAsync().Within();
    }

    private void Apply_VanishedLane_StaysAndIsNamed(JobEngine engine)
    {
        Apply(engine, "ThreadPool \"CPU\" { Concurrency = 7 Backlog = 3 }\nThreadPool \"gone\" { Concurrency = 2 }", "f");
        ConfigurationReport report = Apply(engine, "\n\nThreadPool \"cpu\" { Concurrency = 8 }", "f");
        Check.Sequence(
            [
                new ConfigurationEntry(ConfigurationOutcome.Changed, "CPU", "Concurrency", "7", "8", null, 3, 1),
                new ConfigurationEntry(ConfigurationOutcome.Kept, "CPU", "Backlog", "3", "3", null, 0, 0),
                new ConfigurationEntry(ConfigurationOutcome.Kept, "gone", null, null, null, null, 0, 0),
            ],
            report.Entries);
        Check.Equal(2, engine["gone"].Concurrency);
        Check.Equal(3, engine.Cpu.Backlog);
    }

    private void Apply_OtherSource_DoesNotMissTheFirst(JobEngine engine)
    {
        Apply(engine, "ThreadPool \"a\" {}", "one");
        Check.Equal(1, Apply(engine, "ThreadPool \"b\" {}", "two").Entries.Count);
        Check.Equal(ConfigurationOutcome.Kept, Apply(engine, "", "one").Entries.Single().Outcome);
    }

    private async Task Apply_FromManyThreads_AddsOnce(JobEngine engine)
    {
        JobEngineConfiguration configuration = JobEngineConfiguration.Parse(
            string.Concat(Enumerable.Range(0, 50).Select(i => $"ThreadPool \"lane {i}\" {{ Concurrency = 2 }}\n")));
        int added = 0;
        int lanes = engine.Lanes.Count;
        await Crew.Run(
            4,
            i =>
            {
                if (i == 0)
                {
                    for (int j = 0; j < 50; j++)
                    {
                        engine.AddLane(new LaneOptions { Name = $"other {j}" });
                    }

                    return;
                }

                ConfigurationReport report = engine.Apply(configuration);
                Interlocked.Add(ref added, report.Entries.Count(entry => entry.Outcome == ConfigurationOutcome.Added));
            });
        Check.Equal(50, added);
        Check.Equal(lanes + 100, engine.Lanes.Count);
    }

    private async Task Apply_StoppedEngine_Throws(JobEngine engine)
    {
        await engine.DisposeAsync().Within();
        Check.Throws<ObjectDisposedException>(() => Apply(engine, "ThreadPool \"CPU\" { Concurrency = 1 }"));
        Check.Throws<ArgumentNullException>(() => engine.Apply(null!));
    }

    private void Report_Sentences_SayWhatBecame(JobEngine engine)
    {
        Apply(engine, "ThreadPool \"a\" { Backlog = 1 }", "f");
        Check.Equal(
            "pool \"b\" was added" + Environment.NewLine
            + "pool \"IO\": Concurrency was 50, is 49" + Environment.NewLine
            + "pool \"IO\": Backlog is 0 already" + Environment.NewLine
            + "pool \"a\" is no longer in the configuration: it stays",
            Apply(engine, "ThreadPool \"b\" {}\nThreadPool \"io\" { Concurrency = 49 Backlog = 0 }", "f").ToString());
        Check.Equal(
            "pool \"x\": Backlog stays 1: why",
            new ConfigurationEntry(ConfigurationOutcome.Refused, "x", "Backlog", "1", "1", "why", 1, 1).ToString());
        Check.Equal(
            "pool \"x\": Backlog is no longer in the configuration: it stays 1",
            new ConfigurationEntry(ConfigurationOutcome.Kept, "x", "Backlog", "1", "1", null, 0, 0).ToString());
        Check.Equal(
            "pool \"x\" is refused: why",
            new ConfigurationEntry(ConfigurationOutcome.Refused, "x", null, null, null, "why", 1, 1).ToString());
    }

    private static ConfigurationEntry Entry(ConfigurationOutcome outcome, string setting, string before, string after) =>
        new(outcome, "SwapOut", setting, before, after, null, 1, 1);
}
