using System.Runtime.CompilerServices;

namespace FastJobs.Contracts.Engine;

/// <summary>
/// The contract of the managed job engine, and what is too long to be tried on every run in its full size.
/// </summary>
internal static class EngineContract
{
    public static IEnumerable<ContractCase> Cases() => All(
        new LaneCases(),
        new ConcurrencyCases(),
        new BacklogCases(),
        new FullLaneCases(),
        new ResultCases(),
        new ContinuationCases(),
        new AsyncJobCases(),
        new CancelCases(),
        new FailureCases(),
        new ContextCases(),
        new WorkerCases(),
        new IdleCases(),
        new DrainCases(),
        new StopCases(),
        new StopReportCases(),
        new SubmitAfterStopCases(),
        new StatisticsCases(),
        new ReadCases(),
        new InsideCases(),
        new AllocationCases(),
        new SharedWorkersCases())
        .Concat(SharedCases());

    // What does not depend on whose threads run the jobs must hold on shared ones too.
    private static IEnumerable<ContractCase> SharedCases() => AllShared(
        new ConcurrencyCases(),
        new BacklogCases(),
        new FullLaneCases(),
        new ResultCases(),
        new ContinuationCases(),
        new AsyncJobCases(),
        new CancelCases(),
        new DrainCases(),
        new StopCases(),
        new StopReportCases());

    public static IEnumerable<ContractCase> Stress() => All(
        new WakeStress(),
        new OrderStress(),
        new CancelStress(),
        new StopStress(),
        new LoadStress())
        .Concat(AllShared(new OrderStress(), new CancelStress(), new StopStress(), new LoadStress()));

    private static IEnumerable<ContractCase> AllShared(params EngineCases[] concerns) =>
        concerns.SelectMany(concern => concern.OnSharedWorkers().List());

    private static IEnumerable<ContractCase> All(params EngineCases[] concerns) =>
        concerns.SelectMany(concern => concern.List());
}

/// <summary>
/// The cases of one concern. A case is a private method, named Operation_State_Result, that <see cref="List"/> names; the
/// compiler complains about one that is not listed.
/// </summary>
internal abstract class EngineCases(string suite = nameof(EngineContract))
{
    private static readonly AsyncLocal<bool> s_shared = new();
    private bool _shared;

    /// <summary>The cases, in order.</summary>
    public abstract IEnumerable<ContractCase> List();

    protected ContractCase Case(Action run, [CallerArgumentExpression(nameof(run))] string name = "") =>
        Case(
            () =>
            {
                run();
                return Task.CompletedTask;
            },
            name);

    protected ContractCase Case(Func<Task> run, [CallerArgumentExpression(nameof(run))] string name = "")
    {
        bool shared = _shared;
        return new($"{suite}.{GetType().Name}{(shared ? ".Shared" : "")}", name, () =>
        {
            s_shared.Value = shared;
            return run();
        });
    }

    /// <summary>The lanes that the cases add are served by threads that they would share with others.</summary>
    public EngineCases OnSharedWorkers()
    {
        _shared = true;
        return this;
    }

    /// <summary>A case that gets an engine; the engine ends by a drain, which must come to its end too.</summary>
    protected ContractCase Case(Func<JobEngine, Task> run, [CallerArgumentExpression(nameof(run))] string name = "") =>
        Case(
            async () =>
            {
                JobEngine engine = new();
                await run(engine);
                await engine.DisposeAsync().Within();
            },
            name);

    /// <inheritdoc cref="Case(Func{JobEngine, Task}, string)"/>
    protected ContractCase Case(Action<JobEngine> run, [CallerArgumentExpression(nameof(run))] string name = "") =>
        Case(
            engine =>
            {
                run(engine);
                return Task.CompletedTask;
            },
            name);

    /// <param name="threads">Of the set that serves the lane, if it is a shared one.</param>
    protected static JobLane Lane(JobEngine engine, int concurrency, int backlog = 0, int threads = 16) => engine.AddLane(new LaneOptions
    {
        Name = "Tested",
        Concurrency = concurrency,
        Backlog = backlog,
        Workers = s_shared.Value
            ? engine.AddSharedWorkers(new SharedWorkersOptions { Name = "Shared", Threads = threads })
            : null,
    });

    /// <summary>
    /// Fills the lane: as many jobs as may run wait at the gate, and as many as may wait are queued behind.
    /// </summary>
    protected static void Fill(JobLane lane, Gate gate)
    {
        int before = gate.Entered;
        for (int i = 0; i < lane.Concurrency; i++)
        {
            lane.Submit(static gate => gate.Pass(), gate);
        }

        gate.AwaitEntered(before + lane.Concurrency);
        for (int i = 0; i < lane.Backlog; i++)
        {
            Check.True(lane.TrySubmit(static gate => gate.Pass(), gate));
        }
    }
}

/// <summary>
/// Holds the jobs that come to it until it is opened. Disposing opens it, so that a failed case can end.
/// </summary>
internal sealed class Gate : IDisposable
{
    private readonly ManualResetEventSlim _open = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _entered;

    /// <summary>Jobs that came, whether they wait still or went on.</summary>
    public int Entered => Volatile.Read(ref _entered);

    public void Pass()
    {
        Interlocked.Increment(ref _entered);
        if (!_open.Wait(Patience.Wait))
        {
            throw new TimeoutException("nobody opened the gate");
        }
    }

    /// <summary>For asynchronous jobs: waits without a thread.</summary>
    public ValueTask PassAsync()
    {
        Interlocked.Increment(ref _entered);
        return new ValueTask(_opened.Task);
    }

    public void Open()
    {
        _open.Set();
        _opened.TrySetResult();
    }

    public void AwaitEntered(int count) => Spin.Until(() => Entered >= count);

    public void Dispose() => Open();
}

/// <summary>A count that jobs raise; a class, so that it can be a job's state.</summary>
internal sealed class Counter
{
    private int _value;

    public int Value => Volatile.Read(ref _value);

    public void Increment() => Interlocked.Increment(ref _value);

    public void Await(int value) => Spin.Until(() => Value >= value);
}

/// <summary>What ran how often, by number: nothing may be lost, nothing may run twice.</summary>
internal sealed class Runs(int count)
{
    private readonly int[] _runs = new int[count];

    public void Enter(int number) => Interlocked.Increment(ref _runs[number]);

    public int Of(int number) => Volatile.Read(ref _runs[number]);

    public void CheckEachOnce()
    {
        for (int i = 0; i < _runs.Length; i++)
        {
            if (Of(i) != 1)
            {
                throw new ContractFailure($"job {i} ran {Of(i)} times");
            }
        }
    }
}
