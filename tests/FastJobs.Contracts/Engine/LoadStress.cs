namespace FastJobs.Contracts.Engine;

/// <summary>Many jobs, of all kinds, at once: nothing is lost, nothing runs twice, the books balance.</summary>
internal sealed class LoadStress() : EngineCases(nameof(AllContracts.EngineStress))
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_AMillionByEight_EachRunsOnce),
        Case(Submit_AMillionByEightIntoAFullLane_EachRunsOnce),
        Case(AllForms_WithExceptionsCancelsAndDrains_BooksBalance),
    ];

    private Task Submit_AMillionByEight_EachRunsOnce(JobEngine engine) => AMillion(engine, backlog: 0);

    private Task Submit_AMillionByEightIntoAFullLane_EachRunsOnce(JobEngine engine) => AMillion(engine, backlog: 1_000);

    private static async Task AMillion(JobEngine engine, int backlog)
    {
        const int Jobs = 1_000_000;
        Runs runs = new(Jobs);
        JobLane lane = Lane(engine, 4, backlog);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(producer => Crew.Run(() =>
        {
            for (int i = producer; i < Jobs; i += 8)
            {
                lane.Submit(static job => job.Runs.Enter(job.Number), (Runs: runs, Number: i));
            }
        }))).WaitAsync(Patience.Case);
        await engine.DrainAsync().WaitAsync(Patience.Case);
        runs.CheckEachOnce();
        Check.Equal((long)Jobs, lane.GetStatistics().Invocations);
        Check.Equal(0L, lane.QueuedJobs);
    }

    private Task AllForms_WithExceptionsCancelsAndDrains_BooksBalance() => FailureCases.Handled(async (engine, handled) =>
    {
        int each = Stress.Scale(20_000, 400_000);
        const int Producers = 4;
        Books books = new(Producers * each);
        JobLane[] lanes = [Lane(engine, 2, backlog: 50), engine.Cpu, engine["Unlink"], engine["SpoolIn"], engine["Close"]];
        bool over = false;
        Task drainer = Task.Run(async () =>
        {
            while (!Volatile.Read(ref over))
            {
                // May be answered or given up: either way jobs go on.
                using CancellationTokenSource patience = new(TimeSpan.FromMilliseconds(5));
                try
                {
                    await engine.DrainAsync(patience.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                }
            }
        });
        Task tuner = Crew.Run(() =>
        {
            Random random = new(99);
            while (!Volatile.Read(ref over))
            {
                lanes[0].Concurrency = random.Next(1, 4);
                lanes[2].Backlog = random.Next(1, 200);
                lanes[1].GetStatistics();
                Thread.Sleep(1);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(producer => Task.Run(
            () => Produce(lanes, books, producer * each, each, new Random(producer))))).WaitAsync(Patience.Case);
        await engine.DrainAsync().WaitAsync(Patience.Case);
        Volatile.Write(ref over, true);
        await drainer.Within();
        await tuner.Within();
        books.Check();
        Check.Equal(books.Thrown, handled.Count);
        Check.Equal((long)books.Count, lanes.Sum(lane => lane.GetStatistics().Invocations));
    });

    private static async Task Produce(JobLane[] lanes, Books books, int first, int count, Random random)
    {
        using CancellationTokenSource never = new();
        for (int i = first; i < first + count; i++)
        {
            JobLane lane = lanes[random.Next(lanes.Length)];
            (Books Books, int Number) job = (books, i);
            switch (random.Next(8))
            {
                case 0:
                    lane.Submit(static job => job.Books.Run(job.Number), job);
                    break;
                case 1:
                    lane.Submit(static job => job.Books.RunAndThrow(job.Number), job);
                    break;
                case 2:
                    JobHandle handle = lane.SubmitCancelable(static job => job.Books.Run(job.Number), job);
                    Thread.SpinWait(random.Next(50));
                    books.Canceled(i, handle.TryCancel());
                    break;
                case 3:
                    await lane.SubmitAsync(static job => job.Books.Run(job.Number), job, never.Token).ConfigureAwait(false);
                    break;
                case 4:
                    await lane.RunAsync(static job => job.Books.Run(job.Number), job, never.Token).ConfigureAwait(false);
                    break;
                case 5:
                    await RunAndCancel(lane, job, random).ConfigureAwait(false);
                    break;
                case 6:
                    lane.Submit(
                        static async (job, _) =>
                        {
                            await Task.Yield();
                            job.Books.RunAndThrow(job.Number);
                        },
                        job);
                    break;
                default:
                    ValueTask running = lane.RunAsync(
                        static async (job, _) =>
                        {
                            await Task.Yield();
                            job.Books.Run(job.Number);
                        },
                        job);
                    await running.ConfigureAwait(false);
                    break;
            }
        }
    }

    private static async Task RunAndCancel(JobLane lane, (Books Books, int Number) job, Random random)
    {
        using CancellationTokenSource source = new();
        ValueTask running = lane.RunAsync(static job => job.Books.Run(job.Number), job, source.Token);
        Thread.SpinWait(random.Next(50));
        source.Cancel();
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            job.Books.Canceled(job.Number, true);
        }
    }

    /// <summary>Each job has one end: it ran, or it was cancelled.</summary>
    private sealed class Books(int count)
    {
        private readonly Runs _ends = new(count);
        private int _thrown;

        public int Count => count;

        public int Thrown => Volatile.Read(ref _thrown);

        public void Run(int number) => _ends.Enter(number);

        public void RunAndThrow(int number)
        {
            _ends.Enter(number);
            Interlocked.Increment(ref _thrown);
            throw new NotSupportedException();
        }

        public void Canceled(int number, bool canceled)
        {
            if (canceled)
            {
                _ends.Enter(number);
            }
        }

        public void Check() => _ends.CheckEachOnce();
    }
}
