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
internal sealed partial class ConfigurationParser
{
    public const int MaxErrors = 100;

    private const string Stanza = "ThreadPool";
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
}
