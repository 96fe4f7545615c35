namespace FastJobs.Configuration;

/// <summary>
/// What the lanes of an engine shall be like, read from a text of ThreadPool stanzas. Unchangeable: read once, it can be
/// applied to several engines with <see cref="JobEngine.Apply"/>.
/// </summary>
/// <remarks>
/// <code>
/// # Comments go to the end of the line. Keys may have any case of letters.
/// ThreadPool "SwapOut" {
///   Concurrency  = 5        # jobs at once; 0: in the submitter's thread
///   Stack_Size   = 262144   # bytes; 0: the system's default
///   Backlog      = 100      # jobs that may wait; 0: any number
///   Idle_Timeout = 5000     # milliseconds until an idle thread ends; 0: never
///   Auto_Shrink  = false    # true: an idle thread ends at once
///   Defer_Spawn  = false    # true: jobs pile up and none starts
/// }
/// </code>
/// A value may stand in quotes, with the escapes \" \\ \n \r \t \uXXXX. A setting that is not there stays as it is.
/// </remarks>
public sealed class JobEngineConfiguration
{
    /// <summary>The environment variable with the name of a file.</summary>
    public const string FileVariable = "FASTJOBS_CONFIG";

    /// <summary>The environment variable with a text.</summary>
    public const string TextVariable = "FASTJOBS_CONFIG_TEXT";

    private const string UnnamedSource = "(string)";

    private JobEngineConfiguration(string source, IReadOnlyList<LaneConfiguration> lanes)
    {
        Source = source;
        Lanes = lanes;
    }

    /// <summary>The file, or what the text was called: what errors and reports start with.</summary>
    public string Source { get; }

    /// <summary>The stanzas, in the order of the text; no two have the same name.</summary>
    public IReadOnlyList<LaneConfiguration> Lanes { get; }

    /// <summary>Reads a text.</summary>
    /// <param name="text">The stanzas.</param>
    /// <param name="source">What to call the text in errors and reports.</param>
    /// <exception cref="ConfigurationException">The text has errors.</exception>
    public static JobEngineConfiguration Parse(string text, string? source = null) =>
        TryParse(text, source, out JobEngineConfiguration? configuration, out IReadOnlyList<ConfigurationError> errors)
            ? configuration
            : throw new ConfigurationException(errors);

    /// <summary>Reads a text. False: it has errors.</summary>
    /// <param name="text">The stanzas.</param>
    /// <param name="source">What to call the text in errors and reports.</param>
    /// <param name="configuration">What was read, or null.</param>
    /// <param name="errors">What is wrong, in the order of the text.</param>
    public static bool TryParse(
        string text,
        string? source,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out JobEngineConfiguration? configuration,
        out IReadOnlyList<ConfigurationError> errors)
    {
        ArgumentNullException.ThrowIfNull(text);
        source ??= UnnamedSource;
        var parser = new ConfigurationParser(text, source);
        IReadOnlyList<LaneConfiguration> lanes = parser.Parse();
        errors = parser.Errors;
        configuration = errors.Count == 0 ? new JobEngineConfiguration(source, lanes) : null;
        return configuration is not null;
    }

    /// <summary>Reads a file, in UTF-8 and of at most 16 MiB.</summary>
    /// <exception cref="ConfigurationException">The file has errors.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static JobEngineConfiguration Load(string path) => Load(path, path);

    /// <summary>
    /// Reads what the environment names: the file <c>FASTJOBS_CONFIG</c>, or the text <c>FASTJOBS_CONFIG_TEXT</c>. Null:
    /// neither variable is set, or both are empty.
    /// </summary>
    /// <exception cref="ConfigurationException">There are errors, or both variables are set.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static JobEngineConfiguration? FromEnvironment()
    {
        string? file = Environment.GetEnvironmentVariable(FileVariable);
        string? text = Environment.GetEnvironmentVariable(TextVariable);
        if (!string.IsNullOrEmpty(file) && !string.IsNullOrEmpty(text))
        {
            throw new ConfigurationException(
                [new ConfigurationError(TextVariable, 1, 1, $"expected {FileVariable} or {TextVariable}, found both set")]);
        }

        return !string.IsNullOrEmpty(file) ? Load(file)
            : !string.IsNullOrEmpty(text) ? Parse(text, TextVariable)
            : null;
    }

    /// <summary>As <see cref="Load(string)"/>, with a name for errors.</summary>
    internal static JobEngineConfiguration Load(string path, string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(ConfigurationText.ReadFile(path), source);
    }

    /// <summary>As <see cref="Parse(string, string?)"/>, from UTF-8.</summary>
    internal static JobEngineConfiguration Parse(ReadOnlySpan<byte> text, string? source)
    {
        source ??= UnnamedSource;
        List<ConfigurationError> errors = [];
        return ConfigurationText.Decode(text, source, errors) is { } decoded
            ? Parse(decoded, source)
            : throw new ConfigurationException(errors);
    }
}
