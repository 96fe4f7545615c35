using System.Collections.Concurrent;
using System.Threading.Channels;
using System.Threading.Tasks.Dataflow;

namespace FastJobs.Benchmarks.Arena;

/// <summary>Something that runs jobs on a number of workers, used as its authors advise.</summary>
internal abstract class JobPeer
{
    public abstract void Submit(ArenaJob job);

    /// <summary>The peers by name. Each process makes one.</summary>
    public static IReadOnlyDictionary<string, Func<int, JobPeer>> All { get; } = new Dictionary<string, Func<int, JobPeer>>
    {
        ["fastjobs"] = static workers => new LanePeer(workers, shared: false),
        ["fastjobs shared"] = static workers => new LanePeer(workers, shared: true),
        ["ThreadPool"] = static workers => new ThreadPoolPeer(workers),
        ["ThreadPool delegate"] = static workers => new ThreadPoolDelegatePeer(workers),
        ["Task.Run"] = static workers => new TaskPeer(workers),
        ["Channel threads"] = static workers => new ChannelThreadsPeer(workers),
        ["Channel async"] = static workers => new ChannelAsyncPeer(workers),
        ["BlockingCollection"] = static workers => new BlockingCollectionPeer(workers),
        ["ActionBlock"] = static workers => new ActionBlockPeer(workers),
    };

    /// <summary>Gives the ThreadPool so many threads; it takes no less than there are processors for the most.</summary>
    public static void LimitThreadPool(int workers)
    {
        ThreadPool.SetMinThreads(workers, 1);
        ThreadPool.SetMaxThreads(Math.Max(workers, Environment.ProcessorCount), 1);
    }

    private static void StartThreads(int workers, ThreadStart body)
    {
        for (int i = 0; i < workers; i++)
        {
            new Thread(body) { IsBackground = true }.Start();
        }
    }

    private sealed class LanePeer : JobPeer
    {
        private readonly JobLane _lane;

        public LanePeer(int workers, bool shared)
        {
            var engine = new JobEngine();
            _lane = engine.AddLane(new LaneOptions
            {
                Name = "arena",
                Concurrency = workers,
                Workers = shared ? engine.AddSharedWorkers(new SharedWorkersOptions { Name = "shared", Threads = workers }) : null,
            });
        }

        public override void Submit(ArenaJob job) => _lane.UnsafeSubmit(static j => j.Run(), job);
    }

    /// <summary>With the work item that the caller has: without an allocation.</summary>
    private sealed class ThreadPoolPeer : JobPeer
    {
        public ThreadPoolPeer(int workers) => LimitThreadPool(workers);

        public override void Submit(ArenaJob job) => ThreadPool.UnsafeQueueUserWorkItem(job, preferLocal: false);
    }

    private sealed class ThreadPoolDelegatePeer : JobPeer
    {
        public ThreadPoolDelegatePeer(int workers) => LimitThreadPool(workers);

        public override void Submit(ArenaJob job) =>
            ThreadPool.UnsafeQueueUserWorkItem(static j => j.Run(), job, preferLocal: false);
    }

    private sealed class TaskPeer : JobPeer
    {
        public TaskPeer(int workers) => LimitThreadPool(workers);

        public override void Submit(ArenaJob job) => Task.Run(job.RunDelegate);
    }

    private sealed class ChannelThreadsPeer : JobPeer
    {
        private readonly Channel<ArenaJob> _channel = Channel.CreateUnbounded<ArenaJob>();

        public ChannelThreadsPeer(int workers) => StartThreads(workers, () =>
        {
            do
            {
                while (_channel.Reader.TryRead(out ArenaJob? job))
                {
                    job.Run();
                }
            }
            while (_channel.Reader.WaitToReadAsync().AsTask().Result);
        });

        public override void Submit(ArenaJob job) => _channel.Writer.TryWrite(job);
    }

    private sealed class ChannelAsyncPeer : JobPeer
    {
        private readonly Channel<ArenaJob> _channel = Channel.CreateUnbounded<ArenaJob>();

        public ChannelAsyncPeer(int workers)
        {
            LimitThreadPool(workers);
            for (int i = 0; i < workers; i++)
            {
                _ = Task.Run(ConsumeAsync);
            }
        }

        public override void Submit(ArenaJob job) => _channel.Writer.TryWrite(job);

        private async Task ConsumeAsync()
        {
            await foreach (ArenaJob job in _channel.Reader.ReadAllAsync())
            {
                job.Run();
            }
        }
    }

    private sealed class BlockingCollectionPeer : JobPeer
    {
        private readonly BlockingCollection<ArenaJob> _jobs = [];

        public BlockingCollectionPeer(int workers) => StartThreads(workers, () =>
        {
            foreach (ArenaJob job in _jobs.GetConsumingEnumerable())
            {
                job.Run();
            }
        });

        public override void Submit(ArenaJob job) => _jobs.Add(job);
    }

    private sealed class ActionBlockPeer : JobPeer
    {
        private readonly ActionBlock<ArenaJob> _block;

        public ActionBlockPeer(int workers)
        {
            LimitThreadPool(workers);
            _block = new ActionBlock<ArenaJob>(
                static job => job.Run(), new ExecutionDataflowBlockOptions { MaxDegreeOfParallelism = workers });
        }

        public override void Submit(ArenaJob job) => _block.Post(job);
    }
}
