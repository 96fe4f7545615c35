using System.Globalization;

namespace FastJobs.Configuration;

/// <summary>A lane as a configuration sees it. Setters take values that the parser let through.</summary>
internal interface IConfigurableLane
{
    string Name { get; }

    int Concurrency { get; set; }

    long Backlog { get; set; }

    /// <summary>Why the backlog cannot change now, or null.</summary>
    string? BacklogIsFixed { get; }

    int StackSize { get; set; }

    /// <summary>Whether some threads have their stack already.</summary>
    bool HasThreads { get; }

    TimeSpan IdleTimeout { get; set; }

    bool Deferred { get; set; }
}

/// <summary>The lanes of an engine as a configuration sees them.</summary>
internal interface IConfigurableLanes
{
    /// <summary>Why no lane may have this name, or null.</summary>
    string? NameIsReserved(string name);

    /// <summary>The lane with this name, or null.</summary>
    IConfigurableLane? Find(string name);

    /// <summary>Adds a lane with these settings. Null: there is one by now.</summary>
    IConfigurableLane? TryAdd(LaneConfiguration configuration);
}

/// <summary>
/// Makes the lanes of one engine what configurations say, and remembers what each source said last. One call at a time:
/// the caller has a lock, which is not taken by jobs.
/// </summary>
internal sealed class ConfigurationApplier
{
    private readonly Dictionary<string, JobEngineConfiguration> _applied = [];

    public ConfigurationReport Apply(JobEngineConfiguration configuration, IConfigurableLanes lanes)
    {
        List<ConfigurationEntry> entries = [];
        foreach (LaneConfiguration wanted in configuration.Lanes)
        {
            Apply(wanted, lanes, entries);
        }

        if (_applied.TryGetValue(configuration.Source, out JobEngineConfiguration? before))
        {
            ReportVanished(before, configuration, lanes, entries);
        }

        _applied[configuration.Source] = configuration;
        return new ConfigurationReport(configuration.Source, entries);
    }

    private static void Apply(LaneConfiguration wanted, IConfigurableLanes lanes, List<ConfigurationEntry> entries)
    {
        if (lanes.NameIsReserved(wanted.Name) is { } reason)
        {
            entries.Add(Entry(ConfigurationOutcome.Refused, wanted, null, null, null, reason));
            return;
        }

        IConfigurableLane? lane = lanes.Find(wanted.Name);
        if (lane is null && lanes.TryAdd(wanted) is { } added)
        {
            entries.Add(Entry(ConfigurationOutcome.Added, wanted with { Name = added.Name }, null, null, null, null));
            return;
        }

        lane ??= lanes.Find(wanted.Name)!; // somebody else added it meanwhile, and lanes are never removed
        wanted = wanted with { Name = lane.Name };
        foreach (Setting setting in Setting.All)
        {
            if (setting.Wanted(wanted) is not { } value)
            {
                continue;
            }

            string now = setting.Now(lane);
            string? fixedBy = now == value ? null : setting.FixedBy(lane);
            if (now == value)
            {
                entries.Add(Entry(ConfigurationOutcome.Unchanged, wanted, setting.Name, now, now, null));
            }
            else if (fixedBy is not null)
            {
                entries.Add(Entry(ConfigurationOutcome.Refused, wanted, setting.Name, now, now, $"{fixedBy} (asked for: {value})"));
            }
            else
            {
                setting.Set(lane, wanted);
                entries.Add(Entry(ConfigurationOutcome.Changed, wanted, setting.Name, now, value, setting.Note(lane)));
            }
        }
    }

    private static void ReportVanished(
        JobEngineConfiguration before, JobEngineConfiguration now, IConfigurableLanes lanes, List<ConfigurationEntry> entries)
    {
        foreach (LaneConfiguration old in before.Lanes)
        {
            if (lanes.Find(old.Name) is not { } lane)
            {
                continue; // it was refused then
            }

            LaneConfiguration? current = now.Lanes.FirstOrDefault(
                other => string.Equals(other.Name, old.Name, StringComparison.OrdinalIgnoreCase));
            LaneConfiguration gone = old with { Name = lane.Name, Line = 0, Column = 0 };
            if (current is null)
            {
                entries.Add(Entry(ConfigurationOutcome.Kept, gone, null, null, null, null));
                continue;
            }

            foreach (Setting setting in Setting.All)
            {
                if (setting.Wanted(old) is not null && setting.Wanted(current) is null)
                {
                    string value = setting.Now(lane);
                    entries.Add(Entry(ConfigurationOutcome.Kept, gone, setting.Name, value, value, null));
                }
            }
        }
    }

    private static ConfigurationEntry Entry(
        ConfigurationOutcome outcome, LaneConfiguration lane, string? setting, string? before, string? after, string? note) =>
        new(outcome, lane.Name, setting, before, after, note, lane.Line, lane.Column);

    /// <summary>One of the settings that a stanza may have.</summary>
    /// <param name="Name">As reports spell it.</param>
    /// <param name="Wanted">What a stanza asks for, or null.</param>
    /// <param name="Now">What the lane has.</param>
    /// <param name="Set">Gives the lane what the stanza asks for.</param>
    /// <param name="FixedBy">Why it cannot change now, or null.</param>
    /// <param name="Note">From when a change counts, if not from now.</param>
    private sealed record Setting(
        string Name,
        Func<LaneConfiguration, string?> Wanted,
        Func<IConfigurableLane, string> Now,
        Action<IConfigurableLane, LaneConfiguration> Set,
        Func<IConfigurableLane, string?> FixedBy,
        Func<IConfigurableLane, string?> Note)
    {
        public static IReadOnlyList<Setting> All { get; } =
        [
            new(
                SettingNames.Concurrency,
                static wanted => Text(wanted.Concurrency),
                static lane => Text(lane.Concurrency)!,
                static (lane, wanted) => lane.Concurrency = wanted.Concurrency!.Value,
                Never,
                Never),
            new(
                SettingNames.StackSize,
                static wanted => Text(wanted.StackSize),
                static lane => Text(lane.StackSize)!,
                static (lane, wanted) => lane.StackSize = wanted.StackSize!.Value,
                Never,
                static lane => lane.HasThreads ? "for threads that start from now on" : null),
            new(
                SettingNames.Backlog,
                static wanted => Text(wanted.Backlog),
                static lane => Text(lane.Backlog)!,
                static (lane, wanted) => lane.Backlog = wanted.Backlog!.Value,
                static lane => lane.BacklogIsFixed,
                Never),
            new(
                SettingNames.IdleTimeout,
                static wanted => Text(wanted.IdleTimeout),
                static lane => Text(lane.IdleTimeout)!,
                static (lane, wanted) => lane.IdleTimeout = wanted.IdleTimeout!.Value,
                Never,
                Never),
            new(
                SettingNames.DeferSpawn,
                static wanted => Text(wanted.Deferred),
                static lane => Text(lane.Deferred)!,
                static (lane, wanted) => lane.Deferred = wanted.Deferred!.Value,
                Never,
                Never),
        ];

        private static string? Never(IConfigurableLane lane) => null;

        private static string? Text(long? number) => number?.ToString(CultureInfo.InvariantCulture);

        private static string? Text(bool? value) => value switch { null => null, true => "true", false => "false" };

        private static string? Text(TimeSpan? timeout) => timeout switch
        {
            null => null,
            { Ticks: 0 } => "at once",
            { } t when t == Timeout.InfiniteTimeSpan => "never",
            { } t => $"{t.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms",
        };
    }
}
