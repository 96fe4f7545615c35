namespace FastJobs.Queues;

/// <summary>Where jobs are found, and how they leave.</summary>
internal sealed partial class QueueCore
{
    private long TakeNumber()
    {
        if (_ownNumbers > 0)
        {
            while (_own!.ContainsKey(new JobKey(_next, null).ToString()))
            {
                _next++;
            }
        }

        return _next++;
    }

    private void AddOwn(string id, JobExtras extras)
    {
        (_own ??= []).Add(id, extras);
        _ownNumbers += JobKey.NumberIn(id) >= 0 ? 1 : 0;
        extras.OwnOrder = _ownCount++;
        extras.InOwn = (_ownOrder ??= new()).AddLast(extras);
    }

    private void RemoveOwn(JobExtras extras)
    {
        _own!.Remove(extras.Id!);
        _ownNumbers -= JobKey.NumberIn(extras.Id!) >= 0 ? 1 : 0;
        _ownOrder!.Remove(extras.InOwn!);
    }

    // The key may be what a user wrote, and then have both: an own id that looks like a number's is found if no job has
    // the number. On return it is the job's.
    private QueuedJob? FindLocked(JobKey wanted, out JobKey key)
    {
        if (wanted.Number >= 0 && _table.Find(wanted.Number) is { } numbered)
        {
            key = new JobKey(wanted.Number, null);
            return numbered;
        }

        if (wanted.Id is { } id && _own is not null && _own.TryGetValue(id, out JobExtras? extras))
        {
            key = extras.Key;
            return extras.Job;
        }

        key = default;
        return null;
    }

    // Nobody can find the job any more: it is the caller's alone.
    private void RemoveLocked(QueuedJob job, JobKey key, ref Aftermath after)
    {
        if (job.Extras is { } extras)
        {
            Disarm(extras);
        }

        if (key.Id is not null)
        {
            RemoveOwn(job.Extras!);
        }
        else
        {
            _table.Remove(key.Number);
        }

        _jobs--;
        if (_jobs == 0)
        {
            TakeAnyWaiters(ref after);
            if (_deleting)
            {
                BeGone(ref after);
            }
        }
    }

    private void BeGone(ref Aftermath after)
    {
        _gone = true;
        TakeAnyWaiters(ref after);
        after.Forget(_feeds);
        _feeds = null;
    }

    // A job that waits is taken out of the order in which jobs run; it stays to be found.
    private void LeaveOrder(QueuedJob job, JobKey key)
    {
        if (job.Is(JobFlags.Delayed))
        {
            Disarm(job.Extras!);
            _delayed--;
            job.Flags &= ~JobFlags.Delayed;
            return;
        }

        _waiting--;
        if (job.Is(JobFlags.Head))
        {
            _heads!.Remove(job.Extras!.InOrder!);
            job.Flags &= ~JobFlags.Head;
        }
        else if (job.Is(JobFlags.Listed))
        {
            _listed!.Remove(job.Extras!.InOrder!);
            job.Flags &= ~JobFlags.Listed;
        }
        else
        {
            _table.LeaveOrder(key.Number);
        }
    }
}
