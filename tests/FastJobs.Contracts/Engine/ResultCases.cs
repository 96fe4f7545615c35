namespace FastJobs.Contracts.Engine;

/// <summary>What an awaiter gets: results, exceptions, once.</summary>
internal sealed class ResultCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(RunAsync_EachShapeOfWork_Runs),
        Case(RunAsync_EachShapeWithAResult_GivesIt),
        Case(RunAsync_ResultOfEachKind_IsKept),
        Case(RunAsync_WorkThrows_AwaiterGetsTheVeryException),
        Case(RunAsync_WorkThrows_NextJobsRun),
        Case(RunAsync_AsTask_GivesTheResultToMany),
        Case(RunAsync_BeforeItHasRun_HasNoResult),
        Case(Await_Twice_Throws),
        Case(Await_TwiceAfterACancelInTheQueue_ThrowsAndHarmsNobody),
        Case(Await_StaleAfterReuse_Throws),
        Case(RunAsync_ManyAwaiters_EachGetsItsOwn),
    ];

    private async Task RunAsync_EachShapeOfWork_Runs(JobEngine engine)
    {
        using CancellationTokenSource source = new();
        Counter ran = new();
        CancellationToken seen = default;
        await engine.Cpu.RunAsync(static ran => ran.Increment(), ran).Within();
        await engine.Cpu.RunAsync(
            (ran, token) =>
            {
                seen = token;
                ran.Increment();
            },
            ran,
            source.Token).Within();
        Check.Equal(source.Token, seen);
        seen = default;
        await engine.Cpu.RunAsync(
            async (ran, token) =>
            {
                await Task.Yield();
                seen = token;
                ran.Increment();
            },
            ran,
            source.Token).Within();
        Check.Equal(source.Token, seen);
        Check.Equal(3, ran.Value);
    }

    private async Task RunAsync_EachShapeWithAResult_GivesIt(JobEngine engine)
    {
        JobLane lane = engine.Cpu;
        Check.Equal(2, await lane.RunAsync(static x => x + 1, 1).Within());
        Check.Equal(3, await lane.RunAsync(static (x, token) => token.CanBeCanceled ? 0 : x + 1, 2).Within());
        Check.Equal(4, await lane.RunAsync(static (x, _) => new ValueTask<int>(x + 1), 3).Within());
        Check.Equal(5, await lane.RunAsync(static (x, _) => Later(x + 1), 4).Within());

        static async ValueTask<int> Later(int result)
        {
            await Task.Yield();
            return result;
        }
    }

    private async Task RunAsync_ResultOfEachKind_IsKept(JobEngine engine)
    {
        object it = new();
        Check.Same(it, await engine.Cpu.RunAsync(static it => it, it).Within());
        Check.True(await engine.Cpu.RunAsync(static _ => (object?)null, 0).Within() is null);
        (long A, long B, string C) large = (1, 2, "3");
        Check.Equal(large, await engine.Cpu.RunAsync(static large => large, large).Within());
        Check.Same(it, await engine.Cpu.RunAsync(static (it, _) => ValueTask.FromResult(it), it).Within());
    }

    private async Task RunAsync_WorkThrows_AwaiterGetsTheVeryException(JobEngine engine)
    {
        NotSupportedException error = new("no");
        JobLane lane = engine.Cpu;
        Check.Same(error, await Check.Throws<NotSupportedException>(lane.RunAsync(static e => throw e, error)));
        Check.Same(error, await Check.Throws<NotSupportedException, int>(lane.RunAsync(static e => Fail(e), error)));
        Check.Same(error, await Check.Throws<NotSupportedException>(
            lane.RunAsync(static (e, _) => ValueTask.FromException(e), error)));
        Check.Same(error, await Check.Throws<NotSupportedException, int>(lane.RunAsync(static (e, _) => FailLater(e), error)));
        Check.Same(error, await Check.Throws<NotSupportedException>(
            lane.RunAsync(static (e, _) => Fail(e) == 0 ? default : default(ValueTask), error)));

        static int Fail(Exception error) => throw error;

        static async ValueTask<int> FailLater(Exception error)
        {
            await Task.Yield();
            throw error;
        }
    }

    private async Task RunAsync_WorkThrows_NextJobsRun(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1, threads: 1);
        int thread = await lane.RunAsync(static _ => Environment.CurrentManagedThreadId, 0).Within();
        for (int i = 0; i < 100; i++)
        {
            await Check.Throws<NotSupportedException>(lane.RunAsync(static _ => throw new NotSupportedException(), 0));
        }

        // The same worker: the exceptions did not end it.
        Check.Equal(thread, await lane.RunAsync(static _ => Environment.CurrentManagedThreadId, 0).Within());
    }

    private async Task RunAsync_AsTask_GivesTheResultToMany(JobEngine engine)
    {
        Task<int> task = engine.Cpu.RunAsync(static x => x, 7).AsTask();
        Check.Equal(7, await task.Within());
        Check.Equal(7, await task.Within());
    }

    private async Task RunAsync_BeforeItHasRun_HasNoResult(JobEngine engine)
    {
        using Gate gate = new();
        ValueTask<int> result = engine.Cpu.RunAsync(
            static gate =>
            {
                gate.Pass();
                return 5;
            },
            gate);
        Check.False(result.IsCompleted);
        Check.Throws<InvalidOperationException>(() => result.GetAwaiter().GetResult());
        gate.Open();
        Check.Equal(5, await result.Within());
    }

    private async Task Await_Twice_Throws(JobEngine engine)
    {
        ValueTask<int> result = engine.Cpu.RunAsync(static x => x, 1);
        Check.Equal(1, await result);
        await CheckOver(async () => await result);
        ValueTask plain = engine.Cpu.RunAsync(static _ => { }, 1);
        await plain;
        await CheckOver(async () => await plain);
        ValueTask later = engine.Cpu.RunAsync(static async (_, _) => await Task.Yield(), 1);
        await later;
        await CheckOver(async () => await later);
        ValueTask failed = engine.Cpu.RunAsync(static _ => throw new NotSupportedException(), 1);
        await CheckFails<NotSupportedException>(async () => await failed);
        await CheckOver(async () => await failed);
    }

    private async Task Await_TwiceAfterACancelInTheQueue_ThrowsAndHarmsNobody(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        ValueTask<int> canceled = lane.RunAsync(static x => x, -1, source.Token);
        source.Cancel();
        await CheckFails<OperationCanceledException>(async () => await canceled);

        // The job is still in the queue. A second await that let it go would put it to a second use at the same time.
        await CheckOver(async () => await canceled);
        Task<int>[] others = [.. Enumerable.Range(0, 200).Select(i => lane.RunAsync(static x => x, i).AsTask())];
        gate.Open();
        Check.Sequence(Enumerable.Range(0, 200), await Task.WhenAll(others).Within());
    }

    private async Task Await_StaleAfterReuse_Throws(JobEngine engine)
    {
        // The pool gives the last job first, so some of these use the object of the stale one.
        JobLane lane = Lane(engine, 1);
        ValueTask<int> stale = lane.RunAsync(static x => x, -1);
        Check.Equal(-1, await stale);
        using Gate gate = new();
        Fill(lane, gate);
        Task<int>[] others = [.. Enumerable.Range(0, 200).Select(i => lane.RunAsync(static x => x, i).AsTask())];
        await CheckOver(async () => await stale);
        Check.Throws<InvalidOperationException>(() => _ = stale.IsCompleted);
        gate.Open();
        Check.Sequence(Enumerable.Range(0, 200), await Task.WhenAll(others).Within());
    }

    private Task RunAsync_ManyAwaiters_EachGetsItsOwn(JobEngine engine) =>
        Task.WhenAll(Enumerable.Range(0, 8).Select(awaiter => Task.Run(async () =>
        {
            for (int i = awaiter; i < 40_000; i += 8)
            {
                Check.Equal(i * 2, await engine.Cpu.RunAsync(static x => x * 2, i).ConfigureAwait(false));
            }
        }))).Within();

    private static Task CheckOver(Func<Task> again) => CheckFails<InvalidOperationException>(again);

    private static Task<TException> CheckFails<TException>(Func<Task> await)
        where TException : Exception => Check.Throws<TException>(await());
}
