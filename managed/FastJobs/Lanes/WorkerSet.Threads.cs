using System.Runtime.CompilerServices;
using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>The life of a worker: start, search, run, park, exit.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    private MissingThread? _missing; // not told yet
    private bool _missingTold;

    // Under the lock, so that the end of the set knows every thread. The new thread takes the lock only after its start was
    // reported here.
    private bool TryStartWorker()
    {
        var worker = new Worker(this, ++_numbers);
        worker.Thread = new Thread(static state => ((Start)state!).Run(), Settings.StackSize)
        {
            IsBackground = true,
            Name = $"{Settings.Name}-{worker.Number}",
        };
        TOps.BeforeThreadStart();
        try
        {
            worker.Thread.UnsafeStart(new Start(this, worker));
            _workers.Add(worker);
            _missing = null;
            _missingTold = false;
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            _missing = new MissingThread(worker.Thread.Name!, e); // told once the lock is free
            return false; // the system has no more threads
        }
        finally
        {
            TOps.AfterThreadStart();
        }
    }

    // Whoever may have tried to start a thread calls this without the lock: the host's code is called.
    private void TellOfMissingThread()
    {
        if (Volatile.Read(ref _missing) is null)
        {
            return;
        }

        MissingThread? missing;
        lock (_lock)
        {
            missing = _missingTold ? null : _missing;
            _missingTold = true;
            _missing = null;
        }

        if (missing is not null)
        {
            ThreadMissing?.Invoke(missing.Name, missing.Error);
        }
    }

    private sealed record MissingThread(string Name, Exception Error);

    private sealed class Start(WorkerSet<TJob, TSlot, TOps> set, Worker worker)
    {
        public void Run()
        {
            Worker.Current = worker;
            ThreadName.Set(worker.Thread!.Name!);
            TOps.OnWorkerStart(worker);
            set.Work(worker);
            TOps.OnWorkerExit(worker);
            Worker.Current = null;
            set.Leave(worker);
        }
    }

    // A worker comes here as a searcher and a claimer; it leaves as neither.
    private void Work(Worker worker)
    {
        const int FoundLast = -Spinning.Lingers;
        bool searching = true;
        int looks = 0; // in vain, since the last job
        var linger = default(Linger);
        while (true)
        {
            if (Volatile.Read(ref _control) != 0)
            {
                if (!Checkpoint(worker, ref searching))
                {
                    return;
                }

                // One that slept there comes back as a searcher: it must not be counted as such once more below.
                looks = searching ? Math.Max(looks, 0) : looks;
            }

            Claim claim = TryTake(worker, out TJob? job);
            if (claim == Claim.Claimed)
            {
                looks = FoundLast;
                linger.Found();
                if (!worker.IsBusy)
                {
                    worker.BecomeBusy();
                }

                if (searching)
                {
                    searching = false;
                    FoundWork();
                }

                if (TOps.Run(job!, worker))
                {
                    worker.CountJob();
                }
            }
            else if (looks < -1)
            {
                looks++;
                linger.Wait();
            }
            else if (looks == -1)
            {
                worker.BecomeIdle();
                searching = Queue.TryBeginSearch(Spinning.MaxSearchers);
                looks = searching ? 0 : Spinning.Limit;
            }
            else if (looks < Spinning.Limit)
            {
                looks++;
                Spinning.Once();
            }
            else if (claim == Claim.Unpublished)
            {
                Thread.Yield(); // the submitter was preempted half-way: its core may be this one
            }
            else if (TryPark(worker, ref searching))
            {
                looks = 0;
            }
            else
            {
                return;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryTake(Worker worker, out TJob? job)
    {
        // Acquire: pairs with the increment in PushUrgent.
        if (Volatile.Read(ref _urgentCount) > 0 && TryTakeUrgent(out job))
        {
            return Claim.Claimed;
        }

        return Queue.TryClaim(out job, out worker.Position);
    }

    private bool TryTakeUrgent(out TJob? job)
    {
        lock (_lock)
        {
            if (!_urgent.TryDequeue(out job, out _))
            {
                return false;
            }

            Interlocked.Decrement(ref _urgentCount);
            return true;
        }
    }

    /// <summary>Runs one job in the calling thread, which is one of the set's workers and in a job now.</summary>
    public bool TryRunOne()
    {
        Worker worker = Worker.Current!;
        if (TryTake(worker, out TJob? job) != Claim.Claimed)
        {
            return false;
        }

        if (TOps.Run(job!, worker))
        {
            worker.CountJob();
        }

        return true;
    }

    private void FoundWork()
    {
        // The urgent count is read after EndSearch's fence; pairs with the increment in PushUrgent.
        if (Queue.EndSearch() || (Volatile.Read(ref _urgentCount) > 0 && !Queue.HasSearchers))
        {
            Wake();
        }
    }

    // True: there is work, or the worker slept and was woken. False: it ends.
    private bool TryPark(Worker worker, ref bool searching)
    {
        lock (_lock)
        {
            if (_urgentCount > 0)
            {
                return true;
            }

            _claimers--;
            if (!Queue.TryFallAsleep(searching, CanAddClaimer))
            {
                _claimers++;
                Queue.SetSleepers(CanAddClaimer);
                searching = true;
                return true;
            }

            searching = false;
            if (_ending || Settings.IdleTimeoutMilliseconds == 0)
            {
                return false;
            }

            _parked.Add(worker);
        }

        return Sleep(worker, ref searching);
    }

    // True: the worker was woken, and is a claimer and a searcher. False: it ends, and is neither.
    private bool Sleep(Worker worker, ref bool searching)
    {
        Idled?.Invoke();
        while (!worker.Parker.Park(Settings.IdleTimeoutMilliseconds))
        {
            lock (_lock)
            {
                if (_parked.Remove(worker))
                {
                    return false;
                }
            }

            // Somebody took it off the list just now and is about to unpark it.
        }

        searching = !worker.EndRequested;
        return searching;
    }

    // The worker may have to stop claiming: there are more claimers than allowed, or the set ends. False: it ends.
    private bool Checkpoint(Worker worker, ref bool searching)
    {
        lock (_lock)
        {
            bool over = _claimers > Allowed;
            if (!over && !_ending)
            {
                Volatile.Write(ref _control, 0); // somebody else stopped
                return true;
            }

            worker.BecomeIdle();
            _claimers--;
            if (searching)
            {
                Queue.EndSearch();
                searching = false;
            }

            Rebalance();
            if (_ending || _workers.Count > Math.Max(_limit, 1))
            {
                return false;
            }

            _parked.Add(worker);
        }

        return Sleep(worker, ref searching);
    }

    private void Leave(Worker worker)
    {
        lock (_lock)
        {
            Forget(worker);
        }

        worker.Dispose();
        Idled?.Invoke();
    }

    // Under the lock: the worker's figures stay, the worker goes.
    private void Forget(Worker worker)
    {
        if (_workers.Remove(worker))
        {
            _pastJobs += worker.Jobs;
            _pastBusyTicks += worker.BusyTicks(0);
        }
    }

    /// <summary>Ends the workers that sleep now; with an idle time-out that was changed the others follow it.</summary>
    public void EndSleepers()
    {
        lock (_lock)
        {
            foreach (Worker sleeper in _parked)
            {
                sleeper.EndRequested = true;
                sleeper.Parker.Unpark();
            }

            _parked.Clear();
        }
    }

    /// <summary>Tells every worker to end after the job in hand, and returns their threads.</summary>
    public Thread[] End()
    {
        lock (_lock)
        {
            _ending = true;
            Rebalance();
            EndSleepers();
            return [.. _workers.Select(worker => worker.Thread).OfType<Thread>()];
        }
    }
}
