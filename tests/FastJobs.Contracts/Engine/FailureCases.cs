using System.Collections.Concurrent;

namespace FastJobs.Contracts.Engine;

/// <summary>Exceptions of jobs that nobody awaits.</summary>
internal sealed class FailureCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_JobThrows_ReachesTheHandler),
        Case(Submit_EachForm_ReachesTheHandler),
        Case(Submit_AsynchronousJobThrows_ReachesTheHandler),
        Case(Submit_NoConcurrencyAndJobThrows_ReachesTheHandler),
        Case(Submit_ManyThrow_WorkersLive),
        Case(Submit_HandlerThrows_WorkersLive),
        Case(Submit_AsynchronousAndCanceled_IsNoFailure),
        Case(RunAsync_JobThrows_DoesNotReachTheHandler),
        Case(Submit_NoHandler_WritesToStandardError),
    ];

    /// <summary>Runs a case with an engine whose handler keeps what it gets.</summary>
    internal static async Task Handled(Func<JobEngine, ConcurrentQueue<UnhandledJobException>, Task> run)
    {
        ConcurrentQueue<UnhandledJobException> handled = new();
        JobEngine engine = new(new JobEngineOptions { UnhandledException = handled.Enqueue });
        await run(engine, handled);
        await engine.DisposeAsync().Within();
    }

    private Task Submit_JobThrows_ReachesTheHandler() => Handled(async (engine, handled) =>
    {
        NotSupportedException error = new();
        engine.IO.Submit(static error => throw error, error);
        await engine.DrainAsync().Within();
        Check.Same(error, handled.Single().Exception);
        Check.Same(engine.IO, handled.Single().Lane);
    });

    private Task Submit_EachForm_ReachesTheHandler() => Handled(async (engine, handled) =>
    {
        engine.Cpu.Submit(Throw, 0);
        engine.Cpu.UnsafeSubmit(Throw, 0);
        Check.True(engine.Cpu.TrySubmit(Throw, 0));
        await engine.Cpu.SubmitAsync(Throw, 0).Within();
        engine.Cpu.SubmitCancelable(Throw, 0);
        await engine.DrainAsync().Within();
        Check.Equal(5, handled.Count);

        static void Throw(int state) => throw new NotSupportedException();
    });

    private Task Submit_AsynchronousJobThrows_ReachesTheHandler() => Handled(async (engine, handled) =>
    {
        engine.Cpu.Submit(static (_, _) => throw new NotSupportedException("at once"), 0);
        engine.Cpu.Submit(static (_, _) => ValueTask.FromException(new NotSupportedException("as its task")), 0);
        engine.Cpu.Submit(
            static async (_, _) =>
            {
                await Task.Yield();
                throw new NotSupportedException("later");
            },
            0);
        await engine.DrainAsync().Within();
        Check.Sequence(["as its task", "at once", "later"], handled.Select(e => e.Exception.Message).Order());
    });

    private Task Submit_NoConcurrencyAndJobThrows_ReachesTheHandler() => Handled((engine, handled) =>
    {
        engine["Close"].Submit(static _ => throw new NotSupportedException(), 0);
        Check.Same(engine["Close"], handled.Single().Lane);
        return Task.CompletedTask;
    });

    private Task Submit_ManyThrow_WorkersLive() => Handled(async (engine, handled) =>
    {
        JobLane lane = Lane(engine, 2);
        for (int i = 0; i < 2_000; i++)
        {
            lane.Submit(static _ => throw new NotSupportedException(), 0);
        }

        await engine.DrainAsync().Within();
        Check.Equal(2_000, handled.Count);
        Check.AtMost(2, lane.GetStatistics().Threads);
        Check.Equal(2_000L, lane.GetStatistics().Invocations);
    });

    private async Task Submit_HandlerThrows_WorkersLive()
    {
        Counter handled = new();
        JobEngine engine = new(new JobEngineOptions
        {
            UnhandledException = _ =>
            {
                handled.Increment();
                throw new InvalidOperationException();
            },
        });
        for (int i = 0; i < 100; i++)
        {
            engine.Cpu.Submit(static _ => throw new NotSupportedException(), 0);
            engine.Cpu.Submit(static (_, _) => throw new NotSupportedException(), 0);
        }

        await engine.DrainAsync().Within();
        Check.Equal(200, handled.Value);
        Check.Equal(1, await engine.Cpu.RunAsync(static x => x, 1).Within());
        await engine.DisposeAsync().Within();
    }

    private Task Submit_AsynchronousAndCanceled_IsNoFailure() => Handled(async (engine, handled) =>
    {
        using CancellationTokenSource source = new();
        Counter started = new();
        engine.Cpu.Submit(
            static async (started, token) =>
            {
                started.Increment();
                await Task.Delay(Timeout.Infinite, token);
            },
            started,
            source.Token);
        started.Await(1);
        source.Cancel();
        await engine.DrainAsync().Within();
        Check.Equal(0, handled.Count);
    });

    private Task RunAsync_JobThrows_DoesNotReachTheHandler() => Handled(async (engine, handled) =>
    {
        await Check.Throws<NotSupportedException>(engine.Cpu.RunAsync(static _ => throw new NotSupportedException(), 0));
        await engine.DrainAsync().Within();
        Check.Equal(0, handled.Count);
    });

    private async Task Submit_NoHandler_WritesToStandardError()
    {
        TextWriter before = Console.Error;
        StringWriter written = new();
        Console.SetError(TextWriter.Synchronized(written));
        try
        {
            JobEngine engine = new();
            engine.IO.Submit(static _ => throw new NotSupportedException("told to nobody"), 0);
            await engine.DisposeAsync().Within();
        }
        finally
        {
            Console.SetError(before);
        }

        Check.True(written.ToString().Contains("told to nobody", StringComparison.Ordinal));
        Check.True(written.ToString().Contains("\"IO\"", StringComparison.Ordinal));
    }
}
