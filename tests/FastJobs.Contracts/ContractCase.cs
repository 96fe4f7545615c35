namespace FastJobs.Contracts;

/// <summary>
/// One promise and the code that tries it. Cases are listed by hand, never found by reflection, so that the same list
/// runs under xunit and inside a NativeAOT executable.
/// </summary>
/// <param name="Suite">The suite and the kind it runs over: <c>ChannelContract.Bcl.Unbounded</c>.</param>
/// <param name="Name"><c>Operation_State_Result</c>, with the item type where a case runs over several.</param>
/// <param name="Run">Throws when the promise is broken. Started on a pool thread, without a context.</param>
public sealed record ContractCase(string Suite, string Name, Func<Task> Run)
{
    /// <summary>Suite and name: what a filter is matched against.</summary>
    public string FullName => $"{Suite}.{Name}";

    /// <summary>Runs the case under a watchdog, so that a hang is a failure that has a name.</summary>
    public async Task RunAsync()
    {
        try
        {
            // Task.Run: away from the runner's synchronization context, which would change who runs continuations.
            await Task.Run(Run).WaitAsync(Patience.Case).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new ContractFailure($"{FullName} hung: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => FullName;
}

/// <summary>A promise was broken.</summary>
public sealed class ContractFailure : Exception
{
    /// <summary>Says which promise was broken, and how.</summary>
    public ContractFailure(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
