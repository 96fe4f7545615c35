using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using FastJobs.Channels;
using FastJobs.Lanes;

namespace FastJobs.Queues;

/// <summary>What a door supplies to the queues of its engine. No member may throw.</summary>
internal interface IQueueHost
{
    /// <summary>First in a worker's thread; what it returns is <see cref="RunSlot.WorkerState"/>.</summary>
    object? OnWorkerStart();

    /// <summary>After each job, in its thread and after its waiter was told: to clean up for the next one.</summary>
    void AfterJob(object? workerState);

    /// <summary>Whether <see cref="AfterJob"/> calls code of the user's.</summary>
    bool HasAfterJob { get; }

    /// <summary>Last in a worker's thread.</summary>
    void OnWorkerExit(object? workerState);

    /// <summary>Something that nobody is told otherwise. Under no lock.</summary>
    void Log(in QueueEvent happened);

    /// <summary>Some job is over that the engine may have been waiting for.</summary>
    void LookForQuiet();
}

/// <summary>What a queue logs.</summary>
internal enum QueueEventKind
{
    /// <summary>A job took longer than <see cref="QueueSystem.LogMinDuration"/>.</summary>
    Slow,

    /// <summary>A detached job failed.</summary>
    DetachedFailure,

    /// <summary>A job was discarded by a stop.</summary>
    Discarded,

    /// <summary>A finished job expired.</summary>
    Expired,
}

/// <summary>
/// An entry for the log. The job is to be read only. Kept is what the job's Keep returned, where there is no job to read
/// any more: the host lets go of it.
/// </summary>
internal readonly record struct QueueEvent(
    QueueEventKind Kind, QueueCore Queue, JobKey Key, QueuedJob? Job, object? Inner, TimeSpan Duration, nint Kept = 0);

/// <summary>
/// The queues of one engine: the registry, the workers that all queues share, the settings, the timer. Used by the managed
/// API and by the doors for C and Tcl. Any thread.
/// </summary>
internal sealed partial class QueueSystem : IJobAccount
{
    private readonly ConcurrentDictionary<string, QueueCore> _queues = new(StringComparer.Ordinal);
    private readonly Lock _lock = new(); // creating, closing, the sum of the limits; comes before no other but the set's
    private long _threads;
    private long _created;
    private long _ids;
    private long _begun;
    private long _over;
    private long _logMinTicks = Stopwatch.Frequency;
    private long _jobsPerThread;
    private volatile bool _closed;
    private volatile bool _pausesNone;

    public QueueSystem(IQueueHost host, string name = "queue")
    {
        Host = host;
        Workers = new WorkerSet<QueueCore, ReferenceSlot<QueueCore>, QueueOps>(
            new WorkerSetSettings
            {
                Name = name,
                LaneId = PredefinedLanes.Shared,
                Limit = 0,
                IdleTimeoutMilliseconds = 300_000,
                KeepsCore = true,
            },
            new ChannelSettings<QueueCore>())
        {
            Owner = this,
            Idled = host.LookForQuiet,
        };
    }

    public IQueueHost Host { get; }

    public WorkerSet<QueueCore, ReferenceSlot<QueueCore>, QueueOps> Workers { get; }

    public DueTimer Timer { get; } = new();

    /// <summary>The sum of the limits of the queues.</summary>
    public long MaxThreads => Volatile.Read(ref _threads);

    public bool IsClosed => _closed;

    /// <summary>After so many jobs a worker's thread ends and another one takes its place; 0: never.</summary>
    public long JobsPerThread
    {
        get => Volatile.Read(ref _jobsPerThread);
        set => Volatile.Write(ref _jobsPerThread, value);
    }

    /// <summary>A worker without a job ends after this; -1: never.</summary>
    public int IdleTimeoutMilliseconds
    {
        get => Workers.Settings.IdleTimeoutMilliseconds;
        set
        {
            if (value != Workers.Settings.IdleTimeoutMilliseconds)
            {
                Workers.Settings.IdleTimeoutMilliseconds = value;
                Workers.EndSleepers();
            }
        }
    }

    /// <summary>Jobs that take as long or longer are logged.</summary>
    public TimeSpan LogMinDuration
    {
        get => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _logMinTicks));
        set => Volatile.Write(
            ref _logMinTicks, (long)Math.Min(long.MaxValue / 2, value.TotalSeconds * Stopwatch.Frequency));
    }

    public long LogMinTicks => Volatile.Read(ref _logMinTicks);

    // Not static, so that a job does not ask whether the statics of this class were initialised.

    /// <summary>So long a queue may have a thread that others wait for.</summary>
    public long TicksATurn { get; } = Parking.Spinning.MillisecondsATurn * Stopwatch.Frequency / 1000;

    public long TicksAMillisecond { get; } = Stopwatch.Frequency / 1000;

    long IJobAccount.SubmittedJobs => Volatile.Read(ref _begun);

    long IJobAccount.FinishedJobs => Volatile.Read(ref _over);

    /// <summary>Adds a queue. False: there is one of this name, or the engine is stopping (then it is null).</summary>
    public bool TryCreate(string name, string description, int concurrency, [NotNullWhen(true)] out QueueCore? queue)
    {
        lock (_lock)
        {
            queue = null;
            if (_closed)
            {
                return false;
            }

            if (_queues.TryGetValue(name, out QueueCore? there) && !there.IsGone)
            {
                queue = there;
                return false;
            }

            queue = new QueueCore(this, name, description, concurrency, ++_created);
            _queues[name] = queue;
            SetLimit(concurrency);
            return true;
        }
    }

    public QueueCore? Find(string name) =>
        _queues.TryGetValue(name, out QueueCore? queue) && !queue.IsGone ? queue : null;

    /// <summary>The queues, in the order in which they were created.</summary>
    public List<QueueCore> List()
    {
        List<QueueCore> queues = [];
        foreach (KeyValuePair<string, QueueCore> pair in _queues)
        {
            if (!pair.Value.IsGone)
            {
                queues.Add(pair.Value);
            }
        }

        queues.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        return queues;
    }

    /// <summary>An id that no queue has and that is never given again in this process.</summary>
    public string NewId() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"queue_id_{Interlocked.Increment(ref _ids):x}_{DateTimeOffset.UtcNow.ToUnixTimeSeconds():x}");

    /// <summary>The queue's last job is gone, and it was to be deleted.</summary>
    public void Forget(QueueCore queue) =>
        _queues.TryRemove(new KeyValuePair<string, QueueCore>(queue.Name, queue));

    /// <summary>Gives a worker a ticket of the queue. The queue's lock is not held.</summary>
    public void Submit(QueueCore queue) => Workers.Queue.TryWriteForced(queue);

    /// <summary>Changes how many threads there may be.</summary>
    public void ChangeLimit(int by)
    {
        lock (_lock)
        {
            SetLimit(by);
        }
    }

    private void SetLimit(int by)
    {
        _threads += by;
        Workers.Limit = (int)Math.Min(int.MaxValue / 2, _threads);
    }

    /// <summary>Something is in flight that the engine's drain must wait for. Under the lock of a queue.</summary>
    public void Begin() => Interlocked.Increment(ref _begun); // full fence: before what it stands for can end

    /// <summary>It is over. Whoever calls this outside of a worker asks the host to look.</summary>
    public void Over() => Interlocked.Increment(ref _over);

    /// <summary>Jobs that run now.</summary>
    public long RunningJobs()
    {
        long running = 0;
        foreach (QueueCore queue in List())
        {
            running += queue.GetFigures().Running;
        }

        return running;
    }

    public void ResumeAll()
    {
        foreach (QueueCore queue in List())
        {
            queue.Resume();
        }
    }

    /// <summary>All queues are resumed for a stop; whoever pauses one from now on would hold the stop up for ever.</summary>
    public void ResumeForGood()
    {
        _pausesNone = true; // before a queue's lock is taken: a pause comes before its resume, or finds this
        ResumeAll();
    }

    /// <summary>Queues are not paused any more.</summary>
    public bool PausesNone => _pausesNone;

    /// <summary>Refuses new queues and new jobs from now on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
        }

        foreach (QueueCore queue in List())
        {
            queue.Refuse();
        }
    }

    /// <summary>Ends all jobs that wait, each with an entry in the log, and cancels those that run. How many waited.</summary>
    public long Discard()
    {
        long discarded = 0;
        foreach (QueueCore queue in List())
        {
            discarded += queue.DiscardWaiting();
        }

        return discarded;
    }

    /// <summary>Last: whoever still waits gets an error, the workers end after the jobs in hand.</summary>
    /// <param name="leaveRunning">Whoever waits for a job that runs is told when it ends.</param>
    public Thread[] End(bool leaveRunning = false)
    {
        foreach (QueueCore queue in List())
        {
            queue.EndWaits(leaveRunning);
        }

        Timer.Stop();
        return Workers.End();
    }
}
