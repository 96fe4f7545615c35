using System.Runtime.CompilerServices;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// The public API of FastJobs.dll, written down in managed/FastJobs/PublicAPI.txt: a change of it is a change of that file,
/// to be seen in review.
/// </summary>
public sealed class PublicApiTests
{
    private const string UpdateVariable = "FASTJOBS_UPDATE_API";

    [Fact]
    public void PublicApi_Assembly_IsAsWrittenDown()
    {
        string file = Path.Combine(FindRoot(), "managed", "FastJobs", "PublicAPI.txt");
        string[] actual = PublicApiText.Of(typeof(JobEngine).Assembly);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.WriteAllLines(file, actual);
        }

        string[] expected = File.Exists(file) ? File.ReadAllLines(file) : [];
        string[] differences =
        [
            .. expected.Except(actual).Select(line => $"- {line}"),
            .. actual.Except(expected).Select(line => $"+ {line}"),
        ];
        Assert.True(
            differences.Length == 0,
            $"The public API is not what {file} says. If that is meant, run this test with {UpdateVariable}=1, which "
            + $"rewrites the file, and commit it.\n{string.Join('\n', differences)}");
        Assert.Equal(expected, actual);
    }

    // From where the tests run, or, with build products elsewhere, from where this file was compiled.
    private static string FindRoot([CallerFilePath] string source = "")
    {
        foreach (string start in new[] { AppContext.BaseDirectory, source })
        {
            for (string? folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "FastJobs.sln")))
                {
                    return folder;
                }
            }
        }

        throw new DirectoryNotFoundException("the tests are not inside the repository");
    }
}
