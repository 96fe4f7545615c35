using FastJobs.Parking;

namespace FastJobs.Scheduling;

/// <summary>A loop's own thread: its start, its end, and its replacement when a callback has ended it.</summary>
internal sealed partial class EventLoop<TItem, TOps>
{
    /// <summary>Starts a thread that drives the loop. False: there is none to be had.</summary>
    public bool TryStart(string name)
    {
        lock (_threadLock)
        {
            _threadName = name;
            return _ending || _thread is not null || TryStartThread();
        }
    }

    /// <summary>Ends the loop's own thread after the iteration in hand and waits for that, except in that thread itself.</summary>
    public void End()
    {
        Thread? thread;
        lock (_threadLock)
        {
            _ending = true;
            thread = _thread;
        }

        _inbox.Signal();
        if (thread is not null && thread != Thread.CurrentThread)
        {
            thread.Join();
            _owner = LoopThread.Current; // what is still armed there can be cleared by whoever has ended it
        }
    }

    /// <summary>A callback ended the thread that drove the loop: what it ran is over, and the loop goes on.</summary>
    public void OnThreadKilled()
    {
        Running running = _running;
        int calls = CallsInProgress;
        _running = default;
        CallsInProgress = 0;
        if (running.Event is { } registration)
        {
            AfterDispatch(registration, 0);
        }
        else if (running.Function != 0)
        {
            lock (_threadLock)
            {
                Volatile.Write(ref _recurrent, [.. _recurrent.Where(one => one != (running.Function, running.Closure))]);
            }
        }

        lock (_threadLock)
        {
            Volatile.Write(ref _driver, null); // release: pairs with the exchange in TryEnter
            _thread = null;
            _lacksThread = HasOwnThread && !_ending && !TryStartThread();
        }

        for (; calls > 0; calls--)
        {
            CallEnded?.Invoke();
        }
    }

    // There may be threads again.
    private void Revive()
    {
        lock (_threadLock)
        {
            _lacksThread = _lacksThread && !_ending && !TryStartThread();
        }
    }

    private bool TryStartThread()
    {
        var thread = new Thread(() => ThreadBase.Run(Main)) { IsBackground = true, Name = _threadName };
        TOps.BeforeThreadStart();
        try
        {
            thread.UnsafeStart();
            _thread = thread;
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return false;
        }
        finally
        {
            TOps.AfterThreadStart();
        }
    }

    private void Main()
    {
        ThreadName.Set(_threadName!);
        if (!TryEnter())
        {
            return;
        }

        while (!_ending)
        {
            Iterate(-1);
        }

        Leave();
    }
}
