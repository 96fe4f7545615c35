using BenchmarkDotNet.Attributes;

namespace FastJobs.Benchmarks;

/// <summary>Jobs on a lane of two workers, beside the ThreadPool.</summary>
[MemoryDiagnoser]
public class LaneBenchmarks
{
    private const int Jobs = 100_000;

    private readonly ValueTask<int>[] _results = new ValueTask<int>[1000];
    private JobEngine _engine = null!;
    private JobLane _lane = null!;
    private Countdown _done = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _engine = new JobEngine();
        _lane = _engine.AddLane(new LaneOptions { Name = "bench", Concurrency = 2 });
        _done = new Countdown();
    }

    [GlobalCleanup]
    public async Task CleanUp() => await _engine.DisposeAsync();

    [Benchmark(Baseline = true, OperationsPerInvoke = Jobs)]
    public void ThreadPoolSubmitAndRun()
    {
        _done.Reset(Jobs);
        for (int i = 0; i < Jobs; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static done => done.Signal(), _done, preferLocal: false);
        }

        _done.Wait();
    }

    [Benchmark(OperationsPerInvoke = Jobs)]
    [AllocationGate(0.5)]
    public void LaneSubmitAndRun()
    {
        _done.Reset(Jobs);
        for (int i = 0; i < Jobs; i++)
        {
            _lane.Submit(static done => done.Signal(), _done);
        }

        _done.Wait();
    }

    [Benchmark(OperationsPerInvoke = 1000)]
    [AllocationGate(0.5)]
    public async Task<int> LaneRoundTrip()
    {
        int sum = 0;
        for (int i = 0; i < 1000; i++)
        {
            sum += await _lane.RunAsync(static i => i + 1, i);
        }

        return sum;
    }

    /// <summary>Results that are there before they are awaited: what a completion costs without a wait.</summary>
    [Benchmark(OperationsPerInvoke = 1000)]
    [AllocationGate(0.5)]
    public async Task<int> LaneComplete()
    {
        for (int i = 0; i < _results.Length; i++)
        {
            _results[i] = _lane.RunAsync(static i => i + 1, i);
        }

        int sum = 0;
        foreach (ValueTask<int> result in _results)
        {
            sum += await result;
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = 1000)]
    public async Task<int> TaskRunRoundTrip()
    {
        int sum = 0;
        for (int i = 0; i < 1000; i++)
        {
            sum += await Task.Run(() => i + 1);
        }

        return sum;
    }

    /// <summary>Counts jobs; the waiter gives its core away between looks.</summary>
    private sealed class Countdown
    {
        private int _left;

        public void Reset(int count) => Volatile.Write(ref _left, count);

        public void Signal() => Interlocked.Decrement(ref _left);

        public void Wait()
        {
            while (Volatile.Read(ref _left) > 0)
            {
                Thread.Sleep(0);
            }
        }
    }
}
