using FastJobs.Contracts.Channels;
using FastJobs.Contracts.Models;

namespace FastJobs.Contracts;

/// <summary>
/// Every contract suite there is, in one place: the xunit project and the NativeAOT executable both run these.
/// </summary>
public static class AllContracts
{
    /// <summary>What a channel promises, over each kind of channel.</summary>
    public static IReadOnlyList<ContractCase> ChannelContract { get; } =
        [.. ChannelKinds.All.SelectMany(Channels.ChannelContract.Cases)];

    /// <summary>Many producers and consumers with random cancels, over each kind of channel.</summary>
    public static IReadOnlyList<ContractCase> ChannelStress { get; } =
        [.. ChannelKinds.All.SelectMany(kind => new ChannelStress<Large>(kind, ItemKinds.Large).List()
            .Concat(new ChannelStress<Plain>(kind, ItemKinds.Plain).List()))];

    /// <summary>The models of the protocols, in every interleaving.</summary>
    public static IReadOnlyList<ContractCase> Models { get; } = [.. ModelContract.Cases()];

    /// <summary>What the managed engine promises.</summary>
    public static IReadOnlyList<ContractCase> EngineContract { get; } = [.. Engine.EngineContract.Cases()];

    /// <summary>What configurations mean and what an engine does with them.</summary>
    public static IReadOnlyList<ContractCase> ConfigurationContract { get; } =
    [
        .. new Configuration.ConfigurationParseCases().List(),
        .. new Configuration.ConfigurationApplyCases().List(),
        .. new Configuration.ConfigurationFuzz().List(),
    ];

    /// <summary>The engine's races: wake-up, order, cancel, stop, load.</summary>
    public static IReadOnlyList<ContractCase> EngineStress { get; } = [.. Engine.EngineContract.Stress()];

    /// <summary>What the named queues promise.</summary>
    public static IReadOnlyList<ContractCase> QueueContract { get; } = [.. Queues.QueueContract.Cases()];

    /// <summary>Random histories of queues, and their races.</summary>
    public static IReadOnlyList<ContractCase> QueueStress { get; } = [.. Queues.QueueContract.Stress()];

    /// <summary>All suites.</summary>
    public static IReadOnlyList<ContractCase> All { get; } =
    [
        .. ChannelContract, .. ChannelStress, .. Models, .. EngineContract, .. ConfigurationContract, .. EngineStress,
        .. QueueContract, .. QueueStress,
    ];
}
