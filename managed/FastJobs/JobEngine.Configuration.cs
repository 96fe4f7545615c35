using FastJobs.Configuration;

namespace FastJobs;

/// <summary>Settings from a text.</summary>
public sealed partial class JobEngine
{
    private readonly Lock _configuring = new();
    private readonly ConfigurationApplier _applier = new();

    /// <summary>
    /// Adds the lanes that a configuration names and this engine does not have, and gives the others the settings that it
    /// names. Running and waiting jobs go on. Lanes that are not in it are left as they are.
    /// </summary>
    /// <returns>
    /// What was added and changed, and what was not and why. Applied again from the same
    /// <see cref="JobEngineConfiguration.Source"/>, it also names what is no longer there.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public ConfigurationReport Apply(JobEngineConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        lock (_configuring)
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_stop is not null, this);
            }

            return _applier.Apply(configuration, new ConfigurableLanes(this));
        }
    }

    private sealed class ConfigurableLanes(JobEngine engine) : IConfigurableLanes
    {
        public string? NameIsReserved(string name) => null;

        public IConfigurableLane? Find(string name) => engine.FindLane(name) is { } lane ? new ConfigurableLane(lane) : null;

        public IConfigurableLane? TryAdd(LaneConfiguration wanted)
        {
            var options = new LaneOptions
            {
                Name = wanted.Name,
                Concurrency = wanted.Concurrency ?? 1,
                Backlog = wanted.Backlog ?? 0,
                StackSize = wanted.StackSize ?? 0,
                IdleTimeout = wanted.IdleTimeout ?? Timeout.InfiniteTimeSpan,
                Deferred = wanted.Deferred ?? false,
            };
            return engine.TryAddLane(options, out JobLane? lane) ? new ConfigurableLane(lane) : null;
        }
    }

    private sealed class ConfigurableLane(JobLane lane) : IConfigurableLane
    {
        public string Name => lane.Name;

        public int Concurrency { get => lane.Concurrency; set => lane.Concurrency = value; }

        public long Backlog { get => lane.Backlog; set => lane.Backlog = (int)value; }

        public string? BacklogIsFixed => null;

        public int StackSize { get => lane.StackSize; set => lane.StackSize = value; }

        public bool HasThreads => lane.Inner.Workers.HasSpunUp;

        public TimeSpan IdleTimeout { get => lane.IdleTimeout; set => lane.IdleTimeout = value; }

        public bool Deferred { get => lane.Deferred; set => lane.Deferred = value; }
    }
}
