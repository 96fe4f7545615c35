using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A named queue: docs/protocols.md#queued-job. Code: QueueCore.cs and its parts. A step is what happens under the
/// queue's lock at once, or what is done after it. Two jobs; the queue runs one at a time, in up to two workers' threads.
/// </summary>
internal sealed partial class QueuedJobModel(QueuedJobModel.Cast cast, QueuedJobModel.Bug bug = default)
    : Model<QueuedJobModel.Memory, QueuedJobModel.Local>
{
    private const int Jobs = 2;
    private const byte Scheduled = 1;
    private const byte Running = 2;
    private const byte Done = 3;
    private const byte Removed = 4;
    private const byte NoJob = Jobs;

    /// <summary>Who else takes part, beside the enqueuer, the workers and one waiter a job.</summary>
    public enum Cast
    {
        TimeoutAndCanceler,
        AnyWaiterAndDeleter,
        CancelerAndDeleter,
    }

    public enum Bug
    {
        None,
        NoTicketAfterATurn,
        TicketStaysUntilTheStart,
        LeavesWithItsTicket,
        TimeoutTellsWithoutLooking,
        WaiterIsTakenOffLater,
        StopsWithoutHolding,
        CanceledStaysInTheOrder,
        CollectForgetsTheDelete,
        AnyLooksThenEnlists,
        DetachesNoAnyWaiters,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public Six State; // by job
        public byte Waited; // jobs with a waiter
        public byte CancelRequested;
        public byte Canceling;
        public byte Canceled; // cancelled before they ran: done at once
        public byte Refused;
        public byte Entered; // by count
        public byte Ran;
        public byte Told; // waits that were told
        public byte ToldTwice;
        public byte Tickets;
        public byte InQueue; // tickets that no worker has taken
        public byte RunningJobs;
        public bool Deleting;
        public bool Gone;
        public bool AnyListed;
        public bool AnyTold;
        public Six At; // what a worker's thread runs, + 1
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Number; // the worker's, or the job waited for
        public byte Job;
        public byte NextJob;
        public bool Ticket;
        public bool KeepsTicket;
        public bool TellsWaiter;
        public bool TellsAny;
        public bool TimedOut;
    }

    public override Memory Start => default;

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new Script<Memory, Local>("enqueuer", default, Enqueuer()),
        new Script<Memory, Local>("worker 0", new Local { Job = NoJob, NextJob = NoJob }, Worker()),
        new Script<Memory, Local>("worker 1", new Local { Number = 1, Job = NoJob, NextJob = NoJob }, Worker()),
        new Script<Memory, Local>("waiter 0", default, Waiter(timesOut: cast == Cast.TimeoutAndCanceler)),
        new Script<Memory, Local>("waiter 1", new Local { Number = 1 }, Waiter(timesOut: false)),
        .. cast != Cast.AnyWaiterAndDeleter ? [new Script<Memory, Local>("canceler", default, Canceler())] : Nobody,
        .. cast == Cast.AnyWaiterAndDeleter ? [new Script<Memory, Local>("any", default, AnyWaiter())] : Nobody,
        .. cast != Cast.TimeoutAndCanceler ? [new Script<Memory, Local>("deleter", default, Deleter())] : Nobody,
    ];

    private static IEnumerable<Script<Memory, Local>> Nobody => [];

    public override string? CheckAlways(in Memory m) =>
        m.RunningJobs > 1 ? "more jobs run than may"
        : (m.Ran & m.Canceled) != 0 ? "a job ran that was cancelled before"
        : m.ToldTwice != 0 ? "a wait was told twice"
        : m.Tickets == 0 && m.RunningJobs == 0 && FirstScheduled(m) != NoJob ? "a job could run and nobody comes"
        : null;

    public override string? CheckEnd(in Memory m)
    {
        for (int job = 0; job < Jobs; job++)
        {
            if (m.State[job] != (m.Refused.Has(job) ? 0 : Removed))
            {
                return "a job was lost";
            }

            if (!m.Refused.Has(job) && !m.Ran.Has(job) && !m.Canceled.Has(job))
            {
                return "a job neither ran nor was cancelled";
            }
        }

        return m.Tickets + m.InQueue > 0 ? "a ticket was left over"
            : m.Deleting && !m.Gone ? "the deleted queue stays"
            : null;
    }

    public static IEnumerable<ContractCase> Cases() =>
    [
        .. Enum.GetValues<Cast>().Select(cast =>
            Proof.Holds($"QueuedJob_{cast}_EachJobEndsOnce", () => new QueuedJobModel(cast))),
        Caught(Bug.NoTicketAfterATurn, Cast.TimeoutAndCanceler, "nobody comes"),
        Caught(Bug.TicketStaysUntilTheStart, Cast.TimeoutAndCanceler, "nobody comes"),
        Caught(Bug.LeavesWithItsTicket, Cast.TimeoutAndCanceler, "is stuck"),
        Caught(Bug.TimeoutTellsWithoutLooking, Cast.TimeoutAndCanceler, "told twice"),
        Caught(Bug.WaiterIsTakenOffLater, Cast.TimeoutAndCanceler, "told twice"),
        Caught(Bug.StopsWithoutHolding, Cast.TimeoutAndCanceler, "stopped another job"),
        Caught(Bug.CanceledStaysInTheOrder, Cast.TimeoutAndCanceler, "was cancelled before"),
        Caught(Bug.CollectForgetsTheDelete, Cast.CancelerAndDeleter, "the deleted queue stays"),
        Caught(Bug.AnyLooksThenEnlists, Cast.AnyWaiterAndDeleter, "any is stuck"),
        Caught(Bug.DetachesNoAnyWaiters, Cast.AnyWaiterAndDeleter, "any is stuck"),
    ];

    private static ContractCase Caught(Bug bug, Cast cast, string symptom) =>
        Proof.Catches($"QueuedJob_{bug}_IsCaught", symptom, () => new QueuedJobModel(cast, bug));

    private static byte FirstScheduled(in Memory m)
    {
        for (byte job = 0; job < Jobs; job++)
        {
            if (m.State[job] == Scheduled)
            {
                return job;
            }
        }

        return NoJob;
    }

    // The invariant: if a job could run a ticket is out whose holder has yet to look.
    private static void Settle(ref Memory m, ref Local me)
    {
        if (FirstScheduled(m) != NoJob && m.Tickets == 0 && m.RunningJobs == 0)
        {
            m.Tickets = 1;
            me.Ticket = true;
        }
    }

    // Done: collected by its waiter at once, or later by whoever comes.
    private void Complete(ref Memory m, ref Local me, byte job)
    {
        m.State[job] = Done;
        if (m.AnyListed && bug != Bug.DetachesNoAnyWaiters)
        {
            m.AnyListed = false;
            me.TellsAny = true;
        }

        if (m.Waited.Has(job))
        {
            if (bug != Bug.WaiterIsTakenOffLater)
            {
                m.Waited.Remove(job);
            }

            me.TellsWaiter = true;
            Remove(ref m, job);
        }
    }

    private void Remove(ref Memory m, byte job)
    {
        m.State[job] = Removed;
        bool empty = true;
        for (int other = 0; other < Jobs; other++)
        {
            empty &= m.State[other] is 0 or Removed;
        }

        m.Gone |= empty && m.Deleting && bug != Bug.CollectForgetsTheDelete;
    }

    private static void Tell(ref Memory m, byte waiter)
    {
        if (m.Told.Has(waiter))
        {
            m.ToldTwice.Add(waiter);
        }

        m.Told.Add(waiter);
    }
}
