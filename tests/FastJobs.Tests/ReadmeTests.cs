using System.Text.RegularExpressions;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// Every snippet of the pages is a file that is compiled and run by other tests; here: it is that file.
/// </summary>
public partial class ReadmeTests
{
    [Theory]
    [InlineData("README.md", 2)]
    [InlineData("docs/cpp-api.md", 7)]
    public void Snippets_AreTheFilesThatTheyName(string page, int count)
    {
        string root = FindRoot();
        string readme = File.ReadAllText(Path.Combine(root, page));
        MatchCollection snippets = Snippet().Matches(readme);
        Assert.Equal(count, snippets.Count);
        foreach (Match snippet in snippets)
        {
            Assert.Equal(File.ReadAllText(Path.Combine(root, snippet.Groups["file"].Value)), snippet.Groups["text"].Value);
        }
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/cpp-api.md")]
    public void CodeBlocks_AllNameTheirFile(string page)
    {
        string readme = File.ReadAllText(Path.Combine(FindRoot(), page));
        Assert.Equal(Snippet().Count(readme) * 2, Regex.Count(readme, "^```", RegexOptions.Multiline));
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "global.json")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }

    [GeneratedRegex(@"<!-- (?<file>\S+) -->\n```\w+\n(?<text>.*?)```\n", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
