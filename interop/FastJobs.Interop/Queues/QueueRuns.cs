using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>What a running job of a C program says of itself. The C layer has looked that it runs.</summary>
internal static unsafe class QueueRuns
{
    public static sbyte* QueueName(RunState* run) =>
        CWorker.Of(run).Slot.Queue is { Facade: CQueue queue } ? queue.Name : null;

    public static bool Report(RunState* run, byte* text)
    {
        byte[]? progress = null;
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.Given(Sanitizer.JobOf(run->Work, run->State));
        }

        if (text != null)
        {
            ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
            progress = new byte[bytes.Length + 1];
            bytes.CopyTo(progress);
        }

        return With(run, "fj_run_report", ref progress, static (extras, job, ref progress) => extras.Progress = progress);
    }

    public static bool Write(RunState* run, void* bytes, nuint size)
    {
        if (bytes == null && size > 0)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "fj_run_write: the bytes are NULL");
        }

        Pipe? pipe = null;
        if (!With(run, "fj_run_write", ref pipe, static (extras, job, ref pipe) => pipe = extras.Output ??= COutput.NewPipe()))
        {
            return false;
        }

        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesGiven();
        }

        lock (pipe!) // a job may have several threads, and a pipe has one writer
        {
            for (nuint written = 0; written < size;)
            {
                var part = new ReadOnlySpan<byte>((byte*)bytes + written, (int)Math.Min(size - written, 1 << 20));
                pipe.Writer.Write(part);
                written += (nuint)part.Length;
            }

            _ = pipe.Writer.FlushAsync(); // completed: the pipe never asks the writer to wait
        }

        return true;
    }

    public static void ThreadEnded(RunState* run)
    {
        RunSlot slot = CWorker.Of(run).Slot;
        run->Code = NativeConstants.FJ_CODE_THREAD_ENDED;
        CQueuedJob.Ended(run);
        slot.EndThread();
    }

    private static bool With<TState>(RunState* run, string function, ref TState state, ExtrasAction<TState> act)
    {
        RunSlot slot = CWorker.Of(run).Slot;
        return (slot.Queue is { } queue && queue.WithExtras(slot.Key, ref state, act))
            || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the job is over");
    }
}
