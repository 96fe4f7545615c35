using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using FastJobs.Lanes;

namespace FastJobs.IO;

/// <summary>Moves bytes from a source into a pipe or a buffer, in the calling thread: a lane's worker.</summary>
internal static class ReadPump
{
    /// <summary>How much is asked for at once: as much as a pipe of the system holds.</summary>
    public const int ChunkSize = 65536;

    /// <summary>A pipe whose writer stops while so many bytes wait to be read. The writer may be waited for.</summary>
    /// <param name="readAhead">Bytes; 0: no limit.</param>
    /// <param name="readers">Where the reader goes on.</param>
    public static PipeOptions Options(int readAhead, PipeScheduler readers) => new(
        readerScheduler: readers,
        writerScheduler: PipeScheduler.Inline, // all that happens there is that the pump's thread is woken
        pauseWriterThreshold: readAhead,
        resumeWriterThreshold: readAhead == 0 ? -1 : Math.Max(1, readAhead / 2),
        minimumSegmentSize: readAhead == 0 ? ChunkSize : Math.Min(ChunkSize, readAhead),
        useSynchronizationContext: false);

    /// <summary>
    /// Reads to the end, or until the pipe's reader wants no more. While the pipe is full the calling thread waits.
    /// </summary>
    /// <returns>0, or the errno: ECANCELED after a cancel. The writer is not completed.</returns>
    public static int Run(ByteSource source, PipeWriter writer, int chunkSize, CancellationToken token)
    {
        while (true)
        {
            int count = source.Read(writer.GetMemory(chunkSize).Span[..chunkSize], token);
            if (count <= 0)
            {
                return -count;
            }

            writer.Advance(count);
            ValueTask<FlushResult> flush = writer.FlushAsync(CancellationToken.None);
            if ((flush.IsCompleted ? flush.Result : Await(flush, token)).IsCompleted)
            {
                return 0;
            }
        }
    }

    private static FlushResult Await(ValueTask<FlushResult> flush, CancellationToken token)
    {
        if (InlineRuns.Any)
        {
            // The lane's limit was set to 0 meanwhile: this is the thread that would have to read.
            throw new InvalidOperationException("A lane that runs its jobs in their submitter cannot wait for a reader.");
        }

        Task<FlushResult> flushed = flush.AsTask();
        Task.WaitAny([flushed], token);
        return flushed.GetAwaiter().GetResult();
    }

    /// <summary>Reads to the end.</summary>
    /// <returns>0, or the errno: ECANCELED after a cancel.</returns>
    public static int Run(ByteSource source, IBufferWriter<byte> destination, CancellationToken token, out long total)
    {
        total = 0;
        while (true)
        {
            int count = source.Read(destination.GetSpan(ChunkSize), token);
            if (count <= 0)
            {
                return -count;
            }

            destination.Advance(count);
            total += count;
        }
    }

    /// <summary>Throws what an errno means.</summary>
    public static void Check(int errno, string what, string resource, CancellationToken token)
    {
        const int NoSuchFile = 2;
        const int NoAccess = 13;
        if (errno == 0)
        {
            return;
        }

        string message = $"\"{resource}\" cannot be {what}: {Marshal.GetPInvokeErrorMessage(errno)}.";
        throw errno switch
        {
            Posix.ECanceled when token.IsCancellationRequested => new OperationCanceledException(token),
            NoSuchFile => new FileNotFoundException(message, resource),
            NoAccess => new UnauthorizedAccessException(message),
            _ => new IOException(message, errno),
        };
    }
}
