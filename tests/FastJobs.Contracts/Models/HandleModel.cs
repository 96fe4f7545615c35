using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Start, cancel by handle, recycle: docs/protocols.md#job. Code: Job.cs, DetachedJob.cs, JobHandle.cs. One object is
/// two jobs, one after the other; each has a handle, and the first one's may be used when it is stale.
/// </summary>
internal sealed class HandleModel(HandleModel.Bug bug = default) : Model<HandleModel.Memory, HandleModel.Local>
{
    private const int Uses = 2;
    private const byte Idle = 0;
    private const byte Waiting = 1;
    private const byte Running = 2;
    private const byte Canceled = 3;

    public enum Bug
    {
        None,
        CancelWithoutGeneration,
        StartLooksThenStores,
        GenerationIsKept,
        GenerationAfterReturn,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Generation; // the word: two halves that change together
        public byte State;
        public bool InPool;
        public byte Queued; // the use whose place in the queue is there, + 1
        public byte Submitted; // uses, by count
        public byte Ran;
        public byte CanceledUses;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Use;
        public byte SeenGeneration;
        public byte SeenState;
    }

    public override Memory Start => new() { InPool = true };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("submitter", default, Submitter()),
        new Script<Memory, Local>("worker", default, Worker()),
        .. Enumerable.Range(0, Uses).Select(i => new Script<Memory, Local>(
            $"handle {i}", new Local { Use = (byte)i }, Canceler())),
    ];

    public override string? CheckAlways(in Memory m) =>
        (m.Ran & m.CanceledUses) != 0 ? "a job ran and was cancelled" : null;

    public override string? CheckEnd(in Memory m) =>
        m.Submitted < Uses ? "the job did not come back to the pool"
        : (m.Ran | m.CanceledUses) != Bits.First(Uses) ? "a job did not run and nobody cancelled it"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Job_StaleHandle_CancelsNoLaterJob", () => new HandleModel()),
        Caught(Bug.CancelWithoutGeneration, "ran and was cancelled"),
        Caught(Bug.StartLooksThenStores, "ran and was cancelled"),
        Caught(Bug.GenerationIsKept, "ran and was cancelled"),
        Caught(Bug.GenerationAfterReturn, "ran and was cancelled"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Job_{bug}_IsCaught", symptom, () => new HandleModel(bug));

    private IEnumerable<Step<Memory, Local>> Submitter() =>
    [
        Rest("1", "takes the object from the pool", (ref m, ref me) =>
        {
            bool there = m.InPool;
            m.InPool = false;
            return there ? Next.Ahead : Next.Blocked;
        }),
        Do("2", "makes it cancelable", (ref m, ref me) =>
        {
            m.State = Waiting;
            return Next.Ahead;
        }),
        Do("3", "keeps a handle, puts it into the queue", (ref m, ref me) =>
        {
            m.Queued = (byte)(me.Use + 1);
            m.Submitted++;
            return ++me.Use < Uses ? Next.To("1") : Next.Done;
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        Rest("1", "claims the job", (ref m, ref me) =>
        {
            me.Use = (byte)(m.Queued - 1);
            bool there = m.Queued > 0;
            m.Queued = 0;
            return there ? Next.Ahead : Next.Blocked;
        }),
        Do("2", "looks at the word", (ref m, ref me) =>
        {
            me.SeenState = m.State;
            return me.SeenState == Waiting ? Next.Ahead : Next.To("5");
        }),
        Do("3", "exchanges Waiting for Running", (ref m, ref me) =>
        {
            if (m.State != Waiting && bug != Bug.StartLooksThenStores)
            {
                return Next.To("5");
            }

            m.State = Running;
            return Next.Ahead;
        }),
        Do("4", "runs the job", (ref m, ref me) =>
        {
            m.Ran.Add(me.Use);
            return Next.Ahead;
        }),
        bug == Bug.GenerationAfterReturn ? Return("5") : NextGeneration("5"),
        bug == Bug.GenerationAfterReturn ? NextGeneration("6") : Return("6"),
        Do("7", "goes on", (ref m, ref me) =>
        {
            bool last = me.Use + 1 == Uses;
            me = default;
            return last ? Next.Done : Next.To("1");
        }),
    ];

    private Step<Memory, Local> NextGeneration(string label) => Do(label, "raises the generation", (ref m, ref me) =>
    {
        m.Generation += (byte)(bug == Bug.GenerationIsKept ? 0 : 1);
        m.State = Idle;
        return Next.Ahead;
    });

    private static Step<Memory, Local> Return(string label) => Do(label, "returns it to the pool", (ref m, ref me) =>
    {
        m.InPool = true;
        return Next.Ahead;
    });

    private IEnumerable<Step<Memory, Local>> Canceler() =>
    [
        Rest("1", "has the handle", (ref m, ref me) => m.Submitted > me.Use ? Next.Ahead : Next.Blocked),
        .. bug != Bug.CancelWithoutGeneration ?
        [
            Do("2", "exchanges Waiting for Canceled, with its generation", (ref m, ref me) =>
                TryCancel(ref m, ref me, bug == Bug.GenerationIsKept ? m.Generation : me.Use)),
        ]
        : new[]
        {
            Do("2", "looks at the word", (ref m, ref me) =>
            {
                me.SeenGeneration = m.Generation;
                return m.State == Waiting ? Next.Ahead : Next.Done;
            }),
            Do("2b", "exchanges Waiting for Canceled, with the generation that it saw", (ref m, ref me) =>
                TryCancel(ref m, ref me, me.SeenGeneration)),
        },
    ];

    private static Next TryCancel(ref Memory m, ref Local me, int generation)
    {
        if (m.State == Waiting && m.Generation == generation)
        {
            m.State = Canceled;
            m.CanceledUses.Add(me.Use);
        }

        return Next.Done;
    }
}
