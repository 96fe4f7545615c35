using System.Globalization;

namespace FastJobs.Configuration;

/// <summary>What the values of a stanza mean.</summary>
internal sealed partial class ConfigurationParser
{
    private const int MinStack = 16384; // what the system takes for a thread: PTHREAD_STACK_MIN

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
