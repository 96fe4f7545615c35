using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// The C++ group: who claims a job, who frees it, and a group that is destroyed as soon as its waiter may:
/// docs/protocols.md#group. Code: native/include/fastjobs/fjpp/{claim,pending,group}.hpp.
/// </summary>
/// <remarks>
/// The owner runs jobs 0 and 1, waits, and destroys the group; job 0 runs job 2. With <paramref name="late"/> job 2 is in
/// a pool whose only worker is the owner's thread: no worker comes to it before the wait is over.
/// The stack's pushes and pops are steps of their own: it gets shorter only under the lock.
/// </remarks>
internal sealed partial class GroupModel(int workers, bool late, GroupModel.Bug bug = default)
    : Model<GroupModel.Memory, GroupModel.Local>
{
    private const int Jobs = 3;
    private const byte Added = 2; // the job that job 0 runs

    public enum Bug
    {
        None,
        ClaimLooksThenStores,
        RunnerFreesAlone,
        LoserLooksAtTheGroup,
        PushWakesNobody,
        SleeperAsksBeforeTheFlag,
        FinishLooksThenSubtracts,
        FinishWakesAfterItsExchange,
        WaiterLeavesWithoutTheLock,
        StackIsLeft,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Count; // the count word: jobs under way
        public bool Sleeper; // and its flag
        public bool Locked;
        public bool Asleep; // the owner, until somebody wakes it
        public byte Depth;
        public Six Stack;
        public byte Queued; // sets of jobs, from here on
        public byte Claimed;
        public byte Released;
        public byte Ran;
        public byte Freed;
        public bool Gone; // the group
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Job;
        public byte SeenCount;
        public bool SeenSleeper;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("owner", default, Owner()),
        .. Enumerable.Range(0, workers).Select(i => new Script<Memory, Local>($"worker {i}", default, Worker())),
    ];

    public override string? CheckEnd(in Memory m) =>
        !m.Gone ? "the waiter sleeps for ever"
        : m.Freed != Bits.First(Jobs) ? "a job was never freed"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Group_OneWorker_EndsAndFreesAll", () => new GroupModel(1, late: false)),
        Proof.Holds("Group_TwoWorkers_EndsAndFreesAll", () => new GroupModel(2, late: false)),
        Proof.Holds("Group_JobForTheSleepersPool_IsRunByTheWaiter", () => new GroupModel(1, late: true)),
        Caught(Bug.ClaimLooksThenStores, "ran twice"),
        Caught(Bug.RunnerFreesAlone, "freed"),
        Caught(Bug.LoserLooksAtTheGroup, "destroyed"),
        Caught(Bug.PushWakesNobody, "sleeps for ever", late: true),
        Caught(Bug.SleeperAsksBeforeTheFlag, "sleeps for ever"),
        Caught(Bug.FinishLooksThenSubtracts, "sleeps for ever"),
        Caught(Bug.FinishWakesAfterItsExchange, "destroyed"),
        Caught(Bug.WaiterLeavesWithoutTheLock, "destroyed"),
        Caught(Bug.StackIsLeft, "left on the stack"),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool late = false) =>
        Proof.Catches($"Group_{bug}_IsCaught", symptom, () => new GroupModel(1, late, bug));

    /// <summary>The step looks at the group: fails if it is gone.</summary>
    private static Step<Memory, Local> OfGroup(string label, string what, Act<Memory, Local> act) =>
        Do(label, what, (ref m, ref me) => m.Gone ? Next.Fail("the group was used after it was destroyed") : act(ref m, ref me));

    /// <summary>Takes the lock, then acts.</summary>
    private static Step<Memory, Local> Lock(string label, string what, Act<Memory, Local> act) =>
        OfGroup(label, what, (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            m.Locked = true;
            return act(ref m, ref me);
        });

    private static void WakeLocked(ref Memory m)
    {
        m.Asleep = false;
        m.Sleeper = false;
    }

    /// <summary>One of a job's two owners lets go of it. Null: it may; else what is broken.</summary>
    private static string? LetGo(ref Memory m, byte job)
    {
        if (m.Freed.Has(job))
        {
            return "a job was used after it was freed";
        }

        if (m.Released.Has(job))
        {
            m.Freed.Add(job);
        }

        m.Released.Add(job);
        return null;
    }

    private static Next LetGo(ref Memory m, byte job, Next then) =>
        LetGo(ref m, job) is { } broken ? Next.Fail(broken) : then;
}
