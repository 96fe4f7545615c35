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
        var worker = new Worker(this, ++_numbers, ownsThread: true);
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

    // Whether to let others have the thread. The clock is read only while others wait.
    private static bool MustYield(SharedQueue shared, ref int jobs, ref long since)
    {
        if (!shared.HasWork)
        {
            return false;
        }

        if (jobs++ == 0)
        {
            since = Environment.TickCount64;
        }

        return jobs > Spinning.JobsATurn || Environment.TickCount64 - since > Spinning.MillisecondsATurn;
    }

    // A worker comes here as a claimer, and as a searcher if it was woken; unless it rests for the others' sake it leaves
    // as neither.
    private Next Work(Worker worker, bool searching)
    {
        const int FoundLast = -Spinning.Lingers;
        SharedQueue? shared = Shared;
        int turnJobs = 0;
        long turnBegan = 0;
        int looks = searching ? 0 : FoundLast; // in vain, since the last job
        var linger = default(Linger);
        Hand<TJob>? hand = null;
        while (true)
        {
            if (Volatile.Read(ref _control) != 0)
            {
                RecallHands(); // this worker may have to stop
                Next next = Checkpoint(worker, ref searching);
                if (next != Next.GoOn)
                {
                    return next;
                }

                // One that slept there comes back as a searcher: it must not be counted as such once more below.
                looks = searching ? Math.Max(looks, 0) : looks;
            }

            Claim claim = TryTake(worker, ref hand, out TJob? job);
            if (claim == Claim.Claimed)
            {
                // Whoever made the control word non-zero and then submitted this job is seen here, if not above.
                if (Volatile.Read(ref _control) != 0 && TryPutBack(worker, job!))
                {
                    continue; // to the checkpoint
                }

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

                if (shared is not null && MustYield(shared, ref turnJobs, ref turnBegan))
                {
                    worker.BecomeIdle();
                    worker.ResumesSearching = false; // it remains a claimer, which is bound to look
                    shared.TryWriteForced(worker);
                    return Next.Rest;
                }
            }
            else if (looks < Spinning.Limit && claim != Claim.Unpublished && shared is { HasWork: true })
            {
                worker.BecomeIdle(); // others wait for the thread
                looks = Spinning.Limit;
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
                if (looks % Spinning.LooksATurn == 0 && !Settings.KeepsCore)
                {
                    Thread.Yield();
                }
                else
                {
                    Spinning.Once();
                }
            }
            else if (claim == Claim.Unpublished)
            {
                Thread.Yield(); // the submitter was preempted half-way: its core may be this one
            }
            else
            {
                Next next = TryPark(worker, ref searching);
                if (next != Next.GoOn)
                {
                    return next;
                }

                looks = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryTake(Worker worker, ref Hand<TJob>? hand, out TJob? job)
    {
        // Acquire: pairs with the increment in PushUrgent.
        return (Volatile.Read(ref _urgentCount) > 0 && TryTakeUrgent(worker, out job)) || TryTakeFromHand(worker, ref hand, out job)
            ? Claim.Claimed
            : TryClaim(worker, out job);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Claim TryClaim(Worker worker, out TJob? job)
    {
        Claim claim = Queue.TryClaim(out job, out worker.Position);
        return claim != Claim.Empty || !Queue.IsScattered ? claim : TryTakeScattered(worker, out job);
    }

    // The queue is empty, and there may be jobs that its submitters gather or other workers have claimed.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Claim TryTakeScattered(Worker worker, out TJob? job)
    {
        if (Queue.Gather())
        {
            return Queue.TryClaim(out job, out worker.Position);
        }

        job = default;
        return RecallHands() && TryTakeUrgent(worker, out job) ? Claim.Claimed : Claim.Empty;
    }

    private bool TryTakeUrgent(Worker worker, out TJob? job)
    {
        worker.Position = Worker.NoPosition;
        return TryTakeUrgent(out job, out worker.SubmittedAt);
    }

    /// <summary>Takes the first of the urgent jobs.</summary>
    public bool TryTakeUrgent(out TJob? job, out long submittedAt)
    {
        lock (_lock)
        {
            if (!_urgent.TryDequeue(out job, out submittedAt))
            {
                return false;
            }

            Interlocked.Decrement(ref _urgentCount);
            return true;
        }
    }

    // A worker that has claimed a job while the set got fewer claimers, or none: the job waits again, before all others.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryPutBack(Worker worker, TJob job)
    {
        lock (_lock)
        {
            if (_claimers <= Allowed)
            {
                return false;
            }

            _urgent.PutFirst(job, SubmittedAt(worker));
            Volatile.Write(ref _urgentPushed, _urgentPushed + 1);
            Interlocked.Increment(ref _urgentCount); // the checkpoint wakes whoever may take it
            return true;
        }
    }

    /// <summary>About when the job that a worker has taken last was submitted, in Stopwatch ticks. For that worker.</summary>
    public long SubmittedAt(Worker worker) =>
        worker.Position == Worker.NoPosition ? worker.SubmittedAt : Queue.SubmittedAt(worker.Position);

    /// <summary>Runs one job in the calling thread, which is one of the set's workers and in a job now.</summary>
    public bool TryRunOne()
    {
        Worker worker = Worker.Current!;
        TJob? job = default;
        if (!(Volatile.Read(ref _urgentCount) > 0 && TryTakeUrgent(worker, out job)) && TryClaim(worker, out job) != Claim.Claimed)
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
