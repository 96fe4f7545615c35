namespace FastJobs.Contracts.Engine;

/// <summary>Forms of submit that may not block, and jobs that submit to their own full lane.</summary>
internal sealed class FullLaneCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(RunAsync_Full_DoesNotBlock),
        Case(RunAsync_FullAndCanceled_DoesNotRun),
        Case(RunAsync_FullLane_KeepsOrder),
        Case(RunAsync_FloodOfAFullLane_KeepsOrder),
        Case(SubmitAsync_FloodOfAFullLane_KeepsOrder),
        Case(Submit_FromAJobOfTheFullLane_DoesNotBlock),
        Case(SubmitAsync_FromAJobOfTheFullLane_DoesNotWait),
        Case(SubmitCancelable_FromAJobOfTheFullLane_DoesNotBlock),
        Case(RunAsync_FromAJobOfTheFullLane_DoesNotBlock),
        Case(Submit_TreeOfJobsInAFullLane_Ends),
    ];

    private async Task RunAsync_Full_DoesNotBlock(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        Task<int>[] results = [.. Enumerable.Range(0, 100).Select(i => lane.RunAsync(static i => i, i).AsTask())];
        Check.True(results.All(result => !result.IsCompleted));
        Check.Equal(1, gate.Entered);
        gate.Open();
        Check.Sequence(Enumerable.Range(0, 100), await Task.WhenAll(results).Within());
    }

    private async Task RunAsync_FullAndCanceled_DoesNotRun(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        Counter ran = new();
        JobLane lane = Lane(engine, 1, backlog: 1);
        Fill(lane, gate);
        ValueTask canceled = lane.RunAsync(static ran => ran.Increment(), ran, source.Token);
        ValueTask waiting = lane.RunAsync(static ran => ran.Increment(), ran);
        source.Cancel();
        await Check.Canceled(canceled, source.Token);
        gate.Open();
        await waiting.Within();
        Check.Equal(1, ran.Value);
    }

    private async Task RunAsync_FullLane_KeepsOrder(JobEngine engine)
    {
        using Gate gate = new();
        List<int> order = [];
        JobLane lane = Lane(engine, 1, backlog: 2);
        Fill(lane, gate);
        Task[] jobs = [.. Enumerable.Range(0, 100).Select(i => lane.RunAsync(_ => order.Add(i), 0).AsTask())];
        gate.Open();
        await Task.WhenAll(jobs).Within();
        Check.Sequence(Enumerable.Range(0, 100), order);
    }

    private Task RunAsync_FloodOfAFullLane_KeepsOrder(JobEngine engine) =>
        CheckFlood(engine, static (lane, order, i) => lane.RunAsync(
            static job => job.Order.Add(job.Number), (Order: order, Number: i)).AsTask());

    private Task SubmitAsync_FloodOfAFullLane_KeepsOrder(JobEngine engine) =>
        CheckFlood(engine, static (lane, order, i) => lane.SubmitAsync(
            static job => job.Order.Add(job.Number), (Order: order, Number: i)).AsTask());

    // The lane has room again while further jobs come: none of them may pass those that wait for room already.
    private static async Task CheckFlood(JobEngine engine, Func<JobLane, List<int>, int, Task> submit)
    {
        const int Jobs = 50_000;
        List<int> order = new(Jobs);
        JobLane lane = Lane(engine, 1, backlog: 2);
        await Crew.Run(() =>
        {
            for (int i = 0; i < Jobs; i++)
            {
                submit(lane, order, i);
                if (i % 64 == 0)
                {
                    // Lets the lane catch up from time to time, so that it is about to have room most of the time.
                    Spin.Until(() => lane.QueuedJobs < 2);
                }
            }
        }).Within();
        await engine.DrainAsync().Within();
        Check.Equal(Jobs, order.Count);
        for (int i = 0; i < Jobs; i++)
        {
            Check.Equal(i, order[i]);
        }
    }

    private Task Submit_FromAJobOfTheFullLane_DoesNotBlock(JobEngine engine) =>
        CheckFromJob(engine, static job => job.Lane.Submit(static ran => ran.Increment(), job.Ran));

    private Task SubmitAsync_FromAJobOfTheFullLane_DoesNotWait(JobEngine engine) => CheckFromJob(
        engine,
        static job => Check.True(job.Lane.SubmitAsync(static ran => ran.Increment(), job.Ran).IsCompletedSuccessfully));

    private Task SubmitCancelable_FromAJobOfTheFullLane_DoesNotBlock(JobEngine engine) =>
        CheckFromJob(engine, static job => job.Lane.SubmitCancelable(static ran => ran.Increment(), job.Ran));

    private Task RunAsync_FromAJobOfTheFullLane_DoesNotBlock(JobEngine engine) =>
        CheckFromJob(engine, static job => job.Lane.RunAsync(static ran => ran.Increment(), job.Ran).AsTask());

    private static async Task CheckFromJob(JobEngine engine, Action<(JobLane Lane, Counter Ran)> submit)
    {
        JobLane lane = Lane(engine, 1, backlog: 1);
        Counter ran = new();
        await lane.RunAsync(
            static job =>
            {
                for (int i = 0; i < 100; i++)
                {
                    job.Submit((job.Lane, job.Ran));
                }

                Check.Equal(0, job.Ran.Value);
            },
            (Lane: lane, Ran: ran, Submit: submit)).Within();
        await engine.DrainAsync().Within();
        Check.Equal(100, ran.Value);
    }

    private async Task Submit_TreeOfJobsInAFullLane_Ends(JobEngine engine)
    {
        JobLane lane = Lane(engine, 2, backlog: 2);
        Counter leaves = new();
        lane.Submit(Split, (lane, leaves, 12));
        await engine.DrainAsync().Within();
        Check.Equal(1 << 12, leaves.Value);

        static void Split((JobLane Lane, Counter Leaves, int Depth) tree)
        {
            if (tree.Depth == 0)
            {
                tree.Leaves.Increment();
                return;
            }

            tree.Lane.Submit(Split, tree with { Depth = tree.Depth - 1 });
            tree.Lane.Submit(Split, tree with { Depth = tree.Depth - 1 });
        }
    }
}
