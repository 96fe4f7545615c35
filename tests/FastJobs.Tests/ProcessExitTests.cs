using System.Diagnostics;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// A process that ends without a stop ends at once, with its own exit code: queued, running and pending jobs are gone
/// without a word. Run in a process of its own: FastJobs.ExitProbe.
/// </summary>
public sealed class ProcessExitTests
{
    // Far longer than any start of a process takes here: what is tested is that it is not for ever.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("return", 42)]
    [InlineData("exit", 43)]
    [InlineData("exit-in-a-job", 44)]
    public async Task Exit_JobsInFlight_HasItsOwnCode(string how, int expected)
    {
        (int code, string output, string error) = await Probe(how);
        Assert.Equal("ready", output.Trim());
        Assert.Equal("", error);
        Assert.Equal(expected, code);
    }

    [Fact]
    public async Task Exit_ByAnException_IsTheRuntimesAffair()
    {
        (int code, string output, string error) = await Probe("throw");
        Assert.Equal("ready", output.Trim());
        Assert.Contains("the program's own end", error, StringComparison.Ordinal);
        Assert.Equal(134, code); // SIGABRT, as of any unhandled exception
    }

    [Fact]
    public async Task Exit_AfterAStop_ReportsWhatItLeavesBehind()
    {
        (int code, string output, string error) = await Probe("stop");
        Assert.Equal("", error);
        Assert.Contains(new StopReport(1_001, 5).ToString(), output, StringComparison.Ordinal);
        Assert.DoesNotContain("queued job", output, StringComparison.Ordinal);
        Assert.Equal(45, code);
    }

    private static async Task<(int Code, string Output, string Error)> Probe(string how)
    {
        ProcessStartInfo start = new(Host(), ["exec", Path.Combine(AppContext.BaseDirectory, "FastJobs.ExitProbe.dll"), how])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using Process probe = Process.Start(start)!;
        using CancellationTokenSource patience = new(s_patience);
        Task<string> output = probe.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> error = probe.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await probe.WaitForExitAsync(patience.Token);
            return (probe.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            probe.Kill();
            throw new TimeoutException($"the process did not end: {how}");
        }
    }

    // The host whose runtime runs this test: ROOT/shared/Microsoft.NETCore.App/VERSION/System.Private.CoreLib.dll.
    private static string Host() => Path.GetFullPath(Path.Combine(
        Path.GetDirectoryName(typeof(object).Assembly.Location)!,
        "..", "..", "..",
        OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
