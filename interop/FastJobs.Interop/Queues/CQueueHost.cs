using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>The hooks and the log of a set. What they point to is the C program's.</summary>
internal sealed unsafe class CQueueHost(in fj_queue_set_options options) : IQueueHost
{
    private readonly delegate* unmanaged[Cdecl]<void*, void*> _onThreadStart = options.on_thread_start;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, void> _afterJob = options.after_job;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, void> _onThreadExit = options.on_thread_exit;
    private readonly delegate* unmanaged[Cdecl]<fj_queue_event*, void*, void> _log = options.log;
    private readonly void* _closure = options.closure;

    /// <summary>Set before there is a queue.</summary>
    public QueueSystem System { get; set; } = null!;

    /// <summary>The set was freed: its log function is not called any more.</summary>
    public volatile bool IsMute;

    public object? OnWorkerStart()
    {
        var worker = new CWorker(RunSlot.Current!);
        if (_onThreadStart != null)
        {
            worker.Run->ThreadState = _onThreadStart(_closure);
        }

        return worker;
    }

    public bool HasAfterJob => _afterJob != null;

    public void AfterJob(object? workerState)
    {
        if (_afterJob != null)
        {
            _afterJob(Unsafe.As<CWorker>(workerState!).Run->ThreadState, _closure);
        }
    }

    public void OnWorkerExit(object? workerState)
    {
        var worker = (CWorker)workerState!;
        if (_onThreadExit != null)
        {
            _onThreadExit(worker.Run->ThreadState, _closure);
        }

        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesGiven(); // a close waits for the thread, so for all that was called in it
        }

        worker.Free();
    }

    public void LookForQuiet() => System.Look();

    public void Log(in QueueEvent happened)
    {
        if (!IsMute)
        {
            try
            {
                Tell(happened);
            }
            catch (OutOfMemoryException)
            {
                // The log has nobody to tell.
            }
        }

        if (happened.Kept != 0)
        {
            CQueuedJob.LetGo(happened.Kept);
        }
    }

    private void Tell(in QueueEvent happened)
    {
        var told = new fj_queue_event
        {
            struct_size = (nuint)sizeof(fj_queue_event),
            kind = happened.Kind switch
            {
                QueueEventKind.Slow => fj_queue_event_kind.FJ_QUEUE_SLOW,
                QueueEventKind.DetachedFailure => fj_queue_event_kind.FJ_QUEUE_FAILED,
                QueueEventKind.Discarded => fj_queue_event_kind.FJ_QUEUE_DISCARDED,
                _ => fj_queue_event_kind.FJ_QUEUE_EXPIRED,
            },
            seconds = happened.Kind == QueueEventKind.Expired ? 0 : happened.Duration.TotalSeconds,
        };
        if (happened.Job is CQueuedJob job)
        {
            told.work = job.Work;
            told.state = job.UserState;
            job.Result(out told.code, out told.bytes, out told.size);
        }
        else if (happened.Kept != 0)
        {
            var kept = (Kept*)happened.Kept;
            told.work = kept->Work;
            told.state = kept->State;
        }

        if (told.kind != fj_queue_event_kind.FJ_QUEUE_FAILED)
        {
            told.code = 0;
            told.bytes = null;
            told.size = 0;
        }

        string text = TextOf(told.kind, happened, told.code);
        if (_log == null)
        {
            if (told.kind is fj_queue_event_kind.FJ_QUEUE_FAILED or fj_queue_event_kind.FJ_QUEUE_DISCARDED)
            {
                Host.LogError(text);
            }
            else
            {
                Host.LogWarning(text);
            }

            return;
        }

        var queue = (CQueue)happened.Queue.Facade!;
        fixed (byte* idText = NameText.Encode(happened.Key.ToString()), textBytes = Encoding.UTF8.GetBytes(text + "\0"))
        {
            told.queue = queue.Name;
            told.id = new fj_job_id { number = happened.Key.Number, text = happened.Key.Id is null ? null : (sbyte*)idText };
            told.id_text = (sbyte*)idText;
            told.text = (sbyte*)textBytes;
            _log(&told, _closure);
        }

        GC.KeepAlive(queue);
    }

    private static string TextOf(fj_queue_event_kind kind, in QueueEvent happened, int code)
    {
        string job = $"queue \"{happened.Queue.Name}\": job {happened.Key}";
        return kind switch
        {
            fj_queue_event_kind.FJ_QUEUE_SLOW => string.Create(
                CultureInfo.InvariantCulture, $"{job} took {happened.Duration.TotalSeconds:F6} secs"),
            fj_queue_event_kind.FJ_QUEUE_FAILED => string.Create(
                CultureInfo.InvariantCulture, $"{job} failed with code {code} (context: detached job)"),
            fj_queue_event_kind.FJ_QUEUE_DISCARDED => $"{job} was discarded: the set was closed before it ran",
            _ => $"{job} has expired: nobody collected it",
        };
    }
}
