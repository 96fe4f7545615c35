using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>How a result gets back: docs/protocols.md#job, CompletionCore. Code: CompletionCore.cs.</summary>
/// <remarks>
/// One completer and one awaiter, who polls, or awaits, or polls and then awaits. Whoever runs the continuation takes
/// the result and recycles the source. Fields other than the continuation are plain stores.
/// </remarks>
internal sealed class CompletionModel(CompletionModel.Bug bug = default)
    : Model<CompletionModel.Memory, CompletionModel.Local>
{
    private const byte Awaiting = 1; // the continuation field: null, the awaiter's, the sentinel
    private const byte Sentinel = 2;

    private const int Result = 0; // what is stored plainly, by its place in Fields
    private const int Done = 1;
    private const int State = 2;

    public enum Bug
    {
        None,
        PollerTrustsDone,
        DoneAfterExchange,
        AwaiterLooksThenStores,
        CompleterLooksThenStores,
        CompleterTouchesAfterExchange,
        StateAfterExchange,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Continuation;
        public Six Fields;
        public bool Recycled;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Seen;
        public StoreBuffer Stores;
    }

    public override Memory Start => default;

    public override BufferOf Buffer => static (ref me) => ref me.Stores;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new("completer", default, [.. Completer(), .. Continue()]),
        new("awaiter", default, [.. Awaiter(), .. Continue()]),
    ];

    public override void Commit(ref Memory shared, int address, int value) => shared.Fields[address] = (byte)value;

    public override string? CheckEnd(in Memory m) => m.Recycled ? null : "the continuation never ran";

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Completion_PolledOrAwaited_EndsOnce", () => new CompletionModel()),
        Caught(Bug.PollerTrustsDone, "recycled"),
        Caught(Bug.DoneAfterExchange, "no result"),
        Caught(Bug.AwaiterLooksThenStores, "never ran"),
        Caught(Bug.CompleterLooksThenStores, "never ran"),
        Caught(Bug.CompleterTouchesAfterExchange, "recycled"),
        Caught(Bug.StateAfterExchange, "no state"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Completion_{bug}_IsCaught", symptom, () => new CompletionModel(bug));

    private IEnumerable<Step<Memory, Local>> Completer() =>
    [
        .. bug == Bug.DoneAfterExchange ? [Exchange("C3"), .. Results("C3b")] : Results("C1").Append(Exchange("C3")),
        Do("C4", "has let go of the source", (ref m, ref me) =>
            bug == Bug.CompleterTouchesAfterExchange && m.Recycled
                ? Next.Fail("the completer touches a source that was recycled")
                : Next.Done),
    ];

    private static IEnumerable<Step<Memory, Local>> Results(string label) =>
    [
        Plain(label, "stores the result", static (ref m, ref me) =>
        {
            me.Stores.Store(Result, 1);
            return Next.Ahead;
        }),
        Plain(label + "b", "stores done", static (ref m, ref me) =>
        {
            me.Stores.Store(Done, 1);
            return Next.Ahead;
        }),
    ];

    private Step<Memory, Local> Exchange(string label) =>
        Do(label, "exchanges null for the sentinel", (ref m, ref me) =>
    {
        if (m.Recycled)
        {
            return Next.Fail("the completer touches a source that was recycled");
        }

        if (bug == Bug.CompleterLooksThenStores && me.Seen == 0 && m.Continuation == 0)
        {
            me.Seen = 1; // looks; the store is another step
            return Next.To(label);
        }

        me.Seen = 0;
        if (m.Continuation == Awaiting && bug != Bug.CompleterLooksThenStores)
        {
            return Next.To("R1");
        }

        m.Continuation = Sentinel;
        return Next.Ahead;
    });

    private IEnumerable<Step<Memory, Local>> Awaiter() =>
    [
        Plain("A0", "awaits", static (ref m, ref me) => Next.To("A1")),
        Plain("A0", "polls: looks at the continuation", (ref m, ref me) =>
            m.Continuation == Sentinel || bug == Bug.PollerTrustsDone ? Next.Ahead : Next.To("A0")),
        Plain("P2", "polls: looks at done", static (ref m, ref me) =>
            m.Fields[Done] == 0 ? Next.To("A0") : Next.To("R1")),
        .. bug == Bug.StateAfterExchange ? [ExchangeByAwaiter(), StoreState("A2")]
            : new[] { StoreState("A1"), ExchangeByAwaiter() },
        Do("A3", "the completer runs the continuation", static (ref m, ref me) => Next.Done),
    ];

    private static Step<Memory, Local> StoreState(string label) =>
        Plain(label, "stores the continuation's state", static (ref m, ref me) =>
        {
            me.Stores.Store(State, 1);
            return Next.Ahead;
        });

    private Step<Memory, Local> ExchangeByAwaiter()
    {
        string label = bug == Bug.StateAfterExchange ? "A1" : "A2";
        return Do(label, "exchanges null for the continuation", (ref m, ref me) =>
        {
            if (m.Continuation == Sentinel && me.Seen == 0)
            {
                return Next.To("R1"); // completed already: the awaiter sends the continuation off itself
            }

            if (bug == Bug.AwaiterLooksThenStores && me.Seen == 0)
            {
                me.Seen = 1;
                return Next.To(label);
            }

            me.Seen = 0;
            m.Continuation = Awaiting;
            return Next.Ahead;
        });
    }

    private static IEnumerable<Step<Memory, Local>> Continue() =>
    [
        Do("R1", "goes on with the result", static (ref m, ref me) =>
            m.Recycled ? Next.Fail("the continuation ran twice")
            : m.Fields[Result] == 0 || m.Fields[Done] == 0 ? Next.Fail("there is no result")
            : m.Continuation == Awaiting && m.Fields[State] == 0 ? Next.Fail("there is no state")
            : Next.Ahead),
        Do("R2", "recycles the source", static (ref m, ref me) =>
        {
            m.Recycled = true;
            return Next.Done;
        }),
    ];
}
