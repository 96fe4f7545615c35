using System.Diagnostics;
using FastJobs.Jobs;
using FastJobs.Parking;

namespace FastJobs.Queues;

/// <summary>Something that happens at a time.</summary>
internal abstract class DueEntry(int pool = 0) : Pooled(pool)
{
    public long Due;

    /// <summary>Its place in the heap, or -1. The timer's.</summary>
    public int Place = -1;

    /// <summary>Its time has come. In the timer's thread, under no lock. Throws nothing.</summary>
    public abstract void Fire();
}

/// <summary>
/// All times of all queues of an engine, in one heap and with one thread, which is there only while something is due:
/// delays, expiries, time-outs of asynchronous waits. An entry can be taken back in O(log n) and leaves nothing behind.
/// </summary>
/// <remarks>
/// A thread of its own, and not a System.Threading.Timer, because that runs its callbacks on the ThreadPool, whose threads
/// a C program must not get (their signals are not blocked). The lock comes after those of the queues.
/// </remarks>
internal sealed class DueTimer
{
    private const int IdleMilliseconds = 2000;

    private readonly Lock _lock = new();
    private readonly Parker _parker = new();
    private DueEntry[] _heap = new DueEntry[16];
    private int _count;
    private Thread? _thread;
    private bool _stopped;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds an entry that is in no timer. After a stop nothing fires any more.</summary>
    public void Add(DueEntry entry, TimeSpan delay)
    {
        long now = Stopwatch.GetTimestamp();
        double ticks = delay.TotalSeconds * Stopwatch.Frequency;
        lock (_lock)
        {
            if (_stopped)
            {
                return;
            }

            if (_count == _heap.Length)
            {
                Array.Resize(ref _heap, _count * 2);
            }

            entry.Due = ticks >= long.MaxValue - now ? long.MaxValue : now + (long)ticks + 1;
            Put(entry, _count++);
            Rise(entry.Place);
            if (entry.Place == 0)
            {
                WakeThread();
            }
        }
    }

    /// <summary>Takes an entry back. False: it is not there, so it has fired or is about to.</summary>
    public bool Remove(DueEntry entry)
    {
        lock (_lock)
        {
            if (entry.Place < 0)
            {
                return false;
            }

            TakeAt(entry.Place);
            return true;
        }
    }

    /// <summary>Forgets all entries and ends the thread.</summary>
    public void Stop()
    {
        Thread? thread;
        lock (_lock)
        {
            _stopped = true;
            while (_count > 0)
            {
                TakeAt(_count - 1);
            }

            thread = _thread;
            _parker.Unpark();
        }

        if (thread is not null && !ReferenceEquals(thread, Thread.CurrentThread))
        {
            thread.Join(100); // an entry may be firing; it finds nothing to do
        }
    }

    // Under the lock.
    private void WakeThread()
    {
        if (_thread is not null)
        {
            _parker.Unpark();
            return;
        }

        _thread = new Thread(static state => ((DueTimer)state!).Work()) { IsBackground = true, Name = "queue-timer" };
        QueueThreads.BeforeStart?.Invoke();
        try
        {
            _thread.UnsafeStart(this);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            _thread = null; // the next entry tries again
        }
        finally
        {
            QueueThreads.AfterStart?.Invoke();
        }
    }

    private void Work()
    {
        ThreadName.Set("queue-timer");
        bool idled = false;
        while (true)
        {
            DueEntry? due = null;
            int wait;
            lock (_lock)
            {
                if (_stopped || (idled && _count == 0))
                {
                    _thread = null;
                    return;
                }

                wait = IdleMilliseconds;
                if (_count > 0)
                {
                    long left = _heap[0].Due - Stopwatch.GetTimestamp();
                    if (left <= 0)
                    {
                        due = TakeAt(0);
                    }
                    else
                    {
                        wait = (int)Math.Min(int.MaxValue - 1, (left * 1000.0 / Stopwatch.Frequency) + 1);
                    }
                }
            }

            if (due is not null)
            {
                due.Fire();
                idled = false; // more may be to come, as soon as what it started has ended
                continue;
            }

            idled = !_parker.Park(wait);
        }
    }

    private void Put(DueEntry entry, int place)
    {
        _heap[place] = entry;
        entry.Place = place;
    }

    private DueEntry TakeAt(int place)
    {
        DueEntry taken = _heap[place];
        DueEntry last = _heap[--_count];
        _heap[_count] = null!;
        taken.Place = -1;
        if (!ReferenceEquals(last, taken))
        {
            Put(last, place);
            Sink(place);
            Rise(last.Place);
        }

        return taken;
    }

    private void Rise(int place)
    {
        DueEntry entry = _heap[place];
        while (place > 0 && _heap[(place - 1) / 2].Due > entry.Due)
        {
            Put(_heap[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }

        Put(entry, place);
    }

    private void Sink(int place)
    {
        DueEntry entry = _heap[place];
        while (true)
        {
            int child = (place * 2) + 1;
            if (child >= _count)
            {
                break;
            }

            if (child + 1 < _count && _heap[child + 1].Due < _heap[child].Due)
            {
                child++;
            }

            if (_heap[child].Due >= entry.Due)
            {
                break;
            }

            Put(_heap[child], place);
            place = child;
        }

        Put(entry, place);
    }
}

/// <summary>What is done around the start of a thread, in the thread that starts it; the C layer blocks signals there.</summary>
internal static class QueueThreads
{
    public static Action? BeforeStart { get; set; }

    public static Action? AfterStart { get; set; }
}
