using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>
/// Asks queues for their next stamp, a few milliseconds after the last one: docs/protocols.md#ages. One thread for the
/// lanes of an engine, started by the first submit; it sleeps while nobody submits.
/// </summary>
/// <remarks>Any thread may call. A plain lock guards everything; it is taken once a stamp.</remarks>
/// <param name="beforeStart">Called around the start of the thread, in the thread that starts it.</param>
/// <param name="afterStart">As <paramref name="beforeStart"/>.</param>
internal sealed class AgeTicker(Action beforeStart, Action afterStart)
{
    // What positions share a mark were taken within so much time, and a listing says the middle of it.
    private const int PeriodMilliseconds = 6;
    private const string ThreadTitle = "fj-ages";

    private readonly Lock _lock = new();
    private readonly Parker _parker = new();
    private List<IStamped> _stamped = [];
    private List<IStamped> _arming = [];
    private Thread? _thread;
    private bool _asleep;
    private bool _ending;

    /// <summary>A queue has taken a stamp.</summary>
    public void ArmSoon(IStamped queue)
    {
        bool wake;
        lock (_lock)
        {
            if (_ending)
            {
                return;
            }

            _stamped.Add(queue);
            wake = _asleep;
            _asleep = false;
            if (_thread is null)
            {
                TryStart();
            }
        }

        if (wake)
        {
            _parker.Unpark();
        }
    }

    /// <summary>Ends the thread and returns it, or null if there is none.</summary>
    public Thread? End()
    {
        lock (_lock)
        {
            _ending = true;
        }

        _parker.Unpark();
        return _thread;
    }

    // Under the lock, and perhaps under a queue's gate, so nobody is told of a failure: nothing but the ages suffers, and the
    // next queue to be stamped tries again.
    private void TryStart()
    {
        var thread = new Thread(Run, 64 * 1024) { IsBackground = true, Name = ThreadTitle };
        beforeStart();
        try
        {
            thread.UnsafeStart();
            _thread = thread;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
        }
        finally
        {
            afterStart();
        }
    }

    private void Run()
    {
        ThreadName.Set(ThreadTitle);
        while (true)
        {
            bool asleep;
            lock (_lock)
            {
                if (_ending)
                {
                    return;
                }

                asleep = _asleep = _stamped.Count == 0;
            }

            if (asleep)
            {
                _parker.Park(Timeout.Infinite); // whoever adds a queue meanwhile has seen that it sleeps
                continue;
            }

            _parker.Park(PeriodMilliseconds);
            lock (_lock)
            {
                (_stamped, _arming) = (_arming, _stamped);
            }

            foreach (IStamped queue in _arming)
            {
                queue.Arm();
            }

            _arming.Clear();
        }
    }
}
