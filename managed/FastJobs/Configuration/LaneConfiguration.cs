namespace FastJobs.Configuration;

/// <summary>What a ThreadPool stanza says of one lane. What it does not say is null, and stays as it is.</summary>
public sealed record LaneConfiguration
{
    /// <summary>The lane's name, as written in the stanza. Lanes are found whatever the case of its letters.</summary>
    public required string Name { get; init; }

    /// <summary><c>Concurrency</c>: how many jobs run at once. A lane that the stanza adds has 1 unless told.</summary>
    public int? Concurrency { get; init; }

    /// <summary><c>Stack_Size</c>: bytes of a worker's stack, 0: the system's default.</summary>
    public int? StackSize { get; init; }

    /// <summary><c>Backlog</c>: how many jobs may wait before a submitter must, 0: any number.</summary>
    public int? Backlog { get; init; }

    /// <summary>
    /// <c>Idle_Timeout</c> in milliseconds, 0: never; or <c>Auto_Shrink</c>: a worker that finds no job ends at once
    /// (<see cref="TimeSpan.Zero"/>), or, if it is off, never.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary><c>Defer_Spawn</c>: jobs pile up and none starts.</summary>
    public bool? Deferred { get; init; }

    /// <summary>The line of the stanza in its text, from 1.</summary>
    public int Line { get; init; }

    /// <summary>The column of the stanza in its line, in characters, from 1.</summary>
    public int Column { get; init; }
}

/// <summary>What is wrong with a configuration, and where.</summary>
/// <param name="Source">The file, or what the text was called.</param>
/// <param name="Line">From 1; where a text ends too early, its last line.</param>
/// <param name="Column">In characters, from 1.</param>
/// <param name="Message">What was expected, and what was found instead.</param>
public readonly record struct ConfigurationError(string Source, int Line, int Column, string Message)
{
    /// <summary><c>source:line:column: message</c>, as compilers say it.</summary>
    public override string ToString() => $"{Source}:{Line}:{Column}: {Message}";
}

/// <summary>A configuration has errors. Nothing of it was applied.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="errors">What is wrong: at least one, in the order of the text.</param>
    public ConfigurationException(IReadOnlyList<ConfigurationError> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>What is wrong, in the order of the text; after 100 errors the rest is not listed.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; }
}
