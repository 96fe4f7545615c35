using System.Diagnostics;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>An fj_queue_feed: a thread of the C program waits here, and none of a thread pool is needed.</summary>
internal sealed unsafe class CFeed : FinishedFeed, IBlocking
{
    private readonly Queue<JobKey> _keys = new(); // its lock guards all, and comes after the queue's
    private readonly QueueCore _queue;
    private bool _ended;
    private nint _text; // of the last id

    private CFeed(QueueCore queue) => _queue = queue;

    public static nint Open(nint handle)
    {
        if (!CQueue.TryGet(handle, "fj_queue_feed_open", out CQueue queue))
        {
            return 0;
        }

        var feed = new CFeed(queue.Core);
        queue.Core.AddFeed(feed);
        return GCHandle.ToIntPtr(GCHandle.Alloc(feed));
    }

    public static bool Next(nint handle, int timeoutMilliseconds, fj_job_id* id)
    {
        const string Function = "fj_queue_feed_next";
        if (handle == 0 || id == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: the {(handle == 0 ? "feed" : "id")} is NULL");
        }

        return ((CFeed)GCHandle.FromIntPtr(handle).Target!).Next(timeoutMilliseconds, id);
    }

    public static void Close(nint handle)
    {
        GCHandle pin = GCHandle.FromIntPtr(handle);
        var feed = (CFeed)pin.Target!;
        feed._queue.RemoveFeed(feed);
        Marshal.FreeCoTaskMem(feed._text);
        pin.Free();
    }

    public override void Add(JobKey key)
    {
        lock (_keys)
        {
            _keys.Enqueue(key);
            Monitor.Pulse(_keys);
        }
    }

    public override void End()
    {
        lock (_keys)
        {
            _ended = true;
            Monitor.PulseAll(_keys);
        }
    }

    public void Interrupt()
    {
        lock (_keys)
        {
            Monitor.PulseAll(_keys);
        }
    }

    private bool Next(int timeoutMilliseconds, fj_job_id* id)
    {
        long began = Stopwatch.GetTimestamp();
        RunSlot? slot = RunSlot.Current;
        JobKey key;
        do
        {
            slot?.BeginBlock(this);
            QueueStatus status = TryTake(timeoutMilliseconds, began, slot, out key);
            slot?.EndBlock(status == QueueStatus.WaitCanceled);
            if (status != QueueStatus.Ok)
            {
                return status == QueueStatus.Stopped
                    ? Errors.Fail(fj_error.FJ_ENOQUEUE, $"queue \"{_queue.Name}\" is gone or its set was closed: no more jobs finish")
                    : QueueErrors.Fail(status, _queue, default);
            }
        }
        while (!_queue.IsDone(key)); // somebody has collected it, and its own id may be that of another job

        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesTaken();
        }

        Marshal.FreeCoTaskMem(_text);
        _text = key.Id is null ? 0 : NameText.New(key.Id);
        id->number = key.Number;
        id->text = (sbyte*)_text;
        return true;
    }

    private QueueStatus TryTake(int timeoutMilliseconds, long began, RunSlot? slot, out JobKey key)
    {
        lock (_keys)
        {
            while (!_keys.TryDequeue(out key))
            {
                if (_ended || slot is { IsInterrupted: true })
                {
                    return _ended ? QueueStatus.Stopped : QueueStatus.WaitCanceled;
                }

                double left = timeoutMilliseconds - Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                if (timeoutMilliseconds >= 0 && left <= 0)
                {
                    return QueueStatus.TimedOut;
                }

                Monitor.Wait(_keys, timeoutMilliseconds < 0 ? Timeout.Infinite : (int)Math.Ceiling(left));
            }

            return QueueStatus.Ok;
        }
    }
}
