using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Waking a worker, with all that is done under the lock: WorkerSet.Wake, Rebalance, TryAddClaimer.</summary>
internal sealed partial class WakeModel
{
    // WorkerSet.Wake.
    private IEnumerable<Step<Memory, Local>> Wake(string after) =>
    [
        Do("K1", "takes the lock, looks again", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            if (!CanAddClaimer(in m) || (m.Searchers > 0 && bug != Bug.WakeWithoutSecondLook))
            {
                if (bug != Bug.WakeWithoutSecondLook)
                {
                    m.Sleepers = CanAddClaimer(in m);
                    return Next.To(after);
                }
            }

            m.Locked = true;
            return Next.Ahead;
        }),
        Do("K2", "counts a claimer and searcher", CountClaimer),
        .. Rouse(),
        Do("K5", "sets the flag, lets the lock go", (ref m, ref me) =>
        {
            m.Sleepers = bug == Bug.FlagForParkedOnly ? m.Parked != 0 : CanAddClaimer(in m);
            m.Locked = false;
            return me.Sleeper == 0 ? Next.To(after) : Next.Ahead;
        }),
        Do("K6", bug == Bug.ThreadStartsOutsideTheLock ? "starts the worker" : "unparks the worker", (ref m, ref me) =>
        {
            m.Tokens.Add(me.Sleeper - 1);
            me.Sleeper = 0;
            return Next.To(after);
        }),
        .. bug != Bug.ThreadStartsOutsideTheLock ? Array.Empty<Step<Memory, Local>>() : FailOutsideTheLock(after),
    ];

    private static Next CountClaimer(ref Memory m, ref Local me)
    {
        m.Claimers++;
        m.Searchers++;
        return Next.Ahead;
    }

    // WorkerSet.TryAddClaimer: a sleeper, whom the caller unparks when it has let the lock go, or a new thread.
    private IEnumerable<Step<Memory, Local>> Rouse() =>
    [
        Do("K3", "picks a sleeper or starts a thread", (ref m, ref me) =>
        {
            if (m.Parked != 0)
            {
                me.Sleeper = (byte)(int.Log2(m.Parked) + 1);
                m.Parked.Remove(me.Sleeper - 1);
            }
            else if (bug == Bug.ThreadStartsOutsideTheLock)
            {
                me.Sleeper = (byte)(int.Log2(m.Unstarted) + 1);
                m.Unstarted.Remove(me.Sleeper - 1);
            }
            else
            {
                return StartThread(ref m);
            }

            return Next.To("K5");
        }),
        Do("K3", "cannot start a thread, takes the claimer back", (ref m, ref me) =>
        {
            if (!setup.StartsFail || m.StartFailed || m.Parked != 0 || bug == Bug.ThreadStartsOutsideTheLock)
            {
                return Next.Blocked;
            }

            m.StartFailed = true;
            m.Claimers--;
            return Next.Ahead;
        }),
        Do("K4", "takes the searcher back, ends the lease", (ref m, ref me) =>
        {
            m.Searchers--;
            m.Leased = false; // the next submit may try again
            return Next.Ahead;
        }),
    ];

    private static Next StartThread(ref Memory m)
    {
        if (m.Unstarted == 0)
        {
            return Next.Fail("more workers are claimers than there are");
        }

        int worker = int.Log2(m.Unstarted);
        m.Unstarted.Remove(worker);
        m.Tokens.Add(worker);
        return Next.To("K5");
    }

    // What the code did at first: others fell asleep because of a searcher that never came.
    private IEnumerable<Step<Memory, Local>> FailOutsideTheLock(string after) =>
    [
        Do("K6", "cannot start a thread", (ref m, ref me) =>
        {
            bool fails = !m.StartFailed && !m.Tokens.Has(me.Sleeper - 1) && me.Sleeper - 1 >= setup.Parked;
            m.StartFailed = true;
            return fails ? Next.Ahead : Next.Blocked;
        }),
        Do("K7", "takes the lock, takes the claimer and the searcher back", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            m.Claimers--;
            m.Searchers--;
            m.Unstarted.Add(me.Sleeper - 1);
            me.Sleeper = 0;
            m.Sleepers = CanAddClaimer(in m);
            return Next.To(after);
        }),
    ];

    // WorkerSet.Rebalance, with the lock; lets it go.
    private IEnumerable<Step<Memory, Local>> Rebalance(string after) =>
    [
        Do("R1", "sets the control word and the flag", (ref m, ref me) =>
        {
            m.Control = m.Claimers > m.Limit;
            m.Sleepers = CanAddClaimer(in m);
            if (m.Sleepers && m.Searchers == 0 && m.Urgent > 0 && bug != Bug.PutBackWakesNobody)
            {
                return Next.To("R4");
            }

            if (m.Sleepers && m.Searchers == 0 && bug != Bug.NoRebalanceWhenItGrows)
            {
                return Next.Ahead;
            }

            m.Locked = false;
            return Next.To(after);
        }),
        Do("R2", "looks at the tail", (ref m, ref me) =>
        {
            me.SeenTail = m.Tail;
            return Next.Ahead;
        }),
        Do("R3", "looks at the head", (ref m, ref me) =>
        {
            bool work = me.SeenTail > m.Head;
            me.SeenTail = 0;
            m.Locked = work;
            return work ? Next.Ahead : Next.To(after);
        }),
        Do("R4", "counts a claimer and searcher", CountClaimer),
        Do("R5", "wakes a sleeper or starts a thread, looks again", (ref m, ref me) =>
        {
            if (m.Parked == 0)
            {
                return StartThread(ref m) is { What: Next.Kind.Failed } failed ? failed : Next.To("R1");
            }

            int sleeper = int.Log2(m.Parked);
            m.Parked.Remove(sleeper);
            m.Tokens.Add(sleeper);
            return Next.To("R1");
        }),
    ];
}
