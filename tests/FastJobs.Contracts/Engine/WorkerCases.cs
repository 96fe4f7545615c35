using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastJobs.Contracts.Engine;

/// <summary>A lane's threads: names, stacks, hooks.</summary>
internal sealed class WorkerCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Workers_Named_ShowTheirLane),
        Case(Workers_LongName_KeepTheirNumber),
        Case(Workers_NameBeyondAscii_IsShown),
        Case(Workers_AreBackgroundThreads),
        Case(StackSize_Large_CanBeUsed),
        Case(StackSize_Changed_HoldsForNewWorkers),
        Case(Hooks_EachWorker_SurroundItsJobs),
        Case(Hooks_ShrinkingLane_AreCalledForEachLife),
    ];

    private async Task Workers_Named_ShowTheirLane(JobEngine engine)
    {
        Check.Equal("IO-1", await NameIn(engine.IO));
        Check.Equal("SwapOut-1", await NameIn(engine["SwapOut"]));
        using Gate gate = new();
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Mail", Concurrency = 3 });
        Fill(lane, gate);
        string[] names = ProcessThreads.Names();
        Check.True(!OperatingSystem.IsLinux() || new[] { "Mail-1", "Mail-2", "Mail-3", "IO-1" }.All(names.Contains));
    }

    private async Task Workers_LongName_KeepTheirNumber(JobEngine engine)
    {
        string name = await NameIn(engine.AddLane(new LaneOptions { Name = "A name of many letters-and-dashes" }));
        Check.True(name.StartsWith("A name of man", StringComparison.Ordinal));
        Check.True(name.EndsWith("-1", StringComparison.Ordinal));
    }

    private async Task Workers_NameBeyondAscii_IsShown(JobEngine engine)
    {
        Check.Equal("Größe-1", await NameIn(engine.AddLane(new LaneOptions { Name = "Größe" })));
        string name = await NameIn(engine.AddLane(new LaneOptions { Name = "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜ" }));
        Check.True(name.StartsWith("ÄÖÜ", StringComparison.Ordinal));
        Check.True(name.EndsWith("-1", StringComparison.Ordinal));
    }

    // What the system shows, elsewhere than on Linux what .NET shows.
    private static Task<string> NameIn(JobLane lane) => lane.RunAsync(
        static _ => OperatingSystem.IsLinux()
            ? File.ReadAllText("/proc/thread-self/comm").TrimEnd('\n')
            : Thread.CurrentThread.Name!,
        0).Within();

    private async Task Workers_AreBackgroundThreads(JobEngine engine)
    {
        Check.True(await engine.Cpu.RunAsync(static _ => Thread.CurrentThread.IsBackground, 0).Within());
        Check.False(await engine.Cpu.RunAsync(static _ => Thread.CurrentThread.IsThreadPoolThread, 0).Within());
    }

    private async Task StackSize_Large_CanBeUsed(JobEngine engine)
    {
        JobLane small = engine.AddLane(new LaneOptions { Name = "Small", StackSize = 512 * 1024 });
        JobLane large = engine.AddLane(new LaneOptions { Name = "Large", StackSize = 64 << 20 });
        Check.AtMost(512, await small.RunAsync(static _ => UsableKilobytes(0), 0).Within());
        Check.True(await large.RunAsync(static _ => UsableKilobytes(0), 0).Within() > 32 * 1024);
    }

    private async Task StackSize_Changed_HoldsForNewWorkers(JobEngine engine)
    {
        JobLane lane = engine.AddLane(new LaneOptions { Name = "Tested", StackSize = 512 * 1024, IdleTimeout = TimeSpan.Zero });
        Check.AtMost(512, await lane.RunAsync(static _ => UsableKilobytes(0), 0).Within());
        lane.StackSize = 32 << 20;
        Spin.Until(() => lane.GetStatistics().Threads == 0);
        Check.True(await lane.RunAsync(static _ => UsableKilobytes(0), 0).Within() > 16 * 1024);
    }

    /// <summary>
    /// Goes down until the runtime says that little is left, so that a stack that is too small is a failure and not the
    /// end of the process. A frame has a kilobyte and some words: the count is a little below the truth.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int UsableKilobytes(int above)
    {
        Span<byte> frame = stackalloc byte[1024];
        frame[above % frame.Length] = 1;
        int below = RuntimeHelpers.TryEnsureSufficientExecutionStack() ? UsableKilobytes(above + 1) : 0;
        return below + frame[above % frame.Length];
    }

    private async Task Hooks_EachWorker_SurroundItsJobs()
    {
        ConcurrentDictionary<int, string> lives = new();
        JobEngine engine = new();
        JobLane lane = engine.AddLane(new LaneOptions
        {
            Name = "Tested",
            Concurrency = 3,
            OnWorkerStart = () => Note(lives, "s"),
            OnWorkerExit = () => Note(lives, "x"),
        });
        using Gate gate = new();
        Fill(lane, gate);
        gate.Open();
        for (int i = 0; i < 100; i++)
        {
            lane.Submit(static lives => Note(lives, "j"), lives);
        }

        await engine.DisposeAsync().Within();
        Check.Equal(3, lives.Count);
        Check.Equal(100, lives.Values.Sum(life => life.Count(step => step == 'j')));
        Check.True(lives.Values.All(life => life.StartsWith('s') && life.EndsWith('x')));
        Check.True(lives.Values.All(life => life.Trim('s', 'x').All(step => step == 'j')));
    }

    private static void Note(ConcurrentDictionary<int, string> lives, string step) =>
        lives.AddOrUpdate(Environment.CurrentManagedThreadId, step, (_, life) => life + step);

    private async Task Hooks_ShrinkingLane_AreCalledForEachLife(JobEngine engine)
    {
        Counter started = new();
        Counter exited = new();
        JobLane lane = engine.AddLane(new LaneOptions
        {
            Name = "Tested",
            IdleTimeout = TimeSpan.Zero,
            OnWorkerStart = started.Increment,
            OnWorkerExit = exited.Increment,
        });
        for (int i = 1; i <= 20; i++)
        {
            await lane.RunAsync(static _ => { }, 0).Within();
            exited.Await(i);
            Spin.Until(() => lane.GetStatistics().Threads == 0);
        }

        Check.Equal(20, started.Value);
        Check.Equal(20, exited.Value);
    }
}

/// <summary>The threads of this process, as the system lists them.</summary>
internal static class ProcessThreads
{
    private const string Tasks = "/proc/self/task";

    public static int Count
    {
        get
        {
            if (OperatingSystem.IsLinux())
            {
                return Directory.GetDirectories(Tasks).Length;
            }

            using Process self = Process.GetCurrentProcess();
            return self.Threads.Count;
        }
    }

    /// <summary>Their names; a thread that ends while they are read is left out.</summary>
    public static string[] Names() => !OperatingSystem.IsLinux() ? [] :
        [.. Directory.GetDirectories(Tasks).Select(NameOf).Where(name => name != "")];

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd('\n');
        }
        catch (IOException)
        {
            return "";
        }
    }
}
