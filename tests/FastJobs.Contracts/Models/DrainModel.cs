using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// When is nothing in flight: docs/protocols.md#drain. Code: QuietWatch.cs, LaneGroup.IsQuiet, Worker.CountJob.
/// </summary>
/// <remarks>
/// Two lanes, a worker each. Lane 0 has a job from the start, which submits one to lane 1 before it ends. A waiter
/// drains; with <paramref name="lateWaiter"/> another thread submits a job to lane 1 and then drains too. Workers count
/// with plain stores, so that the fence is needed.
/// </remarks>
internal sealed class DrainModel(bool lateWaiter = false, DrainModel.Bug bug = default)
    : Model<DrainModel.Memory, DrainModel.Local>
{
    private const int Lanes = 2;

    public enum Bug
    {
        None,
        SubmittedBeforeFinished,
        LaneByLane,
        NoFenceBeforeLook,
        WaiterAsksBeforeItCounts,
        CompletesWhoCameAfterTheAnswer,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public Six Submitted; // by lane
        public Six Finished; // by lane: what its worker has counted, as far as others see it
        public byte Taken; // jobs that the worker of lane 1 has taken
        public byte InFlight; // the truth, which no thread can look at
        public bool Locked; // the watch's lock
        public byte Waiting; // waiters, as bits
        public byte SawQuiet; // waiters in whose time nothing was in flight at some moment
        public byte Released;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte Counted;
        public byte Sum; // finished - submitted + 16, while it is added up
        public StoreBuffer Stores;
    }

    public override Memory Start
    {
        get
        {
            Memory start = new() { InFlight = 1 };
            start.Submitted[0] = 1;
            return start;
        }
    }

    public override BufferOf Buffer => static (ref me) => ref me.Stores;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new("worker 0", new Local { Id = 0 }, [.. FirstJob(), .. Count(), .. Look("end"), End()]),
        new("worker 1", new Local { Id = 1 }, [.. OtherJobs(), .. Count(), .. Look("end"), GoOn()]),
        new("waiter 0", new Local { Id = 0 }, [.. Waiter()]),
        .. lateWaiter ? [new("waiter 1", new Local { Id = 1 }, [.. Submit(), .. Waiter()])]
            : Array.Empty<Script<Memory, Local>>(),
    ];

    public override void Commit(ref Memory shared, int address, int value) => shared.Finished[address] = (byte)value;

    public override string? CheckEnd(in Memory m) =>
        m.Released == Bits.First(lateWaiter ? 2 : 1) ? null : "all is quiet and a waiter was not told";

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Drain_OneWaiter_IsToldWhenAllIsQuiet", () => new DrainModel()),
        Proof.Holds("Drain_SecondWaiterWithAJobOfItsOwn_IsToldWhenThatIsOver", () => new DrainModel(lateWaiter: true)),
        Caught(Bug.SubmittedBeforeFinished, "in flight"),
        Caught(Bug.LaneByLane, "in flight"),
        Caught(Bug.NoFenceBeforeLook, "not told"),
        Caught(Bug.WaiterAsksBeforeItCounts, "not told"),
        Caught(Bug.CompletesWhoCameAfterTheAnswer, "in flight", lateWaiter: true),
    ];

    private static ContractCase Caught(Bug bug, string symptom, bool lateWaiter = false) =>
        Proof.Catches($"Drain_{bug}_IsCaught", symptom, () => new DrainModel(lateWaiter, bug));

    private static Step<Memory, Local> End() => Do("end", "ends", static (ref m, ref me) => Next.Done);

    private static Step<Memory, Local> GoOn() =>
        Do("end", "takes the next job", static (ref m, ref me) => Next.To("1"));

    private static IEnumerable<Step<Memory, Local>> FirstJob() =>
    [
        Do("1", "its job submits another to lane 1", static (ref m, ref me) => SubmitTo1(ref m)),
    ];

    private static Next SubmitTo1(ref Memory m)
    {
        m.Submitted[1]++;
        m.InFlight++;
        return Next.Ahead;
    }

    private static IEnumerable<Step<Memory, Local>> OtherJobs() =>
    [
        Rest("1", "takes a job", static (ref m, ref me) =>
        {
            if (m.Taken == m.Submitted[1])
            {
                return Next.Blocked;
            }

            m.Taken++;
            return Next.Ahead;
        }),
    ];

    private static IEnumerable<Step<Memory, Local>> Submit() =>
    [
        Do("S", "submits a job to lane 1", static (ref m, ref me) => SubmitTo1(ref m)),
    ];

    private static IEnumerable<Step<Memory, Local>> Count() =>
    [
        Plain("2", "its job ends", static (ref m, ref me) =>
        {
            m.InFlight--;
            m.SawQuiet |= m.InFlight == 0 ? m.Waiting : (byte)0;
            return Next.Ahead;
        }),
        Plain("3", "counts it", static (ref m, ref me) =>
        {
            me.Stores.Store(me.Id, ++me.Counted);
            return Next.Ahead;
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Waiter() =>
    [
        .. bug == Bug.WaiterAsksBeforeItCounts ? [.. Look("W"), CountWaiter()]
            : new[] { CountWaiter() }.Concat(Look("W2")),
        Rest("W2", "is told", (ref m, ref me) => m.Released.Has(me.Id) ? Next.Done : Next.Blocked),
    ];

    private static Step<Memory, Local> CountWaiter() =>
        Do("W", "counts itself, under the lock", static (ref m, ref me) =>
    {
        if (m.Locked)
        {
            return Next.Blocked;
        }

        m.Waiting.Add(me.Id);
        m.SawQuiet |= m.InFlight == 0 ? m.Waiting : (byte)0;
        return Next.Ahead;
    });

    // QuietWatch.Look.
    private IEnumerable<Step<Memory, Local>> Look(string after) =>
    [
        new("L1", "looks for waiters", (ref m, ref me) =>
            m.Waiting == 0 && bug != Bug.WaiterAsksBeforeItCounts ? Next.To(after) : Next.Ahead)
        {
            Plain = bug == Bug.NoFenceBeforeLook,
        },
        Do("L2", "takes the lock, asks", (ref m, ref me) =>
        {
            me.Sum = 16;
            if (bug != Bug.CompletesWhoCameAfterTheAnswer)
            {
                bool taken = m.Locked;
                m.Locked = true;
                return taken ? Next.Blocked : Next.Ahead;
            }

            return Next.Ahead;
        }),
        .. Passes(),
        Do("L4", "tells the waiters if all is quiet, lets the lock go", (ref m, ref me) =>
        {
            if (bug == Bug.CompletesWhoCameAfterTheAnswer && m.Locked)
            {
                return Next.Blocked;
            }

            m.Locked = false;
            if (me.Sum == 16)
            {
                if ((m.Waiting & ~m.SawQuiet) != 0)
                {
                    return Next.Fail("a waiter was told and a job was in flight ever since it came");
                }

                m.Released |= m.Waiting;
                m.Waiting = 0;
            }

            me.Sum = 0;
            return Next.To(after);
        }),
    ];

    // All that is finished, and then all that was submitted.
    private IEnumerable<Step<Memory, Local>> Passes()
    {
        List<(bool Finished, int Lane)> reads =
        [
            .. from finished in new[] { true, false } from lane in Enumerable.Range(0, Lanes) select (finished, lane),
        ];
        reads = bug switch
        {
            Bug.SubmittedBeforeFinished => [.. reads.OrderBy(read => read.Finished)],
            Bug.LaneByLane => [.. reads.OrderByDescending(read => read.Lane)],
            _ => reads,
        };
        return reads.Select((read, i) => Do(
            $"L3{(char)('a' + i)}",
            $"looks how many jobs of lane {read.Lane} are {(read.Finished ? "finished" : "submitted")}",
            (ref m, ref me) =>
            {
                me.Sum += (byte)(read.Finished ? m.Finished[read.Lane] : -m.Submitted[read.Lane]);
                return Next.Ahead;
            }));
    }
}
