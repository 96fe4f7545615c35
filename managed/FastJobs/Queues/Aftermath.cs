namespace FastJobs.Queues;

/// <summary>How a job is handed in, beyond its work.</summary>
internal readonly record struct Placement(
    string? Id, bool Detached, bool Head, TimeSpan Delay, RetryPolicy? Retry, TimeSpan? ExpireAfter)
{
    /// <summary>Nothing of it: the short way.</summary>
    public bool IsPlain => !Head && Delay <= TimeSpan.Zero && Retry is null && ExpireAfter is null && string.IsNullOrEmpty(Id);
}

/// <summary>What a change under the lock asks for, done when the lock is free again.</summary>
internal struct Aftermath
{
    public bool Ticket;
    public bool Gone;
    public bool Look;
    public int Limit;

    /// <summary>The waiter that takes the job along, which is out of the queue.</summary>
    public JobWaiter? Waiter;
    public QueuedJob? WaiterJob;

    /// <summary>Those that waited for any job, linked.</summary>
    public JobWaiter? Any;

    /// <summary>A job that nobody knows any more.</summary>
    public QueuedJob? Recycle;

    /// <summary>Who is told that there will be no more finished jobs.</summary>
    public List<FinishedFeed>? Feeds;
    public System.IO.Pipelines.Pipe? Output;
    public object? OutputError;

    /// <summary>Whether what follows calls code of the user's in this thread.</summary>
    public readonly bool CallsUser => Waiter?.CallsUser == true || Recycle?.CallsUser == true;

    public void Do(QueueCore queue)
    {
        if (Limit > 0)
        {
            queue.System.ChangeLimit(Limit); // before the ticket that needs it
        }

        if (Ticket)
        {
            queue.System.Submit(queue);
        }

        if (Waiter is not null)
        {
            Waiter.Done(WaiterJob, QueueStatus.Ok);
        }

        if (Any is not null || Gone || Look || Limit < 0 || Recycle is not null || Output is not null || Feeds is not null)
        {
            DoRest(queue);
        }
    }

    private readonly void DoRest(QueueCore queue)
    {
        Output?.Writer.Complete(OutputError as Exception);
        for (JobWaiter? any = Any; any is not null;)
        {
            JobWaiter? next = any.Next;
            any.Next = null;
            any.Done(null, QueueStatus.Ok);
            any = next;
        }

        if (Limit < 0)
        {
            queue.System.ChangeLimit(Limit);
        }

        Recycle?.Recycle();
        if (Gone)
        {
            queue.System.Forget(queue);
        }

        if (Feeds is not null)
        {
            foreach (FinishedFeed feed in Feeds)
            {
                feed.End();
            }
        }

        if (Look)
        {
            queue.System.Host.LookForQuiet();
        }
    }
}
