using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// The worker's return and the tail call: docs/protocols.md#tail. Code: TailRendezvous.cs. The address is used for two
/// jobs, one after the other: the second is submitted when the first was completed.
/// </summary>
internal sealed class TailModel(TailModel.Bug bug = default) : Model<TailModel.Memory, TailModel.Local>
{
    private const int Uses = 2;

    public enum Bug
    {
        None,
        LookThenAdd,
        SecondLeavesTheEntry,
        TailCallCompletesAlone,
        EntryTakenAfterCompletion,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public bool InTable; // the address
        public byte Use; // which job has the address now
        public byte Returned; // workers, by use
        public byte Completed; // completions, by use
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public bool IsWorker;
        public byte Use;
        public bool Saw;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. from use in Enumerable.Range(0, Uses)
           from worker in new[] { true, false }
           select new Script<Memory, Local>(
               $"{(worker ? "worker" : "tail call")} {use}", new Local { IsWorker = worker, Use = (byte)use }, Side()),
    ];

    public override string? CheckEnd(in Memory m) =>
        m.Completed != Bits.First(Uses) ? "a job was never completed"
        : m.InTable ? "an entry was left in the table"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Tail_WorkerAndTailCall_CompleteOnce", () => new TailModel()),
        Caught(Bug.LookThenAdd, "never completed"),
        Caught(Bug.SecondLeavesTheEntry, "before its worker returned"),
        Caught(Bug.TailCallCompletesAlone, "before its worker returned"),
        Caught(Bug.EntryTakenAfterCompletion, "before its worker returned"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Tail_{bug}_IsCaught", symptom, () => new TailModel(bug));

    private IEnumerable<Step<Memory, Local>> Side() =>
    [
        Rest("1", "begins once the address is this job's", (ref m, ref me) =>
        {
            if (m.Use != me.Use)
            {
                return Next.Blocked;
            }

            if (me.IsWorker)
            {
                m.Returned.Add(me.Use);
            }

            return Next.Ahead;
        }),
        .. bug == Bug.LookThenAdd ? LookThenAdd() :
        [
            Do("2", "leaves the address in the table, or takes it away", (ref m, ref me) =>
            {
                bool second = m.InTable;
                m.InTable = !second || bug is Bug.SecondLeavesTheEntry or Bug.EntryTakenAfterCompletion;
                return second || (bug == Bug.TailCallCompletesAlone && !me.IsWorker) ? Next.Ahead : Next.Done;
            }),
        ],
        Do("3", "completes; the address is the next job's", (ref m, ref me) =>
        {
            if (!m.Returned.Has(me.Use))
            {
                return Next.Fail("a job was completed before its worker returned");
            }

            if (m.Completed.Has(me.Use))
            {
                return Next.Fail("a job was completed twice");
            }

            m.Completed.Add(me.Use);
            m.Use++;
            return bug == Bug.EntryTakenAfterCompletion ? Next.Ahead : Next.Done;
        }),
        .. bug != Bug.EntryTakenAfterCompletion ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("4", "takes the address away", (ref m, ref me) =>
            {
                m.InTable = false;
                return Next.Done;
            }),
        ],
    ];

    private static IEnumerable<Step<Memory, Local>> LookThenAdd() =>
    [
        Do("2", "looks for the address in the table", (ref m, ref me) =>
        {
            me.Saw = m.InTable;
            return Next.Ahead;
        }),
        Do("2b", "leaves it there, or takes it away", (ref m, ref me) =>
        {
            m.InTable = !me.Saw;
            return me.Saw ? Next.Ahead : Next.Done;
        }),
    ];
}
