using System.Diagnostics;
using FastJobs.Contracts;

// Runs the contract suites without a test framework, so that they can be run as NativeAOT compiled them.
// Argument: only cases whose full name contains it. Exit code 1 when any case failed, or none was found.
string filter = args.Length > 0 ? args[0] : "";
int passed = 0;
int failed = 0;
List<(TimeSpan Time, string Name)> times = [];
foreach (ContractCase contract in AllContracts.All)
{
    if (!contract.FullName.Contains(filter, StringComparison.Ordinal))
    {
        continue;
    }

    long start = Stopwatch.GetTimestamp();
    try
    {
        await contract.RunAsync();
        passed++;
    }
    catch (Exception e)
    {
        failed++;
        Console.WriteLine($"FAILED {contract.FullName}: {Describe(e)}");
    }

    times.Add((Stopwatch.GetElapsedTime(start), contract.FullName));
}

if (Environment.GetEnvironmentVariable("FASTJOBS_TIMES") == "1")
{
    foreach ((TimeSpan time, string name) in times.OrderDescending().Take(30))
    {
        Console.WriteLine($"{time.TotalMilliseconds,8:F0} ms {name}");
    }
}

Console.WriteLine($"{passed} passed, {failed} failed");

// Exit, not return: the threads of a case that hangs must not keep the process alive.
Environment.Exit(failed > 0 || passed == 0 ? 1 : 0);

// One line a failure: every exception from the outermost to its cause, and for anything unexpected where it arose.
static string Describe(Exception e)
{
    string chain = $"{e.GetType().Name}: {e.Message}";
    Exception root = e;
    while (root.InnerException is { } inner)
    {
        root = inner;
        chain += $" <- {root.GetType().Name}: {root.Message}";
    }

    bool expected = e is ContractFailure || root is ContractFailure;
    return (expected ? chain : chain + root.StackTrace).ReplaceLineEndings(" ");
}
