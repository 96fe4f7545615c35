namespace FastJobs.Contracts.Queues;

/// <summary>Comparing the queue with the model, and the end of a history.</summary>
internal sealed partial class QueueHistory
{
    // What follows from an operation follows in other threads: it is waited for.
    private void Compare()
    {
        _model.Settle();
        string expected = _model.ToString();
        foreach (ModelJob job in _model.Running)
        {
            Await(() => job.Started.Task.IsCompleted, () => $"{job.Id} does not start; {expected} is {Actual()}");
        }

        Await(() => Actual() == expected, () => $"expected {expected}, got {Actual()}");
        foreach ((Task wait, ModelWait model) in _waits)
        {
            if (model.Result == "waits")
            {
                Check.False(wait.IsCompleted, $"the wait for {model.Job?.Id ?? "any"} ended");
                continue;
            }

            Await(() => wait.IsCompleted, () => $"the wait for {model.Job?.Id ?? "any"} does not end: {model.Result}");
            Check.Equal(model.Result, ResultOf(wait));
        }

        _waits.RemoveAll(pair => pair.Wait.IsCompleted);
        Check.Equal(_model.IsGone, _queue.IsGone);
    }

    private string Actual() => string.Join(
        ' ',
        _queue.GetJobs().Select(job => job.Id + ":" + job.State switch
        {
            QueuedJobState.Scheduled => "s",
            QueuedJobState.Running => "r",
            _ => job.Outcome.ToString(),
        } + (job.IsWaitedFor ? "+" : "")));

    private static string ResultOf(Task wait)
    {
        try
        {
            wait.GetAwaiter().GetResult();
            return wait is Task<string> typed ? typed.Result : "done";
        }
        catch (JobQueueException e)
        {
            return e.Error.ToString();
        }
        catch (OperationCanceledException e) when (e is not QueuedJobCanceledException)
        {
            return "canceled";
        }
        catch (Exception e)
        {
            return e.GetType().Name;
        }
    }

    private static void Await(Func<bool> condition, Func<string> what)
    {
        Spin spin = default;
        try
        {
            while (!condition())
            {
                spin.Once();
            }
        }
        catch (TimeoutException)
        {
            throw new ContractFailure(what());
        }
    }

    // Ends and collects all, so that the deleted queue must go.
    private void Finish()
    {
        _trace.Add("finish");
        foreach (ModelWait wait in _waits.Select(pair => pair.Model).Where(wait => wait.Result == "waits").ToArray())
        {
            _model.CancelWait(wait);
            wait.Source.Cancel();
        }

        _queue.Delete();
        _model.Delete();
        _queue.Resume();
        _model.Paused = false;
        Compare();
        while (_model.Jobs.Count > 0)
        {
            EndRunning(succeed: true);
            Compare(); // it ends in another thread
            foreach (ModelJob job in _model.Jobs.Where(job => job.State == "done").ToArray())
            {
                ModelWait expected = _model.Wait(job.Id, poll: true);
                _waits.Add((_queue.WaitAsync<string>(job.Id, TimeSpan.Zero).AsTask(), expected));
            }

            Compare();
        }

        Check.True(_queue.IsGone);
        Check.True(!ReferenceEquals(_queues.Find(_queue.Name), _queue));
    }
}
