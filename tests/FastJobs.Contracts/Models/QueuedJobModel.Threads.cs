using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>What each thread does, by the steps of docs/protocols.md#queued-job.</summary>
internal sealed partial class QueuedJobModel
{
    private IEnumerable<Step<Memory, Local>> Enqueuer() =>
    [
        Do("E1", "hands a job in (lock)", (ref m, ref me) =>
        {
            byte job = m.Entered++;
            if (m.Deleting)
            {
                m.Refused.Add(job);
                return Next.To("E3");
            }

            m.State[job] = Scheduled;
            Settle(ref m, ref me);
            return Next.Ahead;
        }),
        Do("E2", "gives the workers a ticket, if one is due", (ref m, ref me) =>
        {
            m.InQueue += (byte)(me.Ticket ? 1 : 0);
            me.Ticket = false;
            return Next.Ahead;
        }),
        Do("E3", "goes on", (ref m, ref me) => m.Entered < Jobs ? Next.To("E1") : Next.Done),
    ];

    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        Rest("W1", "takes a ticket", (ref m, ref me) =>
        {
            if (m.InQueue == 0)
            {
                return Next.Blocked;
            }

            m.InQueue--;
            return Next.Ahead;
        }),
        Do("W2", "looks: starts the first job that waits (lock)", (ref m, ref me) =>
        {
            if (bug != Bug.TicketStaysUntilTheStart)
            {
                m.Tickets = 0;
            }

            TryStart(ref m, ref me);
            Settle(ref m, ref me);
            return Next.Ahead;
        }),
        Do("W3", "gives the workers a ticket, if one is due", (ref m, ref me) =>
        {
            if (bug == Bug.TicketStaysUntilTheStart)
            {
                m.Tickets = 0;
            }

            return AfterLock(ref m, ref me);
        }),
        Do("W4", "runs the job", (ref m, ref me) =>
        {
            m.Ran.Add(me.Job);
            m.At[me.Number] = (byte)(me.Job + 1);
            return Next.Ahead;
        }),
        .. End("W5", goesOn: true),
        .. End("W5", goesOn: false),
        .. End("W5", goesOn: true, keepsTicket: true),
        Do("W6", "tells the job's waiter", (ref m, ref me) =>
        {
            if (me.TellsWaiter)
            {
                m.Waited.Remove(me.Job);
                Tell(ref m, me.Job);
            }

            me.TellsWaiter = false;
            return Next.Ahead;
        }),
        Do("W7", "tells those that wait for any", (ref m, ref me) => TellAny(ref m, ref me)),
        Do("W8", "gives the workers a ticket, if one is due; goes on with the next job", (ref m, ref me) =>
        {
            me.Job = me.NextJob;
            me.NextJob = NoJob;
            bool looks = me.KeepsTicket && bug != Bug.LeavesWithItsTicket;
            me.KeepsTicket = false;
            return looks ? Next.To("W2") : AfterLock(ref m, ref me);
        }),
    ];

    private Step<Memory, Local>[] End(string label, bool goesOn, bool keepsTicket = false) =>
    [
        Do(label, $"ends the job, {(keepsTicket ? "keeps the ticket" : goesOn ? "starts the next" : "leaves the thread")} (lock)", (ref m, ref me) =>
        {
            if (m.Canceling.Has(me.Job) || (keepsTicket && (m.Tickets != 0 || FirstScheduled(m) != NoJob)))
            {
                return Next.Blocked;
            }

            m.RunningJobs--;
            m.At[me.Number] = 0;
            Complete(ref m, ref me, me.Job);
            if (goesOn)
            {
                byte ended = me.Job;
                TryStart(ref m, ref me);
                me.NextJob = me.Job == ended ? NoJob : me.Job;
                me.Job = ended;
            }

            me.KeepsTicket = keepsTicket;
            m.Tickets += (byte)(keepsTicket ? 1 : 0);
            if (goesOn || bug != Bug.NoTicketAfterATurn)
            {
                Settle(ref m, ref me);
            }

            if (me.NextJob != NoJob)
            {
                m.At[me.Number] = (byte)(me.NextJob + 1);
            }

            return Next.Ahead;
        }),
    ];

    private static void TryStart(ref Memory m, ref Local me)
    {
        byte first = FirstScheduled(m);
        if (first != NoJob && m.RunningJobs == 0)
        {
            m.State[first] = Running;
            m.RunningJobs++;
            m.At[me.Number] = (byte)(first + 1);
            me.Job = first;
        }
    }

    private static Next AfterLock(ref Memory m, ref Local me)
    {
        m.InQueue += (byte)(me.Ticket ? 1 : 0);
        me.Ticket = false;
        return me.Job == NoJob ? Next.To("W1") : Next.To("W4");
    }

    private static Next TellAny(ref Memory m, ref Local me)
    {
        m.AnyTold |= me.TellsAny;
        me.TellsAny = false;
        return Next.Ahead;
    }

    private IEnumerable<Step<Memory, Local>> Waiter(bool timesOut) =>
    [
        Do("A1", "collects the job, or begins to wait (lock)", (ref m, ref me) =>
        {
            if (m.Refused.Has(me.Number))
            {
                return Next.Done;
            }

            if (m.State[me.Number] == 0)
            {
                return Next.Blocked; // nobody knows its id yet
            }

            if (m.State[me.Number] == Done)
            {
                Remove(ref m, me.Number);
                return Next.Done;
            }

            m.Waited.Add(me.Number);
            return Next.Ahead;
        }),
        Do("A2", "has been told", (ref m, ref me) =>
            m.Told.Has(me.Number) ? Next.To("A3") : Next.Blocked),
        .. timesOut
            ? [Do("A2", "its time is over: takes itself off, if it is still there (lock)", (ref m, ref me) => TimeOut(ref m, ref me))]
            : Array.Empty<Step<Memory, Local>>(),
        Do("A3", "the wait is over; after a time-out it waits once more", (ref m, ref me) =>
        {
            if (!me.TimedOut)
            {
                return Next.Done;
            }

            if (m.State[me.Number] != Removed)
            {
                m.Told.Remove(me.Number); // another wait
            }

            me.TimedOut = false;
            return m.State[me.Number] == Removed ? Next.Done : Next.To("A1");
        }),
    ];

    private Next TimeOut(ref Memory m, ref Local me)
    {
        if (m.Told.Has(me.Number) || me.TimedOut)
        {
            return Next.Blocked;
        }

        if (!m.Waited.Has(me.Number) && bug != Bug.TimeoutTellsWithoutLooking)
        {
            return Next.Blocked; // somebody has taken it off and is about to tell it
        }

        m.Waited.Remove(me.Number);
        me.TimedOut = true;
        Tell(ref m, me.Number);
        return Next.Ahead;
    }
}
