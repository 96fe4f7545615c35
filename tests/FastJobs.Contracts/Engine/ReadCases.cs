using System.Buffers;
using System.IO.Pipelines;
using System.IO.Pipes;
using System.Net.Sockets;

namespace FastJobs.Contracts.Engine;

/// <summary>Jobs that read a resource to its end: into a buffer, or ahead of a reader.</summary>
internal sealed class ReadCases : EngineCases
{
    private const int ReadAhead = 4096;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(ReadAsync_FilesOfAnySize_AreRead),
        Case(ReadAsync_WhatCannotBeRead_Throws),
        Case(ReadAsync_Handle_StaysOpen),
        Case(ReadAsync_SocketPath_IsConnectedTo),
        Case(ReadAsync_SilentPipe_CanBeCancelled),
        Case(ReadAsync_StoppedEngine_Throws),
        Case(OpenRead_LargeFile_GivesItsBytes),
        Case(OpenRead_SlowReader_IsNotOverrun),
        Case(OpenRead_Failure_ReachesTheReader),
        Case(OpenRead_Cancelled_ReachesTheReader),
        Case(OpenRead_CancelledWhileFull_EndsTheJob),
        Case(OpenRead_CompletedEarly_EndsTheJob),
        Case(OpenRead_Inline_ReadsAllAtOnce),
        Case(OpenRead_StoppedWhileItWaits_ReachesTheReader),
        Case(Arguments_Bad_Throw),
    ];

    private async Task ReadAsync_FilesOfAnySize_AreRead(JobEngine engine)
    {
        using var file = new TestFile();
        foreach (int size in new[] { 0, 1, 4096, 65535, 65536, 65537, 3_000_000 })
        {
            byte[] bytes = file.Fill(size);
            var read = new ArrayBufferWriter<byte>();
            Check.Equal(size, (int)await engine.IO.ReadAsync(file.Path, read).AsTask().Within());
            Check.True(read.WrittenSpan.SequenceEqual(bytes));
        }
    }

    private async Task ReadAsync_WhatCannotBeRead_Throws(JobEngine engine)
    {
        var read = new ArrayBufferWriter<byte>();
        FileNotFoundException missing = await Check.Throws<FileNotFoundException, long>(engine.IO.ReadAsync("/no/such/file", read));
        Check.Equal("/no/such/file", missing.FileName);
        Check.True(missing.Message.StartsWith("\"/no/such/file\" cannot be opened: ", StringComparison.Ordinal));
        IOException directory = await Check.Throws<IOException, long>(engine.IO.ReadAsync(Path.GetTempPath(), read));
        Check.True(directory.Message.Contains(" cannot be read: ", StringComparison.Ordinal));
        Check.Equal(0, read.WrittenCount);
    }

    private async Task ReadAsync_Handle_StaysOpen(JobEngine engine)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var read = new ArrayBufferWriter<byte>();
        Task<long> reading = engine.IO.ReadAsync(pipe.ClientSafePipeHandle, read).AsTask();
        pipe.Write("hello "u8);
        pipe.Write("world"u8);
        pipe.Dispose(); // the writer's end; the reader's stays
        Check.Equal(11L, await reading.Within());
        Check.True(read.WrittenSpan.SequenceEqual("hello world"u8));
    }

    private async Task ReadAsync_SocketPath_IsConnectedTo(JobEngine engine)
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastjobs-{Guid.NewGuid():N}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        try
        {
            var read = new ArrayBufferWriter<byte>();
            Task<long> reading = engine.IO.ReadAsync(path, read).AsTask();
            using (Socket peer = await listener.AcceptAsync().Within())
            {
                peer.Send("from a socket"u8);
            }

            Check.Equal(13L, await reading.Within());
            Check.True(read.WrittenSpan.SequenceEqual("from a socket"u8));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task ReadAsync_SilentPipe_CanBeCancelled(JobEngine engine)
    {
        for (int i = 0; i < 20; i++)
        {
            using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
            using var cancel = new CancellationTokenSource();
            var read = new ArrayBufferWriter<byte>();
            Task<long> reading = engine.IO.ReadAsync(pipe.ClientSafePipeHandle, read, cancel.Token).AsTask();
            if (i % 2 == 0)
            {
                pipe.Write("part"u8);
                Spin.Until(() => read.WrittenCount == 4); // now it waits, or is about to
            }

            cancel.Cancel();
            await Check.Canceled(reading, cancel.Token);
        }
    }

    private async Task ReadAsync_StoppedEngine_Throws(JobEngine engine)
    {
        await engine.DisposeAsync().Within();
        await Check.Throws<ObjectDisposedException, long>(engine.IO.ReadAsync("/dev/null", new ArrayBufferWriter<byte>()));
        PipeReader reader = engine.IO.OpenRead("/dev/null");
        await Check.Throws<ObjectDisposedException>(Read(reader));
        reader.Complete();
    }

    private async Task OpenRead_LargeFile_GivesItsBytes(JobEngine engine)
    {
        using var file = new TestFile();
        byte[] bytes = file.Fill(5_000_000);
        foreach (int readAhead in new[] { 1, 100, 65536, 10_000_000 })
        {
            PipeReader reader = engine.IO.OpenRead(file.Path, readAhead);
            int size = readAhead < 1000 ? 20_000 : bytes.Length; // in the small ones every few bytes cost a switch of threads
            var read = new MemoryStream();
            while (read.Length < size)
            {
                ReadResult result = await reader.ReadAsync().AsTask().Within();
                foreach (ReadOnlyMemory<byte> part in result.Buffer)
                {
                    read.Write(part.Span);
                }

                reader.AdvanceTo(result.Buffer.End);
                Check.True(!result.IsCompleted || read.Length == bytes.Length);
            }

            Check.True(read.ToArray().AsSpan(0, size).SequenceEqual(bytes.AsSpan(0, size)));
            await reader.CompleteAsync();
        }
    }

    private async Task OpenRead_SlowReader_IsNotOverrun(JobEngine engine)
    {
        using var file = new TestFile();
        file.Fill(1_000_000);
        using var handle = File.OpenHandle(file.Path);
        string position = $"/proc/self/fdinfo/{handle.DangerousGetHandle()}";
        long Position() => long.Parse(File.ReadLines(position).First()["pos:".Length..], null);
        PipeReader reader = engine.IO.OpenRead(handle, ReadAhead);
        for (long consumed = 0; consumed < 50 * ReadAhead;)
        {
            // It reads ahead as far as it may: until the bound is reached, and a chunk beyond at most.
            Spin.Until(() => Position() - consumed >= ReadAhead / 2);
            Check.AtMost(2 * ReadAhead, Position() - consumed);
            ReadResult result = await reader.ReadAsync().AsTask().Within();
            Check.AtMost(2 * ReadAhead, result.Buffer.Length);
            consumed += result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
        }

        reader.Complete();
    }

    private async Task OpenRead_Failure_ReachesTheReader(JobEngine engine)
    {
        PipeReader reader = engine.IO.OpenRead("/no/such/file");
        await Check.Throws<FileNotFoundException>(Read(reader));
        reader.Complete();
        reader = engine.IO.OpenRead(Path.GetTempPath());
        await Check.Throws<IOException>(Read(reader));
        reader.Complete();
    }

    private async Task OpenRead_Cancelled_ReachesTheReader(JobEngine engine)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var cancel = new CancellationTokenSource();
        PipeReader reader = engine.IO.OpenRead(pipe.ClientSafePipeHandle, cancellationToken: cancel.Token);
        pipe.Write("part"u8);
        ReadResult result = await reader.ReadAsync().AsTask().Within();
        Check.Equal(4L, result.Buffer.Length);
        reader.AdvanceTo(result.Buffer.End);
        cancel.Cancel();
        OperationCanceledException thrown = await Check.Throws<OperationCanceledException>(Read(reader));
        Check.Equal(cancel.Token, thrown.CancellationToken);
        reader.Complete();
    }

    private async Task OpenRead_CancelledWhileFull_EndsTheJob(JobEngine engine)
    {
        using var cancel = new CancellationTokenSource();
        PipeReader reader = engine.IO.OpenRead("/dev/zero", ReadAhead, cancel.Token);
        ReadResult result = await reader.ReadAtLeastAsync(ReadAhead).AsTask().Within(); // so it is full
        reader.AdvanceTo(result.Buffer.Start);
        cancel.Cancel();
        await engine.DrainAsync().Within();
        reader.Complete();
    }

    private async Task OpenRead_CompletedEarly_EndsTheJob(JobEngine engine)
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        PipeReader silent = engine.IO.OpenRead(pipe.ClientSafePipeHandle);
        PipeReader endless = engine.IO.OpenRead("/dev/zero", ReadAhead);
        Spin.Until(() => engine.IO.GetStatistics().ActiveThreads == 2);
        silent.Complete();
        await endless.ReadAsync().AsTask().Within();
        endless.Complete();
        await engine.DrainAsync().Within();
    }

    private async Task OpenRead_Inline_ReadsAllAtOnce(JobEngine engine)
    {
        using var file = new TestFile();
        byte[] bytes = file.Fill(300_000);
        PipeReader reader = engine["Close"].OpenRead(file.Path, ReadAhead); // its jobs run in their submitter
        Check.True(reader.TryRead(out ReadResult result));
        Check.True(result.IsCompleted && result.Buffer.ToArray().AsSpan().SequenceEqual(bytes));
        reader.Complete();
        await Task.CompletedTask;
    }

    private async Task OpenRead_StoppedWhileItWaits_ReachesTheReader()
    {
        var engine = new JobEngine();
        JobLane lane = Lane(engine, concurrency: 1);
        using Gate gate = new();
        Fill(lane, gate);
        PipeReader reader = lane.OpenRead("/dev/null");
        Task<StopReport> stop = engine.StopAsync(TimeSpan.Zero);
        await Check.Throws<JobDiscardedException>(Read(reader));
        reader.Complete();
        gate.Dispose();
        await stop.Within();
    }

    private void Arguments_Bad_Throw(JobEngine engine)
    {
        var read = new ArrayBufferWriter<byte>();
        Check.Throws<ArgumentException>(() => _ = engine.IO.ReadAsync("", read));
        Check.Throws<ArgumentException>(() => _ = engine.IO.ReadAsync("a\0b", read));
        Check.Throws<ArgumentNullException>(() => _ = engine.IO.ReadAsync((string)null!, read));
        Check.Throws<ArgumentNullException>(() => _ = engine.IO.ReadAsync((System.Runtime.InteropServices.SafeHandle)null!, read));
        Check.Throws<ArgumentNullException>(() => _ = engine.IO.ReadAsync("x", null!));
        Check.Throws<ArgumentOutOfRangeException>(() => engine.IO.OpenRead("x", 0));
        Check.Throws<ArgumentException>(() => engine.IO.OpenRead(""));
        Check.Throws<ArgumentNullException>(() => engine.IO.OpenRead((System.Runtime.InteropServices.SafeHandle)null!));
    }

    // An async method, so that what a pipe throws at once is the task's failure too.
    private static async Task Read(PipeReader reader) => await reader.ReadAsync();

    private sealed class TestFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetTempFileName();

        public byte[] Fill(int size)
        {
            byte[] bytes = new byte[size];
            new Random(size).NextBytes(bytes);
            File.WriteAllBytes(Path, bytes);
            return bytes;
        }

        public void Dispose() => File.Delete(Path);
    }
}
