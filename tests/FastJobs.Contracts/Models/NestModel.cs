using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// Jobs that a thread keeps to itself, thieves, and a waiter whose jobs are elsewhere: docs/protocols.md#nest. Code:
/// native/include/fastjobs/fjpp/{nest,group_job,group}.hpp.
/// </summary>
/// <remarks>
/// The owner keeps jobs 0 and 1 in its nest. With <paramref name="waits"/> it waits for them; job 0, if the thief runs it, submits job 2 and does not end before that has run. Else it is busy for ever, and the
/// thieves have to run them; if it <paramref name="defers"/> the pool is deferred between the two, for a while.
/// </remarks>
internal sealed partial class NestModel(int thieves, bool waits, NestModel.Bug bug = default, bool defers = false)
    : Model<NestModel.Memory, NestModel.Local>
{
    private const byte Added = 2;

    public enum Bug
    {
        None,
        CallLooksBeforeThePush,
        ThiefClearsWhenItLeaves,
        TakeLooksThenLowers,
        TakeOfTheLastWithoutExchange,
        StealLooksThenStores,
        KeepCountsAfterTheFlag,
        KeepIgnoresTheSleeper,
        WaiterAsksBeforeTheFlag,
        WaiterDoesNotSearch,
        ThiefLooksBeforeTheSteal,
        ThiefOfADeferredPoolLeavesTheRest,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Nest
    {
        public byte Top;
        public byte Bottom;
        public Six Slots;
        public bool Called;
        public byte Calls; // in the pool's queue
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public Nest Owners;
        public Nest Thiefs; // of the thief that runs job 0
        public byte Nested; // the group's jobs in nests
        public byte Count; // under way
        public bool Sleeper;
        public bool Asleep;
        public byte Stack; // a set: queued in the pool and on the group's stack
        public byte Handed; // a set: the same, by a thief of a deferred pool
        public bool Deferred;
        public byte Ran;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public bool OfThief; // the nest that it steals from
        public byte Seen;
        public byte Job;
        public bool Asked;
        public bool Deferred;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("owner", default, Owner()),
        .. Enumerable.Range(0, thieves).Select(i => new Script<Memory, Local>($"thief {i}", default, Thief())),
    ];

    public override string? CheckEnd(in Memory m) =>
        m.Count != 0 ? "a job is never run, or its waiter sleeps for ever" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Nest_OneThief_RunsWhatIsKept", () => new NestModel(1, waits: false)),
        Proof.Holds("Nest_TwoThieves_RunWhatIsKept", () => new NestModel(2, waits: false)),
        Proof.Holds("Nest_WaiterAndThief_TakeAndFindTheirJobs", () => new NestModel(1, waits: true)),
        Proof.Holds("Nest_WaiterAndTwoThieves_TakeAndFindTheirJobs", () => new NestModel(2, waits: true)),
        Proof.Holds("Nest_OneThiefOfADeferredPool_RunsNothingThatCameThen", () => new NestModel(1, waits: false, defers: true)),
        Proof.Holds("Nest_TwoThievesOfADeferredPool_RunNothingThatCameThen", () => new NestModel(2, waits: false, defers: true)),
        Caught(Bug.CallLooksBeforeThePush, "never run", waits: false),
        Caught(Bug.ThiefClearsWhenItLeaves, "never run", waits: false),
        Caught(Bug.TakeLooksThenLowers, "ran twice", thieves: 2),
        Caught(Bug.TakeOfTheLastWithoutExchange, "ran twice"),
        Caught(Bug.StealLooksThenStores, "ran twice"),
        Caught(Bug.KeepCountsAfterTheFlag, "is stuck"),
        Caught(Bug.KeepIgnoresTheSleeper, "is stuck"),
        Caught(Bug.WaiterAsksBeforeTheFlag, "is stuck"),
        Caught(Bug.WaiterDoesNotSearch, "is stuck"),
        Caught(Bug.ThiefLooksBeforeTheSteal, "ran in a deferred pool", waits: false, defers: true),
        Caught(Bug.ThiefOfADeferredPoolLeavesTheRest, "never run", waits: false, defers: true),
    ];

    private static ContractCase Caught(Bug bug, string symptom, int thieves = 1, bool waits = true, bool defers = false) =>
        Proof.Catches($"Nest_{bug}_IsCaught", symptom, () => new NestModel(thieves, waits, bug, defers));

    private static ref Nest NestOf(ref Memory m, bool ofThief)
    {
        if (ofThief)
        {
            return ref m.Thiefs;
        }

        return ref m.Owners;
    }

    private static void Wake(ref Memory m)
    {
        m.Asleep = false;
        m.Sleeper = false;
    }

    /// <summary>The steps by which a job gets into a nest, after it was counted.</summary>
    private IEnumerable<Step<Memory, Local>> Push(string at, byte job, bool ofThief)
    {
        Step<Memory, Local> push = Do(at + "K3", $"writes job {job} and raises the bottom", (ref m, ref me) =>
        {
            ref Nest nest = ref NestOf(ref m, ofThief);
            nest.Slots[nest.Bottom++] = job;
            return Next.Ahead;
        });
        Step<Memory, Local> look = Do(at + "K4", "looks whether a thief is called", (ref m, ref me) =>
        {
            me.Asked = NestOf(ref m, ofThief).Called;
            return Next.Ahead;
        });
        Step<Memory, Local> call = Do(at + "K5", "calls one if not", (ref m, ref me) =>
        {
            Call(ref NestOf(ref m, ofThief), me.Asked);
            me.Asked = false;
            return Next.Ahead;
        });
        return bug == Bug.CallLooksBeforeThePush ? [look, push, call] : [push, look, call];
    }

    private static void Call(ref Nest nest, bool called)
    {
        if (!called && !nest.Called)
        {
            nest.Called = true;
            nest.Calls++;
        }
    }
}
