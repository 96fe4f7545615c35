using System.Text;
using FastJobs.Configuration;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Configuration;

/// <summary>
/// Random changes of valid texts: the parser always ends, never throws anything unexpected, and every error stands inside
/// the text. A failure says the seed.
/// </summary>
internal sealed class ConfigurationFuzz() : EngineCases("ConfigurationContract")
{
    private const string Valid =
        """
        # pools of a mail server
        ThreadPool "SwapOut" {
          Concurrency = 5
          Stack_Size  = 262144
          Backlog     = 100 # jobs
        }
        threadpool "gr\u00fc\"n" { concurrency = "3"; Auto_Shrink = yes }
        ThreadPool "Unlink" {
          Idle_Timeout = 5000
          Defer_Spawn = off
        }
        """;

    private static readonly string[] s_pieces =
    [
        "{", "}", "=", ";", "\"", "\\", "\\u", "#", "\n", "\r", " ", "ThreadPool", "Backlog", "0", "-1", "99999999999999999999",
        "\0", "\uFFFF", "é", "\U0001F600", "\uD800", "\uDC00", "\uFEFF", "\u2028", "x",
    ];

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Parse_RandomChanges_EndsAndPlacesErrors),
        Case(Parse_RandomBytes_EndsAndPlacesErrors),
        Case(Parse_HugeTexts_TakeLinearTime),
    ];

    private static void Parse_RandomChanges_EndsAndPlacesErrors()
    {
        int seed = Environment.TickCount;
        int failed = 0;
        for (int i = 0; i < Stress.Scale(20_000, 2_000_000); i++)
        {
            var random = new Random(seed + i);
            string text = Mutate(random);
            failed += Try(text, seed + i) ? 1 : 0;
        }

        Check.True(failed > 1000); // it was not in vain
    }

    private static void Parse_RandomBytes_EndsAndPlacesErrors()
    {
        int seed = Environment.TickCount;
        byte[] valid = Encoding.UTF8.GetBytes(Valid);
        string path = Path.GetTempFileName();
        try
        {
            for (int i = 0; i < Stress.Scale(300, 20_000); i++)
            {
                var random = new Random(seed + i);
                byte[] bytes = [.. valid];
                for (int changes = random.Next(1, 5); changes > 0; changes--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                File.WriteAllBytes(path, bytes);
                try
                {
                    JobEngineConfiguration.Load(path);
                }
                catch (ConfigurationException e)
                {
                    CheckPlaces(Encoding.UTF8.GetString(bytes), e.Errors, seed + i);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    // What would be quadratic takes hours.
    private static void Parse_HugeTexts_TakeLinearTime()
    {
        const int Count = 200_000;
        var stanzas = new StringBuilder();
        for (int i = 0; i < Count; i++)
        {
            stanzas.Append("ThreadPool \"").Append(i).Append("\" { Backlog = 1 }\n");
        }

        Check.Equal(Count, JobEngineConfiguration.Parse(stanzas.ToString()).Lanes.Count);
        foreach (string piece in s_pieces)
        {
            Try(string.Concat(Enumerable.Repeat(piece, Count)), 0);
            Try("ThreadPool \"x\" { " + string.Concat(Enumerable.Repeat(piece, Count)), 0);
            Try("ThreadPool \"" + string.Concat(Enumerable.Repeat(piece, Count)), 0);
        }
    }

    private static string Mutate(Random random)
    {
        var text = new StringBuilder(Valid);
        for (int changes = random.Next(1, 6); changes > 0 && text.Length > 0; changes--)
        {
            int at = random.Next(text.Length);
            int length = Math.Min(random.Next(1, 12), text.Length - at);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, s_pieces[random.Next(s_pieces.Length)]);
                    break;
                case 2:
                    text[at] = (char)random.Next(0x250);
                    break;
                case 3:
                    text.Insert(random.Next(text.Length + 1), text.ToString(at, length));
                    break;
                default:
                    text.Length = Math.Max(1, at);
                    break;
            }
        }

        return text.ToString();
    }

    private static bool Try(string text, int seed)
    {
        try
        {
            if (JobEngineConfiguration.TryParse(text, null, out _, out IReadOnlyList<ConfigurationError> errors))
            {
                return false;
            }

            CheckPlaces(text, errors, seed);
            return true;
        }
        catch (Exception e) when (e is not ContractFailure)
        {
            throw new ContractFailure($"seed {seed}: {e}", e);
        }
    }

    private static void CheckPlaces(string text, IReadOnlyList<ConfigurationError> errors, int seed)
    {
        string[] lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n');
        Check.True(errors.Count is > 0 and <= 100, $"seed {seed}: {errors.Count} errors");
        foreach (ConfigurationError error in errors)
        {
            bool inside = error.Line >= 1 && error.Line <= lines.Length
                && error.Column >= 1 && error.Column <= lines[error.Line - 1].Length + 1;
            Check.True(inside && error.Message.StartsWith("expected ", StringComparison.Ordinal), $"seed {seed}: {error}");
        }
    }
}
