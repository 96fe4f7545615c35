using System.Text.RegularExpressions;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// The code refers to docs/protocols.md for its proofs, and the pages refer to one another: nothing may refer to what
/// is not there.
/// </summary>
public sealed partial class ProtocolAnchorTests
{
    private static readonly string s_root = FindRoot();

    private static readonly string[] s_citing = ["*.cs", "*.c", "*.h", "*.cpp", "*.hpp", "*.md"];

    /// <summary>What builds and tools leave behind; generated text is not ours.</summary>
    private static readonly HashSet<string> s_skipped = [".git", "bin", "obj", "build", "artifacts", "node_modules"];

    [Fact]
    public void Citations_OfTheProtocols_AreHeadings()
    {
        HashSet<string> headings = Anchors(Path.Combine(s_root, "docs", "protocols.md"));
        List<string> citations = [];
        List<string> broken = [];
        foreach (string file in Files(s_root, s_citing))
        {
            foreach (Match match in Citation().Matches(File.ReadAllText(file)))
            {
                string anchor = match.Groups[1].Value;
                citations.Add(anchor);
                if (!headings.Contains(anchor))
                {
                    broken.Add($"{Relative(file)}: #{anchor}");
                }
            }
        }

        Assert.True(citations.Count > 10, $"only {citations.Count} citations were found: the search is broken");
        Assert.True(broken.Count == 0, $"no such heading in docs/protocols.md:\n{string.Join('\n', broken)}");
    }

    [Fact]
    public void RelativeLinks_InThePages_LeadToFiles()
    {
        List<string> broken = [];
        IEnumerable<string> pages = Files(Path.Combine(s_root, "docs"), ["*.md"])
            .Concat(Directory.EnumerateFiles(s_root, "README*.md"));
        foreach (string page in pages)
        {
            string text = InlineCode().Replace(string.Join('\n', LinesOutsideFences(page)), "");
            foreach (Match match in Link().Matches(text))
            {
                string target = Uri.UnescapeDataString(match.Groups[1].Value);
                if (!Scheme().IsMatch(target) && !Exists(page, target))
                {
                    broken.Add($"{Relative(page)}: {target}");
                }
            }
        }

        Assert.True(broken.Count == 0, $"links that lead nowhere:\n{string.Join('\n', broken)}");
    }

    [Theory]
    [InlineData("Wake", "wake")]
    [InlineData("Two words", "two-words")]
    [InlineData("`Job`: the word, and more!", "job-the-word-and-more")]
    [InlineData("a - b_c", "a---b_c")]
    public void Anchor_OfAHeading_IsWhatGitHubMakesOfIt(string heading, string anchor) =>
        Assert.Equal(anchor, AnchorOf(heading));

    private static bool Exists(string page, string target)
    {
        string[] parts = target.Split('#', 2);
        string file = parts[0].Length == 0 ? page
            : parts[0][0] == '/' ? Path.Combine(s_root, parts[0].TrimStart('/'))
            : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        if (!File.Exists(file))
        {
            return Directory.Exists(file);
        }

        bool hasAnchor = parts.Length == 2 && file.EndsWith(".md", StringComparison.Ordinal);
        return !hasAnchor || Anchors(file).Contains(parts[1]);
    }

    private static HashSet<string> Anchors(string page)
    {
        HashSet<string> anchors = [];
        foreach (string line in LinesOutsideFences(page))
        {
            if (Heading().Match(line) is { Success: true } match)
            {
                // A heading that comes again gets a number.
                string anchor = AnchorOf(match.Groups[1].Value);
                for (int i = 1; !anchors.Add(i == 1 ? anchor : $"{anchor}-{i - 1}"); i++)
                {
                }
            }
        }

        return anchors;
    }

    // Small letters; no punctuation but hyphens and underscores; hyphens for blanks.
    private static string AnchorOf(string heading) =>
        Punctuation().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    private static IEnumerable<string> LinesOutsideFences(string page)
    {
        bool inFence = false;
        foreach (string line in File.ReadLines(page))
        {
            bool isFence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            inFence ^= isFence;
            if (!inFence && !isFence)
            {
                yield return line;
            }
        }
    }

    private static IEnumerable<string> Files(string directory, string[] patterns) =>
        patterns.SelectMany(pattern => Directory.EnumerateFiles(directory, pattern)).Concat(
            Directory.EnumerateDirectories(directory)
                .Where(child => !s_skipped.Contains(Path.GetFileName(child)))
                .SelectMany(child => Files(child, patterns)));

    private static string Relative(string file) => Path.GetRelativePath(s_root, file);

    private static string FindRoot()
    {
        // Where the source was is asked too, for builds whose artifacts lie outside of the repository.
        foreach (string start in new[] { AppContext.BaseDirectory, SourceFile() })
        {
            for (string? at = start; at is not null; at = Path.GetDirectoryName(at))
            {
                if (IsRoot(at))
                {
                    return at;
                }
            }
        }

        throw new DirectoryNotFoundException("the repository was not found above the test");
    }

    private static bool IsRoot(string directory) =>
        File.Exists(Path.Combine(directory, "FastJobs.sln")) || File.Exists(Path.Combine(directory, "global.json"));

    private static string SourceFile([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"protocols\.md#([\w-]+)")]
    private static partial Regex Citation();

    [GeneratedRegex(@"^#{1,6}\s+(.*?)\s*#*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\]\(\s*<?([^)\s>]+)>?(?:\s+""[^""]*"")?\s*\)")]
    private static partial Regex Link();

    [GeneratedRegex("^[a-z][a-z0-9+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"[^\p{L}\p{N}\p{M}_\- ]")]
    private static partial Regex Punctuation();
}
