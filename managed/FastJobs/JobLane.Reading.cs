using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using FastJobs.IO;

namespace FastJobs;

/// <summary>Jobs that read a file, a FIFO, a socket or a handle to its end.</summary>
public sealed partial class JobLane
{
    private const int DefaultReadAhead = 65536;

    /// <summary>Reads a file, a FIFO, a device or, by its path, a socket to its end, in a job of this lane.</summary>
    /// <param name="path">What to open. A FIFO waits for its first writer; a socket is connected to.</param>
    /// <param name="destination">Gets the bytes, in the lane's thread; nobody else uses it until the task completes.</param>
    /// <param name="cancellationToken">Ends the read, also where it waits for bytes; what was read is in the buffer.</param>
    /// <returns>How many bytes there were. May be awaited once. Fails with <see cref="IOException"/>,
    /// <see cref="UnauthorizedAccessException"/>, <see cref="OperationCanceledException"/>, or as
    /// <see cref="RunAsync{TState}(Action{TState}, TState, CancellationToken, JobOptions)"/> does.</returns>
    public ValueTask<long> ReadAsync(string path, IBufferWriter<byte> destination, CancellationToken cancellationToken = default)
    {
        CheckPath(path);
        return ReadAsync(new Resource(path, null), destination, cancellationToken);
    }

    /// <summary>As <see cref="ReadAsync(string, IBufferWriter{byte}, CancellationToken)"/>, from a handle where it stands.</summary>
    /// <param name="handle">Of a file, a pipe or a socket. Stays open. Nobody else reads it meanwhile.</param>
    /// <param name="destination">Gets the bytes, in the lane's thread.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    public ValueTask<long> ReadAsync(SafeHandle handle, IBufferWriter<byte> destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return ReadAsync(new Resource(null, handle), destination, cancellationToken);
    }

    /// <summary>
    /// Opens a file, a FIFO, a device or a socket in a job of this lane, which reads ahead of the reader that is
    /// returned, by a bounded number of bytes.
    /// </summary>
    /// <param name="path">What to open. A FIFO waits for its first writer; a socket is connected to.</param>
    /// <param name="readAhead">How many bytes may wait for the reader, from 1; one more chunk, of at most as many bytes and
    /// 65,536, may come on top.</param>
    /// <param name="cancellationToken">Ends the read; the reader then gets an <see cref="OperationCanceledException"/>.</param>
    /// <returns>A reader, for one thread at a time. A read throws what the open or the read failed with. Complete it:
    /// that ends the job, also where it waits for bytes.</returns>
    /// <remarks>
    /// The job keeps a thread of the lane until all is read, also while it waits for the reader: readers that are slow
    /// belong in a lane of their own, and a drain waits for them. In a lane with a concurrency of 0 all is read before this returns, however much.
    /// </remarks>
    public PipeReader OpenRead(string path, int readAhead = DefaultReadAhead, CancellationToken cancellationToken = default)
    {
        CheckPath(path);
        return OpenRead(new Resource(path, null), readAhead, cancellationToken);
    }

    /// <summary>As <see cref="OpenRead(string, int, CancellationToken)"/>, from a handle where it stands.</summary>
    /// <param name="handle">Of a file, a pipe or a socket. Stays open. Nobody else reads it meanwhile.</param>
    /// <param name="readAhead">How many bytes may wait for the reader, from 1.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    public PipeReader OpenRead(SafeHandle handle, int readAhead = DefaultReadAhead, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return OpenRead(new Resource(null, handle), readAhead, cancellationToken);
    }

    private static void CheckPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Contains('\0'))
        {
            throw new ArgumentException("A path has no NUL character.", nameof(path));
        }
    }

    private ValueTask<long> ReadAsync(Resource resource, IBufferWriter<byte> destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return RunAsync(
            static (a, token) => a.resource.ReadTo(a.destination, token), (resource, destination), cancellationToken);
    }

    private LaneRead OpenRead(Resource resource, int readAhead, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(readAhead, 1);
        var read = new LaneRead(resource, Concurrency == 0 ? 0 : readAhead, cancellationToken);
        read.Start(this);
        return read;
    }
}
