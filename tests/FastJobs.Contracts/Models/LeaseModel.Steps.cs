using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The steps of the threads.</summary>
internal sealed partial class LeaseModel
{
    private IEnumerable<Step<Memory, Local>> Submit() =>
    [
        Plain("1", "begins with a job", (ref m, ref me) =>
        {
            if (me.Job > Own)
            {
                return Next.Done;
            }

            m.Before[me.Job - 1] = m.OtherDone;
            return me.Puts && me.Job != OtherWay ? Next.Ahead : Next.To("6");
        }),
        Plain("1a", "looks whether it was stopped, if it does so too early", (ref m, ref me) =>
        {
            me.WasStopped = bug == Bug.LooksBeforeItCounts && m.Stopped;
            return Next.Ahead;
        }),
        Plain("1b", "does not see yet whether the lease is over", (ref m, ref me) =>
            Next.To(bug == Bug.PublishesBeforeItCounts ? "4" : "2")),
        Plain("1b", "sees that the lease is over", (ref m, ref me) =>
        {
            if (m.Leased)
            {
                return Next.Blocked;
            }

            me.Puts = false;
            me.WasStopped = false;
            me.At = 0;
            return Next.To("6");
        }),
        Plain("2", "stores the count", (ref m, ref me) =>
        {
            if (me.Buffer.IsFull)
            {
                return Next.Blocked;
            }

            Store(ref m, ref me, CountAt, me.At + 1);
            return Next.Ahead;
        }),
        Plain("2b", "looks whether it was stopped", (ref m, ref me) =>
        {
            bool stopped = bug == Bug.LooksBeforeItCounts ? me.WasStopped : m.Stopped;
            me.WasStopped = false;
            return stopped ? Next.To("3")
                : bug == Bug.PublishesBeforeItCounts ? Submitted(ref m, ref me)
                : Next.To("4");
        }),
        Do("3", "looks, with the lock, whether it was in time", (ref m, ref me) =>
        {
            if (m.Lock)
            {
                return Next.Blocked;
            }

            me.Puts = false;
            bool inTime = bug == Bug.TakesAStopForASuccess || (bug != Bug.TakesAStopForAFailure && m.StoppedAt == me.At + 1);
            if (inTime && bug == Bug.PublishesBeforeItCounts)
            {
                return Submitted(ref m, ref me);
            }

            return inTime ? Next.To("4") : Next.To("6");
        }),
        Plain("4", "publishes", (ref m, ref me) =>
        {
            int position = m.Base + me.At;
            if (me.Buffer.IsFull)
            {
                return Next.Blocked;
            }

            if (m.Slots[position] != 0 || position < m.Head)
            {
                return Next.Fail("broken: the place is somebody else's");
            }

            Store(ref m, ref me, SlotsAt + position, me.Job);
            return bug == Bug.PublishesBeforeItCounts ? Next.To("2") : Submitted(ref m, ref me);
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Others() =>
    [
        Do("1", "begins with a job", (ref m, ref me) =>
        {
            if (me.Job >= Other + others)
            {
                return Next.Done;
            }

            m.Before[me.Job - 1] = m.OwnDone;
            return Next.To("6");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Add(bool isLessee) =>
    [
        Do("6", "adds to the tail", (ref m, ref me) =>
        {
            me.Position = m.Tail++;
            if (me.Position == Own + others + 1)
            {
                return Next.Fail("stuck: there are positions that nobody fills");
            }

            if (m.Leased && bug != Bug.AddDuringALeaseIsAPosition)
            {
                me.Position = 0;
                return Next.To("E1");
            }

            if (m.Sleepers)
            {
                m.Sleepers = false;
                m.Asleep = false;
            }

            return Next.Ahead;
        }),
        Do("7", "publishes", (ref m, ref me) => Publish(ref m, ref me) ? Submitted(ref m, ref me) : Broken()),
        Do("7", "publishes, and leases the tail", (ref m, ref me) =>
        {
            if (!isLessee || m.Lock || m.Leased || (m.Tail != me.Position + 1 && bug != Bug.BeginsBehindOthers))
            {
                return Next.Blocked;
            }

            if (!Publish(ref m, ref me))
            {
                return Broken();
            }

            m.Base = (byte)(me.Position + 1);
            m.Leased = true;
            m.Count = 0;
            m.Stopped = false;
            me.Puts = true;
            me.At = 0;
            me.Job++;
            m.OwnDone++;
            me.Position = 0;
            return Next.To("1");
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Work() =>
    [
        Do("W1", "claims a job, or finds none", (ref m, ref me) =>
        {
            byte job = m.Slots[m.Head];
            if (job != 0)
            {
                m.Head++;
                return Claim(ref m, job) ? Next.To("W1") : Next.Fail("broken: a job is lost, comes twice or too early");
            }

            return m.Leased && bug != Bug.WorkerSleepsDuringALease ? Next.To("E1")
                : m.Tail == m.Head || bug == Bug.WorkerSleepsDuringALease ? Next.Ahead
                : Next.Blocked; // a writer is between its steps
        }),
        Do("W3", "says that it sleeps", (ref m, ref me) =>
        {
            m.Sleepers = true;
            m.Asleep = true; // or about to be, unless somebody wakes it
            return Next.Ahead;
        }),
        Do("W4", "looks once more", (ref m, ref me) =>
        {
            bool leased = m.Leased && bug != Bug.WorkerSleepsDuringALease;
            if (leased || (!m.Leased && m.Tail != m.Head))
            {
                m.Sleepers = false;
                m.Asleep = false;
                return Next.To("W1");
            }

            return Next.Ahead;
        }),
        Rest("W5", "is woken", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.To("W1")),
    ];

    private IEnumerable<Step<Memory, Local>> End(string then) =>
    [
        Do("E1", "takes the lock", (ref m, ref me) =>
        {
            if (m.Lock)
            {
                return Next.Blocked;
            }

            if (!m.Leased)
            {
                return Next.To(then);
            }

            m.Lock = true;
            m.Stopped = true;
            return me.Puts ? Next.To("E3") : Next.Ahead; // its own lease: its stores are visible
        }),
        Do("E2", "makes all processors pass a barrier", (ref m, ref me) =>
            m.Buffered > 0 && bug != Bug.StopsWithoutBarrier ? Next.Blocked : Next.Ahead),
        Do("E3", "looks at the count", (ref m, ref me) =>
        {
            m.StoppedAt = m.Count;
            return Next.Ahead;
        }),
        Do("E4", "gives the tail back", (ref m, ref me) =>
        {
            int end = m.Base + m.StoppedAt;
            m.Tail = bug == Bug.EndKeepsWhatWasAdded ? (byte)Math.Max(m.Tail, end) : (byte)end;
            m.Leased = false;
            m.Lock = false;
            me.Puts = false;
            me.At = 0;
            return Next.To(then);
        }),
    ];

    private static void Store(ref Memory m, ref Local me, int address, int value)
    {
        me.Buffer.Store(address, value);
        m.Buffered++;
    }

    private static Next Broken() => Next.Fail("broken: the place is somebody else's");

    private static bool Publish(ref Memory m, ref Local me)
    {
        if (m.Slots[me.Position] != 0 || me.Position < m.Head)
        {
            return false;
        }

        m.Slots[me.Position] = me.Job;
        return true;
    }

    private static Next Submitted(ref Memory m, ref Local me)
    {
        if (me.Job < Other)
        {
            m.OwnDone++;
            me.At += (byte)(me.Puts ? 1 : 0);
        }
        else
        {
            m.OtherDone++;
        }

        me.Job++;
        me.Position = 0;
        return Next.To("1");
    }

    // In the order of their threads, and after those that were submitted before they were.
    private static bool Claim(ref Memory m, byte job)
    {
        if (job < Other)
        {
            return m.OwnClaimed++ == job - 1 && m.OtherClaimed >= m.Before[job - 1];
        }

        return m.OtherClaimed++ == job - Other && m.OwnClaimed >= m.Before[job - 1];
    }
}
