using FastJobs.Queues;

namespace FastJobs;

/// <summary>The named queues of an engine, and the workers that they share. All members are safe from any thread.</summary>
public sealed class JobQueues
{
    private readonly Lock _lock = new();
    private JobQueueSettings _settings;

    internal JobQueues(JobQueuesOptions options, Action lookForQuiet)
    {
        System = new QueueSystem(new ManagedQueueHost(options, lookForQuiet));
        _settings = options.Settings;
        Configure(options.Settings);
    }

    /// <summary>The settings; setting them takes effect for workers and jobs from then on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number or a time is out of its range.</exception>
    public JobQueueSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Configure(value);
        }
    }

    /// <summary>The workers as they are now.</summary>
    public JobPoolInfo Pool
    {
        get
        {
            Lanes.WorkerSetFigures figures = System.Workers.GetFigures();
            return new JobPoolInfo(
                System.MaxThreads, figures.Threads, figures.Threads - figures.ActiveThreads, System.IsClosed);
        }
    }

    internal QueueSystem System { get; }

    /// <summary>The queue of this name.</summary>
    /// <exception cref="JobQueueException">There is none.</exception>
    public JobQueue this[string name] => Find(name) ?? throw JobQueueException.NoSuchQueue(name);

    /// <summary>Makes a queue. It has no thread.</summary>
    /// <exception cref="JobQueueException">There is a queue of this name, or the engine is stopping.</exception>
    public JobQueue Create(string name, int concurrency = 4) =>
        Create(new JobQueueOptions { Name = name, Concurrency = concurrency });

    /// <summary>Makes a queue. It has no thread.</summary>
    /// <exception cref="JobQueueException">There is a queue of this name, or the engine is stopping.</exception>
    public JobQueue Create(JobQueueOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.Name);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        if (options.ExpireAfter < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.ExpireAfter, "Jobs expire after their end, not before.");
        }

        lock (_lock)
        {
            if (System.TryCreate(options.Name, options.Description, options.Concurrency, out QueueCore? core))
            {
                return new JobQueue(core, options.ExpireAfter);
            }

            throw core is not null
                ? new JobQueueException(
                    JobQueueError.QueueExists, options.Name, null, $"queue already exists: {options.Name}")
                : new JobQueueException(
                    JobQueueError.Refused,
                    options.Name,
                    null,
                    $"The specified queue is being deleted or the system is stopping. (queue \"{options.Name}\")");
        }
    }

    /// <summary>The queue of this name, or null.</summary>
    public JobQueue? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return System.Find(name) is { } core ? FacadeOf(core) : null;
    }

    /// <summary>As <see cref="JobQueue.Delete"/>.</summary>
    /// <exception cref="JobQueueException">There is no queue of this name.</exception>
    public void Delete(string name) => this[name].Delete();

    /// <summary>The queues, in the order in which they were made.</summary>
    public IReadOnlyList<JobQueue> List() => [.. System.List().Select(FacadeOf)];

    /// <summary>An id that no queue has, and that is given once.</summary>
    public string NewId() => System.NewId();

    // A queue can be found a moment before it has its façade.
    private JobQueue FacadeOf(QueueCore core)
    {
        if (Volatile.Read(ref core.Facade) is { } there)
        {
            return (JobQueue)there;
        }

        lock (_lock)
        {
            return (JobQueue)core.Facade!;
        }
    }

    private void Configure(JobQueueSettings settings)
    {
        settings.Validate();
        lock (_lock)
        {
            System.JobsPerThread = settings.JobsPerThread;
            System.IdleTimeoutMilliseconds = LaneOptions.ToMilliseconds(settings.IdleTimeout);
            System.LogMinDuration = settings.LogMinDuration;
            Volatile.Write(ref _settings, settings);
        }
    }
}
