using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>Why a request to a queue failed, as code and text. No text is made where nothing failed.</summary>
internal static unsafe class QueueErrors
{
    public static bool Gone(string name) => Errors.Fail(fj_error.FJ_ENOQUEUE, $"no such queue: {name}");

    public static bool Fail(QueueStatus status, QueueCore queue, JobKey key) => status switch
    {
        QueueStatus.NoSuchJob or QueueStatus.Refused when queue.IsGone => Gone(queue.Name),
        QueueStatus.NoSuchJob => Errors.Fail(fj_error.FJ_ENOJOB, $"no such job: {key}"),
        QueueStatus.JobExists => Errors.Fail(fj_error.FJ_EEXIST, $"Job {key} already exists"),
        QueueStatus.Refused => Refused(),
        QueueStatus.Detached => Errors.Fail(fj_error.FJ_EDETACHED, $"can't wait on detached job: {key}"),
        QueueStatus.Waited => Errors.Fail(fj_error.FJ_EWAITED, $"can't wait on waited job: {key}"),
        QueueStatus.WaitCanceled => Interrupted(),
        QueueStatus.TimedOut => Errors.Fail(fj_error.FJ_ETIMEDOUT, "Wait timed out."),
        QueueStatus.Stopped => Errors.Fail(
            fj_error.FJ_EREFUSED, $"queue \"{queue.Name}\": the set of queues was closed, nothing more comes"),
        _ => Errors.Fail(fj_error.FJ_EINTERNAL, $"queue \"{queue.Name}\", job {key}: {status}"),
    };

    public static bool Interrupted() => Errors.Fail(fj_error.FJ_ECANCELED, "the job that waits was cancelled");

    public static bool Refused() => Errors.Fail(
        fj_error.FJ_EREFUSED, "The specified queue is being deleted or the system is stopping.");

    public static bool CancelFail(QueueStatus status, QueueCore queue, JobKey key) => status == QueueStatus.Waited
        ? Errors.Fail(fj_error.FJ_EWAITED, $"can't cancel job \"{key}\", someone is waiting on it")
        : Fail(status, queue, key);

    /// <summary>The key that an id of a C program means. False: it is none, and the error is set.</summary>
    public static bool TryGetKey(fj_job_id id, string function, out JobKey key)
    {
        if (id.number >= 0)
        {
            key = new JobKey(id.number, null);
            return true;
        }

        if (id.text == null)
        {
            key = default;
            return Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the job's id is neither a number nor a text");
        }

        string text = NameText.Decode((byte*)id.text)!;
        key = new JobKey(JobKey.NumberIn(text), text);
        return true;
    }

    /// <summary>Whether a struct of the caller's is what this version knows. False: the error is set.</summary>
    public static bool IsStruct(void* given, nuint structSize, int known, string function, string name)
    {
        if (given == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the {name} is NULL");
        }

        return structSize == (nuint)known || Errors.Fail(
            fj_error.FJ_EINVAL, $"{function}: struct_size of the {name} is {structSize}, this version knows {known}");
    }
}
