using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>The contract of a channel: every concern's cases, over one kind.</summary>
internal static class ChannelContract
{
    public static IEnumerable<ContractCase> Cases(ChannelKind kind) =>
        Concerns(kind).SelectMany(concern => concern.List());

    private static IEnumerable<ChannelCases> Concerns(ChannelKind kind) =>
    [
        new BasicCases<int>(kind, ItemKinds.Int),
        new BasicCases<string>(kind, ItemKinds.Text),
        new BasicCases<string?>(kind, ItemKinds.Nulls),
        new BasicCases<Large>(kind, ItemKinds.Large),
        new BasicCases<Plain>(kind, ItemKinds.Plain),
        new CapacityCases(kind),
        new DropCases<int>(kind, ItemKinds.Int),
        new DropCases<Large>(kind, ItemKinds.Large),
        new DropCases<Plain>(kind, ItemKinds.Plain),
        new ReadWaitCases(kind),
        new WriteWaitCases(kind),
        new CompletionCases(kind),
        new CompletionErrorCases(kind),
        new CompletionRaceCases(kind),
        new CancelReadCases(kind),
        new CancelWriteCases(kind),
        new CancelStartCases(kind),
        new ContinuationCases(kind),
        new ContextCases(kind),
        new ConcurrencyCases<int>(kind, ItemKinds.Int),
        new ConcurrencyCases<string>(kind, ItemKinds.Text),
        new ConcurrencyCases<Large>(kind, ItemKinds.Large),
        new ConcurrencyCases<Plain>(kind, ItemKinds.Plain),
        new OrderCases(kind),
        new MemoryCases(kind),
        new CancelMemoryCases(kind),
        new AllocationCases(kind),
        new CrossThreadAllocationCases(kind),
    ];
}

/// <summary>
/// The cases of one concern over one kind of channel. A case is a private method, named Operation_State_Result, that
/// <see cref="List"/> names; the compiler complains about one that is not listed.
/// </summary>
internal abstract class ChannelCases(ChannelKind kind, string itemName = "", string suite = nameof(ChannelContract))
{
    protected ChannelKind Kind { get; } = kind;

    /// <summary>The cases that hold for this kind, in order.</summary>
    public abstract IEnumerable<ContractCase> List();

    protected ContractCase Case(Action run, [CallerArgumentExpression(nameof(run))] string name = "") =>
        Case(
            () =>
            {
                run();
                return Task.CompletedTask;
            },
            name);

    protected ContractCase Case(Func<Task> run, [CallerArgumentExpression(nameof(run))] string name = "") =>
        new($"{suite}.{Kind.Name}", itemName == "" ? name : $"{name}<{itemName}>", run);

    /// <summary>A channel of numbers that holds 0, 1, ... up to its capacity.</summary>
    protected Channel<int> CreateFull()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int i = 0; i < Kind.Capacity; i++)
        {
            Check.True(channel.Writer.TryWrite(i));
        }

        return channel;
    }

    /// <summary>Reads all there is, without waiting.</summary>
    protected static List<T> Drain<T>(ChannelReader<T> reader)
    {
        List<T> items = [];
        while (reader.TryRead(out T? item))
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>Starts <paramref name="count"/> waits, none of which may end yet.</summary>
    protected static Task<T>[] Pending<T>(int count, Func<int, ValueTask<T>> start) =>
        [.. Enumerable.Range(0, count).Select(i => StillPending(start(i).AsTask()))];

    /// <inheritdoc cref="Pending{T}"/>
    protected static Task[] Pending(int count, Func<int, ValueTask> start) =>
        [.. Enumerable.Range(0, count).Select(i => StillPending(start(i).AsTask()))];

    private static TTask StillPending<TTask>(TTask task)
        where TTask : Task
    {
        Check.False(task.IsCompleted, "a wait that nothing has ended is completed");
        return task;
    }
}
