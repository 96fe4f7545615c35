using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace FastJobs.IO;

/// <summary>What a read job of a lane reads: a path that it opens, or a handle.</summary>
internal readonly record struct Resource(string? Path, SafeHandle? Handle)
{
    public string Name => Path ?? $"handle {Handle!.DangerousGetHandle()}";

    public ByteSource Open(CancellationToken token)
    {
        if (Handle is not null)
        {
            return ByteSource.Over(Handle);
        }

        ByteSource? source = ByteSource.Open(Path!, token, out int errno);
        ReadPump.Check(errno, "opened", Name, token);
        return source!;
    }

    /// <summary>Reads all of it.</summary>
    public long ReadTo(IBufferWriter<byte> destination, CancellationToken token)
    {
        using ByteSource source = Open(token);
        int errno = ReadPump.Run(source, destination, token, out long total);
        ReadPump.Check(errno, "read", Name, token);
        return total;
    }
}

/// <summary>
/// The reader's end of a pipe that a job of a lane fills. Completing it ends the job, also where that waits for bytes.
/// </summary>
internal sealed class LaneRead : PipeReader
{
    private readonly Resource _resource;
    private readonly Pipe _pipe;
    private readonly int _chunkSize;
    private readonly CancellationToken _callers;
    private readonly CancellationTokenSource _end = new(); // has nothing to dispose of
    private readonly CancellationTokenRegistration _cancel;

    public LaneRead(Resource resource, int readAhead, CancellationToken cancellationToken)
    {
        _resource = resource;
        _chunkSize = readAhead == 0 ? ReadPump.ChunkSize : Math.Min(ReadPump.ChunkSize, readAhead);
        _pipe = new Pipe(ReadPump.Options(readAhead, PipeScheduler.ThreadPool));
        _callers = cancellationToken;
        _cancel = cancellationToken.UnsafeRegister(static end => ((CancellationTokenSource)end!).Cancel(), _end);
    }

    /// <summary>Queues the job. Its end, however it comes, is the end of the pipe.</summary>
    public async void Start(JobLane lane)
    {
        try
        {
            await lane.RunAsync(static read => read.Fill(), this, _end.Token, JobOptions.ContinueInline).ConfigureAwait(false);
            _pipe.Writer.Complete();
        }
        catch (OperationCanceledException) when (_callers.IsCancellationRequested)
        {
            _pipe.Writer.Complete(new OperationCanceledException(_callers));
        }
        catch (Exception e)
        {
            _pipe.Writer.Complete(e);
        }
        finally
        {
            _cancel.Unregister(); // a token that lives long does not keep the pipe
        }
    }

    public override bool TryRead(out ReadResult result) => _pipe.Reader.TryRead(out result);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _pipe.Reader.ReadAsync(cancellationToken);

    public override void AdvanceTo(SequencePosition consumed) => _pipe.Reader.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        _pipe.Reader.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _pipe.Reader.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        _pipe.Reader.Complete(exception);
        _end.Cancel();
    }

    protected override ValueTask<ReadResult> ReadAtLeastAsyncCore(int minimumSize, CancellationToken cancellationToken) =>
        _pipe.Reader.ReadAtLeastAsync(minimumSize, cancellationToken);

    private void Fill()
    {
        using ByteSource source = _resource.Open(_end.Token);
        int errno = ReadPump.Run(source, _pipe.Writer, _chunkSize, _end.Token);
        ReadPump.Check(errno, "read", _resource.Name, _end.Token);
    }
}
