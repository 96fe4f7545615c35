namespace FastJobs.Bindgen;

/// <summary>The generated files on disk: written, or compared with what they should be.</summary>
internal static class Committed
{
    private const string HowTo = "run: dotnet run --project interop/bindgen";

    public static int Write(string root, SortedDictionary<string, string> files)
    {
        int changed = 0;
        foreach ((string path, string text) in files)
        {
            string full = Path.Combine(root, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            // An unchanged file keeps its time, so that nothing is compiled again for it.
            if (!File.Exists(full) || File.ReadAllText(full) != text)
            {
                File.WriteAllText(full, text);
                changed++;
            }
        }
        foreach (string stale in Stale(root, files))
        {
            File.Delete(Path.Combine(root, stale));
            changed++;
        }
        Console.WriteLine($"bindgen: {files.Count} files, {changed} changed");
        return 0;
    }

    public static int Compare(string root, SortedDictionary<string, string> files)
    {
        int different = 0;
        foreach ((string path, string text) in files)
        {
            string full = Path.Combine(root, path);
            string committed = File.Exists(full) ? File.ReadAllText(full) : "";
            if (committed != text)
            {
                different++;
                Console.Error.WriteLine($"--- {path} (committed)\n+++ {path} (what the headers say)");
                Console.Error.WriteLine(Diff(committed, text));
            }
        }
        foreach (string stale in Stale(root, files))
        {
            different++;
            Console.Error.WriteLine($"{stale}: nothing in the headers makes this file any more");
        }
        if (different > 0)
        {
            Console.Error.WriteLine($"bindgen: {different} generated files are not up to date; {HowTo}");
            return 1;
        }
        Console.WriteLine($"bindgen: {files.Count} files are up to date");
        return 0;
    }

    private static IEnumerable<string> Stale(string root, SortedDictionary<string, string> files)
    {
        string directory = Path.Combine(root, Bindings.CSharpDirectory);
        return Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, "*.g.cs")
                .Select(f => $"{Bindings.CSharpDirectory}/{Path.GetFileName(f)}")
                .Where(f => !files.ContainsKey(f)).Order(StringComparer.Ordinal)
            : [];
    }

    /// <summary>The differing lines by longest common subsequence; the files are a few hundred lines.</summary>
    private static string Diff(string before, string after)
    {
        string[] a = before.Split('\n');
        string[] b = after.Split('\n');
        int[,] common = new int[a.Length + 1, b.Length + 1];
        for (int i = a.Length - 1; i >= 0; i--)
        {
            for (int j = b.Length - 1; j >= 0; j--)
            {
                common[i, j] = a[i] == b[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }
        List<string> lines = [];
        for (int i = 0, j = 0; i < a.Length || j < b.Length;)
        {
            if (i < a.Length && j < b.Length && a[i] == b[j])
            {
                i++;
                j++;
            }
            else if (j == b.Length || (i < a.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                lines.Add($"{i + 1}: -{a[i++]}");
            }
            else
            {
                lines.Add($"{i + 1}: +{b[j++]}");
            }
        }
        return string.Join('\n', lines);
    }
}
