// Micro-benchmarks of the managed engine.
//
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --list flat
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --filter '*Channel*'
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --arena 5    a million jobs, in turn with the ThreadPool, 5 times
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --queues 5   the named queues: throughput, depth, memory
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --gates      fails if a benchmark allocates more than it may
//
// Figures of one run may be compared with each other, and with no other run's.
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using FastJobs.Benchmarks;

if (args is ["--arena", var repetitions] && int.TryParse(repetitions, out int count) && count > 0)
{
    return await Arena.RunAsync(count);
}

if (args is ["--queues", var rounds] && int.TryParse(rounds, out int queueRounds) && queueRounds > 0)
{
    return await QueueArena.RunAsync(queueRounds);
}

if (!args.Contains("--gates"))
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
    return 0;
}

// Allocation does not depend on how long one looks: a short run in this process is enough.
IConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumnProvider(DefaultColumnProviders.Instance);
bool failed = false;
foreach (Summary summary in BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(["--filter", "*"], config))
{
    failed |= summary.HasCriticalValidationErrors;
    foreach (BenchmarkReport report in summary.Reports)
    {
        failed |= !AllocationGate.Holds(report);
    }
}

Console.WriteLine(failed ? "a gate failed" : "all gates hold");
return failed ? 1 : 0;
