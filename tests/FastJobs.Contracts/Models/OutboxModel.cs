using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A thread that gathers jobs for a relaxed lane, and a worker that takes them out: docs/protocols.md#outbox and #owned-count.
/// Code: outbox.h, CallOutbox.cs, LaneQueue.Relaxed.cs, OwnedCount.cs.
/// </summary>
/// <remarks>
/// The owner submits <see cref="Jobs"/> jobs, of which one goes to the queue another way; when it gathers and when it stops to is
/// tried in all ways. A store of the count may become visible after the look at the stop: the owner has a store buffer. The
/// barrier for all processors is a step that waits until that is empty.
/// </remarks>
internal sealed class OutboxModel(bool lister, OutboxModel.Bug bug = default) : Model<OutboxModel.Memory, OutboxModel.Local>
{
    private const int Jobs = 4;
    private const int Room = 2;
    private const int OtherWay = 2; // the job that does
    private const int CountAt = 0;
    private const int CollectingAt = 1;

    public enum Bug
    {
        None,
        StopsWithoutBarrier,
        LooksBeforeItStops,
        OwnerLooksBeforeItStores,
        OwnerTakesAStopForAFailure,
        OwnerTakesAStopForASuccess,
        WorkerSleepsWhileOneCollects,
        CollectsWithoutFence,
        OtherWayOvertakes,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Written; // jobs that came to the queue
        public byte Claimed;
        public bool Collecting;
        public byte Count;
        public byte First; // the number of the first job in the outbox
        public bool Stopped;
        public byte StoppedAt;
        public bool Lock;
        public byte Buffered; // stores of the owner that are not visible
        public bool Sleepers;
        public bool Asleep;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public StoreBuffer Buffer;
        public byte Job;
        public byte At;
        public byte Seen;
        public bool WasStopped;
    }

    public override Memory Start => default;

    public override BufferOf? Buffer => static (ref local) => ref local.Buffer;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("owner", default, Owner()),
        new Script<Memory, Local>("worker", default, Worker()),
        .. !lister ? Array.Empty<Script<Memory, Local>>() :
        [
            new Script<Memory, Local>("lister", default, [.. Gather("end"), Do("end", "is done", (ref m, ref me) => Next.Done)]),
        ],
    ];

    public override void Commit(ref Memory m, int address, int value)
    {
        if (address == CountAt)
        {
            m.Count = (byte)value;
        }
        else
        {
            m.Collecting = value != 0;
        }

        m.Buffered--;
    }

    public override string? CheckEnd(in Memory m) =>
        m.Claimed != Jobs ? $"lost: {Jobs - m.Claimed} jobs wait and everybody sleeps" : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Outbox_OwnerAndWorker_LoseNothing", () => new OutboxModel(lister: false)),
        Proof.Holds("Outbox_OwnerWorkerAndLister_LoseNothing", () => new OutboxModel(lister: true)),
        .. Enum.GetValues<Bug>().Where(bug => bug != Bug.None).Select(Caught),
    ];

    private static ContractCase Caught(Bug bug) => Proof.Catches(
        $"Outbox_{bug}_IsCaught",
        bug is Bug.WorkerSleepsWhileOneCollects or Bug.CollectsWithoutFence ? "lost" : "out of order",
        () => new OutboxModel(lister: false, bug));

    private IEnumerable<Step<Memory, Local>> Owner() =>
    [
        Plain("1", "looks whether it collects", (ref m, ref me) =>
            me.Job == Jobs ? Next.Done
            : me.Buffer.Load(CollectingAt, m.Collecting ? 1 : 0) == 0 || (me.Job == OtherWay && bug == Bug.OtherWayOvertakes) ? Next.To("5")
            : me.Job == OtherWay ? Next.To("4")
            : bug == Bug.OwnerLooksBeforeItStores ? Next.Ahead
            : Next.To("2")),
        Plain("1b", "looks whether it was stopped", (ref m, ref me) =>
        {
            me.WasStopped = m.Stopped;
            return Next.Ahead;
        }),
        Plain("2", "puts the job in and stores the count", (ref m, ref me) =>
        {
            if (me.At == 0)
            {
                m.First = me.Job;
            }

            me.At++;
            me.Buffer.Store(CountAt, me.At);
            m.Buffered++;
            return Next.Ahead;
        }),
        Plain("3", "looks whether it was stopped", (ref m, ref me) =>
        {
            bool stopped = bug == Bug.OwnerLooksBeforeItStores ? me.WasStopped : m.Stopped;
            me.WasStopped = false;
            return stopped || me.At == Room ? Next.Ahead : NextJob(ref me);
        }),
        Do("4", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("4b", "moves the jobs, or finds that somebody has", (ref m, ref me) =>
        {
            m.Lock = false;
            int at = me.At;
            me.At = 0;
            if (m.Stopped)
            {
                return me.Job == OtherWay ? Next.To("5")
                    : bug == Bug.OwnerTakesAStopForASuccess ? NextJob(ref me)
                    : bug == Bug.OwnerTakesAStopForAFailure || m.StoppedAt != at ? Next.To("5")
                    : NextJob(ref me);
            }

            m.Count = 0;
            for (int i = 0; i < at; i++)
            {
                if (!Write(ref m, m.First + i))
                {
                    return Next.Fail("out of order: a job is lost, comes twice or too early");
                }
            }

            return me.Job == OtherWay ? Next.To("5") : NextJob(ref me);
        }),
        Do("5", "adds the job to the queue", (ref m, ref me) =>
            Write(ref m, me.Job) ? NextJob(ref me) : Next.Fail("out of order: a job is lost, comes twice or too early")),
        Do("5", "the same, and begins to collect", (ref m, ref me) =>
        {
            if (m.Lock || m.Collecting)
            {
                return Next.Blocked;
            }

            if (!Write(ref m, me.Job))
            {
                return Next.Fail("out of order: a job is lost, comes twice or too early");
            }

            m.Count = 0;
            m.Stopped = false;
            me.At = 0;
            if (bug == Bug.CollectsWithoutFence)
            {
                me.Buffer.Store(CollectingAt, 1);
                m.Buffered++;
                return NextJob(ref me);
            }

            m.Collecting = true;
            return NextJob(ref me);
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        Do("W1", "claims a job", (ref m, ref me) =>
        {
            if (m.Claimed == m.Written)
            {
                return m.Collecting && bug != Bug.WorkerSleepsWhileOneCollects ? Next.To("G1") : Next.To("W3");
            }

            m.Claimed++;
            return Next.To("W1");
        }),
        .. Gather("W1"),
        Do("W3", "says that it sleeps", (ref m, ref me) =>
        {
            m.Sleepers = true;
            return Next.Ahead;
        }),
        Do("W4", "looks once more", (ref m, ref me) =>
        {
            if (m.Claimed != m.Written || (m.Collecting && bug != Bug.WorkerSleepsWhileOneCollects))
            {
                m.Sleepers = false;
                return Next.To("W1");
            }

            m.Asleep = m.Sleepers; // woken already, if not
            return Next.Ahead;
        }),
        Rest("W5", "is woken", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.To("W1")),
    ];

    private IEnumerable<Step<Memory, Local>> Gather(string then) =>
    [
        Do("G1", "takes the lock", (ref m, ref me) => TakeLock(ref m)),
        Do("G2", "stops the count, if it collects", (ref m, ref me) =>
        {
            if (!m.Collecting)
            {
                m.Lock = false;
                return Next.To(then);
            }

            me.Seen = m.Count;
            m.Stopped = true;
            return Next.Ahead;
        }),
        Do("G3", "makes all processors pass a barrier", (ref m, ref me) =>
            m.Buffered > 0 && bug != Bug.StopsWithoutBarrier ? Next.Blocked : Next.Ahead),
        Do("G4", "looks at the count, moves the jobs, ends the collecting", (ref m, ref me) =>
        {
            int count = bug == Bug.LooksBeforeItStops ? me.Seen : m.Count;
            me.Seen = 0;
            m.StoppedAt = (byte)count;
            m.Collecting = false;
            m.Lock = false;
            for (int i = 0; i < count; i++)
            {
                if (!Write(ref m, m.First + i))
                {
                    return Next.Fail("out of order: a job is lost, comes twice or too early");
                }
            }

            return Next.To(then);
        }),
    ];

    private static Next NextJob(ref Local me)
    {
        me.Job++;
        return Next.To("1");
    }

    private static Next TakeLock(ref Memory m)
    {
        if (m.Lock)
        {
            return Next.Blocked;
        }

        m.Lock = true;
        return Next.Ahead;
    }

    // The queue is told by how many came: jobs come in their order. Whoever adds finds the Sleepers flag in the same word.
    private static bool Write(ref Memory m, int job)
    {
        if (job != m.Written)
        {
            return false;
        }

        m.Written++;
        if (m.Sleepers)
        {
            m.Sleepers = false;
            m.Asleep = false;
        }

        return true;
    }
}
