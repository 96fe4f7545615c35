using System.Runtime.CompilerServices;

namespace FastJobs.Queues;

/// <summary>How a job is handed in, beyond its work.</summary>
internal readonly record struct Placement(
    string? Id, bool Detached, bool Head, TimeSpan Delay, RetryPolicy? Retry, TimeSpan? ExpireAfter)
{
    /// <summary>Nothing of it: the short way.</summary>
    public bool IsPlain => !Head && Delay <= TimeSpan.Zero && Retry is null && ExpireAfter is null && string.IsNullOrEmpty(Id);
}

/// <summary>What a change under the lock asks for, done when the lock is free again. Most changes ask for nothing.</summary>
internal struct Aftermath
{
    private bool _asked;
    private bool _ticket;
    private bool _gone;
    private bool _look;
    private int _limit;
    private JobWaiter? _waiter;
    private QueuedJob? _waiterJob;
    private JobWaiter? _any; // linked
    private QueuedJob? _recycled;
    private List<FinishedFeed>? _feeds;
    private System.IO.Pipelines.Pipe? _output;
    private Exception? _outputError;

    /// <summary>Whether what follows calls code of the user's in this thread.</summary>
    public readonly bool CallsUser => _asked && (_waiter?.CallsUser == true || _recycled?.CallsUser == true);

    /// <summary>The job that nobody knows any more.</summary>
    public readonly QueuedJob? Recycled => _recycled;

    /// <summary>A worker is to get a ticket of the queue.</summary>
    public void WriteTicket() => _asked = _ticket = true;

    /// <summary>So many more threads may there be.</summary>
    public void ChangeLimit(int by)
    {
        _asked = true;
        _limit += by;
    }

    /// <summary>Something is over that the engine may have been waiting for.</summary>
    public void LookForQuiet() => _asked = _look = true;

    /// <summary>The waiter takes the job along, which is out of the queue.</summary>
    public void Tell(JobWaiter waiter, QueuedJob job)
    {
        _asked = true;
        _waiter = waiter;
        _waiterJob = job;
    }

    /// <summary>The waiter waited for any job.</summary>
    public void TellOfAny(JobWaiter waiter)
    {
        _asked = true;
        waiter.Next = _any;
        _any = waiter;
    }

    /// <summary>Nobody knows the job any more.</summary>
    public void Recycle(QueuedJob job)
    {
        _asked = true;
        _recycled = job;
    }

    /// <summary>The queue is gone, and those whose feeds these are get no more finished jobs.</summary>
    public void Forget(List<FinishedFeed>? feeds)
    {
        _asked = _gone = true;
        _feeds = feeds;
    }

    /// <summary>The job writes no more.</summary>
    public void EndOutput(System.IO.Pipelines.Pipe output, Exception? error)
    {
        _asked = true;
        _output = output;
        _outputError = error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Do(QueueCore queue)
    {
        if (_asked)
        {
            DoAll(queue);
        }
    }

    private readonly void DoAll(QueueCore queue)
    {
        if (_limit > 0)
        {
            queue.System.ChangeLimit(_limit); // before the ticket that needs it
        }

        if (_ticket)
        {
            queue.System.Submit(queue);
        }

        _waiter?.Done(_waiterJob, QueueStatus.Ok);
        _output?.Writer.Complete(_outputError);
        for (JobWaiter? any = _any; any is not null;)
        {
            JobWaiter? next = any.Next;
            any.Next = null;
            any.Done(null, QueueStatus.Ok);
            any = next;
        }

        if (_limit < 0)
        {
            queue.System.ChangeLimit(_limit);
        }

        _recycled?.Recycle();
        if (_gone)
        {
            queue.System.Forget(queue);
        }

        if (_feeds is not null)
        {
            foreach (FinishedFeed feed in _feeds)
            {
                feed.End();
            }
        }

        if (_look)
        {
            queue.System.Host.LookForQuiet();
        }
    }
}
