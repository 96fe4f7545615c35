namespace FastJobs.Configuration;

/// <summary>What became of one thing that a configuration says, or said before.</summary>
public enum ConfigurationOutcome
{
    /// <summary>The lane is new.</summary>
    Added,

    /// <summary>The setting has a new value.</summary>
    Changed,

    /// <summary>The setting had this value already.</summary>
    Unchanged,

    /// <summary>The setting cannot change now, and has the value it had: the note says why.</summary>
    Refused,

    /// <summary>
    /// The lane or the setting is no longer in the configuration of this source. A lane stays, with its jobs, and a
    /// setting keeps its value.
    /// </summary>
    Kept,
}

/// <summary>One line of a report.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Lane">The name of the lane.</param>
/// <param name="Setting">The setting, spelled as in the text, or null: the lane as a whole.</param>
/// <param name="Before">The value before; null for a lane.</param>
/// <param name="After">The value now; null for a lane.</param>
/// <param name="Note">Why a setting was refused, or from when it counts; otherwise null.</param>
/// <param name="Line">The line of the lane's stanza, from 1; 0 for what is not in the text any more.</param>
/// <param name="Column">The column of the stanza, from 1; 0 for what is not in the text any more.</param>
public sealed record ConfigurationEntry(
    ConfigurationOutcome Outcome,
    string Lane,
    string? Setting,
    string? Before,
    string? After,
    string? Note,
    int Line,
    int Column)
{
    /// <summary>The entry as a sentence, for a log.</summary>
    public override string ToString()
    {
        string what = Setting is null ? $"pool \"{Lane}\"" : $"pool \"{Lane}\": {Setting}";
        string became = (Outcome, Setting) switch
        {
            (ConfigurationOutcome.Added, _) => " was added",
            (ConfigurationOutcome.Changed, _) => $" was {Before}, is {After}",
            (ConfigurationOutcome.Unchanged, _) => $" is {After} already",
            (ConfigurationOutcome.Kept, null) => " is no longer in the configuration: it stays",
            (ConfigurationOutcome.Kept, _) => $" is no longer in the configuration: it stays {After}",
            (_, null) => " is refused",
            _ => $" stays {After}",
        };
        return Note is null ? what + became : $"{what}{became}: {Note}";
    }
}

/// <summary>What an engine did with a configuration.</summary>
/// <param name="Source">The file, or what the text was called.</param>
/// <param name="Entries">
/// In the order of the text, then what is no longer in it. A stanza of a lane that was added has one entry for the lane,
/// every other one an entry for each of its settings.
/// </param>
public sealed record ConfigurationReport(string Source, IReadOnlyList<ConfigurationEntry> Entries)
{
    /// <summary>Whether all is now as the text says: nothing was refused.</summary>
    public bool IsComplete => Entries.All(entry => entry.Outcome != ConfigurationOutcome.Refused);

    /// <summary>The entries, one a line.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Entries);
}
