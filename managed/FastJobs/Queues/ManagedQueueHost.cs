using FastJobs.Jobs;
using FastJobs.Queues;

namespace FastJobs;

/// <summary>The hooks and the log of a .NET program. What a hook throws is logged; what the log throws is nobody's.</summary>
internal sealed class ManagedQueueHost(JobQueuesOptions options, Action lookForQuiet) : IQueueHost
{
    public object? OnWorkerStart()
    {
        try
        {
            return options.OnWorkerStart?.Invoke();
        }
        catch (Exception e)
        {
            LogHook(nameof(options.OnWorkerStart), e);
            return null;
        }
    }

    public bool HasAfterJob => options.AfterJob is not null;

    public void AfterJob(object? workerState)
    {
        JobContext.Clean(); // whatever the job set, the next one must not see
        if (options.AfterJob is { } hook)
        {
            CallHook(hook, workerState, nameof(options.AfterJob));
        }
    }

    public void OnWorkerExit(object? workerState)
    {
        if (options.OnWorkerExit is { } hook)
        {
            CallHook(hook, workerState, nameof(options.OnWorkerExit));
        }
    }

    public void LookForQuiet() => lookForQuiet();

    public void Log(in QueueEvent happened)
    {
        (string name, JobKey key) = (happened.Queue.Name, happened.Key);
        var error = happened.Inner as Exception;
        string duration = happened.Duration.TotalSeconds.ToString(
            "F6", System.Globalization.CultureInfo.InvariantCulture);
        (JobQueueLogKind kind, string message) = happened.Kind switch
        {
            QueueEventKind.Slow => (
                JobQueueLogKind.SlowJob, $"queue \"{name}\": job {key} took {duration} secs"),
            QueueEventKind.DetachedFailure => (
                JobQueueLogKind.DetachedFailure,
                $"queue \"{name}\": job {key} failed: {error?.Message} (context: detached job)"),
            QueueEventKind.Discarded => (
                JobQueueLogKind.Discarded, $"queue \"{name}\": job {key} was discarded: the engine stopped before it ran"),
            _ => (
                JobQueueLogKind.Expired, $"queue \"{name}\": job {key} has expired: nobody collected it"),
        };
        Write(new JobQueueLogEntry(kind, name, new QueuedJobId(key), happened.Duration, error, message));
    }

    private void CallHook(Action<object?> hook, object? workerState, string name)
    {
        try
        {
            hook(workerState);
        }
        catch (Exception e)
        {
            LogHook(name, e);
        }
    }

    private void LogHook(string name, Exception e) => Write(new JobQueueLogEntry(
        JobQueueLogKind.HookFailure, "", null, default, e, $"{name} failed: {e.Message}"));

    private void Write(JobQueueLogEntry entry)
    {
        try
        {
            if (options.Log is { } log)
            {
                log(entry);
            }
            else if (entry.Kind is not (JobQueueLogKind.SlowJob or JobQueueLogKind.Expired))
            {
                Console.Error.WriteLine($"FastJobs: {entry.Message}");
            }
        }
        catch (Exception)
        {
            // A log that fails has nobody to tell.
        }
    }
}
