using FastJobs.Queues;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// More of what the doors for C and Tcl build upon: queues that stand alone and their end, waits that are interrupted,
/// jobs that are kept for the log.
/// </summary>
public sealed class QueueDoorTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stop_InTime_RunsWhatWaitsInPausedQueuesToo()
    {
        var host = new Host();
        QueueCore queue = host.Create("q", 2);
        queue.Pause();
        Job[] jobs = [.. Enumerable.Range(0, 100).Select(_ => new Job())];
        Array.ForEach(jobs, job => queue.Enqueue(job, detached: true, out _));
        Assert.Equal(0, await Task.Run(() => host.System.Stop(-1), Token).WaitAsync(s_patience, Token));
        Assert.All(jobs, job => Assert.Equal((1, 1), (job.Ran, job.Cleared)));
        Assert.Equal(0, host.System.Workers.GetFigures().Threads);
        Assert.Equal(QueueStatus.Refused, queue.Enqueue(new Job(), detached: true, out _));
        Assert.Equal(0, host.System.Stop(0));
    }

    [Fact]
    public async Task Stop_TimeIsOver_DiscardsCancelsAndTellsWhoWaits()
    {
        var host = new Host();
        QueueCore queue = host.Create("q", 1);
        Job runs = new() { Work = static job => SpinWait.SpinUntil(() => job.Stopping, s_patience) };
        queue.Enqueue(runs, detached: false, out JobKey runsKey);
        Assert.True(SpinWait.SpinUntil(() => runs.Ran == 1, s_patience));
        queue.Enqueue(new Job(), detached: false, out JobKey waitsKey);
        Task<JobFlags> waiter = Task.Run(
            () =>
            {
                Assert.Equal(QueueStatus.Ok, queue.Wait(runsKey, -1, null, out QueuedJob? done));
                return done!.Outcome;
            },
            Token);
        Assert.Equal(1, await Task.Run(() => host.System.Stop(10), Token).WaitAsync(s_patience, Token));
        Assert.Equal(JobFlags.Canceled, await waiter.WaitAsync(s_patience, Token));
        Assert.Equal(QueueStatus.Ok, queue.Wait(waitsKey, 0, null, out QueuedJob? discarded));
        Assert.Equal(JobFlags.Discarded, discarded!.Outcome);
        Assert.Equal((QueueEventKind.Discarded, 1), Assert.Single(host.Logged));
    }

    [Fact]
    public async Task Stop_ByJobsOfTheSet_WaitNeitherForThemselvesNorForOneAnother()
    {
        var host = new Host();
        QueueCore queue = host.Create("q", 3);
        Job[] stoppers = [.. Enumerable.Range(0, 3).Select(_ => new Job { Work = _ => Assert.Equal(0, host.System.Stop(-1)) })];
        queue.Pause(); // or the first of them closes the set before the others are in it
        Array.ForEach(stoppers, job => queue.Enqueue(job, detached: true, out _));
        queue.Resume();
        await Task.Run(() => host.System.Stop(-1), Token).WaitAsync(s_patience, Token);
        Assert.All(stoppers, job => Assert.Equal(1, job.Cleared));
    }

    [Fact]
    public async Task Abandon_JobsOfAllKinds_AreClearedOnce()
    {
        var host = new Host();
        QueueCore queue = host.Create("q", 1);
        Job done = new(), waits = new();
        Job runs = new() { Work = static job => SpinWait.SpinUntil(() => job.Stopping, s_patience) };
        queue.Enqueue(done, detached: false, out _);
        Assert.Equal(QueueStatus.Ok, queue.WaitAny(30_000));
        queue.Enqueue(runs, detached: false, out _);
        Assert.True(SpinWait.SpinUntil(() => runs.Ran == 1, s_patience));
        queue.Enqueue(waits, detached: false, out _);
        await Task.Run(host.System.Abandon, Token).WaitAsync(s_patience, Token);
        Assert.Equal((1, 1, 0), (done.Cleared, waits.Cleared, waits.Ran));
        Assert.True(SpinWait.SpinUntil(() => runs.Cleared == 1, s_patience));
    }

    [Fact]
    public async Task Interrupt_WaitOfARunningJob_EndsItOnce()
    {
        var host = new Host();
        QueueCore queue = host.Create("q", 1), other = host.Create("other", 1);
        other.Pause();
        other.Enqueue(new Job(), detached: false, out JobKey never);
        QueueStatus[] ends = new QueueStatus[2];
        RunSlot? slot = null;
        Job waits = new()
        {
            Work = _ =>
            {
                Volatile.Write(ref slot, RunSlot.Current);
                ends[0] = other.Wait(never, -1, null, out QueuedJob? _);
                ends[1] = other.Wait(never, 1, null, out QueuedJob? _);
            },
        };
        queue.Enqueue(waits, detached: false, out JobKey key);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref slot) is not null, s_patience));
        slot!.Interrupt();
        Assert.Equal(QueueStatus.Ok, queue.Wait(key, 30_000, null, out QueuedJob? _));
        Assert.Equal([QueueStatus.WaitCanceled, QueueStatus.TimedOut], ends);
        await Task.Run(host.System.Abandon, Token).WaitAsync(s_patience, Token);
    }

    [Fact]
    public async Task Log_SlowJobThatWasCollected_HasWhatWasKept()
    {
        var host = new Host();
        host.System.LogMinDuration = TimeSpan.Zero;
        QueueCore queue = host.Create("q", 1);
        for (int i = 0; i < 100; i++)
        {
            queue.Enqueue(new Job(), detached: i % 2 == 0, out JobKey key);
            if (i % 2 == 1)
            {
                Assert.Equal(QueueStatus.Ok, queue.Wait(key, 30_000, null, out QueuedJob? job));
                job!.Recycle();
            }
        }

        await Task.Run(() => host.System.Stop(-1), Token).WaitAsync(s_patience, Token);
        Assert.Equal(Enumerable.Repeat((QueueEventKind.Slow, 1), 100), host.Logged);
    }

    /// <summary>Notes of each entry whether its job was kept: 1 where it was.</summary>
    private sealed class Host : IQueueHost
    {
        private readonly List<(QueueEventKind Kind, int Kept)> _logged = [];

        public Host() => System = new QueueSystem(this);

        public QueueSystem System { get; }

        public IReadOnlyList<(QueueEventKind Kind, int Kept)> Logged
        {
            get
            {
                lock (_logged)
                {
                    return [.. _logged];
                }
            }
        }

        public QueueCore Create(string name, int concurrency)
        {
            Assert.True(System.TryCreate(name, "", concurrency, out QueueCore? queue));
            return queue;
        }

        public bool HasAfterJob => false;

        public object? OnWorkerStart() => null;

        public void AfterJob(object? workerState)
        {
        }

        public void OnWorkerExit(object? workerState)
        {
        }

        public void Log(in QueueEvent happened)
        {
            lock (_logged)
            {
                _logged.Add((happened.Kind, (int)happened.Kept));
            }
        }

        public void LookForQuiet() => System?.Look();
    }

    private sealed class Job() : QueuedJob(s_pool)
    {
        private static readonly int s_pool = Jobs.JobPools.Register();
        private int _ran;
        private int _cleared;
        private bool _taken;

        public Action<Job>? Work;
        public volatile bool Stopping;

        public int Ran => Volatile.Read(ref _ran);

        public int Cleared => Volatile.Read(ref _cleared);

        public override void Taken(RunSlot slot)
        {
            Assert.False(_taken);
            _taken = true;
        }

        public override void Left(RunSlot slot)
        {
            Assert.True(_taken);
            _taken = false;
        }

        public override nint Keep() => 1;

        public override RunEnd Run(RunSlot slot)
        {
            Assert.True(_taken);
            Interlocked.Increment(ref _ran);
            Work?.Invoke(this);
            return RunEnd.Completed;
        }

        public override void StopRunning() => Stopping = true;

        protected override void Clear() => Interlocked.Increment(ref _cleared);
    }
}
