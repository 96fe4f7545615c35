using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A thread that leases the tail of a queue, another one that submits beside it, and a worker: docs/protocols.md#lease and
/// #owned-count. Code: LaneQueue.Leasing.cs, SegmentedChannel.cs, outbox.h, CallOutbox.cs, OwnedCount.cs.
/// </summary>
/// <remarks>
/// The lessee submits <see cref="Own"/> jobs, of which one goes the other way; where it begins to lease is tried in all ways.
/// Its stores of the count and of slots may become visible after its later looks: it has a store buffer. Jobs are numbers, the other
/// thread's begin at <see cref="Other"/>. There is one worker: what sleepers beside searchers need
/// is WakeModel's.
/// </remarks>
internal sealed partial class LeaseModel(int others, LeaseModel.Bug bug = default) : Model<LeaseModel.Memory, LeaseModel.Local>
{
    private const int Own = 3;
    private const int Other = Own + 1;
    private const int OtherWay = 3; // the job of the lessee that does
    private const int CountAt = 0;
    private const int SlotsAt = 1;

    public enum Bug
    {
        None,
        PublishesBeforeItCounts,
        LooksBeforeItCounts,
        StopsWithoutBarrier,
        TakesAStopForAFailure,
        TakesAStopForASuccess,
        AddDuringALeaseIsAPosition,
        EndKeepsWhatWasAdded,
        BeginsBehindOthers,
        WorkerSleepsDuringALease,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Tail; // the position in the tail word
        public bool Leased; // these two are flags of the same word
        public bool Sleepers;
        public byte Head;
        public Six Slots;
        public bool Lock;
        public byte Base;
        public byte Count;
        public bool Stopped;
        public byte StoppedAt;
        public byte Buffered; // stores of the lessee that are not visible
        public bool Asleep;

        // What the rest checks.
        public byte OwnDone; // submitted
        public byte OwnClaimed;
        public byte OtherDone;
        public byte OtherClaimed;
        public Six Before; // by job: how many of the other thread's were submitted before it
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public StoreBuffer Buffer;
        public byte Job;
        public byte Position;
        public bool Puts; // it knows of no end of its lease
        public byte At;
        public bool WasStopped;
    }

    public override Memory Start => default;

    public override BufferOf? Buffer => static (ref local) => ref local.Buffer;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("lessee", new Local { Job = 1 }, [.. Submit(), .. Add(isLessee: true), .. End("6")]),
        new Script<Memory, Local>("other", new Local { Job = Other }, [.. Others(), .. Add(isLessee: false), .. End("6")]),
        new Script<Memory, Local>("worker", default, [.. Work(), .. End("W1")]),
    ];

    public override void Commit(ref Memory m, int address, int value)
    {
        if (address == CountAt)
        {
            m.Count = (byte)value;
        }
        else
        {
            m.Slots[address - SlotsAt] = (byte)value;
        }

        m.Buffered--;
    }

    public override string? CheckEnd(in Memory m) =>
        m.OwnClaimed != Own || m.OtherClaimed != others ? "lost: jobs wait and everybody sleeps" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Lease_LesseeAndWorker_LoseNothingAndKeepOrder", () => new LeaseModel(others: 0)),
        Proof.Holds("Lease_BesideAnotherThread_LoseNothingAndKeepOrder", () => new LeaseModel(others: 2)),
        .. Enum.GetValues<Bug>().Where(bug => bug != Bug.None).Select(Caught),
    ];

    private static ContractCase Caught(Bug bug) => Proof.Catches(
        $"Lease_{bug}_IsCaught",
        bug switch
        {
            Bug.WorkerSleepsDuringALease => "lost",
            Bug.EndKeepsWhatWasAdded or Bug.TakesAStopForAFailure => "stuck",
            _ => "broken",
        },
        () => new LeaseModel(others: 2, bug));
}
