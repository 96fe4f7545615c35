using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// One thread's outbox goes from a queue to another one, while somebody ends its use by the first: docs/protocols.md#lease.
/// Code: Outbox.cs (TryFree), LaneQueue.Leasing.cs (Return), LaneQueue.Relaxed.cs (EndCollecting), CallOutbox.cs, outbox.c.
/// </summary>
/// <remarks>The locks of the two queues exclude nobody from each other: all rests on when the outbox forgets the first one.</remarks>
internal sealed class OutboxMoveModel(OutboxMoveModel.Bug bug = default) : Model<OutboxMoveModel.Memory, OutboxMoveModel.Local>
{
    private const byte First = 1;
    private const byte Second = 2;

    public enum Bug
    {
        None,
        ForgetsBeforeItEnds,
        OwnerDoesNotLook,
    }

    private enum State : byte
    {
        Idle,
        InUse,
        Abandoned,
        Freed,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte User; // the queue that the outbox refers to
        public bool UsedByFirst; // what the queues know
        public bool UsedBySecond;
        public bool LockOfFirst;
        public bool Begun;
        public byte JobClass; // whose jobs are put in
        public byte State;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public bool WasBegun;
    }

    public override Memory Start => new()
    {
        User = First,
        UsedByFirst = true,
        Begun = true,
        JobClass = First,
        State = (byte)State.InUse,
    };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("owner", default, Owner()),
        new Script<Memory, Local>("other", default, [Lock(), .. End("done"), Do("done", "is done", (ref m, ref me) => Next.Done)]),
    ];

    public override string? CheckEnd(in Memory m) =>
        !m.UsedBySecond ? "the second queue does not use it"
        : !m.Begun || m.JobClass != Second ? "broken: the second queue counts on an outbox that has ended"
        : (State)m.State == State.Abandoned ? null
        : "broken: it was freed while a queue uses it";

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("OutboxMove_EndedByTheOwnerOrByAnother_IsWhole", () => new OutboxMoveModel()),
        Proof.Catches("OutboxMove_ForgetsBeforeItEnds_IsCaught", "broken", () => new OutboxMoveModel(Bug.ForgetsBeforeItEnds)),
        Proof.Catches("OutboxMove_OwnerDoesNotLook_IsCaught", "broken", () => new OutboxMoveModel(Bug.OwnerDoesNotLook)),
    ];

    // Ends the use by the first queue itself if it must, begins that by the second, and ends its thread.
    private IEnumerable<Step<Memory, Local>> Owner() =>
    [
        Do("O1", "looks whether a queue uses it", (ref m, ref me) =>
            m.User == 0 || bug == Bug.OwnerDoesNotLook ? Next.To("O2") : Next.Ahead),
        Lock(),
        .. End("O2"),
        Do("O2", "says that the second queue uses it", (ref m, ref me) =>
        {
            m.UsedBySecond = true;
            m.User = Second;
            return Next.Ahead;
        }),
        Do("O3", "begins in C", (ref m, ref me) =>
        {
            if (m.State == (byte)State.Freed)
            {
                return Next.Fail("broken: it is freed");
            }

            m.State = (byte)State.InUse;
            m.JobClass = Second;
            return Next.Ahead;
        }),
        Do("O4", "begins", (ref m, ref me) =>
        {
            m.Begun = true;
            return Next.Ahead;
        }),
        Do("O5", "ends its thread", (ref m, ref me) =>
        {
            m.State = (byte)((State)m.State == State.InUse ? State.Abandoned : State.Freed);
            return Next.Done;
        }),
    ];

    private Step<Memory, Local> Lock() => Do("E1", "takes the first queue's lock", (ref m, ref me) =>
    {
        if (m.LockOfFirst)
        {
            return Next.Blocked;
        }

        m.LockOfFirst = true;
        return Next.Ahead;
    });

    private IEnumerable<Step<Memory, Local>> End(string then) =>
    [
        Do("E2", "looks whether the queue uses it", (ref m, ref me) =>
        {
            if (!m.UsedByFirst)
            {
                m.LockOfFirst = false;
                return Next.To(then);
            }

            m.UsedByFirst = false;
            m.User = bug == Bug.ForgetsBeforeItEnds ? (byte)0 : m.User;
            return Next.Ahead;
        }),
        Do("E3", "looks whether it was begun", (ref m, ref me) =>
        {
            me.WasBegun = m.Begun;
            m.Begun = false;
            return Next.Ahead;
        }),
        Do("E4", "ends the puts in C", (ref m, ref me) =>
        {
            m.JobClass = me.WasBegun ? (byte)0 : m.JobClass;
            return Next.Ahead;
        }),
        Do("E5", "gives the memory to the thread, or frees it", (ref m, ref me) =>
        {
            if (me.WasBegun)
            {
                m.State = (byte)((State)m.State == State.InUse ? State.Idle : State.Freed);
            }

            me.WasBegun = false;
            return Next.Ahead;
        }),
        Do("E6", "forgets the queue", (ref m, ref me) =>
        {
            m.User = bug == Bug.ForgetsBeforeItEnds ? m.User : (byte)0;
            m.LockOfFirst = false;
            return Next.To(then);
        }),
    ];
}
