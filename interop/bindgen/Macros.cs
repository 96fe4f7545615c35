using System.Text.RegularExpressions;

namespace FastJobs.Bindgen;

/// <summary>Finds the macros of our headers that are integer constants, and lets the compiler evaluate them.</summary>
internal static partial class Macros
{
    /// <summary>The macros in the order of the headers, with the text they stand for.</summary>
    public static List<(string Name, string Text)> Find(string preprocessed, string includeDirectory)
    {
        List<(string Name, string Text)> found = [];
        bool own = false;
        foreach (string line in preprocessed.Split('\n'))
        {
            if (LineMarker().Match(line) is { Success: true } marker)
            {
                own = marker.Groups[1].Value.StartsWith(includeDirectory, StringComparison.Ordinal);
            }
            else if (own && Define().Match(line) is { Success: true } define)
            {
                found.Add((define.Groups[1].Value, define.Groups[2].Value.Trim()));
            }
            else if (Undef().Match(line) is { Success: true } undef)
            {
                found.RemoveAll(m => m.Name == undef.Groups[1].Value);
            }
        }
        HashSet<string> names = [.. found.Select(m => m.Name)];
        return [.. found.Where(m => IsConstant(m.Text, names))];
    }

    /// <summary>Source text that makes castxml compute each value, as the value of an enumerator.</summary>
    public static string Probe(IEnumerable<(string Name, string Text)> macros) =>
        string.Concat(macros.Select(m => $"enum {{ {ValueName(m.Name)} = ({m.Name}) }};\n"));

    public static string ValueName(string macro) => "fj_bindgen_" + macro;

    // Numbers, operators and other macros of ours: anything else (types, functions, attributes) is no constant.
    private static bool IsConstant(string text, HashSet<string> names) =>
        text.Length > 0 && ConstantText().IsMatch(text) && Word().Matches(text).All(w => names.Contains(w.Value));

    [GeneratedRegex("^# \\d+ \"([^\"]*)\"")]
    private static partial Regex LineMarker();

    [GeneratedRegex(@"^#define (\w+)(?: (.*))?$")]
    private static partial Regex Define();

    [GeneratedRegex(@"^#undef (\w+)")]
    private static partial Regex Undef();

    [GeneratedRegex(@"^[\w\s()+\-*/%|&^~<>]+$")]
    private static partial Regex ConstantText();

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex Word();
}
