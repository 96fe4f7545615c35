using FastJobs.Queues;
using Xunit;

namespace FastJobs.Tests;

/// <summary>
/// What the doors for C and Tcl build upon and the managed API does not use: a state that has to be given back, a running
/// job that is stopped from outside, results and codes of the job's own.
/// </summary>
public sealed class QueueSeamTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_StateToGiveBack_IsDroppedOnceAndNeverRuns(bool detached)
    {
        await using JobEngine engine = new();
        QueueCore queue = engine.Queues.Create("q", 1).Core;
        queue.Pause();
        var jobs = Enumerable.Range(0, 300).Select(_ => new ForeignJob()).ToArray();
        var keys = new JobKey[jobs.Length];
        for (int i = 0; i < jobs.Length; i++)
        {
            Assert.Equal(QueueStatus.Ok, queue.Enqueue(jobs[i], detached, out keys[i]));
        }

        for (int i = 0; i < jobs.Length; i += 2)
        {
            Assert.Equal(QueueStatus.Ok, queue.Cancel(keys[i], evenIfWaited: false, out bool running));
            Assert.False(running);
            Assert.Equal(!detached, queue.Exists(keys[i]));
        }

        queue.Resume();
        Assert.True(SpinWait.SpinUntil(() => queue.GetFigures() is { Waiting: 0, Running: 0 }, s_patience));
        for (int i = 0; i < jobs.Length; i++)
        {
            Assert.Equal(i % 2 == 0 ? (1, 0) : (0, 1), (jobs[i].Dropped, jobs[i].Ran));
        }
    }

    [Fact]
    public async Task Cancel_WhileTheStateIsGivenBack_WorkersPassItByAndAWaitAttaches()
    {
        await using JobEngine engine = new();
        QueueCore queue = engine.Queues.Create("q", 1).Core;
        queue.Pause();
        using ManualResetEventSlim dropping = new();
        using ManualResetEventSlim drop = new();
        var job = new ForeignJob
        {
            OnDrop = () =>
            {
                dropping.Set();
                Assert.True(drop.Wait(s_patience, Token));
            },
        };
        var next = new ForeignJob();
        queue.Enqueue(job, detached: false, out JobKey key);
        queue.Enqueue(next, detached: false, out JobKey nextKey);
        Task cancel = Task.Run(() => queue.Cancel(key, evenIfWaited: false, out _), Token);
        Assert.True(dropping.Wait(s_patience, Token));
        queue.Resume();
        Assert.Equal(QueueStatus.Ok, queue.Wait(nextKey, 30_000, null, out _)); // its worker went past the other one
        Assert.Equal(QueueStatus.TimedOut, queue.BeginWait(key, null, mayWait: false, out _));
        Task<JobFlags> wait = Task.Run(() =>
        {
            Assert.Equal(QueueStatus.Ok, queue.Wait(key, 30_000, null, out QueuedJob? done));
            return done!.Outcome;
        }, Token);
        Assert.True(SpinWait.SpinUntil(() => IsWaited(queue, key), s_patience));
        drop.Set();
        Assert.Equal(JobFlags.Canceled, await wait.WaitAsync(s_patience, Token));
        await cancel.WaitAsync(s_patience, Token);
        Assert.Equal((1, 0, 1), (job.Dropped, job.Ran, next.Ran));
    }

    [Fact]
    public async Task Cancel_Running_JobDoesNotEndBeforeItWasStopped()
    {
        await using JobEngine engine = new();
        QueueCore queue = engine.Queues.Create("q", 1).Core;
        for (int i = 0; i < 20; i++)
        {
            using ManualResetEventSlim began = new();
            using ManualResetEventSlim returns = new();
            bool endedMeanwhile = false;
            JobKey key = default;
            ForeignJob job = new();
            job.OnRun = () =>
            {
                began.Set();
                SpinWait.SpinUntil(() => job.Stopping, s_patience);
                returns.Set();
            };
            job.OnStop = () =>
            {
                // The work returns, and its worker has all the time to end the job: it must wait for this to be over.
                Assert.True(returns.Wait(s_patience, Token));
                endedMeanwhile = SpinWait.SpinUntil(() => IsDone(queue, key), TimeSpan.FromMilliseconds(20));
            };
            queue.Enqueue(job, detached: false, out key);
            Assert.True(began.Wait(s_patience, Token));
            Assert.Equal(QueueStatus.Ok, queue.Cancel(key, evenIfWaited: false, out bool running));
            Assert.True(running);
            Assert.False(endedMeanwhile);
            Assert.Equal(QueueStatus.Ok, queue.Wait(key, 30_000, null, out QueuedJob? done));
            Assert.Equal(JobFlags.Canceled, done!.Outcome);
        }
    }

    [Fact]
    public async Task Stop_StatesToGiveBack_AreDroppedOnce()
    {
        JobEngine engine = new();
        QueueCore queue = engine.Queues.Create("q", 1).Core;
        using ManualResetEventSlim began = new();
        ForeignJob first = new();
        first.OnRun = () =>
        {
            began.Set();
            SpinWait.SpinUntil(() => first.Stopping, s_patience);
        };
        queue.Enqueue(first, detached: true, out _);
        Assert.True(began.Wait(s_patience, Token));
        var jobs = Enumerable.Range(0, 100).Select(_ => new ForeignJob()).ToArray();
        foreach (ForeignJob job in jobs)
        {
            queue.Enqueue(job, detached: false, out _);
        }

        StopReport report = await engine.StopAsync(TimeSpan.FromSeconds(4)).WaitAsync(s_patience, Token); // so long also for `first` to end
        Assert.Equal(new StopReport(100, 0), report);
        Assert.All(jobs, job => Assert.Equal((1, 0), (job.Dropped, job.Ran)));
        Assert.Equal((0, 1), (first.Dropped, first.Ran));
    }

    private static bool IsWaited(QueueCore queue, JobKey key)
    {
        bool waited = false;
        queue.TryVisit(key, (_, job) => waited = job.Is(JobFlags.HasWaiter));
        return waited;
    }

    private static bool IsDone(QueueCore queue, JobKey key)
    {
        bool done = false;
        queue.TryVisit(key, (_, job) => done = job.State == JobFlags.Done);
        return done;
    }

    /// <summary>A job as a door makes it: it is not pooled by the managed API's pools.</summary>
    private sealed class ForeignJob() : QueuedJob(s_pool)
    {
        private static readonly int s_pool = Jobs.JobPools.Register();
        private int _dropped;
        private int _ran;

        public Action? OnRun;
        public Action? OnDrop;
        public Action? OnStop;
        public volatile bool Stopping;

        public int Dropped => Volatile.Read(ref _dropped);

        public int Ran => Volatile.Read(ref _ran);

        public override bool HasDrop => true;

        public override RunEnd Run(RunSlot slot)
        {
            Interlocked.Increment(ref _ran);
            OnRun?.Invoke();
            return RunEnd.Completed;
        }

        public override void Drop()
        {
            Interlocked.Increment(ref _dropped);
            OnDrop?.Invoke();
        }

        public override void StopRunning()
        {
            Stopping = true;
            OnStop?.Invoke();
        }

        protected override void Clear()
        {
        }
    }
}
