using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>An fj_job_output: the reading end of a job's pipe, for a thread of the C program that waits.</summary>
/// <remarks>
/// The pipe goes on in the thread that writes or reads: a pool's threads are not a C program's business. What goes on there
/// is the setting of a signal.
/// </remarks>
internal sealed unsafe class COutput(PipeReader reader) : IBlocking
{
    private readonly PipeReader _reader = reader;
    private readonly object _signal = new();
    private bool _isReady;
    private Action? _set;

    public static nint Open(nint handle, fj_job_id id)
    {
        const string Function = "fj_queue_output";
        if (!CQueue.TryGet(handle, Function, out CQueue queue) || !QueueErrors.TryGetKey(id, Function, out JobKey key))
        {
            return 0;
        }

        Opening opening = default;
        if (!queue.Core.WithExtras(key, ref opening, static (extras, job, ref opening) =>
            {
                opening.IsTaken = extras.HasReader;
                extras.HasReader = true;
                opening.Pipe = extras.Output ??= NewPipe();
            }))
        {
            if (queue.Core.Exists(key))
            {
                Errors.Fail(fj_error.FJ_EBUSY, $"{Function}: too late, job {key} is done");
            }
            else
            {
                QueueErrors.Fail(QueueStatus.NoSuchJob, queue.Core, key);
            }

            return 0;
        }

        if (opening.IsTaken)
        {
            Errors.Fail(fj_error.FJ_EBUSY, $"{Function}: the output of job {key} has its reader");
            return 0;
        }

        return GCHandle.ToIntPtr(GCHandle.Alloc(new COutput(opening.Pipe!.Reader)));
    }

    public static long Read(nint handle, void* buffer, nuint size, int timeoutMilliseconds)
    {
        if (handle == 0 || (buffer == null && size > 0))
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"fj_job_output_read: the {(handle == 0 ? "output" : "buffer")} is NULL");
            return -1;
        }

        if (size == 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_job_output_read: the buffer has no room");
            return -1;
        }

        return ((COutput)GCHandle.FromIntPtr(handle).Target!)
            .Read(new Span<byte>(buffer, (int)Math.Min(size, int.MaxValue)), timeoutMilliseconds);
    }

    public static void Close(nint handle)
    {
        GCHandle pin = GCHandle.FromIntPtr(handle);
        var output = (COutput)pin.Target!;
        output._reader.Complete();
        pin.Free();
    }

    /// <summary>What a job of a C program writes to: nothing waits for a reader.</summary>
    public static Pipe NewPipe() => new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 0,
        useSynchronizationContext: false));

    public void Interrupt()
    {
        lock (_signal)
        {
            Monitor.Pulse(_signal);
        }
    }

    private long Read(Span<byte> buffer, int timeoutMilliseconds)
    {
        long began = Stopwatch.GetTimestamp();
        ReadResult read;
        do
        {
            QueueStatus status = _reader.TryRead(out read) ? QueueStatus.Ok : Block(timeoutMilliseconds, began, out read);
            if (status != QueueStatus.Ok)
            {
                _ = status == QueueStatus.WaitCanceled
                    ? QueueErrors.Interrupted()
                    : Errors.Fail(fj_error.FJ_ETIMEDOUT, "Wait timed out.");
                return -1;
            }
        }
        while (IsNothing(read)); // a wait that was given up before came too late to end its read

        ReadOnlySequence<byte> there = read.Buffer;
        long taken = Math.Min(there.Length, buffer.Length);
        there = there.Slice(0, taken);
        there.CopyTo(buffer);
        _reader.AdvanceTo(there.End); // the sequence is the pipe's again
        return taken;
    }

    private bool IsNothing(in ReadResult read)
    {
        if (!read.Buffer.IsEmpty || read.IsCompleted)
        {
            return false;
        }

        _reader.AdvanceTo(read.Buffer.Start);
        return true;
    }

    private QueueStatus Block(int timeoutMilliseconds, long began, out ReadResult read)
    {
        ValueTask<ReadResult> reading = _reader.ReadAsync();
        var awaiter = reading.GetAwaiter();
        QueueStatus status = QueueStatus.Ok;
        if (!awaiter.IsCompleted)
        {
            RunSlot? slot = RunSlot.Current;
            _isReady = false;
            awaiter.UnsafeOnCompleted(_set ??= Set);
            slot?.BeginBlock(this);
            status = Await(timeoutMilliseconds, began, slot);
            slot?.EndBlock(status == QueueStatus.WaitCanceled);
            if (status != QueueStatus.Ok)
            {
                _reader.CancelPendingRead(); // if bytes come at this moment they are what is read
                Await(Timeout.Infinite, began, null);
            }
        }

        read = awaiter.GetResult();
        return status == QueueStatus.Ok || !IsNothing(read) ? QueueStatus.Ok : status;
    }

    private void Set()
    {
        lock (_signal)
        {
            _isReady = true;
            Monitor.Pulse(_signal);
        }
    }

    private QueueStatus Await(int timeoutMilliseconds, long began, RunSlot? slot)
    {
        lock (_signal)
        {
            while (!_isReady)
            {
                double left = timeoutMilliseconds - Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                if (slot is { IsInterrupted: true } || (timeoutMilliseconds >= 0 && left <= 0))
                {
                    return slot is { IsInterrupted: true } ? QueueStatus.WaitCanceled : QueueStatus.TimedOut;
                }

                Monitor.Wait(_signal, timeoutMilliseconds < 0 ? Timeout.Infinite : (int)Math.Ceiling(left));
            }

            return QueueStatus.Ok;
        }
    }

    private struct Opening
    {
        public Pipe? Pipe;
        public bool IsTaken;
    }
}
