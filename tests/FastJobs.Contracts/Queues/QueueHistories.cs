using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Queues;

/// <summary>
/// Random histories of one queue, each operation compared with a sequential model: what it returns, how all jobs stand
/// afterwards, which waits have ended. Jobs end when the history says so, so that every state lasts until it was looked at.
/// </summary>
internal sealed class QueueHistories : QueueCases
{
    // FASTJOBS_SEED starts with another one, or repeats one that failed.
    private static readonly int s_seed =
        int.TryParse(Environment.GetEnvironmentVariable("FASTJOBS_SEED"), out int seed) ? seed : 20_26;

    public override IEnumerable<ContractCase> List() => [Case(Histories_Random_AgreeWithTheModel)];

    private async Task Histories_Random_AgreeWithTheModel()
    {
        const int Threads = 2;
        JobEngine engine = new(new JobEngineOptions
        {
            Queues = new JobQueuesOptions { Log = static _ => { } }, // detached jobs fail in many histories
        });
        int count = Stress.Scale(2_000, 100_000);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Crew.Run(() =>
        {
            for (int i = thread; i < count; i += Threads)
            {
                try
                {
                    new QueueHistory(engine.Queues, s_seed + i).Run();
                }
                catch (Exception e)
                {
                    throw new ContractFailure($"the history of seed {s_seed + i} failed: {e.Message}", e);
                }
            }
        })));
        Check.Equal(0, engine.Queues.List().Count);
        await engine.DisposeAsync().Within();
    }
}
