using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The steps of the threads, labelled as on docs/protocols.md#nest.</summary>
internal sealed partial class NestModel
{
    private IEnumerable<Step<Memory, Local>> Owner() =>
    [
        .. Keep("0 ", 0),
        Do("D1", "defers the pool", (ref m, ref me) =>
        {
            m.Deferred = defers;
            return Next.Ahead;
        }),
        .. Keep("1 ", 1),
        Do("D2", "lets the pool go on", (ref m, ref me) =>
        {
            m.Deferred = false;
            return Next.Ahead;
        }),
        Do("W", "waits, or is busy for ever", (ref m, ref me) => waits ? Next.Ahead : Next.Done),
        .. Take(),
        Do("W1", "claims a job on the stack, if there is one", (ref m, ref me) =>
        {
            if (!m.Stack.Has(Added))
            {
                return Next.Ahead;
            }

            m.Stack.Remove(Added);
            me.Job = Added;
            return Next.To("E2");
        }),
        Do("W3", "looks at the count", (ref m, ref me) => m.Count == 0 ? Next.Done : Next.Ahead),
        Do("W3b", "asks whether jobs are in nests", (ref m, ref me) =>
        {
            if (m.Nested == 0 || bug == Bug.WaiterDoesNotSearch)
            {
                return Next.To("W4");
            }

            me.OfThief = true;
            return Next.Ahead;
        }),
        .. Steal("S", "T1"),
        .. Run("T1"),
        .. Sleep(),
    ];

    private IEnumerable<Step<Memory, Local>> Keep(string at, byte job) =>
    [
        Do(at + "K1", $"counts job {job} among those in nests", (ref m, ref me) =>
        {
            m.Nested++;
            return Next.Ahead;
        }),
        Do(at + "K2", $"counts job {job}: nobody sleeps", (ref m, ref me) =>
        {
            m.Count++;
            return Next.Ahead;
        }),
        .. Push(at, job, ofThief: false),
    ];

    // The newest job of the owner's nest, then E1; or W1.
    private IEnumerable<Step<Memory, Local>> Take()
    {
        Step<Memory, Local> lower = Do("T2", "lowers the bottom", (ref m, ref me) =>
        {
            m.Owners.Bottom--;
            return Next.Ahead;
        });
        Step<Memory, Local> look = Do("T3", "looks at the top", (ref m, ref me) =>
        {
            me.Seen = m.Owners.Top;
            return Next.Ahead;
        });
        return
        [
            Do("T1", "looks whether there is one", (ref m, ref me) =>
            {
                me = default;
                return m.Owners.Bottom <= m.Owners.Top ? Next.To("W1") : Next.Ahead;
            }),
            .. bug == Bug.TakeLooksThenLowers ? new[] { look, lower } : [lower, look],
            Do("T4", "has it, or exchanges the top for the last", (ref m, ref me) =>
            {
                byte top = me.Seen;
                me.Seen = 0;
                byte bottom = m.Owners.Bottom;
                me.Job = m.Owners.Slots[bottom];
                if (top < bottom)
                {
                    return Next.To("E1");
                }

                bool mine = top == bottom && (m.Owners.Top == top || bug == Bug.TakeOfTheLastWithoutExchange);
                m.Owners.Top = mine ? (byte)(top + 1) : m.Owners.Top;
                m.Owners.Bottom++;
                return Next.To(mine ? "E1" : "W1");
            }),
        ];
    }

    // The oldest job of me's nest, then what follows; or `none`.
    private IEnumerable<Step<Memory, Local>> Steal(string at, string none) =>
    [
        Do(at + "1", "looks at the top", (ref m, ref me) =>
        {
            me.Seen = NestOf(ref m, me.OfThief).Top;
            return Next.Ahead;
        }),
        Do(at + "2", "looks at the bottom, and reads the slot", (ref m, ref me) =>
        {
            ref Nest nest = ref NestOf(ref m, me.OfThief);
            if (nest.Bottom <= me.Seen)
            {
                return Next.To(none);
            }

            me.Job = nest.Slots[me.Seen];
            me.Asked = bug == Bug.StealLooksThenStores && nest.Top == me.Seen;
            return Next.Ahead;
        }),
        Do(at + "3", "exchanges the top", (ref m, ref me) =>
        {
            ref Nest nest = ref NestOf(ref m, me.OfThief);
            bool mine = nest.Top == me.Seen || me.Asked;
            nest.Top = mine ? (byte)(me.Seen + 1) : nest.Top;
            me.Seen = 0;
            me.Asked = false;
            return mine ? Next.Ahead : Next.To(at + "1");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Run(string then) =>
    [
        Do("E1", "counts it no more among those in nests", (ref m, ref me) =>
        {
            m.Nested--;
            return Next.Ahead;
        }),
        Do("E2", "runs it", (ref m, ref me) => RunOne(ref m, me.Job) ?? Next.Ahead),
        Do("E3", "finishes it", (ref m, ref me) => Finish(ref m, Next.To(then))),
    ];

    private static Next? RunOne(ref Memory m, byte job)
    {
        if (m.Ran.Has(job))
        {
            return Next.Fail("a job ran twice");
        }

        m.Ran.Add(job);
        return null;
    }

    // Job 1 came when the pool was deferred.
    private static Next? RunByThief(ref Memory m, byte job) =>
        m.Deferred && job == 1 ? Next.Fail("a job ran in a deferred pool") : RunOne(ref m, job);

    private static Next Finish(ref Memory m, Next then)
    {
        if (--m.Count == 0 && m.Sleeper)
        {
            Wake(ref m);
        }

        return then;
    }

    private IEnumerable<Step<Memory, Local>> Sleep() =>
    [
        Do("W4", "asks, or sets the flag", (ref m, ref me) =>
        {
            me = default;
            me.Asked = bug == Bug.WaiterAsksBeforeTheFlag && (m.Nested != 0 || m.Stack != 0);
            m.Sleeper |= bug != Bug.WaiterAsksBeforeTheFlag;
            return Next.Ahead;
        }),
        Do("W5", "asks", (ref m, ref me) =>
        {
            bool ready = m.Count == 0
                || (bug == Bug.WaiterAsksBeforeTheFlag ? me.Asked : m.Stack != 0 || (m.Nested != 0 && bug != Bug.WaiterDoesNotSearch));
            me = default;
            m.Sleeper = !ready;
            m.Asleep = !ready;
            return ready ? Next.To("T1") : Next.Ahead;
        }),
        Rest("W6", "is awake", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.To("T1")),
    ];

    private IEnumerable<Step<Memory, Local>> Thief()
    {
        Step<Memory, Local>[] look =
        [
            Do("P4b", "looks whether the pool is deferred", (ref m, ref me) =>
            {
                me.Deferred = m.Deferred;
                return Next.Ahead;
            }),
        ];
        bool looksBefore = bug == Bug.ThiefLooksBeforeTheSteal;
        return
        [
            Rest("P0", "comes to a call", (ref m, ref me) =>
            {
                me = default;
                if (m.Deferred)
                {
                    return Next.Blocked;
                }

                if (m.Handed != 0)
                {
                    me.Job = (byte)(m.Handed.Has(0) ? 0 : 1);
                    m.Handed.Remove(me.Job);
                    return Next.To("H1");
                }

                me.OfThief = m.Owners.Calls == 0;
                ref Nest nest = ref NestOf(ref m, me.OfThief);
                if (nest.Calls == 0)
                {
                    me = default;
                    return Next.Blocked;
                }

                nest.Calls--;
                return Next.Ahead;
            }),
            Do("P0b", "says that no thief is called", (ref m, ref me) =>
            {
                NestOf(ref m, me.OfThief).Called &= bug == Bug.ThiefClearsWhenItLeaves;
                return Next.Ahead;
            }),
            .. looksBefore ? look : [],
            .. Steal("P", "P8"),
            Do("P4", "calls another thief if there is more", (ref m, ref me) =>
            {
                ref Nest nest = ref NestOf(ref m, me.OfThief);
                me.Asked = nest.Bottom > nest.Top; // others come for the rest
                Call(ref nest, !me.Asked || (m.Deferred && bug == Bug.ThiefOfADeferredPoolLeavesTheRest));
                return Next.Ahead;
            }),
            .. looksBefore ? [] : look,
            Do("P4c", "hands the job on if it is", (ref m, ref me) =>
            {
                if (!me.Deferred)
                {
                    me.Asked = false;
                    return Next.Ahead;
                }

                me.Deferred = false;
                m.Nested--;
                m.Handed.Add(me.Job);
                bool others = me.Asked;
                me.Asked = false;
                me.Job = 0;
                return Next.To(others || bug == Bug.ThiefOfADeferredPoolLeavesTheRest ? "P8" : "P1");
            }),
            Do("P5", "counts it no more among those in nests", (ref m, ref me) =>
            {
                m.Nested--;
                return Next.Ahead;
            }),
            Do("P6", "runs it", (ref m, ref me) => RunByThief(ref m, me.Job) ?? (waits && me.Job == 0 ? Next.Ahead : Next.To("P7"))),
            .. Add(),
            Do("P7", "finishes it", (ref m, ref me) =>
            {
                me.Job = 0;
                return Finish(ref m, Next.To("P1"));
            }),
            Do("P8", "leaves", (ref m, ref me) =>
            {
                ref Nest nest = ref NestOf(ref m, me.OfThief);
                nest.Called &= bug != Bug.ThiefClearsWhenItLeaves;
                return Next.To("P0");
            }),
            Do("H1", "runs a job that was handed on", (ref m, ref me) => RunByThief(ref m, me.Job) ?? Next.Ahead),
            Do("H2", "finishes it", (ref m, ref me) => Finish(ref m, Next.To("P0"))),
        ];
    }

    // Job 0 submits job 2, and does not end before that has run.
    private IEnumerable<Step<Memory, Local>> Add()
    {
        Step<Memory, Local> nested = Do("A1", "counts job 2 among those in nests", (ref m, ref me) =>
        {
            m.Nested++;
            return Next.Ahead;
        });
        Step<Memory, Local> counted = Do("A2", "counts job 2, or finds a sleeper and goes to the pool", (ref m, ref me) =>
        {
            m.Count++;
            if (!m.Sleeper || bug == Bug.KeepIgnoresTheSleeper)
            {
                return Next.Ahead;
            }

            m.Nested -= (byte)(bug == Bug.KeepCountsAfterTheFlag ? 0 : 1);
            m.Stack.Add(Added);
            Wake(ref m);
            return Next.To("A6");
        });
        return
        [
            .. bug == Bug.KeepCountsAfterTheFlag ? new[] { counted, nested } : [nested, counted],
            .. Push("A ", Added, ofThief: true),
            Do("A6", "goes on when job 2 has run", (ref m, ref me) => m.Ran.Has(Added) ? Next.Ahead : Next.Blocked),
        ];
    }
}
