using FastJobs;

await using var engine = new JobEngine();

// A result, without a closure and without an allocation.
int sum = await engine.Cpu.RunAsync(static n => n.A + n.B, (A: 40, B: 2));
Console.WriteLine(sum);

// Fire and forget, in a lane of its own: at most two at once, at most 100 waiting.
JobLane mail = engine.AddLane(new LaneOptions { Name = "mail", Concurrency = 2, Backlog = 100 });
for (int i = 0; i < 3; i++)
{
    mail.Submit(static i => Console.Error.WriteLine($"letter {i}"), i);
}

await engine.DrainAsync();
Console.WriteLine(mail.GetStatistics().Invocations);
