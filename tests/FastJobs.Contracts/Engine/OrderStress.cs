namespace FastJobs.Contracts.Engine;

/// <summary>
/// FIFO across producers that synchronise with each other: when a job starts, at most concurrency - 1 jobs submitted
/// before it have not started.
/// </summary>
internal sealed class OrderStress() : EngineCases(nameof(AllContracts.EngineStress))
{
    private static readonly int s_jobs = Stress.Scale(100_000, 2_000_000);

    public override IEnumerable<ContractCase> List() =>
    [
        .. from concurrency in new[] { 1, 2, 4 }
           from backlog in new[] { 0, 3 }
           select Case(
               engine => Run(engine, concurrency, backlog, Submit),
               $"Submit_FourProducers{concurrency}AtOnceBacklog{backlog}_IsFifo"),
        .. from concurrency in new[] { 1, 3 }
           from backlog in new[] { 0, 3 }
           select Case(
               engine => Run(engine, concurrency, backlog, RunAsync),
               $"RunAsync_FourProducers{concurrency}AtOnceBacklog{backlog}_IsFifo"),
        Case(
            engine => Run(engine, 2, 0, SubmitAsynchronous), "Submit_AsynchronousWork2AtOnce_IsFifo"),
        Case(RunWhileBacklogChanges, "RunAsync_BacklogChangesMeanwhile_IsFifo"),
    ];

    private static void Submit(JobLane lane, Order order, int number) =>
        lane.Submit(static job => job.Order.Start(job.Number), (Order: order, Number: number));

    private static void RunAsync(JobLane lane, Order order, int number) =>
        lane.RunAsync(static job => job.Order.Start(job.Number), (Order: order, Number: number)).AsTask();

    private static void SubmitAsynchronous(JobLane lane, Order order, int number) => lane.Submit(
        static async (job, _) =>
        {
            job.Order.Start(job.Number);
            await Task.Yield();
        },
        (Order: order, Number: number));

    private static async Task Run(JobEngine engine, int concurrency, int backlog, Action<JobLane, Order, int> submit)
    {
        JobLane lane = Lane(engine, concurrency, backlog);
        Order order = new(s_jobs, concurrency);
        Lock turn = new();
        int next = 0;
        await Crew.Run(4, _ =>
        {
            while (true)
            {
                // Under the lock: the numbers say in which order the submits happened.
                lock (turn)
                {
                    if (next == s_jobs)
                    {
                        return;
                    }

                    submit(lane, order, next++);
                    if (next % 256 == 0)
                    {
                        // Lets the workers catch up and park now and then.
                        Spin.Until(() => lane.QueuedJobs == 0);
                    }
                }
            }
        });
        await engine.DrainAsync().Within();
        order.CheckComplete();
    }

    // Jobs that waited for room under a smaller backlog stay before those that come when it is larger.
    private static async Task RunWhileBacklogChanges(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1, 3);
        Order order = new(s_jobs, 1);
        int submitted = 0;
        await Crew.Run(2, number =>
        {
            int[] backlogs = [3, 64, 3, 0];
            for (int i = 0; Volatile.Read(ref submitted) < s_jobs; i++)
            {
                if (number > 0)
                {
                    lane.Backlog = backlogs[i % backlogs.Length];
                    continue;
                }

                RunAsync(lane, order, submitted);
                Volatile.Write(ref submitted, submitted + 1);
                if (submitted % 256 == 0)
                {
                    Spin.Until(() => lane.QueuedJobs == 0);
                }
            }
        });
        await engine.DrainAsync().Within();
        order.CheckComplete();
    }

    /// <summary>Which jobs have started. All before <see cref="_low"/> have.</summary>
    private sealed class Order(int count, int concurrency)
    {
        private readonly Lock _lock = new();
        private readonly bool[] _started = new bool[count];
        private int _low;
        private string? _failure;

        public void Start(int number)
        {
            lock (_lock)
            {
                int waiting = 0;
                for (int i = _low; i < number; i++)
                {
                    waiting += _started[i] ? 0 : 1;
                }

                if (waiting > concurrency - 1)
                {
                    _failure ??= $"when job {number} started, {waiting} submitted before it had not";
                }

                if (_started[number])
                {
                    _failure ??= $"job {number} started twice";
                }

                _started[number] = true;
                while (_low < count && _started[_low])
                {
                    _low++;
                }
            }
        }

        public void CheckComplete()
        {
            if (_failure is not null)
            {
                throw new ContractFailure(_failure);
            }

            Check.Equal(count, _low);
        }
    }
}
