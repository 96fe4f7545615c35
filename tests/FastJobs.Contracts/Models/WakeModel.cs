using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Submitters, workers, sleepers: docs/protocols.md#wake. Code: LaneQueue.cs, WorkerSet*.cs.</summary>
/// <remarks>
/// A claim is one step here; QueueModel has its steps. Looks at the tail and then at the head are two, because the code
/// has no way to read both at once. What is done under the lock alone is one step; what touches the tail word, which
/// submitters change without the lock, is a step of its own between taking the lock and letting it go.
/// </remarks>
internal sealed partial class WakeModel(WakeModel.Setup setup, WakeModel.Bug bug = default)
    : Model<WakeModel.Memory, WakeModel.Local>
{
    private const byte UrgentJob = 5; // the number of the one urgent job; others are numbered by position

    public enum Bug
    {
        None,
        NoLookBehind, // F2 is omitted
        LookBehindAfterTheJob, // F1 and F2 come after F3
        NoLookBeforeSleep, // W4 is omitted
        LookBeforeFlag, // W4 comes before W3
        SleepOnUnpublished,
        FlagBeforeAdd, // S1 in two steps, the wrong way round
        WakeWithoutSecondLook,
        FlagForParkedOnly,
        ThreadStartsOutsideTheLock,
        UrgentIgnoredBeforeSleep,
        UrgentIgnoredBehind,
        StoppedWorkerStaysSearcher,
        StoppedWorkerIsCountedTwice,
        NoRebalanceWhenItGrows,
        NoLookAfterTheClaim,
        PutBackWakesNobody,
        LeaseIsNoWork,
        LeasesBesideSleepers,
    }

    /// <param name="Workers">Threads there can be.</param>
    /// <param name="Limit">Jobs that may run at once.</param>
    /// <param name="Submits">Jobs of each submitter.</param>
    public sealed record Setup(int Workers, int Limit, params int[] Submits)
    {
        public int MostSearchers { get; init; } = 1;

        /// <summary>How many positions a submitter takes with one add, if it has so many jobs left.</summary>
        public int Batch { get; init; } = 1;

        /// <summary>How many of the workers sleep at the start; the others are threads that can be started.</summary>
        public int Parked { get; init; } = 6;

        /// <summary>Whether the first job ends only after the last one has run.</summary>
        public bool FirstWaitsForLast { get; init; }

        public bool IdleTimeOuts { get; init; }

        /// <summary>Whether the system may refuse to start a thread, once.</summary>
        public bool StartsFail { get; init; }

        /// <summary>Whether one more thread pushes an urgent job.</summary>
        public bool Urgent { get; init; }

        /// <summary>What one more thread changes the limit to, or -1.</summary>
        public int NewLimit { get; init; } = -1;

        /// <summary>
        /// Whether one more thread lets no job start, submits one, which must not start, and lets all start again.
        /// </summary>
        public bool Defers { get; init; }

        /// <summary>Whether the first submitter may lease the tail.</summary>
        public bool Leases { get; init; }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        // The tail word: one atomic word in the code, so any step may touch all three.
        public byte Tail;
        public byte Searchers;
        public bool Sleepers;
        public bool Leased; // then the position is not in the word, but Tail has it: LeaseModel shows how

        public byte Head;
        public byte Published; // by position
        public byte Ran; // by job
        public byte Running;

        public bool Locked;
        public byte Claimers;
        public byte Limit;
        public byte Parked; // workers, as bits
        public byte Unstarted;
        public bool Control; // claimers must come by
        public byte Urgent;
        public byte PutBack; // jobs, as bits
        public byte MayNotStart; // jobs, as bits

        public byte Tokens; // unparks and thread starts that are on their way
        public bool StartFailed;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Id;
        public byte Written;
        public byte Position; // of the job in hand
        public byte Unpublished; // of a submitter's batch
        public byte SeenTail;
        public bool MustWake;
        public bool Searching;
        public bool IsThread; // it was started, so it may time out
        public byte Sleeper; // whom to wake, + 1
        public bool HasLooked; // at the control word
        public bool FoundLast; // only for a bug: how the last look before a checkpoint ended
    }

    private int Jobs => setup.Submits.Sum() + (setup.Defers ? 1 : 0);

    private bool ChangesLimit => setup.NewLimit >= 0 || setup.Defers;

    public override Memory Start => new()
    {
        Limit = (byte)setup.Limit,
        Sleepers = setup.Limit > 0,
        Parked = Bits.First(Math.Min(setup.Parked, setup.Workers)),
        Unstarted = (byte)(Bits.First(setup.Workers) & ~Bits.First(setup.Parked)),
    };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        .. setup.Submits.Select((jobs, i) => new Script<Memory, Local>(
            $"submitter {i}", default, Submitter(jobs, leases: setup.Leases && i == 0))),
        .. Enumerable.Range(0, setup.Workers).Select(i => new Script<Memory, Local>(
            $"worker {i}", new Local { Id = (byte)i, IsThread = i < setup.Parked }, Worker())),
        .. setup.Urgent ? [new Script<Memory, Local>("urgent", default, UrgentSubmitter())]
            : Array.Empty<Script<Memory, Local>>(),
        .. setup.NewLimit >= 0 ? [new Script<Memory, Local>("limit", default, LimitSetter())]
            : Array.Empty<Script<Memory, Local>>(),
        .. setup.Defers ? [new Script<Memory, Local>("who defers", default, Defer())]
            : Array.Empty<Script<Memory, Local>>(),
    ];

    public override string? CheckAlways(in Memory m) =>
        m.Searchers > 8 ? "there is a searcher less than none"
        : !ChangesLimit && m.Claimers > m.Limit ? "more workers may claim than the limit allows"
        : !ChangesLimit && m.Running > m.Limit ? "more jobs run than the limit allows"
        : !m.Locked && CanAddClaimer(in m) && !m.Sleepers ? "there are sleepers and the flag does not say so"
        : null;

    public override string? CheckEnd(in Memory m) =>
        m.Ran != (Bits.First(Jobs) | (setup.Urgent ? 1 << UrgentJob : 0))
            ? "lost wake-up: a job waits and all workers sleep"
        : m.Searchers != 0 || m.Claimers != 0 ? "all workers sleep and one of them is counted"
        : null;

    private static bool CanAddClaimer(in Memory m) => m.Claimers < m.Limit;

    private Next ToWake(bool wake) => wake ? Next.To("K1") : Next.To("S4");

    private IEnumerable<Step<Memory, Local>> Submitter(int jobs, bool leases) =>
    [
        .. bug == Bug.FlagBeforeAdd
            ?
            [
                Do("S0", "looks at the tail word", (ref m, ref me) => See(ref me, m.Sleepers && m.Searchers == 0)),
                Do("S1", "adds a position", (ref m, ref me) =>
                {
                    Add(ref m, ref me, jobs);
                    return Next.Ahead;
                }),
            ]
            : new[]
            {
                Do("S1", "adds its positions and sees the flags", (ref m, ref me) =>
                {
                    if (m.Leased)
                    {
                        m.Leased = false; // ends the lease, and adds again
                        return Next.To("S1");
                    }

                    Add(ref m, ref me, jobs);
                    return See(ref me, m.Sleepers && m.Searchers == 0);
                }),
            },
        Do("S2", "publishes", (ref m, ref me) =>
        {
            m.Published.Add(me.Position);
            if (--me.Unpublished > 0)
            {
                me.Position++;
                return Next.To("S2");
            }

            me.Position = 0;
            bool wake = me.MustWake;
            me.MustWake = false;
            return ToWake(wake);
        }),
        .. Wake("S4"),
        Do("S4", "has submitted", (ref m, ref me) =>
            me.Written < jobs ? Next.To(bug == Bug.FlagBeforeAdd ? "S0" : "S1") : Next.Done),
        .. leases ? Lease(jobs) : [],
    ];

    private void Add(ref Memory m, ref Local me, int jobs)
    {
        me.Unpublished = (byte)Math.Min(setup.Batch, jobs - me.Written);
        me.Position = m.Tail;
        m.Tail += me.Unpublished;
        me.Written += me.Unpublished;
    }

    private static Next See(ref Local me, bool mustWake)
    {
        me.MustWake = mustWake;
        return Next.Ahead;
    }

    private IEnumerable<Step<Memory, Local>> UrgentSubmitter() =>
    [
        Do("U1", "pushes under the lock", (ref m, ref me) =>
        {
            m.Urgent++;
            return m.Locked ? Next.Blocked : Next.Ahead;
        }),
        .. Wake("S4"),
        Do("S4", "has submitted", (ref m, ref me) => Next.Done),
    ];

    private IEnumerable<Step<Memory, Local>> LimitSetter() =>
    [
        Do("L1", "takes the lock, sets the limit and the control word", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            m.Locked = true;
            m.Limit = (byte)setup.NewLimit;
            return Next.Ahead;
        }),
        .. Rebalance("S4"),
        Do("S4", "has set the limit", (ref m, ref me) => Next.Done),
    ];

    // The lane's backlog may hold jobs of before, which may start late; the one that comes after may not.
    private IEnumerable<Step<Memory, Local>> Defer() =>
    [
        Do("L1", "takes the lock, changes the limit", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            m.Locked = true;
            m.Limit = me.Written == 0 ? (byte)0 : (byte)setup.Limit;
            m.MayNotStart = 0;
            return Next.Ahead;
        }),
        .. Rebalance("S0"),
        Do("S0", "has changed the limit", (ref m, ref me) => me.Written == 0 ? Next.Ahead : Next.Done),
        Do("S1", "adds a position and sees the flags", (ref m, ref me) =>
        {
            Add(ref m, ref me, 1);
            m.MayNotStart.Add(me.Position);
            return See(ref me, m.Sleepers && m.Searchers == 0);
        }),
        Do("S2", "publishes", (ref m, ref me) =>
        {
            m.Published.Add(me.Position);
            me.Unpublished = 0;
            me.Position = 0;
            bool wake = me.MustWake;
            me.MustWake = false;
            return wake ? Next.To("K1") : Next.To("L1");
        }),
        .. Wake("L1"),
    ];
}
