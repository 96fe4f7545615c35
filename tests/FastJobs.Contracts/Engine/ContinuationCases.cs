namespace FastJobs.Contracts.Engine;

/// <summary>Where an awaiter continues.</summary>
internal sealed class ContinuationCases : EngineCases
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(RunAsync_Default_ContinuesOnThePool),
        Case(RunAsync_ContinueInline_ContinuesInTheWorker),
        Case(RunAsync_ContinueInlineAfterAnException_ContinuesInTheWorker),
        Case(RunAsync_OnASynchronizationContext_ResumesThere),
        Case(RunAsync_OnATaskScheduler_ResumesThere),
        Case(RunAsync_BlockingContinuation_DoesNotHoldTheLane),
        Case(RunAsync_CancelInTheQueue_DoesNotContinueInTheCanceller),
        Case(RunAsync_ContinuationThatRunsFurtherJobs_GoesOn),
    ];

    private async Task RunAsync_Default_ContinuesOnThePool(JobEngine engine)
    {
        for (int i = 0; i < 100; i++)
        {
            (int worker, int continued, bool pool) = await ContinueAfterGate(engine.Cpu, JobOptions.None);
            Check.True(pool);
            Check.False(worker == continued);
        }
    }

    private async Task RunAsync_ContinueInline_ContinuesInTheWorker(JobEngine engine)
    {
        (int worker, int continued, bool pool) = await ContinueAfterGate(engine.Cpu, JobOptions.ContinueInline);
        Check.False(pool);
        Check.Equal(worker, continued);
    }

    // The gate is opened when the continuation is there, so that it runs because the job ends.
    private static async Task<(int Worker, int Continued, bool Pool)> ContinueAfterGate(JobLane lane, JobOptions options)
    {
        using Gate gate = new();
        Task<(int, int, bool)> awaiter = Await();
        gate.Open();
        return await awaiter.Within();

        async Task<(int, int, bool)> Await()
        {
            int worker = await lane.RunAsync(
                static gate =>
                {
                    gate.Pass();
                    return Environment.CurrentManagedThreadId;
                },
                gate,
                options: options).ConfigureAwait(false);
            return (worker, Environment.CurrentManagedThreadId, Thread.CurrentThread.IsThreadPoolThread);
        }
    }

    private async Task RunAsync_ContinueInlineAfterAnException_ContinuesInTheWorker(JobEngine engine)
    {
        using Gate gate = new();
        Task<bool> awaiter = Await();
        gate.Open();
        Check.False(await awaiter.Within());

        async Task<bool> Await()
        {
            try
            {
                await engine.Cpu.RunAsync(
                    static gate =>
                    {
                        gate.Pass();
                        throw new NotSupportedException();
                    },
                    gate,
                    options: JobOptions.ContinueInline).ConfigureAwait(false);
            }
            catch (NotSupportedException)
            {
            }

            return Thread.CurrentThread.IsThreadPoolThread;
        }
    }

    private async Task RunAsync_OnASynchronizationContext_ResumesThere(JobEngine engine)
    {
        foreach (JobOptions options in new[] { JobOptions.None, JobOptions.ContinueInline })
        {
            CountingContext context = new();
            using Gate gate = new();
            Task awaiter = context.Start(async () =>
                await engine.Cpu.RunAsync(static gate => gate.Pass(), gate, options: options));
            gate.Open();
            await awaiter.Within();
            Check.Equal(1, context.Posts);
        }
    }

    private async Task RunAsync_OnATaskScheduler_ResumesThere(JobEngine engine)
    {
        TaskScheduler scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        using Gate gate = new();
        Task<TaskScheduler> awaiter = Task.Factory.StartNew(
            async () =>
            {
                await engine.Cpu.RunAsync(static gate => gate.Pass(), gate);
                return TaskScheduler.Current;
            },
            CancellationToken.None,
            TaskCreationOptions.None,
            scheduler).Unwrap();
        gate.AwaitEntered(1);
        gate.Open();
        Check.Same(scheduler, await awaiter.Within());
    }

    private async Task RunAsync_BlockingContinuation_DoesNotHoldTheLane(JobEngine engine)
    {
        using Gate gate = new();
        JobLane lane = Lane(engine, 1);
        Task awaiter = Task.Run(async () =>
        {
            await lane.RunAsync(static _ => { }, 0).ConfigureAwait(false);
            gate.Pass();
        });
        gate.AwaitEntered(1);
        Check.Equal(1, await lane.RunAsync(static x => x, 1).Within());
        gate.Open();
        await awaiter.Within();
    }

    private async Task RunAsync_CancelInTheQueue_DoesNotContinueInTheCanceller(JobEngine engine)
    {
        using Gate gate = new();
        using CancellationTokenSource source = new();
        JobLane lane = Lane(engine, 1);
        Fill(lane, gate);
        int continued = 0;
        Task awaiter = Await();
        await Crew.Run(() =>
        {
            source.Cancel();
            Check.False(Volatile.Read(ref continued) == Environment.CurrentManagedThreadId);
        });
        await awaiter.Within();

        async Task Await()
        {
            try
            {
                await lane.RunAsync(static _ => { }, 0, source.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
            }

            Volatile.Write(ref continued, Environment.CurrentManagedThreadId);
        }
    }

    private async Task RunAsync_ContinuationThatRunsFurtherJobs_GoesOn(JobEngine engine)
    {
        // Inline: each continuation runs in the worker and submits the next job from there. The stack must not grow.
        JobLane lane = Lane(engine, 1);
        int sum = 0;
        await Task.Run(async () =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                sum += await lane.RunAsync(static _ => 1, 0, options: JobOptions.ContinueInline).ConfigureAwait(false);
            }
        }).Within();
        Check.Equal(20_000, sum);
    }

    private sealed class CountingContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state)
        {
            Interlocked.Increment(ref _posts);
            ThreadPool.QueueUserWorkItem(_ => d(state));
        }

        /// <summary>Starts <paramref name="body"/> on this thread, under this context.</summary>
        public Task Start(Func<Task> body)
        {
            SynchronizationContext? before = Current;
            SetSynchronizationContext(this);
            try
            {
                return body();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
