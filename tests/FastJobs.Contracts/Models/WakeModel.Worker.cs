using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The worker of the wake protocol: WorkerSet.Work, TryPark, Sleep, Checkpoint, FoundWork.</summary>
internal sealed partial class WakeModel
{
    private bool HasControl => ChangesLimit;

    // It begins as a sleeper or as a thread that was not started; both wait for a token.
    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        .. Sleep(),
        .. Look(),
        .. Find(),
        .. Wake("F3"),
        .. Run(),
        .. FallAsleep(),
        .. HasControl ? [.. PutBack(), .. Checkpoint()] : Array.Empty<Step<Memory, Local>>(),
    ];

    private IEnumerable<Step<Memory, Local>> Sleep() =>
    [
        Rest("W5", "wakes, as a claimer and a searcher", (ref m, ref me) =>
        {
            if (!m.Tokens.Has(me.Id))
            {
                return Next.Blocked;
            }

            m.Tokens.Remove(me.Id);
            me.Searching = true;
            me.IsThread = true;
            return Next.To("W2");
        }),
        .. !setup.IdleTimeOuts ? Array.Empty<Step<Memory, Local>>() :
        [
            Rest("W5", "has slept for long, takes the lock: ends if nobody has woken it", (ref m, ref me) =>
            {
                if (m.Locked || !me.IsThread || !m.Parked.Has(me.Id))
                {
                    return Next.Blocked;
                }

                m.Parked.Remove(me.Id);
                m.Unstarted.Add(me.Id); // one script serves the thread that ends and the next one that is started
                me.IsThread = false;
                return Next.To("W5");
            }),
        ],
    ];

    private IEnumerable<Step<Memory, Local>> Look() =>
    [
        Do("W2", "looks at the queue", (ref m, ref me) =>
        {
            if (HasControl && !me.HasLooked)
            {
                me.HasLooked = !m.Control;
                return m.Control ? Next.To("C1") : Next.To("W2"); // the look at the queue is another step
            }

            me.HasLooked = false;
            if (TryClaim(ref m, ref me) is { } claimed)
            {
                me.FoundLast = false;
                return claimed;
            }

            if (me.FoundLast)
            {
                me.FoundLast = false;
                return Next.To("W1"); // it was woken as a searcher and becomes one again
            }

            if (m.Leased)
            {
                return Awaits(m, me) ? Next.Blocked : Next.To("W3");
            }

            // Not published: its submitter is between S1 and S2, and the worker looks again.
            return m.Tail > m.Head ? Next.Blocked : Next.To("W3");
        }),
        .. FindSlow(),
        Do("W0", "has run a job, looks at the queue", (ref m, ref me) =>
        {
            if (HasControl && !me.HasLooked)
            {
                me.FoundLast = m.Control && bug == Bug.StoppedWorkerIsCountedTwice;
                me.HasLooked = !m.Control;
                return m.Control ? Next.To("C1") : Next.To("W0");
            }

            me.HasLooked = false;
            return TryClaim(ref m, ref me) ?? Next.Ahead;
        }),
        Do("W1", "becomes a searcher, unless there are enough", (ref m, ref me) =>
        {
            me.Searching = m.Searchers < setup.MostSearchers;
            m.Searchers += (byte)(me.Searching ? 1 : 0);
            return Next.To("W2");
        }),
    ];

    // Null: there is nothing to claim.
    private Next? TryClaim(ref Memory m, ref Local me)
    {
        if (m.Urgent > 0)
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            m.Urgent--;
            me.Position = m.PutBack == 0 ? UrgentJob : (byte)int.TrailingZeroCount(m.PutBack);
            m.PutBack.Remove(me.Position);
        }
        else if (m.Published.Has(m.Head))
        {
            me.Position = m.Head++;
        }
        else
        {
            return null;
        }

        return HasControl && bug != Bug.NoLookAfterTheClaim ? Next.To("P1") : Found(ref me);
    }

    private static Next Found(ref Local me) => me.Searching ? Next.To("F1") : Next.To("F3");

    private IEnumerable<Step<Memory, Local>> PutBack() =>
    [
        Do("P1", "has a job, looks at the control word again", (ref m, ref me) =>
            m.Control ? Next.Ahead : Found(ref me)),
        Do("P2", "takes the lock, puts the job back if none may start", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            if (m.Limit > 0)
            {
                return Found(ref me);
            }

            m.Urgent++;
            m.PutBack.Add(me.Position);
            me.Position = 0;
            return Next.To("C1");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Find() =>
    [
        Do("F1", "has a job and stops searching", (ref m, ref me) =>
        {
            if (bug == Bug.LookBehindAfterTheJob && !m.Ran.Has(me.Position))
            {
                return Next.To("F3");
            }

            m.Searchers--;
            me.Searching = false;
            return m.Sleepers && m.Searchers == 0 && bug != Bug.NoLookBehind ? Next.To("F2") : Next.To("F2c");
        }),
        Do("F2", "sees sleepers and no searcher, looks at the tail", (ref m, ref me) =>
        {
            me.SeenTail = SeesWork(m);
            return Next.Ahead;
        }),
        Do("F2b", "looks at the head", (ref m, ref me) =>
        {
            bool work = me.SeenTail > m.Head;
            me.SeenTail = 0;
            return work ? Next.To("K1") : Next.Ahead;
        }),
        Do("F2c", "looks for urgent jobs and searchers", (ref m, ref me) =>
            m.Urgent > 0 && m.Searchers == 0 && bug != Bug.UrgentIgnoredBehind ? Next.To("K1") : Next.To("F3")),
    ];

    private IEnumerable<Step<Memory, Local>> Run() =>
    [
        Do("F3", "starts the job", (ref m, ref me) =>
        {
            if (m.Ran.Has(me.Position))
            {
                if (bug == Bug.LookBehindAfterTheJob)
                {
                    return Next.To("W0");
                }

                return Next.Fail("a job ran twice");
            }

            if (m.MayNotStart.Has(me.Position))
            {
                return Next.Fail("a job started that was submitted when none may start");
            }

            m.Running++;
            return Next.Ahead;
        }),
        Do("F4", "ends the job", (ref m, ref me) =>
        {
            if (setup.FirstWaitsForLast && me.Position == 0 && !m.Ran.Has(Jobs - 1))
            {
                return Next.Blocked;
            }

            m.Running--;
            m.Ran.Add(me.Position);
            if (bug == Bug.LookBehindAfterTheJob && me.Searching)
            {
                return Next.To("F1");
            }

            me.Position = 0;
            return Next.To("W0");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> FallAsleep() =>
    [
        .. bug != Bug.LookBeforeFlag ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("W3", "looks at tail and head first", (ref m, ref me) => Next.To(m.Tail > m.Head ? "W2" : "W3a")),
        ],
        Do(bug == Bug.LookBeforeFlag ? "W3a" : "W3", "takes the lock, is no claimer", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            if (m.Urgent > 0 && bug != Bug.UrgentIgnoredBeforeSleep)
            {
                return Next.To("W2");
            }

            m.Locked = true;
            m.Claimers--;
            return Next.Ahead;
        }),
        Do("W3b", "stops searching and sets the flag", (ref m, ref me) =>
        {
            m.Sleepers = CanAddClaimer(in m);
            m.Searchers -= (byte)(me.Searching ? 1 : 0);
            me.Searching = false;
            bool looks = m.Sleepers && m.Searchers == 0 && bug is not (Bug.NoLookBeforeSleep or Bug.LookBeforeFlag);
            return looks ? Next.Ahead : GoToSleep(ref m, ref me);
        }),
        Do("W4", "looks at the tail", (ref m, ref me) =>
        {
            me.SeenTail = SeesWork(m);
            return Next.Ahead;
        }),
        Do("W4b", "looks at the head", (ref m, ref me) =>
        {
            bool work = me.SeenTail > m.Head && (bug != Bug.SleepOnUnpublished || m.Published.Has(m.Head));
            me.SeenTail = 0;
            return work ? Next.Ahead : GoToSleep(ref m, ref me);
        }),
        Do("W4c", "becomes a searcher again", (ref m, ref me) =>
        {
            CountClaimer(ref m, ref me);
            me.Searching = true;
            m.Locked = false;
            return Next.To("W2");
        }),
    ];

    private static Next GoToSleep(ref Memory m, ref Local me)
    {
        m.Parked.Add(me.Id);
        m.Locked = false;
        return Next.To("W5");
    }

    private IEnumerable<Step<Memory, Local>> Checkpoint() =>
    [
        Do("C1", "takes the lock, stops claiming if there are too many", (ref m, ref me) =>
        {
            if (m.Locked)
            {
                return Next.Blocked;
            }

            if (m.Claimers <= m.Limit)
            {
                m.Control = false;
                me.FoundLast = false;
                return Next.To("C3");
            }

            m.Locked = true;
            m.Claimers--;
            return Next.Ahead;
        }),
        Do("C2", "is no searcher", (ref m, ref me) =>
        {
            if (me.Searching && bug != Bug.StoppedWorkerStaysSearcher)
            {
                m.Searchers--;
            }

            me.Searching = false;
            m.Parked.Add(me.Id);
            return Next.To("R1");
        }),
        Do("C3", "goes on", (ref m, ref me) => me.Searching ? Next.To("W2") : Next.To("W0")),
        .. Rebalance("W5"),
    ];
}
