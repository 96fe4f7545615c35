namespace FastJobs.Contracts.Engine;

/// <summary>
/// No allocation in the steady state for submit, run and await with a static lambda and a state, measured over all
/// threads: submitter, workers, pool.
/// </summary>
internal sealed class AllocationCases : EngineCases
{
    private const int Rounds = 10_000;

    /// <summary>
    /// For all rounds together: the loops themselves, a pool thread, a line of the test runner. One smallest object a
    /// round would be 240 KB.
    /// </summary>
    private const long Bound = 24_000;

    private static readonly AsyncLocal<int> s_local = new();

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_OneAtATime_AllocatesNothing),
        Case(Submit_InBursts_AllocatesNothing),
        Case(Submit_WithAnExecutionContext_AllocatesNothing),
        Case(Submit_LargeState_AllocatesNothing),
        Case(Submit_Asynchronous_AllocatesNothing),
        Case(TrySubmitAndSubmitAsync_Room_AllocateNothing),
        Case(SubmitCancelable_Canceled_AllocatesNothing),
        Case(RunAsync_Action_AllocatesNothing),
        Case(RunAsync_Result_AllocatesNothing),
        Case(RunAsync_ReferenceResult_AllocatesNothing),
        Case(RunAsync_ContinueInline_AllocatesNothing),
        Case(RunAsync_WithAToken_AllocatesNothing),
        Case(RunAsync_AsynchronousThatCompletesAtOnce_AllocatesNothing),
        Case(RunAsync_AsynchronousThatCompletesLater_AllocatesNothing),
        Case(RunAsync_AsynchronousResultWithAToken_AllocatesNothing),
        Case(RunAsync_FullLane_AllocatesNothing),
        Case(RunAsync_NoConcurrency_AllocatesNothing),
    ];

    private Task Submit_OneAtATime_AllocatesNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2), burst: 1, static (lane, ran) => lane.Submit(static ran => ran.Increment(), ran));

    private Task Submit_InBursts_AllocatesNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2), burst: 1_000, static (lane, ran) => lane.Submit(static ran => ran.Increment(), ran));

    private Task Submit_WithAnExecutionContext_AllocatesNothing(JobEngine engine)
    {
        s_local.Value = 5;
        return CheckSubmits(
            Lane(engine, 2), burst: 10, static (lane, ran) => lane.Submit(static ran => ran.Increment(), ran));
    }

    private Task Submit_LargeState_AllocatesNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2),
        burst: 10,
        static (lane, ran) => lane.Submit(static state => state.Ran.Increment(), (Ran: ran, 1L, 2L, 3L, "4")));

    private Task Submit_Asynchronous_AllocatesNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2),
        burst: 10,
        static (lane, ran) => lane.Submit(
            static (ran, _) =>
            {
                ran.Increment();
                return default;
            },
            ran));

    private Task TrySubmitAndSubmitAsync_Room_AllocateNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2, backlog: 100),
        burst: 20,
        static (lane, ran) =>
        {
            Check.True(lane.TrySubmit(static _ => { }, ran));
            Check.True(lane.SubmitAsync(static ran => ran.Increment(), ran).IsCompletedSuccessfully);
        });

    private Task SubmitCancelable_Canceled_AllocatesNothing(JobEngine engine) => CheckSubmits(
        Lane(engine, 2),
        burst: 10,
        static (lane, ran) =>
        {
            lane.SubmitCancelable(static _ => { }, ran).TryCancel();
            lane.SubmitCancelable(static ran => ran.Increment(), ran);
        });

    private static async Task CheckSubmits(JobLane lane, int burst, Action<JobLane, Counter> submit)
    {
        Counter ran = new();
        int submitted = 0;
        Func<bool> caughtUp = () => ran.Value == submitted;
        Warm(lane, ran, submit);
        submitted = ran.Value;
        await CheckFree(() =>
        {
            for (int i = 0; i < Rounds / burst; i++)
            {
                for (int j = 0; j < burst; j++)
                {
                    submit(lane, ran);
                }

                submitted += burst;
                Spin.Until(caughtUp);
            }

            return Task.CompletedTask;
        });
    }

    // As many jobs at once as the cases will ever have, so that the pool has them from then on.
    private static void Warm(JobLane lane, Counter ran, Action<JobLane, Counter> submit)
    {
        int jobs = lane.Backlog == 0 ? 2_000 : lane.Backlog / 2;
        lane.Deferred = true;
        for (int i = 0; i < jobs; i++)
        {
            submit(lane, ran);
        }

        lane.Deferred = false;
        ran.Await(jobs);
    }

    private Task RunAsync_Action_AllocatesNothing(JobEngine engine) =>
        CheckRuns(engine, static engine => engine.Cpu.RunAsync(static _ => { }, engine));

    private Task RunAsync_Result_AllocatesNothing(JobEngine engine) =>
        CheckRuns(engine, static engine => engine.Cpu.RunAsync(static x => x + 1, 6L));

    private Task RunAsync_ReferenceResult_AllocatesNothing(JobEngine engine) =>
        CheckRuns(engine, static engine => engine.Cpu.RunAsync(static engine => engine, engine));

    private Task RunAsync_ContinueInline_AllocatesNothing(JobEngine engine) => CheckRuns(
        engine, static engine => engine.Cpu.RunAsync(static x => x + 1, 6L, options: JobOptions.ContinueInline));

    private async Task RunAsync_WithAToken_AllocatesNothing(JobEngine engine)
    {
        using CancellationTokenSource longLived = new();
        CancellationToken token = longLived.Token;
        await CheckRuns(engine, engine => engine.Cpu.RunAsync(static x => x + 1, 6L, token));
    }

    private Task RunAsync_AsynchronousThatCompletesAtOnce_AllocatesNothing(JobEngine engine) =>
        CheckRuns(engine, static engine => engine.Cpu.RunAsync(static (_, _) => default(ValueTask), engine));

    // The work is a job of another lane: a ValueTask that completes later, and that costs nothing either.
    private Task RunAsync_AsynchronousThatCompletesLater_AllocatesNothing(JobEngine engine) => CheckRuns(
        engine,
        static engine => engine.Cpu.RunAsync(
            static (engine, _) => engine.IO.RunAsync(static _ => Thread.SpinWait(100), engine), engine));

    private async Task RunAsync_AsynchronousResultWithAToken_AllocatesNothing(JobEngine engine)
    {
        using CancellationTokenSource longLived = new();
        CancellationToken token = longLived.Token;
        await CheckRuns(engine, engine => engine.Cpu.RunAsync(
            static (engine, token) => engine.IO.RunAsync(static _ => 7L, engine, token), engine, token));
    }

    private async Task RunAsync_FullLane_AllocatesNothing(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1, backlog: 1);
        ValueTask<int>[] results = new ValueTask<int>[20];
        await CheckFree(() => Task.Run(async () =>
        {
            for (int i = 0; i < Rounds / results.Length; i++)
            {
                for (int j = 0; j < results.Length; j++)
                {
                    results[j] = lane.RunAsync(static x => x, j);
                }

                foreach (ValueTask<int> result in results)
                {
                    await result.ConfigureAwait(false);
                }
            }
        }));
    }

    private Task RunAsync_NoConcurrency_AllocatesNothing(JobEngine engine) =>
        CheckRuns(engine, static engine => engine["Close"].RunAsync(static x => x + 1, 6L));

    private static Task CheckRuns(JobEngine engine, Func<JobEngine, ValueTask> run) =>
        CheckFree(() => Task.Run(async () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                await run(engine).ConfigureAwait(false);
            }
        }));

    private static Task CheckRuns<T>(JobEngine engine, Func<JobEngine, ValueTask<T>> run) =>
        CheckFree(() => Task.Run(async () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                await run(engine).ConfigureAwait(false);
            }
        }));

    /// <summary>All threads together, once warm. Not the first measurement only: in it something may be compiled.</summary>
    private static async Task CheckFree(Func<Task> act)
    {
        await act().Within();
        long least = long.MaxValue;
        for (int round = 0; round < 5 && least > Bound; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await act().Within();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Check.AtMost(Bound, least);
    }
}
