using FastJobs.Contracts;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// Runs alone, after everything that runs in parallel: these cases measure what all threads allocate, and want the
/// processors for their races.
/// </summary>
[CollectionDefinition(nameof(ContractCollection), DisableParallelization = true)]
public sealed class ContractCollection;

/// <summary>The contract suites under xunit: every case of <see cref="AllContracts"/> is a test of its own.</summary>
[Collection(nameof(ContractCollection))]
public sealed class ContractTests
{
    private static readonly Dictionary<string, ContractCase> s_cases =
        AllContracts.All.ToDictionary(contract => contract.FullName);

    public static IEnumerable<ITheoryDataRow> ChannelContractNames => Names(AllContracts.ChannelContract);

    public static IEnumerable<ITheoryDataRow> ChannelStressNames => Names(AllContracts.ChannelStress);

    public static IEnumerable<ITheoryDataRow> ModelNames => Names(AllContracts.Models);

    public static IEnumerable<ITheoryDataRow> EngineContractNames => Names(AllContracts.EngineContract);

    public static IEnumerable<ITheoryDataRow> ConfigurationContractNames => Names(AllContracts.ConfigurationContract);

    public static IEnumerable<ITheoryDataRow> EngineStressNames => Names(AllContracts.EngineStress);

    public static IEnumerable<ITheoryDataRow> QueueContractNames => Names(AllContracts.QueueContract);

    public static IEnumerable<ITheoryDataRow> QueueStressNames => Names(AllContracts.QueueStress);

    [Theory]
    [MemberData(nameof(ChannelContractNames))]
    public Task ChannelContract(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(ChannelStressNames))]
    public Task ChannelStress(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(ModelNames))]
    public Task Models(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(EngineContractNames))]
    public Task EngineContract(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(ConfigurationContractNames))]
    public Task ConfigurationContract(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(EngineStressNames))]
    public Task EngineStress(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(QueueContractNames))]
    public Task QueueContract(string name) => s_cases[name].RunAsync();

    [Theory]
    [MemberData(nameof(QueueStressNames))]
    public Task QueueStress(string name) => s_cases[name].RunAsync();

    /// <summary>
    /// Names, because a name survives the way to the test runner and back: so each case is its own test. It is the
    /// display name too, which would otherwise be cut off after fifty characters.
    /// </summary>
    private static IEnumerable<ITheoryDataRow> Names(IEnumerable<ContractCase> cases) =>
        cases.Select(contract => new TheoryDataRow<string>(contract.FullName) { TestDisplayName = contract.FullName });
}
