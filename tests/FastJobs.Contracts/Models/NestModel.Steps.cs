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
}
