using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The canceler, whoever waits for any job, and the deleter.</summary>
internal sealed partial class QueuedJobModel
{
    private IEnumerable<Step<Memory, Local>> Canceler() =>
    [
        Do("C1", "cancels the job: done at once, or told to stop (lock)", (ref m, ref me) =>
        {
            if (m.State[0] == 0 && !m.Refused.Has(0))
            {
                return Next.Blocked;
            }

            if (m.Waited.Has(0) || m.State[0] is not (Scheduled or Running))
            {
                return Next.Done;
            }

            if (m.State[0] == Scheduled)
            {
                if (bug == Bug.CanceledStaysInTheOrder)
                {
                    m.Canceled.Add(0);
                    return Next.Done;
                }

                m.Canceled.Add(0);
                Complete(ref m, ref me, 0);
                Settle(ref m, ref me);
                return Next.To("C4");
            }

            m.CancelRequested.Add(0);
            if (bug != Bug.StopsWithoutHolding)
            {
                m.Canceling.Add(0);
            }

            me.NextJob = (byte)(m.At[0] == 1 ? 0 : 1); // the worker's thread
            return Next.Ahead;
        }),
        Do("C2", "stops what the worker's thread runs", (ref m, ref me) =>
            m.At[me.NextJob] != 1 ? Next.Fail("it stopped another job, or none") : Next.Ahead),
        Do("C3", "lets the job end (lock)", (ref m, ref me) =>
        {
            m.Canceling.Remove(0);
            return Next.Done;
        }),
        Do("C4", "gives the workers a ticket, if one is due", (ref m, ref me) =>
        {
            m.InQueue += (byte)(me.Ticket ? 1 : 0);
            TellAny(ref m, ref me);
            return Next.Done;
        }),
    ];

    private IEnumerable<Step<Memory, Local>> AnyWaiter() => bug != Bug.AnyLooksThenEnlists
        ?
        [
            Do("Y1", "enlists, unless a job is done or there is none (lock)", (ref m, ref me) =>
            {
                m.AnyListed = MustWaitForAny(m);
                return m.AnyListed ? Next.Ahead : Next.Done;
            }),
            Do("Y2", "has been told", (ref m, ref me) => m.AnyTold ? Next.Done : Next.Blocked),
        ]
        :
        [
            Do("Y1", "looks whether a job is done or there is none (lock)", (ref m, ref me) =>
                MustWaitForAny(m) ? Next.Ahead : Next.Done),
            Do("Y1b", "enlists (lock)", (ref m, ref me) =>
            {
                m.AnyListed = true;
                return Next.Ahead;
            }),
            Do("Y2", "has been told", (ref m, ref me) => m.AnyTold ? Next.Done : Next.Blocked),
        ];

    private static bool MustWaitForAny(in Memory m)
    {
        bool unfinished = false;
        for (int job = 0; job < Jobs; job++)
        {
            if (m.State[job] == Done)
            {
                return false;
            }

            unfinished |= m.State[job] is Scheduled or Running;
        }

        return unfinished;
    }

    private IEnumerable<Step<Memory, Local>> Deleter() =>
    [
        Do("D1", "deletes the queue: gone now, or with its last job (lock)", (ref m, ref me) =>
        {
            m.Deleting = true;
            bool empty = true;
            for (int job = 0; job < Jobs; job++)
            {
                empty &= m.State[job] is 0 or Removed;
            }

            m.Gone |= empty;
            return Next.Done;
        }),
    ];
}
