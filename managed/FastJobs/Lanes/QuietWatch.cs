namespace FastJobs.Lanes;

/// <summary>
/// Tells when nothing is in flight. Lanes report every time a worker runs out of work or a job ends elsewhere; the
/// question is asked only if somebody waits for the answer. docs/protocols.md#drain.
/// </summary>
/// <remarks>Its lock comes before those of the lanes, which the question takes; lanes report without a lock.</remarks>
internal sealed class QuietWatch(Func<bool> isQuiet)
{
    private readonly Lock _lock = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private int _count;

    /// <summary>A task that completes at a moment at which nothing is in flight.</summary>
    public Task WhenQuiet()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Add(waiter);
            Interlocked.Increment(ref _count); // full fence: pairs with the one in Look
        }

        Look();
        return waiter.Task;
    }

    /// <summary>As <see cref="WhenQuiet"/>, until the time-out or the token says otherwise.</summary>
    /// <returns>False: it was not quiet in that time.</returns>
    public async Task<bool> WhenQuietAsync(TimeSpan timeout, CancellationToken token)
    {
        Task quiet = WhenQuiet();
        try
        {
            await quiet.WaitAsync(timeout, token).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return Withdraw(quiet);
        }
        catch (OperationCanceledException)
        {
            Withdraw(quiet);
            throw;
        }
    }

    /// <summary>As <see cref="WhenQuiet"/>; blocks, and needs no other thread to go on.</summary>
    public bool WaitUntilQuiet(int milliseconds)
    {
        Task quiet = WhenQuiet();
        return quiet.Wait(milliseconds) || Withdraw(quiet);
    }

    // Nobody waits for the task any more. True: it had completed after all.
    private bool Withdraw(Task quiet)
    {
        lock (_lock)
        {
            if (_waiting.RemoveAll(waiter => waiter.Task == quiet) > 0)
            {
                Interlocked.Decrement(ref _count);
                return false;
            }
        }

        return true;
    }

    /// <summary>Called after a job was counted as finished.</summary>
    public void Look()
    {
        // Full fence between the count of a finished job and the look at the waiters: either this sees a waiter, or the
        // waiter's own look sees the job. Pairs with WhenQuiet.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        TaskCompletionSource[] waiting;
        lock (_lock)
        {
            // Asked under the lock, so that the answer is no older than the youngest waiter that gets it.
            if (!isQuiet())
            {
                return;
            }

            waiting = [.. _waiting];
            _waiting.Clear();
            _count = 0;
        }

        foreach (TaskCompletionSource waiter in waiting)
        {
            waiter.TrySetResult();
        }
    }
}
