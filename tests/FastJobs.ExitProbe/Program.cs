using FastJobs;

// Fills an engine with jobs that run, wait, and pend, then ends the process in the way that the argument says, without
// a word to the engine.
JobEngine engine = new();
using CountdownEvent running = new(engine.Cpu.Concurrency + 1);
for (int i = 0; i < engine.Cpu.Concurrency; i++)
{
    engine.Cpu.Submit(
        static running =>
        {
            running.Signal();
            Thread.Sleep(Timeout.Infinite);
        },
        running);
}

TaskCompletionSource never = new();
engine.IO.Submit(
    static (job, _) =>
    {
        job.running.Signal();
        return new ValueTask(job.never.Task);
    },
    (running, never));
for (int i = 0; i < 1_000; i++)
{
    engine.Cpu.Submit(static _ => Console.Out.WriteLine("a queued job ran"), 0);
}

_ = engine.Cpu.RunAsync(static _ => { }, 0).AsTask();
running.Wait();
Console.Out.WriteLine("ready");
Console.Out.Flush();
switch (args[0])
{
    case "return":
        return 42;
    case "exit":
        Environment.Exit(43);
        return 0;
    case "exit-in-a-job":
        engine.IO.Submit(static _ => Environment.Exit(44), 0);
        Thread.Sleep(Timeout.Infinite);
        return 0;
    case "throw":
        throw new InvalidOperationException("the program's own end");
    case "stop":
        // Here the engine is told: it discards, and says what still runs.
        Console.Out.WriteLine(await engine.StopAsync(TimeSpan.Zero));
        return 45;
    default:
        return 1;
}
