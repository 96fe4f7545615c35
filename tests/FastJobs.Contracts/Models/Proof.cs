using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Makes cases out of models: one that must hold, or one with a planted bug that must be caught.</summary>
internal static class Proof
{
    private static readonly bool s_prints = Environment.GetEnvironmentVariable("FASTJOBS_MODELS") == "1";

    /// <summary>The protocol holds in every interleaving.</summary>
    public static ContractCase Holds<TShared, TLocal>(string name, Func<Model<TShared, TLocal>> model)
        where TShared : unmanaged
        where TLocal : unmanaged => Case(name, model, exploration =>
    {
        if (exploration.Violation is not null)
        {
            throw new ContractFailure(exploration.ToString());
        }
    });

    /// <summary>
    /// The bug is caught: a model that lets it pass proves nothing about the protocol without the bug.
    /// </summary>
    /// <param name="name">The case.</param>
    /// <param name="symptom">A part of the violation's text: the bug must be caught for what it does.</param>
    /// <param name="model">Makes the model with the bug.</param>
    public static ContractCase Catches<TShared, TLocal>(string name, string symptom, Func<Model<TShared, TLocal>> model)
        where TShared : unmanaged
        where TLocal : unmanaged => Case(name, model, exploration =>
    {
        if (exploration.Violation?.Contains(symptom, StringComparison.Ordinal) != true)
        {
            throw new ContractFailure($"expected a violation with \"{symptom}\", got: {exploration}");
        }

        Check.True(exploration.Trace.Count > 0);
    });

    private static ContractCase Case<TShared, TLocal>(
        string name, Func<Model<TShared, TLocal>> model, Action<Exploration> judge)
        where TShared : unmanaged
        where TLocal : unmanaged => new("Models", name, () =>
    {
        Exploration exploration = Explorer<TShared, TLocal>.Explore(model());
        if (s_prints)
        {
            Console.WriteLine($"{name}: {exploration.States} states, {exploration.Steps} steps. {exploration}");
        }

        judge(exploration);
        return Task.CompletedTask;
    });
}
