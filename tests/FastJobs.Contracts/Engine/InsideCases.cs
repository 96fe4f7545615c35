using System.Diagnostics;

namespace FastJobs.Contracts.Engine;

/// <summary>Seeing inside a lane: listings, kinds, and waiting until it is idle.</summary>
internal sealed class InsideCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(GetQueuedJobs_EmptyLane_IsEmpty),
        Case(GetQueuedJobs_DeferredLane_ShowsTheJobsInTheirOrder),
        Case(GetQueuedJobs_CanceledJob_DoesNotWait),
        Case(GetQueuedJobs_Limit_ShowsNoMore),
        Case(GetQueuedJobs_LongQueue_ShowsAll),
        Case(GetQueuedJobs_BurstsAndPauses_AgesAreRightTo10Milliseconds),
        Case(GetQueuedJobs_UnderLoad_ShowsOnlyWhatIsThere),
        Case(GetJobKinds_QueuedAndRunning_CountsByMethod),
        Case(WaitIdleAsync_IdleLane_CompletesAtOnce),
        Case(WaitIdleAsync_RunningAndPendingJobs_WaitsForThem),
        Case(WaitIdleAsync_TimePasses_SaysSo),
        Case(WaitIdleAsync_Canceled_JobsGoOn),
        Case(WaitIdleAsync_AfterEachSubmit_HasRunIt),
        Case(WaitIdleAsync_DeferredLane_IsNotStarted),
    ];

    private static void First(Gate gate) => gate.Pass();

    private static void Second(Gate gate) => gate.Pass();

    private static bool IsAbout(string method, string name) => method.Contains(name, StringComparison.Ordinal);

    private void GetQueuedJobs_EmptyLane_IsEmpty(JobEngine engine)
    {
        Check.Equal(0, engine.IO.GetQueuedJobs().Count);
        Check.Equal(0, engine.IO.GetJobKinds().Count);
        Check.Throws<ArgumentOutOfRangeException>(() => engine.IO.GetQueuedJobs(-1));
    }

    private async Task GetQueuedJobs_DeferredLane_ShowsTheJobsInTheirOrder(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 2);
        lane.Deferred = true;
        lane.Submit(First, gate); // stands in the slot itself
        lane.Submit(static (gate, _) => gate.PassAsync(), gate);
        ValueTask awaited = lane.RunAsync(Second, gate);
        ValueTask<int> result = lane.RunAsync(static n => n + 1, 1); // a value: in a pooled job
        IReadOnlyList<WaitingJob> jobs = lane.GetQueuedJobs();
        Check.Equal(4, jobs.Count);
        Check.Sequence([1, 2, 3, 4], jobs.Select(job => job.Position));
        Check.True(IsAbout(jobs[0].Method, nameof(First)) && IsAbout(jobs[0].Method, nameof(InsideCases)));
        Check.True(IsAbout(jobs[1].Method, nameof(GetQueuedJobs_DeferredLane_ShowsTheJobsInTheirOrder)));
        Check.True(IsAbout(jobs[2].Method, nameof(Second)));
        Check.True(jobs.All(job => job.Age >= TimeSpan.Zero && job.Age < Patience.Wait));
        gate.Open();
        lane.Deferred = false;
        await awaited.Within();
        Check.Equal(2, await result.Within());
        await lane.WaitIdleAsync().Within();
        Check.Equal(0, lane.GetQueuedJobs().Count);
    }

    private void GetQueuedJobs_CanceledJob_DoesNotWait(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        lane.Deferred = true;
        lane.Submit(First, gate);
        JobHandle handle = lane.SubmitCancelable(Second, gate);
        Check.Equal(2, lane.GetQueuedJobs().Count);
        Check.True(handle.TryCancel());
        Check.Equal(1, lane.GetQueuedJobs().Count);
        Check.Equal(1, lane.GetJobKinds().Count);
        gate.Open();
    }

    private void GetQueuedJobs_Limit_ShowsNoMore(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        lane.Deferred = true;
        for (int i = 0; i < 200; i++)
        {
            lane.Submit(static _ => { }, i);
        }

        Check.Equal(0, lane.GetQueuedJobs(0).Count);
        Check.Equal(3, lane.GetQueuedJobs(3).Count);
        Check.Equal(100, lane.GetQueuedJobs(100).Count);
    }

    private void GetQueuedJobs_LongQueue_ShowsAll(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        lane.Deferred = true;
        for (int i = 0; i < 5_000; i++)
        {
            lane.Submit(static _ => { }, engine);
        }

        Check.Equal(5_000, lane.GetQueuedJobs().Count);
        Check.Equal(5_000, lane.GetJobKinds()[0].Queued);
    }

    private void GetQueuedJobs_BurstsAndPauses_AgesAreRightTo10Milliseconds(JobEngine engine)
    {
        // A machine that is busy with other things may hold a thread up in one round or in many, but not in each of as many
        // as can be had.
        JobLane lane = Lane(engine, 1);
        TimeSpan best = TimeSpan.MaxValue;
        long began = Stopwatch.GetTimestamp();
        while (best > TimeSpan.FromMilliseconds(10) && Stopwatch.GetElapsedTime(began) < Patience.Wait)
        {
            TimeSpan worst = WorstAge(lane);
            best = worst < best ? worst : best;
        }

        Check.AtMost(10, (long)best.TotalMilliseconds);
    }

    private static TimeSpan WorstAge(JobLane lane)
    {
        int[] pauses = [0, 0, 1, 0, 3, 7, 0, 20, 0, 45];
        List<(long Before, long After)> submitted = [];
        lane.Deferred = true;
        for (int i = 0; i < 40; i++)
        {
            long before = Stopwatch.GetTimestamp();
            lane.Submit(static _ => { }, lane);
            submitted.Add((before, Stopwatch.GetTimestamp()));
            Thread.Sleep(pauses[i % pauses.Length]);
        }

        long listing = Stopwatch.GetTimestamp();
        IReadOnlyList<WaitingJob> jobs = lane.GetQueuedJobs();
        long listed = Stopwatch.GetTimestamp();
        lane.Deferred = false;
        Check.Equal(submitted.Count, jobs.Count);
        TimeSpan worst = TimeSpan.Zero;
        for (int i = 0; i < jobs.Count; i++)
        {
            TimeSpan least = Stopwatch.GetElapsedTime(submitted[i].After, listing);
            TimeSpan most = Stopwatch.GetElapsedTime(submitted[i].Before, listed);
            TimeSpan error = jobs[i].Age < least ? least - jobs[i].Age : jobs[i].Age > most ? jobs[i].Age - most : TimeSpan.Zero;
            worst = error > worst ? error : worst;
        }

        Check.True(lane.WaitIdleAsync(Patience.Wait).Result);
        return worst;
    }

    private async Task GetQueuedJobs_UnderLoad_ShowsOnlyWhatIsThere(JobEngine engine)
    {
        using Gate open = new();
        open.Open();
        JobLane lane = Lane(engine, 2, backlog: 500);
        bool stop = false;
        Task producers = Crew.Run(2, i =>
        {
            while (!Volatile.Read(ref stop))
            {
                lane.Submit(First, open);
                lane.Submit(static _ => { }, i);
                lane.SubmitCancelable(Second, open).TryCancel();
            }
        });
        for (int i = 0; i < Stress.Scale(300, 10_000); i++)
        {
            foreach (WaitingJob job in lane.GetQueuedJobs())
            {
                Check.True(IsAbout(job.Method, nameof(InsideCases)));
                Check.True(job.Age >= TimeSpan.Zero && job.Age < Patience.Wait);
            }

            foreach (JobKind kind in lane.GetJobKinds())
            {
                Check.True(kind is { Queued: >= 0, Running: >= 0 and <= 2 });
                Check.True(IsAbout(kind.Method, nameof(InsideCases)));
            }
        }

        Volatile.Write(ref stop, true);
        await producers;
        await lane.WaitIdleAsync().Within();
    }

    private void GetJobKinds_QueuedAndRunning_CountsByMethod(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 3);
        lane.Submit(First, gate);
        lane.Submit(First, gate);
        _ = lane.RunAsync(Second, gate);
        gate.AwaitEntered(3);
        for (int i = 0; i < 5; i++)
        {
            lane.Submit(Second, gate);
        }

        lane.Submit(First, gate);
        IReadOnlyList<JobKind> kinds = lane.GetJobKinds();
        Check.Equal(2, kinds.Count);
        Check.True(IsAbout(kinds[0].Method, nameof(Second)));
        Check.Equal((5, 1), (kinds[0].Queued, kinds[0].Running));
        Check.True(IsAbout(kinds[1].Method, nameof(First)));
        Check.Equal((1, 2), (kinds[1].Queued, kinds[1].Running));
        gate.Open();
        Spin.Until(() => lane.GetJobKinds().Count == 0);
    }

    private void WaitIdleAsync_IdleLane_CompletesAtOnce(JobEngine engine)
    {
        Check.True(engine.Cpu.WaitIdleAsync().IsCompletedSuccessfully);
        Check.True(engine.Cpu.WaitIdleAsync(TimeSpan.Zero).Result);
        Check.Throws<ArgumentOutOfRangeException>(() => { engine.Cpu.WaitIdleAsync(TimeSpan.FromDays(60)); });
    }

    private async Task WaitIdleAsync_RunningAndPendingJobs_WaitsForThem(JobEngine engine)
    {
        using Gate gate = new();
        using Gate other = new();
        JobLane lane = Lane(engine, 2);
        engine.IO.Submit(First, other); // another lane's: not waited for
        lane.Submit(First, gate);
        lane.Submit(static (gate, _) => gate.PassAsync(), gate);
        gate.AwaitEntered(2);
        Task idle = lane.WaitIdleAsync();
        Check.False(idle.IsCompleted);
        gate.Open();
        await idle.Within();
        Check.Equal(0, lane.GetStatistics().PendingAsyncJobs);
        Check.Equal(2L, lane.GetStatistics().Invocations);
    }

    private async Task WaitIdleAsync_TimePasses_SaysSo(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        lane.Submit(First, gate);
        Check.False(await lane.WaitIdleAsync(TimeSpan.Zero).Within());
        Check.False(await lane.WaitIdleAsync(TimeSpan.FromMilliseconds(20)).Within());
        gate.Open();
        Check.True(await lane.WaitIdleAsync(Patience.Wait).Within());
    }

    private async Task WaitIdleAsync_Canceled_JobsGoOn(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        JobLane lane = Lane(engine, 1);
        lane.Submit(First, gate);
        Task idle = lane.WaitIdleAsync(source.Token);
        Task<bool> other = lane.WaitIdleAsync(Patience.Wait);
        await source.CancelAsync();
        await Check.Canceled(idle, source.Token);
        Check.False(other.IsCompleted);
        gate.Open();
        Check.True(await other.Within());
    }

    private async Task WaitIdleAsync_AfterEachSubmit_HasRunIt(JobEngine engine)
    {
        Counter ran = new();
        JobLane lane = Lane(engine, 2);
        for (int i = 1; i <= 2_000; i++)
        {
            lane.Submit(static ran => ran.Increment(), ran);
            await lane.WaitIdleAsync().Within();
            Check.Equal(i, ran.Value);
        }
    }

    private async Task WaitIdleAsync_DeferredLane_IsNotStarted(JobEngine engine)
    {
        Counter ran = new();
        JobLane lane = Lane(engine, 2);
        lane.Deferred = true;
        lane.Submit(static ran => ran.Increment(), ran);
        Check.False(await lane.WaitIdleAsync(TimeSpan.FromMilliseconds(20)).Within());
        Check.Equal(0, ran.Value);
        lane.Deferred = false;
        Check.True(await lane.WaitIdleAsync(Patience.Wait).Within());
        Check.Equal(1, ran.Value);
    }
}
