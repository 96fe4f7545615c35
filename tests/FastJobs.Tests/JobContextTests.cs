using FastJobs.Jobs;
using Xunit;

namespace FastJobs.Tests;

/// <summary>What is known of the runtime that it does not promise: docs/adr/0012-the-context-of-a-thread.md.</summary>
public sealed class JobContextTests
{
    /// <summary>If this fails jobs are right and slower: the runtime keeps a thread's context elsewhere.</summary>
    [Fact]
    public async Task Worker_InThisRuntime_SeesItsThreadsContext()
    {
        await using var engine = new JobEngine();
        await engine.Cpu.RunAsync(static _ => 0, 0, TestContext.Current.CancellationToken);
        Assert.True(JobContext.IsVisible);
    }
}
