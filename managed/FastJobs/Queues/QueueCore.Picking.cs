using System.Runtime.CompilerServices;

namespace FastJobs.Queues;

/// <summary>Which job is the next to run.</summary>
internal sealed partial class QueueCore
{
    // Under the lock: the next job is marked as running, and is the slot's.
    private QueuedJob? TryStart(RunSlot slot, long now)
    {
        if (_waiting == 0 || StartsNone || _running >= _concurrency)
        {
            return null;
        }

        long number = _heads is not { Count: > 0 } && _listed is not { Count: > 0 }
            ? TakeNumbered(out QueuedJob job)
            : TakeByOrder(out job);
        _running++;
        job.Flags |= JobFlags.Running;
        job.Aux = slot.ThreadId;
        job.Since = now;
        slot.Began = now;
        slot.Set(this, job, number);
        job.Taken(slot);
        return job;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long TakeNumbered(out QueuedJob job)
    {
        _waiting--;
        return _table.TakeFirstPlain(out job);
    }

    // The first of those at the head; else of the rest, whether it is found by its number or not.
    private long TakeByOrder(out QueuedJob job)
    {
        JobExtras first;
        if (_heads?.First?.Value is { } head)
        {
            first = head;
        }
        else if (_listed?.First?.Value is { } listed
            && (_table.Plain == 0 || listed.RunBefore <= _table.FirstPlain(out _)))
        {
            first = listed;
        }
        else
        {
            return TakeNumbered(out job);
        }

        job = first.Job;
        LeaveOrder(job, first.Key);
        return first.Number;
    }
}
