// Micro-benchmarks of the managed engine.
//
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --list flat
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --filter '*Channel*'
//   dotnet run -c Release --project bench/FastJobs.Benchmarks -- --cell fastjobs throughput producers=2   one cell of the arena;
//                                                               ./build.sh bench runs all, in turn with the rivals (--peers)
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
using FastJobs.Benchmarks.Arena;

if (args is ["--cell", .. var cell])
{
    return ArenaCell.Run(cell);
}

if (args is ["--peers"])
{
    return ArenaCell.ListPeers();
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
