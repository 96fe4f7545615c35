using System.Diagnostics;

namespace FastJobs.Queues;

/// <summary>What a worker does with a ticket: how long it goes on, and from where its next job comes.</summary>
internal sealed partial class QueueCore
{
    // As a lane on shared threads: so many jobs, or so long, while other queues wait for the thread.
    private const int JobsATurn = Parking.Spinning.JobsATurn;

    /// <summary>Runs jobs while there are some and others need not have the thread. In a worker.</summary>
    public void RunTicket(RunSlot slot)
    {
        long turn = Stopwatch.GetTimestamp();
        int jobs = 0;
        QueuedJob? job = TakeFirst(slot, turn);
        while (job is not null)
        {
            RunEnd end = job.Run(slot);
            slot.Jobs++;
            long now = Stopwatch.GetTimestamp(); // once a job: reading this clock costs as much as taking the lock
            bool mayGoOn = MayGoOn(slot, ++jobs, now - turn);
            job = end == RunEnd.Pending ? TakeAnother(slot, now, mayGoOn) : Finish(slot, end, now, mayGoOn);
            _system.Host.AfterJob(slot.WorkerState); // after the waiter was told: it need not wait for this
            if (slot.KeepsPlace)
            {
                job = LeavePlace(slot, mayGoOn);
            }

            if (job is null && slot.KeepsTicket)
            {
                job = AwaitNext(slot);
            }
        }

        _system.Over(); // the worker reports when it runs out of tickets
    }

    // The last job is over and no other is there: in a stream of jobs the next one comes sooner than a ticket is written and
    // found, so the worker keeps its own for some microseconds and looks. See Linger for how often.
    private QueuedJob? AwaitNext(RunSlot slot)
    {
        slot.KeepsTicket = false;
        for (int look = 0; look < Parking.Spinning.Lingers && !_system.Workers.Queue.HasWork; look++)
        {
            slot.Linger.Wait();
            if (Volatile.Read(ref _waiting) > 0)
            {
                slot.Linger.Found();
                break;
            }
        }

        return TakeFirst(slot, Stopwatch.GetTimestamp());
    }

    // Whether others wait for the thread is asked now and then only: they would feel every question.
    private bool MayGoOn(RunSlot slot, int jobs, long ticks)
    {
        long most = _system.JobsPerThread;
        if (most > 0 && slot.Jobs >= most)
        {
            _system.Workers.Recycle(slot.Worker!);
            return false;
        }

        return ((uint)jobs % JobsATurn != 0 && ticks < _system.TicksATurn)
            || !_system.Workers.Queue.HasWork;
    }

    private QueuedJob? TakeFirst(RunSlot slot, long now)
    {
        Aftermath after = default;
        QueuedJob? job;
        using (_lock.Hold())
        {
            _tickets = 0;
            job = TryStart(slot, now);
            Settle(ref after);
        }

        after.Do(this);
        return job;
    }

    // The job went on without the thread, which is free for another one.
    private QueuedJob? TakeAnother(RunSlot slot, long now, bool mayGoOn)
    {
        slot.Clear();
        Aftermath after = default;
        QueuedJob? job = null;
        using (_lock.Hold())
        {
            if (mayGoOn)
            {
                job = TryStart(slot, now);
            }

            Settle(ref after);
        }

        after.Do(this);
        return job;
    }
}
