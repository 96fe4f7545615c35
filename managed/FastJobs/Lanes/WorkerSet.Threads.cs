using System.Runtime.CompilerServices;
using FastJobs.Channels;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>The life of a worker: start, park, exit. WorkerSet.Loop.cs has what it does in between.</summary>
internal sealed partial class WorkerSet<TJob, TSlot, TOps>
{
    private MissingThread? _missing; // not told yet
    private bool _missingTold;

    // Under the lock, so that the end of the set knows every thread. The new thread takes the lock only after its start was
    // reported here.
    private bool TryStartWorker()
    {
        var worker = new Worker(this, ++_numbers, ownsThread: true);
        worker.Thread = new Thread(static state => ThreadBase.Run(((Start)state!).Run), Settings.StackSize)
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
            set.Work(worker, searching: true);
            TOps.OnWorkerExit(worker);
            Worker.Current = null;
            set.Leave(worker);
        }
    }

    // What a worker does after it had nothing to do.
    private enum Next
    {
        GoOn,

        /// <summary>It has given its thread back and is resumed when there is work; nothing of it may be touched.</summary>
        Rest,
        End,
    }

    public void RunGuest(Worker worker)
    {
        Worker? host = Worker.Current;
        Worker.Current = worker;
        Next next = Work(worker, worker.ResumesSearching);
        Worker.Current = host;
        if (next == Next.End)
        {
            Leave(worker);
        }
    }

    // Gives a claimer that was asleep or is new a thread. A shared set never closes its queue.
    private void Unpark(Worker? sleeper)
    {
        if (sleeper is null)
        {
            return; // its thread was started
        }

        if (sleeper.Parker is { } parker)
        {
            parker.Unpark();
        }
        else
        {
            sleeper.ResumesSearching = true;
            Shared!.TryWriteForced(sleeper);
        }
    }

    // GoOn: there is work, or the worker slept and was woken.
    private Next TryPark(Worker worker, ref bool searching)
    {
        lock (_lock)
        {
            if (_urgentCount > 0)
            {
                return Next.GoOn;
            }

            _claimers--;
            if (!Queue.TryFallAsleep(searching, CanAddClaimer))
            {
                _claimers++;
                Queue.SetSleepers(CanAddClaimer);
                searching = true;
                return Next.GoOn;
            }

            searching = false;
            if (_ending || (Shared is null && Settings.IdleTimeoutMilliseconds == 0))
            {
                return Next.End;
            }

            _parked.Add(worker);
        }

        return Sleep(worker, ref searching);
    }

    // GoOn: the worker was woken, and is a claimer and a searcher. Otherwise it is neither.
    private Next Sleep(Worker worker, ref bool searching)
    {
        Idled?.Invoke();
        if (Shared is not null)
        {
            return Next.Rest;
        }

        while (!worker.Parker!.Park(Settings.IdleTimeoutMilliseconds))
        {
            lock (_lock)
            {
                if (_parked.Remove(worker))
                {
                    return Next.End;
                }
            }

            // Somebody took it off the list just now and is about to unpark it.
        }

        searching = !worker.EndRequested;
        return searching ? Next.GoOn : Next.End;
    }

    // The worker may have to stop claiming: there are more claimers than allowed, it is to be recycled, or the set ends.
    private Next Checkpoint(Worker worker, ref bool searching)
    {
        lock (_lock)
        {
            bool over = _claimers > Allowed;
            if (!over && !_ending && !worker.EndRequested)
            {
                UpdateControl(); // somebody else stopped, or is about to
                return Next.GoOn;
            }

            if (worker.EndRequested)
            {
                _recycled--;
            }

            worker.BecomeIdle();
            _claimers--;
            if (searching)
            {
                Queue.EndSearch();
                searching = false;
            }

            Rebalance();
            if (_ending || worker.EndRequested || _workers.Count > Math.Max(_limit, 1))
            {
                return Next.End;
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
            _handNames &= ~(1u << worker.HandName) | 1;
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
                if (sleeper.Parker is { } parker)
                {
                    sleeper.EndRequested = true;
                    parker.Unpark();
                }
                else
                {
                    Forget(sleeper);
                }
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
