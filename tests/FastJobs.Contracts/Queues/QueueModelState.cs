namespace FastJobs.Contracts.Queues;

/// <summary>A job of the sequential model.</summary>
internal sealed class ModelJob
{
    public string Id = "";
    public string State = "scheduled";
    public string Outcome = "";
    public bool IsDetached;
    public bool CancelRequested;
    public ModelWait? Waiter;

    /// <summary>Set by the job itself.</summary>
    public TaskCompletionSource Started { get; } = new();

    /// <summary>Ends the job.</summary>
    public TaskCompletionSource<string> End { get; } = new();

    /// <summary>What a wait for it gives.</summary>
    public string Result => Outcome switch
    {
        "Completed" => Id,
        "Failed" => nameof(QueuedJobException),
        _ => nameof(QueuedJobCanceledException),
    };
}

/// <summary>A wait of the sequential model; Result is "waits" until it ends.</summary>
internal sealed class ModelWait
{
    public string Result = "waits";
    public ModelJob? Job;

    public CancellationTokenSource Source { get; } = new();
}

/// <summary>What a queue is, written as simply as possible: lists that are searched, one thread.</summary>
internal sealed class QueueModelState(int concurrency)
{
    private readonly List<ModelJob> _order = []; // in which they will run
    private readonly List<ModelWait> _anyWaits = [];
    private long _next;
    private bool _deleting;

    public int Concurrency { get; set; } = concurrency;

    public bool Paused { get; set; }

    public bool IsGone { get; private set; }

    /// <summary>In the order of queueing.</summary>
    public List<ModelJob> Jobs { get; } = [];

    public IEnumerable<ModelJob> Running => Jobs.Where(job => job.State == "running");

    public JobQueueError? Enqueue(ModelJob job, string? own, bool head)
    {
        if (_deleting)
        {
            return IsGone ? JobQueueError.NoSuchQueue : JobQueueError.Refused;
        }

        if (own is not null && Find(own) is not null)
        {
            return JobQueueError.JobExists;
        }

        while (own is null && Find($"job{_next}") is not null)
        {
            _next++;
        }

        job.Id = own ?? $"job{_next++}";
        Jobs.Add(job);
        _order.Insert(head ? 0 : _order.Count, job);
        return null;
    }

    /// <summary>Starts what may start.</summary>
    public void Settle()
    {
        while (!Paused && _order.Count > 0 && Running.Count() < Concurrency)
        {
            _order[0].State = "running";
            _order.RemoveAt(0);
        }
    }

    public void End(ModelJob job, bool succeed) =>
        Complete(job, job.CancelRequested ? "Canceled" : succeed ? "Completed" : "Failed");

    private void Complete(ModelJob job, string outcome)
    {
        job.State = "done";
        job.Outcome = outcome;
        if (job.IsDetached)
        {
            Remove(job);
            return;
        }

        EndAnyWaits();
        if (job.Waiter is { } waiter)
        {
            waiter.Result = job.Result;
            Remove(job);
        }
    }

    private void Remove(ModelJob job)
    {
        Jobs.Remove(job);
        if (Jobs.Count == 0)
        {
            EndAnyWaits();
            IsGone = _deleting;
        }
    }

    private void EndAnyWaits()
    {
        _anyWaits.ForEach(static wait => wait.Result = "done");
        _anyWaits.Clear();
    }

    public ModelWait Wait(string id, bool poll)
    {
        ModelWait wait = new() { Job = Find(id) };
        if (wait.Job is not { } job)
        {
            wait.Result = (IsGone ? JobQueueError.NoSuchQueue : JobQueueError.NoSuchJob).ToString();
        }
        else if (job.IsDetached)
        {
            wait.Result = nameof(JobQueueError.DetachedJob);
        }
        else if (job.Waiter is not null)
        {
            wait.Result = nameof(JobQueueError.WaitedJob);
        }
        else if (job.State == "done")
        {
            wait.Result = job.Result;
            Remove(job);
        }
        else if (poll)
        {
            wait.Result = nameof(TimeoutException);
        }
        else
        {
            job.Waiter = wait;
        }

        return wait;
    }

    public ModelWait WaitAny(bool poll)
    {
        ModelWait wait = new();
        if (Jobs.Count == 0 || Jobs.Any(job => job.State == "done"))
        {
            wait.Result = "done";
        }
        else if (poll)
        {
            wait.Result = nameof(TimeoutException);
        }
        else
        {
            _anyWaits.Add(wait);
        }

        return wait;
    }

    public void CancelWait(ModelWait wait)
    {
        wait.Result = "canceled";
        _anyWaits.Remove(wait);
        if (wait.Job is { } job)
        {
            job.Waiter = null;
        }
    }

    public string Cancel(string id)
    {
        if (Find(id) is not { } job)
        {
            return (IsGone ? JobQueueError.NoSuchQueue : JobQueueError.NoSuchJob).ToString();
        }

        if (job.Waiter is not null)
        {
            return nameof(JobQueueError.WaitedJob);
        }

        if (job.State == "running")
        {
            job.CancelRequested = true;
            return "runs";
        }

        if (job.State == "scheduled")
        {
            _order.Remove(job);
            Complete(job, "Canceled");
        }

        return "not";
    }

    public void Delete()
    {
        _deleting = true;
        IsGone |= Jobs.Count == 0;
    }

    private ModelJob? Find(string id) => Jobs.Find(job => job.Id == id);

    public override string ToString() => string.Join(' ', Jobs.Select(job =>
        job.Id + ":" + job.State switch
        {
            "scheduled" => "s",
            "running" => "r",
            _ => job.Outcome,
        } + (job.Waiter is not null ? "+" : "")));
}
