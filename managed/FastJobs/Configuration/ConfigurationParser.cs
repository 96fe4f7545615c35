using System.Globalization;
using System.Text;

namespace FastJobs.Configuration;

/// <summary>
/// Reads ThreadPool stanzas. One use, one thread. After an error it goes on where the next thing seems to start, so that
/// one run lists many errors.
/// </summary>
/// <remarks>
/// <code>
/// text    = { stanza }
/// stanza  = "ThreadPool" string "{" { setting [";"] } "}"
/// setting = key "=" ( word | string )     the value on the line of its "="
/// </code>
/// Keys and the word ThreadPool in any case of letters; # starts a comment, up to the end of the line.
/// </remarks>
internal sealed class ConfigurationParser
{
    public const int MaxErrors = 100;

    private const string Stanza = "ThreadPool";
    private const int MinStack = 16384; // what the system takes for a thread: PTHREAD_STACK_MIN
    private static readonly string[] s_keys =
    [
        SettingNames.Concurrency, SettingNames.StackSize, SettingNames.Backlog,
        SettingNames.AutoShrink, SettingNames.IdleTimeout, SettingNames.DeferSpawn,
    ];

    private readonly string _source;
    private readonly ConfigurationScanner _scanner;
    private readonly List<ConfigurationError> _errors = [];
    private readonly List<LaneConfiguration> _lanes = [];
    private readonly Dictionary<string, int> _lines = new(StringComparer.OrdinalIgnoreCase); // of the stanza of a name
    private Token _token;

    public ConfigurationParser(string text, string source)
    {
        _source = source;
        _scanner = new ConfigurationScanner(text, Report);
        Next();
    }

    /// <summary>In the order of the text.</summary>
    public IReadOnlyList<ConfigurationError> Errors => [.. _errors.OrderBy(error => error.Line).ThenBy(error => error.Column)];

    public IReadOnlyList<LaneConfiguration> Parse()
    {
        while (_token.Kind != TokenKind.End)
        {
            if (_token.Is(Stanza))
            {
                ParseStanza();
            }
            else
            {
                Expected($"{Stanza} \"name\" {{");
                do
                {
                    Next();
                }
                while (_token.Kind != TokenKind.End && !_token.Is(Stanza));
            }
        }

        return _lanes;
    }

    private void ParseStanza()
    {
        Token start = _token;
        Next();
        bool brokenName = _token.Broken;
        string? name = ParseName();
        if (_token.Kind == TokenKind.OpenBrace)
        {
            Next();
        }
        else if (!brokenName) // else: a name without its closing quote took the brace with it
        {
            Expected($"\"{{\" after the name of the {Stanza}");
            if (_token.Kind == TokenKind.CloseBrace)
            {
                Next();
                return;
            }

            if (_token.Kind != TokenKind.Word || _token.Is(Stanza))
            {
                return; // else: only the brace is missing
            }
        }

        var settings = new Settings(start, name);
        while (_token.Kind != TokenKind.CloseBrace)
        {
            if (_token.Kind == TokenKind.End || _token.Is(Stanza))
            {
                Expected($"\"}}\" for the {Stanza} of line {start.Line}");
                Add(settings);
                return;
            }

            if (_token.Kind == TokenKind.Word)
            {
                ParseSetting(settings);
            }
            else if (_token.Kind != TokenKind.Semicolon)
            {
                Expected("a setting or \"}\"");
                SkipLine(_token.Line);
                continue;
            }

            if (_token.Kind == TokenKind.Semicolon)
            {
                Next();
            }
        }

        Next();
        Add(settings);
    }

    // Null: there is none, and that was said. What looks like one is taken, so that the stanza can be read on.
    private string? ParseName()
    {
        Token token = _token;
        if (token.Kind is not (TokenKind.String or TokenKind.Word))
        {
            Expected("the pool's name in quotes");
            return null;
        }

        if (token.Kind == TokenKind.Word)
        {
            Expected("the pool's name in quotes");
        }
        else if (!token.Broken && (token.Text.Length == 0 || token.Text.Any(char.IsControl)))
        {
            Expected("a name of at least one character and without control characters");
        }
        else if (!token.Broken && HasLoneSurrogate(token.Text))
        {
            Expected("a name of whole characters");
        }
        else if (!token.Broken && !_lines.TryAdd(token.Text, token.Line))
        {
            Expected($"one {Stanza} for each pool (this one has a stanza in line {_lines[token.Text]})");
        }

        Next();
        return token.Text;
    }

    private void ParseSetting(Settings settings)
    {
        Token key = _token;
        string? setting = Array.Find(s_keys, key.Is);
        if (setting is null)
        {
            Expected($"one of {string.Join(", ", s_keys)}");
        }
        else if (settings.Lines.TryGetValue(setting, out int line))
        {
            Expected($"{setting} once in a {Stanza} (it stands in line {line} already)");
        }

        Next();
        if (_token.Kind != TokenKind.Equal)
        {
            if (setting is not null)
            {
                Expected($"\"=\" after {setting}");
            }

            SkipLine(key.Line);
            return;
        }

        Token equal = _token;
        Next();
        if (_token.Kind is not (TokenKind.Word or TokenKind.String) || _token.Line != equal.Line)
        {
            Report(equal.Line, equal.Column, $"expected a value for {setting ?? key.Text} on the line of its \"=\"");
            return;
        }

        if (setting is not null && !_token.Broken && settings.Lines.TryAdd(setting, key.Line))
        {
            SetValue(settings, setting);
        }

        Next();
    }

    private void SetValue(Settings settings, string setting)
    {
        switch (setting)
        {
            case SettingNames.Concurrency:
                settings.Lane = settings.Lane with { Concurrency = Number(setting, 0) };
                break;
            case SettingNames.StackSize:
                settings.Lane = settings.Lane with { StackSize = Number(setting, MinStack) };
                break;
            case SettingNames.Backlog:
                settings.Lane = settings.Lane with { Backlog = Number(setting, 0) };
                break;
            case SettingNames.DeferSpawn:
                settings.Lane = settings.Lane with { Deferred = Truth(setting) };
                break;
            case SettingNames.AutoShrink:
                settings.Shrinks = Truth(setting);
                CheckShrinking(settings);
                break;
            default:
                settings.IdleMilliseconds = Number(setting, 0);
                CheckShrinking(settings);
                break;
        }
    }

    private void CheckShrinking(Settings settings)
    {
        if (settings is { Shrinks: true, IdleMilliseconds: not null })
        {
            Expected($"{SettingNames.AutoShrink} (idle threads end at once) or {SettingNames.IdleTimeout}, not both");
        }
    }

    // A number is 0 or at least `minimum`.
    private int? Number(string setting, int minimum)
    {
        string allowed = minimum == 0 ? "from 0" : $"0, or from {minimum}";
        if (int.TryParse(_token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            && (value == 0 || value >= minimum))
        {
            return value;
        }

        Expected($"a plain whole number for {setting}, {allowed} to {int.MaxValue}");
        return null;
    }

    private bool? Truth(string setting)
    {
        switch (_token.Text.ToLowerInvariant())
        {
            case "true" or "yes" or "on" or "1":
                return true;
            case "false" or "no" or "off" or "0":
                return false;
            default:
                Expected($"true or false for {setting}");
                return null;
        }
    }

    private void Add(Settings settings)
    {
        if (settings.Named)
        {
            _lanes.Add(settings.Finish());
        }
    }

    // Up to the first token that is not on the line, or that ends the stanza on it.
    private void SkipLine(int line)
    {
        if (_token.Line != line)
        {
            return;
        }

        do
        {
            Next();
        }
        while (_token.Line == line && _token.Kind is not (TokenKind.End or TokenKind.CloseBrace or TokenKind.Semicolon));
    }

    private void Next() => _token = _scanner.Next();

    private void Expected(string what)
    {
        if (!_token.Broken)
        {
            Report(_token.Line, _token.Column, $"expected {what}, found {Describe(_token)}");
        }
    }

    private void Report(int line, int column, string message)
    {
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(new ConfigurationError(_source, line, column, message));
        }
    }

    private static bool HasLoneSurrogate(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return true; // it stands for a lone surrogate; written out it is no name either
            }
        }

        return false;
    }

    private static string Describe(Token token)
    {
        const int Shown = 40;
        if (token.Kind == TokenKind.End)
        {
            return "the end of the text";
        }

        var text = new StringBuilder();
        foreach (Rune rune in token.Text.EnumerateRunes())
        {
            if (text.Length >= Shown)
            {
                text.Append("...");
                break;
            }

            text.Append(Rune.IsControl(rune) ? $"\\u{rune.Value:x4}" : rune.ToString());
        }

        return $"\"{text}\"";
    }

    // A stanza while it is read.
    private sealed class Settings(Token start, string? name)
    {
        public LaneConfiguration Lane { get; set; } = new()
        {
            Name = name ?? "",
            Line = start.Line,
            Column = start.Column,
        };

        public bool Named => name is not null;

        public bool? Shrinks { get; set; }

        public int? IdleMilliseconds { get; set; }

        public Dictionary<string, int> Lines { get; } = [];

        public LaneConfiguration Finish() => Lane with
        {
            IdleTimeout = (Shrinks, IdleMilliseconds) switch
            {
                (true, _) => TimeSpan.Zero,
                (_, > 0) => TimeSpan.FromMilliseconds(IdleMilliseconds.Value),
                (null, null) => null,
                _ => Timeout.InfiniteTimeSpan,
            },
        };
    }
}

/// <summary>The keys of a stanza, as reports spell them.</summary>
internal static class SettingNames
{
    public const string Concurrency = "Concurrency";
    public const string StackSize = "Stack_Size";
    public const string Backlog = "Backlog";
    public const string AutoShrink = "Auto_Shrink";
    public const string IdleTimeout = "Idle_Timeout";
    public const string DeferSpawn = "Defer_Spawn";
}
