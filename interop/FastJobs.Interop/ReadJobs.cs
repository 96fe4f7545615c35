using System.IO.Pipelines;
using FastJobs.Interop.Generated;
using FastJobs.IO;
using Status = FastJobs.Interop.Generated._io_job._io_job_status;

namespace FastJobs.Interop;

/// <summary>What the C layer keeps with a read job (native/src/guard.h has the same fields in the same order).</summary>
internal struct ReadState
{
    public const int Fresh = 0;
    public const int Runs = 1;
    public const int Ended = 2;

    /// <summary>What to read, or -1: the job's file.</summary>
#pragma warning disable CS0649 // the C layer writes it
    public int Descriptor;
#pragma warning restore CS0649

    /// <summary>Written under the lock; free_read_job looks at it without.</summary>
    public int Phase;

    /// <summary>A cancel came before the job ran. Under the lock.</summary>
    public int Cancelled;
}

/// <summary>
/// The read jobs of io_wrapper.h: runs them in their worker and cancels them from any thread. One lock, taken at a job's
/// two ends; a cancel under it does no more than to make a descriptor readable.
/// </summary>
internal static unsafe class ReadJobs
{
    // Stored before more is read: what lies between the resource and the caller's buffer is bounded by this and a chunk.
    private const int ReadAhead = ReadPump.ChunkSize;

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<nint, CancellationTokenSource> s_running = [];

    [ThreadStatic]
    private static Pipe? t_pipe;

    /// <summary>Runs a job: reads all, and says in the job how that went.</summary>
    public static void Run(_io_job* job, ReadState* state)
    {
        job->status = Status.IOJ_OPEN_FAILED; // what it stays if there is no memory for the next line
        job->errorcode = Posix.ENoMemory;
        var end = new CancellationTokenSource();
        lock (s_lock)
        {
            s_running[(nint)state] = end;
            Volatile.Write(ref state->Phase, ReadState.Runs); // pairs with the load in io_wrapper_free_read_job
            if (state->Cancelled != 0)
            {
                end.Cancel();
            }
        }

        (Status status, int errno) = Read(job, state->Descriptor, end.Token);
        job->status = status;
        job->errorcode = errno;
        lock (s_lock)
        {
            s_running.Remove((nint)state);
            state->Cancelled = 0;
            Volatile.Write(ref state->Phase, ReadState.Ended); // pairs with the load in io_wrapper_free_read_job
        }
    }

    /// <summary>Ends a read, or the next one of a job that has not run. 0: it has run.</summary>
    public static int Cancel(ReadState* state)
    {
        lock (s_lock)
        {
            if (state->Phase == ReadState.Ended)
            {
                Errors.Fail(fj_error.FJ_EBUSY, "fj_io_cancel_read_job: the job has ended already");
                return 0;
            }

            state->Cancelled = 1;
            if (s_running.TryGetValue((nint)state, out CancellationTokenSource? end))
            {
                end.Cancel();
            }

            return 1;
        }
    }

    private static (Status Status, int Errno) Read(_io_job* job, int descriptor, CancellationToken token)
    {
        if (job->buffer == null)
        {
            return (Status.IOJ_MISUSED, Posix.EInvalid);
        }

        Status reached = Status.IOJ_OPEN_FAILED;
        try
        {
            int errno = Posix.EInvalid;
            using ByteSource? source = descriptor >= 0 ? new DescriptorSource(descriptor, owned: false)
                : job->filename != null ? DescriptorSource.Open((byte*)job->filename, token, out errno)
                : null;
            if (source is null)
            {
                return (reached, errno);
            }

            reached = Status.IOJ_READ_FAILED;
            Pipe pipe = t_pipe ??= new Pipe(ReadPump.Options(ReadAhead, PipeScheduler.Inline));
            (Status Status, int Errno) result = Store(source, pipe, job->buffer, token);
            pipe.Writer.Complete();
            pipe.Reader.Complete();
            pipe.Reset();
            return result;
        }
        catch (Exception e)
        {
            t_pipe = null; // in the middle of something
            return (reached, e is OutOfMemoryException ? Posix.ENoMemory : Posix.EIO);
        }
    }

    // The pipe's two ends are in one thread: what has been read is stored, up to the bound, before more is read.
    private static (Status Status, int Errno) Store(ByteSource source, Pipe pipe, _ec_string* buffer, CancellationToken token)
    {
        // First nothing: so an empty resource makes an empty string too, and a wrong string is known before the read.
        int errno = Host.AppendToString(buffer, null, 0);
        while (errno == 0)
        {
            int count = source.Read(pipe.Writer.GetMemory(ReadPump.ChunkSize).Span, token);
            if (count <= 0)
            {
                return count == 0 ? (Status.IOJ_COMPLETED, 0) : (Status.IOJ_READ_FAILED, -count);
            }

            pipe.Writer.Advance(count);
            ValueTask<FlushResult> flush = pipe.Writer.FlushAsync(CancellationToken.None);
            pipe.Reader.TryRead(out ReadResult read);
            foreach (ReadOnlyMemory<byte> part in read.Buffer)
            {
                fixed (byte* bytes = part.Span)
                {
                    errno = errno != 0 ? errno : Host.AppendToString(buffer, bytes, (nuint)part.Length);
                }
            }

            pipe.Reader.AdvanceTo(read.Buffer.End);
            flush.GetAwaiter().GetResult(); // is complete: nothing is unread
        }

        return (Status.IOJ_STORE_FAILED, errno);
    }
}
