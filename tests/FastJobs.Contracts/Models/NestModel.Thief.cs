using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The steps of a thief, labelled as on docs/protocols.md#nest.</summary>
internal sealed partial class NestModel
{
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

    // Job 1 came when the pool was deferred.
    private static Next? RunByThief(ref Memory m, byte job) =>
        m.Deferred && job == 1 ? Next.Fail("a job ran in a deferred pool") : RunOne(ref m, job);
}
