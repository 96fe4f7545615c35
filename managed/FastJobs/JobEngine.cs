using System.Diagnostics.CodeAnalysis;
using FastJobs.Jobs;
using FastJobs.Lanes;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>
/// Runs jobs: one lane a job class, each with its own workers, so that a lane full of slow jobs starves no other. The
/// ten predefined lanes are there from the start, without a thread until they are used; others are added by name.
/// </summary>
/// <remarks>
/// <para>All members are safe to use from any thread.</para>
/// <para>
/// <see cref="DisposeAsync"/> drains: it runs what is queued and what that submits, then ends the workers.
/// <see cref="StopAsync"/> does so up to a deadline and discards the rest. After either a submit throws
/// <see cref="ObjectDisposedException"/>. Workers are background threads: when the process exits without either, jobs
/// that are queued or running are gone without a word.
/// </para>
/// </remarks>
public sealed partial class JobEngine : IAsyncDisposable, IJobReports
{
    private readonly JobEngineOptions _options;
    private readonly LaneGroup<JobRef, JobSlot, ManagedJobOps> _group;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopping = new();
    private JobLane[] _lanes = [];
    private JobQueues? _queues;
    private Task<StopReport>? _stop;

    /// <summary>Makes an engine with the predefined lanes.</summary>
    public JobEngine()
        : this(new JobEngineOptions())
    {
    }

    /// <summary>Makes an engine with the predefined lanes.</summary>
    /// <exception cref="ArgumentNullException">There are no options.</exception>
    public JobEngine(JobEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _group = new LaneGroup<JobRef, JobSlot, ManagedJobOps>(
            (settings, backlog) => new ManagedLane(settings, backlog, this));
        _group.AddPredefined();
        foreach (Lane<JobRef, JobSlot, ManagedJobOps> lane in _group.Lanes)
        {
            _lanes = [.. _lanes, new JobLane((ManagedLane)lane)];
        }
    }

    /// <summary>For jobs that compute: 4 at once unless changed.</summary>
    public JobLane Cpu => _lanes[PredefinedLanes.Cpu];

    /// <summary>For jobs that block on I/O: 50 at once unless changed.</summary>
    public JobLane IO => _lanes[PredefinedLanes.IO];

    /// <summary>The lanes, in the order of their job classes.</summary>
    public IReadOnlyList<JobLane> Lanes => Volatile.Read(ref _lanes);

    /// <summary>The named queues. Without one there is nothing behind this.</summary>
    public JobQueues Queues => Volatile.Read(ref _queues) ?? MakeQueues();

    /// <summary>Is cancelled when <see cref="StopAsync"/> gives up waiting: for jobs that can end early.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>The lane with this name, whatever the case of its letters.</summary>
    /// <exception cref="KeyNotFoundException">There is no such lane.</exception>
    public JobLane this[string name] =>
        FindLane(name) ?? throw new KeyNotFoundException($"There is no lane \"{name}\".");

    /// <summary>The lane with this name, whatever the case of its letters, or null.</summary>
    public JobLane? FindLane(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (JobLane lane in Volatile.Read(ref _lanes))
        {
            if (string.Equals(lane.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return lane;
            }
        }

        return null;
    }

    /// <summary>Adds a lane. It has no thread until its first job.</summary>
    /// <exception cref="ArgumentException">The name is empty or taken, or a number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public JobLane AddLane(LaneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Workers is { } shared && !ReferenceEquals(shared.Engine, this))
        {
            throw new ArgumentException($"The workers \"{shared.Name}\" belong to another engine.", nameof(options));
        }

        return TryAddLane(options, out JobLane? lane)
            ? lane
            : throw new ArgumentException($"There is a lane \"{this[options.Name].Name}\" already.", nameof(options));
    }

    // False: the name is taken.
    private bool TryAddLane(LaneOptions options, [NotNullWhen(true)] out JobLane? lane)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop is not null, this);
            if (!_group.TryAdd(options.ToSettings, options.Backlog, out Lane<JobRef, JobSlot, ManagedJobOps> added))
            {
                lane = null;
                return false;
            }

            lane = new JobLane((ManagedLane)added) { Deferred = options.Deferred };
            Volatile.Write(ref _lanes, [.. _lanes, lane]);
            return true;
        }
    }

    /// <summary>Adds threads for lanes that share them. There is none until the first job.</summary>
    /// <exception cref="ArgumentException">The name is empty, or a number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public SharedWorkers AddSharedWorkers(SharedWorkersOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop is not null, this);
            return new SharedWorkers(this, _group.AddShared(options.ToSettings()));
        }
    }

    /// <summary>
    /// Completes when nothing is in flight: all that was queued, and all that it submitted, has run. Starts deferred
    /// lanes and resumes paused queues; jobs of queues that wait for their time are waited for. New jobs are still taken, and may keep it from completing.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; the jobs go on.</exception>
    public Task DrainAsync(CancellationToken cancellationToken = default) => Drain().WaitAsync(cancellationToken);

    /// <summary>
    /// Drains until the deadline, then refuses jobs, discards those that wait (their awaiters get a
    /// <see cref="JobDiscardedException"/>), cancels <see cref="Stopping"/> and ends the workers. Jobs that run then are
    /// waited for as long again; a worker whose job does not end is left behind, as a background thread.
    /// </summary>
    /// <param name="deadline">How long to drain; <see cref="Timeout.InfiniteTimeSpan"/>: until all has run.</param>
    /// <returns>What was discarded and what still ran. Called again: the same report.</returns>
    public Task<StopReport> StopAsync(TimeSpan deadline)
    {
        if (deadline != Timeout.InfiniteTimeSpan && (deadline < TimeSpan.Zero || deadline.TotalMilliseconds > int.MaxValue))
        {
            throw new ArgumentOutOfRangeException(nameof(deadline), deadline, "A deadline is from 0 to 24 days, or infinite.");
        }

        lock (_lock)
        {
            return _stop ??= Task.Run(() => StopCoreAsync(deadline));
        }
    }

    /// <summary>Runs all that is queued, then ends the workers.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(Timeout.InfiniteTimeSpan).ConfigureAwait(false);

    void IJobReports.ReportUnhandled(Exception exception, ManagedLane lane)
    {
        try
        {
            if (_options.UnhandledException is { } handler)
            {
                handler(new UnhandledJobException(exception, Lanes[lane.Id]));
            }
            else
            {
                Console.Error.WriteLine($"FastJobs: a job of lane \"{lane.Name}\" failed and nobody awaits it: {exception}");
            }
        }
        catch (Exception)
        {
            // A handler that fails has nobody to tell.
        }
    }

    private JobQueues MakeQueues()
    {
        lock (_lock)
        {
            if (_queues is null)
            {
                var queues = new JobQueues(_options.Queues, _group.Look);
                _group.Include(queues.System);
                if (_stop is not null)
                {
                    queues.System.Close();
                }

                Volatile.Write(ref _queues, queues);
            }

            return _queues;
        }
    }

    private Task Drain()
    {
        Volatile.Read(ref _queues)?.System.ResumeAll();
        return _group.DrainAsync();
    }

    private async Task<StopReport> StopCoreAsync(TimeSpan deadline)
    {
        QueueSystem? queues = Volatile.Read(ref _queues)?.System;
        long discarded = 0;
        if (deadline == TimeSpan.Zero && queues is not null)
        {
            // Without any time nothing of a queue may start, least of all what waits in a pause, so the resume comes after.
            queues.Close();
            discarded += queues.Discard();
        }

        queues?.ResumeForGood();
        bool drained = await InTime(Drain(), deadline).ConfigureAwait(false);
        _group.Close();
        queues = Volatile.Read(ref _queues)?.System; // one that is made later is closed at once
        queues?.Close();
        if (drained)
        {
            // What slipped in before the lanes closed.
            drained = await InTime(Drain(), deadline).ConfigureAwait(false);
        }

        if (!drained)
        {
            foreach (JobLane lane in Lanes)
            {
                discarded += lane.Inner.DiscardQueued();
            }

            discarded += queues?.Discard() ?? 0;
            CancelStopping();
            drained = await InTime(_group.DrainAsync(), deadline).ConfigureAwait(false);
        }

        long running = drained ? 0 : _group.JobsInFlight() + (queues?.RunningJobs() ?? 0);
        long patience = Environment.TickCount64 + 100;
        foreach (Thread thread in (IEnumerable<Thread>)[.. _group.End(), .. queues?.End() ?? []])
        {
            // Workers that have no job end at once; the others had their time above.
            thread.Join(drained ? Timeout.Infinite : (int)Math.Max(0, patience - Environment.TickCount64));
        }

        foreach (JobLane lane in Lanes)
        {
            discarded += lane.Inner.RefusedJobs;
        }

        return new StopReport(discarded, (int)running);
    }

    private void CancelStopping()
    {
        try
        {
            _stopping.Cancel();
        }
        catch (AggregateException)
        {
            // Callbacks of jobs that failed. The stop goes on without them, and they have nobody to tell.
        }
    }

    private static async Task<bool> InTime(Task task, TimeSpan deadline)
    {
        try
        {
            await task.WaitAsync(deadline).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
