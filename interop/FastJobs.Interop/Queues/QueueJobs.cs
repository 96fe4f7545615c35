using System.Diagnostics;
using System.Runtime.CompilerServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>What C programs do with the jobs of a queue: add, wait, cancel.</summary>
internal static unsafe class QueueJobs
{
    /// <summary>The hot path: no text is made room for here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Add(nint handle, fj_work* work, void* state, fj_job_options* options, fj_job_id* id)
    {
        if (handle == 0 || work == null || work->struct_size != (nuint)sizeof(fj_work) || work->run == null)
        {
            return RefuseAdd(handle, work);
        }

        CQueue queue = CQueue.Of(handle);
        if (options != null || queue.Expiry is not null)
        {
            return AddPlaced(queue, work, state, options, id);
        }

        CQueuedJob job = CQueuedJob.Get(work, state);
        QueueStatus status = queue.Core.Enqueue(job, detached: false, out JobKey key);
        if (status != QueueStatus.Ok)
        {
            job.GiveUp();
            return QueueErrors.Fail(status, queue.Core, key);
        }

        if (id != null)
        {
            id->number = key.Number;
            id->text = null;
        }

        return true;
    }

    private static bool AddPlaced(CQueue queue, fj_work* work, void* state, fj_job_options* options, fj_job_id* id)
    {
        if (!TryGetPlacement(queue, options, out Placement placement))
        {
            return false;
        }

        CQueuedJob job = CQueuedJob.Get(work, state);
        QueueStatus status = placement.IsPlain
            ? queue.Core.Enqueue(job, placement.Detached, out JobKey key)
            : queue.Core.Enqueue(job, in placement, out key);
        if (status != QueueStatus.Ok)
        {
            job.GiveUp();
            return QueueErrors.Fail(status, queue.Core, new JobKey(-1, placement.Id));
        }

        if (id != null)
        {
            id->number = key.Number;
            id->text = key.Id is null ? null : options->id;
        }

        return true;
    }

    private static bool TryGetPlacement(CQueue queue, fj_job_options* options, out Placement placement)
    {
        placement = new Placement(null, false, false, default, null, queue.Expiry);
        if (options == null)
        {
            return true;
        }

        if (!QueueErrors.IsStruct(options, options->struct_size, sizeof(fj_job_options), "fj_queue_add", "fj_job_options")
            || !IsAtLeast(options->delay_ms, 0, "delay_ms")
            || !IsAtLeast(options->expire_ms, -1, "expire_ms")
            || !IsAtLeast(options->max_attempts, 0, "max_attempts")
            || !IsAtLeast(options->retry_ms, 0, "retry_ms")
            || !IsAtLeast(options->retry_max_ms, 0, "retry_max_ms"))
        {
            return false;
        }

        double factor = options->retry_factor;
        if (factor != 0 && (!(factor >= 1) || double.IsInfinity(factor)))
        {
            return Errors.Fail(
                fj_error.FJ_EINVAL, FormattableString.Invariant($"fj_queue_add: retry_factor is 1 or more, not {factor}"));
        }

        placement = new Placement(
            NameText.Decode((byte*)options->id),
            options->detached != 0,
            options->head != 0,
            TimeSpan.FromMilliseconds(options->delay_ms),
            options->max_attempts <= 1 ? null : new RetryPolicy(
                options->max_attempts, TimeSpan.FromMilliseconds(options->retry_ms))
            {
                BackOff = factor == 0 ? 2 : factor,
                MaxDelay = options->retry_max_ms == 0
                    ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(options->retry_max_ms),
            },
            options->expire_ms switch
            {
                0 => queue.Expiry,
                < 0 => null,
                _ => TimeSpan.FromMilliseconds(options->expire_ms),
            });
        return true;
    }

    private static bool IsAtLeast(int value, int least, string name) =>
        value >= least || Errors.Fail(fj_error.FJ_EINVAL, $"fj_queue_add: {name} is {least} or more, not {value}");

    private static bool RefuseAdd(nint handle, fj_work* work) =>
        handle == 0 ? Errors.Fail(fj_error.FJ_EINVAL, "fj_queue_add: the queue is NULL")
        : QueueErrors.IsStruct(work, work == null ? 0 : work->struct_size, sizeof(fj_work), "fj_queue_add", "fj_work")
        && Errors.Fail(fj_error.FJ_EINVAL, "fj_queue_add: the work's run function is NULL");

    /// <summary>The other half of the hot path.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Wait(nint handle, fj_job_id id, int timeoutMilliseconds, fj_job_result* result)
    {
        JobKey key;
        if (handle == 0)
        {
            return CQueue.TryGet(handle, "fj_queue_wait", out _);
        }

        if (id.number >= 0)
        {
            key = new JobKey(id.number, null);
        }
        else if (!QueueErrors.TryGetKey(id, "fj_queue_wait", out key))
        {
            return false;
        }

        QueueCore queue = CQueue.Of(handle).Core;
        QueueStatus status = queue.Wait(key, Math.Max(-1, timeoutMilliseconds), null, out QueuedJob? job);
        if (status != QueueStatus.Ok)
        {
            return QueueErrors.Fail(status, queue, key);
        }

        if (result != null)
        {
            ((CQueuedJob)job!).HandOver(result);
        }
        else
        {
            ((CQueuedJob)job!).Forgo();
        }

        return true;
    }

    public static bool WaitAny(nint handle, int timeoutMilliseconds)
    {
        if (!CQueue.TryGet(handle, "fj_queue_wait_any", out CQueue queue))
        {
            return false;
        }

        QueueStatus status = queue.Core.WaitAny(Math.Max(-1, timeoutMilliseconds));
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesTaken();
        }

        return status == QueueStatus.Ok || QueueErrors.Fail(status, queue.Core, default);
    }

    /// <summary>
    /// Collects what there is in the time. After a job that cannot be had it waits for none any more, but takes those that
    /// are done; the first failure is the caller's.
    /// </summary>
    public static bool WaitAll(fj_queued_id* jobs, nuint count, int timeoutMilliseconds, fj_job_result* results)
    {
        const string Function = "fj_queue_wait_all";
        if (count > 0 && (jobs == null || results == null))
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: the {(jobs == null ? "jobs" : "results")} are NULL");
        }

        long began = Stopwatch.GetTimestamp();
        QueueStatus first = QueueStatus.Ok;
        nuint failed = 0;
        for (nuint i = 0; i < count; i++)
        {
            if (results[i].outcome != fj_outcome.FJ_OUTCOME_NONE)
            {
                continue;
            }

            if (!CQueue.TryGet((nint)jobs[i].queue, Function, out CQueue queue)
                || !QueueErrors.TryGetKey(jobs[i].id, Function, out JobKey key))
            {
                return false;
            }

            QueueStatus status = queue.Core.Wait(key, first == QueueStatus.Ok ? Left(timeoutMilliseconds, began) : 0, null, out QueuedJob? job);
            if (status == QueueStatus.Ok)
            {
                ((CQueuedJob)job!).HandOver(&results[i]);
            }
            else if (first == QueueStatus.Ok)
            {
                (first, failed) = (status, i);
            }
        }

        if (first == QueueStatus.Ok)
        {
            return true;
        }

        QueueErrors.TryGetKey(jobs[failed].id, Function, out JobKey missing);
        return QueueErrors.Fail(first, CQueue.Of((nint)jobs[failed].queue).Core, missing);
    }

    private static int Left(int timeoutMilliseconds, long began) => timeoutMilliseconds < 0
        ? Timeout.Infinite
        : (int)Math.Clamp(timeoutMilliseconds - Stopwatch.GetElapsedTime(began).TotalMilliseconds, 0, int.MaxValue);

    public static bool OnDone(nint handle, fj_job_id id, delegate* unmanaged[Cdecl]<fj_job_result*, void*, void> done, void* closure)
    {
        const string Function = "fj_queue_on_done";
        if (!CQueue.TryGet(handle, Function, out CQueue queue) || !QueueErrors.TryGetKey(id, Function, out JobKey key))
        {
            return false;
        }

        if (done == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: the function is NULL");
        }

        CallbackWaiter waiter = CallbackWaiter.Get(done, closure);
        QueueStatus status = queue.Core.BeginWait(key, waiter, mayWait: true, out QueuedJob? job);
        if (status == QueueStatus.Waiting)
        {
            return true;
        }

        if (status == QueueStatus.Ok)
        {
            waiter.Done(job, QueueStatus.Ok);
            return true;
        }

        waiter.Recycle();
        return QueueErrors.Fail(status, queue.Core, key);
    }

    public static int Cancel(nint handle, fj_job_id id)
    {
        const string Function = "fj_queue_cancel";
        if (!CQueue.TryGet(handle, Function, out CQueue queue) || !QueueErrors.TryGetKey(id, Function, out JobKey key))
        {
            return -1;
        }

        QueueStatus status = queue.Core.Cancel(key, evenIfWaited: false, out bool running);
        if (status == QueueStatus.Ok)
        {
            return running ? 1 : 0;
        }

        QueueErrors.CancelFail(status, queue.Core, key);
        return -1;
    }

    public static bool Exists(nint handle, fj_job_id id)
    {
        const string Function = "fj_queue_exists";
        if (!CQueue.TryGet(handle, Function, out CQueue queue) || !QueueErrors.TryGetKey(id, Function, out JobKey key))
        {
            return false;
        }

        bool exists = queue.Core.Exists(key);
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesTaken(); // who sees that a job is gone may look at what it left
        }

        return exists;
    }
}
