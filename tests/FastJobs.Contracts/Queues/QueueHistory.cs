namespace FastJobs.Contracts.Queues;

/// <summary>One history: draws operations, does each in the queue and in the model, and compares the two.</summary>
internal sealed partial class QueueHistory
{
    private const int Operations = 24;

    private readonly Random _random;
    private readonly JobQueues _queues;
    private readonly JobQueue _queue;
    private readonly QueueModelState _model;
    private readonly List<string> _trace = [];
    private readonly List<(Task Wait, ModelWait Model)> _waits = [];

    public QueueHistory(JobQueues queues, int seed)
    {
        _random = new Random(seed);
        _queues = queues;
        int concurrency = _random.Next(1, 4);
        _queue = queues.Create($"history {seed}", concurrency);
        _model = new QueueModelState(concurrency);
    }

    public void Run()
    {
        try
        {
            for (int i = 0; i < Operations; i++)
            {
                Step();
                Compare();
            }

            Finish();
        }
        catch (Exception e)
        {
            throw new ContractFailure($"{e.Message}; after: {string.Join("; ", _trace)}", e);
        }
    }

    private void Step()
    {
        switch (_random.Next(20))
        {
            case < 6:
                Enqueue();
                break;
            case < 10:
                EndRunning(_random.Next(4) > 0);
                break;
            case < 13:
                Wait();
                break;
            case 13:
                WaitAny();
                break;
            case 14:
                CancelWait();
                break;
            case < 17:
                Cancel();
                break;
            case 17:
                _trace.Add(_model.Paused ? "resume" : "pause");
                _model.Paused = !_model.Paused;
                SetPaused(_model.Paused);
                break;
            case 18:
                _model.Concurrency = _queue.Concurrency = _random.Next(1, 4);
                _trace.Add($"concurrency {_model.Concurrency}");
                break;
            default:
                if (_random.Next(4) == 0)
                {
                    _trace.Add("delete");
                    _queue.Delete();
                    _model.Delete();
                }

                break;
        }
    }

    private void SetPaused(bool paused)
    {
        if (paused)
        {
            _queue.Pause();
        }
        else
        {
            _queue.Resume();
        }
    }

    private void Enqueue()
    {
        QueuedJobOptions options = new()
        {
            Detached = _random.Next(4) == 0,
            Head = _random.Next(4) == 0,
            Id = _random.Next(4) == 0 ? $"{(_random.Next(2) == 0 ? "own" : "job")}{_random.Next(8)}" : null,
        };
        _trace.Add($"enqueue {options.Id}{(options.Detached ? " detached" : "")}{(options.Head ? " head" : "")}");
        ModelJob job = new() { IsDetached = options.Detached };
        JobQueueError? expected = _model.Enqueue(job, options.Id, options.Head);
        JobQueueError? actual = null;
        try
        {
            string id = _queue.EnqueueAsync(
                static (job, context) =>
                {
                    Check.Equal(job.Id, context.Id.ToString());
                    job.Started.SetResult();
                    return job.End.Task;
                },
                job,
                options).ToString();
            Check.Equal(job.Id, id);
        }
        catch (JobQueueException e)
        {
            actual = e.Error;
        }

        Check.Equal(expected, actual);
    }

    private void EndRunning(bool succeed)
    {
        ModelJob[] running = [.. _model.Running];
        if (running.Length == 0)
        {
            return;
        }

        ModelJob job = running[_random.Next(running.Length)];
        _trace.Add($"{job.Id} {(succeed ? "returns" : "fails")}");
        _model.End(job, succeed);
        if (succeed)
        {
            job.End.SetResult(job.Id);
        }
        else
        {
            job.End.SetException(new FormatException(job.Id));
        }
    }

    // An id of some job, or of none.
    private string AnyId() => _model.Jobs.Count > 0 && _random.Next(8) > 0
        ? _model.Jobs[_random.Next(_model.Jobs.Count)].Id
        : $"{(_random.Next(2) == 0 ? "own" : "job")}{_random.Next(8)}";

    private void Wait()
    {
        string id = AnyId();
        bool poll = _random.Next(3) == 0;
        _trace.Add($"{(poll ? "poll" : "wait")} {id}");
        ModelWait expected = _model.Wait(id, poll);
        _waits.Add((_queue.WaitAsync<string>(
            id, poll ? TimeSpan.Zero : TimeSpan.FromHours(1), expected.Source.Token).AsTask(), expected));
    }

    private void WaitAny()
    {
        bool poll = _random.Next(3) == 0;
        _trace.Add(poll ? "pollany" : "waitany");
        ModelWait expected = _model.WaitAny(poll);
        _waits.Add((_queue.WaitAnyAsync(
            poll ? TimeSpan.Zero : TimeSpan.FromHours(1), expected.Source.Token).AsTask(), expected));
    }

    private void CancelWait()
    {
        ModelWait[] waiting = [.. _waits.Select(pair => pair.Model).Where(wait => wait.Result == "waits")];
        if (waiting.Length > 0)
        {
            ModelWait wait = waiting[_random.Next(waiting.Length)];
            _trace.Add($"cancel the wait for {wait.Job?.Id ?? "any"}");
            _model.CancelWait(wait);
            wait.Source.Cancel();
        }
    }

    private void Cancel()
    {
        string id = AnyId();
        _trace.Add($"cancel {id}");
        string expected = _model.Cancel(id);
        string actual;
        try
        {
            actual = _queue.Cancel(id) ? "runs" : "not";
        }
        catch (JobQueueException e)
        {
            actual = e.Error.ToString();
        }

        Check.Equal(expected, actual);
    }
}
