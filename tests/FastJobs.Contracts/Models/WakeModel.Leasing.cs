using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>A submitter that leases the tail looks at no flag: docs/protocols.md#lease. LaneQueue.Leasing.cs, WorkerSet.Filling.cs.</summary>
/// <remarks>How a put and the end of the lease meet is LeaseModel's; here a place is taken in one step, which finds the lease or does not.</remarks>
internal sealed partial class WakeModel
{
    private IEnumerable<Step<Memory, Local>> Lease(int jobs) =>
    [
        Do("S4", "has submitted, leases the tail", (ref m, ref me) =>
        {
            bool mustWake = m.Sleepers && m.Searchers == 0 && bug != Bug.LeasesBesideSleepers;
            m.Leased = true;
            return me.Written == jobs || mustWake ? Next.Blocked : Next.Ahead;
        }),
        Do("P1", "takes a place, if the lease is not over", (ref m, ref me) =>
        {
            if (!m.Leased)
            {
                return Next.To("S1");
            }

            me.Position = m.Tail++;
            me.Written++;
            return Next.Ahead;
        }),
        Do("P2", "publishes", (ref m, ref me) =>
        {
            m.Published.Add(me.Position);
            me.Position = 0;
            return me.Written < jobs ? Next.To("P1") : Next.Done;
        }),
    ];

    // The queue is empty or its first job not published, and the lessee quick: a worker waits, but sleeps while another searches.
    private static bool Awaits(in Memory m, in Local me) => me.Searching || m.Searchers == 0;

    private IEnumerable<Step<Memory, Local>> FindSlow() => !setup.Leases ? [] :
    [
        Do("W2", "finds nothing and the lessee slow, ends the lease", (ref m, ref me) =>
        {
            bool finds = m.Leased && m.Urgent == 0 && !m.Published.Has(m.Head);
            m.Leased = false;
            return finds ? Next.To("W2") : Next.Blocked;
        }),
    ];

    // The tail, for a comparison with the head. A lease counts as work.
    private byte SeesWork(in Memory m) => m.Leased && bug != Bug.LeaseIsNoWork ? byte.MaxValue : m.Tail;
}
