using System.Text;

namespace FastJobs.Configuration;

internal enum TokenKind
{
    /// <summary>The text is over.</summary>
    End,

    /// <summary>Any run of characters that means nothing else: a key, a number.</summary>
    Word,

    /// <summary>In quotes; the text is what it stands for.</summary>
    String,
    OpenBrace,
    CloseBrace,
    Equal,
    Semicolon,
}

/// <summary>A piece of the text, and where it starts.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What stands there; of a string, what it stands for.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters.</param>
/// <param name="Broken">An error of this token was reported already; what it stands for is a guess.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, int Column, bool Broken = false)
{
    public bool Is(string word) => Kind == TokenKind.Word && string.Equals(Text, word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// Cuts the text of a configuration into tokens. Used by the parser, from one thread. Each call of <see cref="Next"/>
/// moves on by at least a character, until the end.
/// </summary>
internal sealed class ConfigurationScanner(string text, Action<int, int, string> report)
{
    private int _at;
    private int _line = 1;
    private int _column = 1;

    private bool AtEnd => _at == text.Length;

    private bool AtLineEnd => AtEnd || text[_at] is '\n' or '\r';

    public Token Next()
    {
        SkipSpace();
        if (AtEnd)
        {
            return new Token(TokenKind.End, "", _line, _column);
        }

        TokenKind kind = text[_at] switch
        {
            '{' => TokenKind.OpenBrace,
            '}' => TokenKind.CloseBrace,
            '=' => TokenKind.Equal,
            ';' => TokenKind.Semicolon,
            '"' => TokenKind.String,
            _ => TokenKind.Word,
        };
        if (kind == TokenKind.String)
        {
            return ReadString();
        }

        int line = _line;
        int column = _column;
        int start = _at;
        do
        {
            Advance();
        }
        while (kind == TokenKind.Word && !AtEnd && IsWordCharacter(text[_at]));
        return new Token(kind, text[start.._at], line, column);
    }

    private static bool IsWordCharacter(char c) => !char.IsWhiteSpace(c) && c is not ('{' or '}' or '=' or ';' or '"' or '#');

    private void SkipSpace()
    {
        while (!AtEnd && (char.IsWhiteSpace(text[_at]) || text[_at] == '#'))
        {
            if (text[_at] == '#')
            {
                while (!AtLineEnd)
                {
                    Advance();
                }
            }
            else
            {
                Advance();
            }
        }
    }

    // A line ends with \n, \r\n or \r. A character outside of the basic plane is two chars and one column.
    private void Advance()
    {
        char c = text[_at++];
        if (c == '\n' || (c == '\r' && (AtEnd || text[_at] != '\n')))
        {
            _line++;
            _column = 1;
        }
        else if (!char.IsLowSurrogate(c))
        {
            _column++;
        }
    }

    private Token ReadString()
    {
        int line = _line;
        int column = _column;
        var value = new StringBuilder();
        bool broken = false;
        Advance();
        while (!AtLineEnd && text[_at] != '"')
        {
            if (text[_at] == '\\')
            {
                broken |= !ReadEscape(value);
            }
            else
            {
                value.Append(text[_at]);
                Advance();
            }
        }

        if (AtLineEnd)
        {
            report(line, column, "expected the string that starts here to end with '\"' on its line");
            broken = true;
        }
        else
        {
            Advance();
        }

        return new Token(TokenKind.String, value.ToString(), line, column, broken);
    }

    private bool ReadEscape(StringBuilder value)
    {
        int line = _line;
        int column = _column;
        Advance();
        char c = AtLineEnd ? '\0' : text[_at];
        char? plain = c switch
        {
            '"' or '\\' => c,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => null,
        };
        if (plain is not null)
        {
            Advance();
            value.Append(plain);
            return true;
        }

        if (c == 'u' && TryReadHex(out char read))
        {
            value.Append(read);
            return true;
        }

        report(line, column, "expected one of the escapes \\\" \\\\ \\n \\r \\t \\uXXXX");
        return false;
    }

    private bool TryReadHex(out char value)
    {
        const int Digits = 5; // the u and four of them
        value = '\0';
        if (text.Length - _at < Digits
            || !ushort.TryParse(
                text.AsSpan(_at + 1, Digits - 1),
                System.Globalization.NumberStyles.AllowHexSpecifier,
                System.Globalization.CultureInfo.InvariantCulture,
                out ushort code))
        {
            return false;
        }

        for (int i = 0; i < Digits; i++)
        {
            Advance();
        }

        value = (char)code;
        return true;
    }
}
