using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Where a wait goes on: never inside the call that ended it, unless AllowSynchronousContinuations asked for that. The
/// BCL goes on inline for readers and Completion only; for writers inline is allowed, so nothing is checked there.
/// </summary>
internal sealed class ContinuationCases(ChannelKind kind) : ChannelCases(kind)
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(ReadAsync_ByDefault_ResumesOutsideTheWrite),
        Case(WaitToReadAsync_ByDefault_ResumesOutsideTheWrite),
        Case(ReadAsync_ByDefault_ResumesOutsideTheCompletion),
        Case(ReadAsync_ByDefault_ResumesOutsideTheCancel),
        Case(Completion_ByDefault_ResumesOutsideTryComplete),
        Case(Completion_ByDefault_ResumesOutsideTheLastRead),
        Case(ReadAsync_WhenInlineIsAllowed_ResumesInsideTheWrite),
        Case(WaitToReadAsync_WhenInlineIsAllowed_ResumesInsideTheWrite),
        Case(ReadAsync_WhenInlineIsAllowed_ResumesInsideTheCompletion),
        Case(Completion_WhenInlineIsAllowed_ResumesInsideTryComplete),
        Case(ReadAsync_WhenInline_HoldsNoLock),
        Case(WaitToReadAsync_WhenInline_HoldsNoLock),
        Case(ReadAsync_WhenInlineRecursively_ReadsAll),
        .. !Kind.CancelsOutsideLocks ? Array.Empty<ContractCase>() : [Case(ReadAsync_WhenInlineInACancel_HoldsNoLock)],
        .. !Kind.CompletesOutsideLocks ? Array.Empty<ContractCase>() :
            [Case(Completion_WhenInlineInTheLastRead_HoldsNoLock)],
        .. !Kind.Waits ? Array.Empty<ContractCase>() :
        [
            Case(WriteAsync_ByDefault_ResumesOutsideTheRead),
            Case(WaitToWriteAsync_ByDefault_ResumesOutsideTheRead),
        ],
    ];

    private Task ReadAsync_ByDefault_ResumesOutsideTheWrite() => Resumes(
        inline: false, Kind.Create<int>(), c => After(c.Reader.ReadAsync()), c => Check.True(c.Writer.TryWrite(1)));

    private Task WaitToReadAsync_ByDefault_ResumesOutsideTheWrite() => Resumes(
        inline: false,
        Kind.Create<int>(),
        c => After(c.Reader.WaitToReadAsync()),
        c => Check.True(c.Writer.TryWrite(1)));

    private Task ReadAsync_ByDefault_ResumesOutsideTheCompletion() => Resumes(
        inline: false, Kind.Create<int>(), c => After(c.Reader.ReadAsync()), c => c.Writer.Complete());

    private async Task ReadAsync_ByDefault_ResumesOutsideTheCancel()
    {
        using CancellationTokenSource source = new();
        await Resumes(
            inline: false, Kind.Create<int>(), c => After(c.Reader.ReadAsync(source.Token)), _ => source.Cancel());
    }

    private Task Completion_ByDefault_ResumesOutsideTryComplete() => Resumes(
        inline: false, Kind.Create<int>(), c => After(new ValueTask(c.Reader.Completion)), c => c.Writer.Complete());

    private Task Completion_ByDefault_ResumesOutsideTheLastRead()
    {
        Channel<int> channel = Kind.Create<int>();
        Check.True(channel.Writer.TryWrite(1));
        channel.Writer.Complete();
        return Resumes(
            inline: false,
            channel,
            c => After(new ValueTask(c.Reader.Completion)),
            c => Check.True(c.Reader.TryRead(out _)));
    }

    private Task WriteAsync_ByDefault_ResumesOutsideTheRead() => Resumes(
        inline: false, CreateFull(), c => After(c.Writer.WriteAsync(1)), c => Check.True(c.Reader.TryRead(out _)));

    private Task WaitToWriteAsync_ByDefault_ResumesOutsideTheRead() => Resumes(
        inline: false, CreateFull(), c => After(c.Writer.WaitToWriteAsync()), c => Check.True(c.Reader.TryRead(out _)));

    private Task ReadAsync_WhenInlineIsAllowed_ResumesInsideTheWrite() => Resumes(
        inline: true, CreateInline(), c => After(c.Reader.ReadAsync()), c => Check.True(c.Writer.TryWrite(1)));

    private Task WaitToReadAsync_WhenInlineIsAllowed_ResumesInsideTheWrite() => Resumes(
        inline: true, CreateInline(), c => After(c.Reader.WaitToReadAsync()), c => Check.True(c.Writer.TryWrite(1)));

    private Task ReadAsync_WhenInlineIsAllowed_ResumesInsideTheCompletion() => Resumes(
        inline: true, CreateInline(), c => After(c.Reader.ReadAsync()), c => c.Writer.Complete());

    private Task Completion_WhenInlineIsAllowed_ResumesInsideTryComplete() => Resumes(
        inline: true, CreateInline(), c => After(new ValueTask(c.Reader.Completion)), c => c.Writer.Complete());

    private async Task ReadAsync_WhenInline_HoldsNoLock()
    {
        Channel<int> channel = CreateInline();
        Task reader = UseFromElsewhere(channel, After(channel.Reader.ReadAsync()));
        Check.True(channel.Writer.TryWrite(1));
        await reader.Within();
    }

    private async Task WaitToReadAsync_WhenInline_HoldsNoLock()
    {
        Channel<int> channel = CreateInline();
        Task reader = UseFromElsewhere(channel, After(channel.Reader.WaitToReadAsync()));
        Check.True(channel.Writer.TryWrite(1));
        await reader.Within();
    }

    private async Task ReadAsync_WhenInlineInACancel_HoldsNoLock()
    {
        Channel<int> channel = CreateInline();
        using CancellationTokenSource source = new();
        Task reader = UseFromElsewhere(channel, After(channel.Reader.ReadAsync(source.Token)));
        source.Cancel();
        await reader.Within();
    }

    private async Task Completion_WhenInlineInTheLastRead_HoldsNoLock()
    {
        Channel<int> channel = CreateInline();
        Check.True(channel.Writer.TryWrite(1));
        channel.Writer.Complete();
        Task reader = UseFromElsewhere(channel, After(new ValueTask(channel.Reader.Completion)));
        Check.True(channel.Reader.TryRead(out _));
        await reader.Within();
    }

    private async Task ReadAsync_WhenInlineRecursively_ReadsAll()
    {
        // Every write runs the reader, which waits again inside that write.
        const int Total = 1_000;
        Channel<int> channel = CreateInline();
        int next = 0;
        Task reader = Consume();
        for (int i = 0; i < Total; i++)
        {
            Check.True(channel.Writer.TryWrite(i));
            Check.Equal(i + 1, next);
        }

        await reader.Within();

        async Task Consume()
        {
            while (next < Total)
            {
                int item = await channel.Reader.ReadAsync().ConfigureAwait(false);
                Check.Equal(next++, item);
            }
        }
    }

    private Channel<int> CreateInline() => Kind.Create<int>(inline: true);

    /// <summary>
    /// While the continuation runs inside the call that ended the wait, another thread uses the channel.
    /// </summary>
    private static async Task UseFromElsewhere(Channel<int> channel, Task<Thread> wait)
    {
        // The point is to be inside the call that ended the wait, where the kind goes on there.
        await wait.ConfigureAwait(false);
        Crew.Run(() =>
        {
            channel.Writer.TryWrite(2);
            channel.Reader.TryPeek(out _);
            channel.Reader.TryRead(out _);
            Check.True(channel.Reader.Count >= 0);
            channel.Writer.TryComplete();
        }).Within().GetAwaiter().GetResult();
    }

    private static async Task Resumes(
        bool inline, Channel<int> channel, Func<Channel<int>, Task<Thread>> start, Action<Channel<int>> end)
    {
        Task<Thread> resumed = start(channel);
        Check.False(resumed.IsCompleted);
        Thread? ender = null;
        bool insideTheCall = false;
        await Crew.Run(() =>
        {
            ender = Thread.CurrentThread;
            end(channel);
            insideTheCall = resumed.IsCompleted;
        }).Within();

        // The ender is a thread of its own and has ended: only inside the call can anything have run on it.
        Check.Equal(inline, ReferenceEquals(ender, await resumed.Within()));
        Check.True(insideTheCall || !inline);
    }

    /// <summary>The thread on which the wait goes on, whatever its outcome.</summary>
    private static async Task<Thread> After<T>(ValueTask<T> wait)
    {
        try
        {
            await wait.ConfigureAwait(false);
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
        }

        return Thread.CurrentThread;
    }

    /// <inheritdoc cref="After{T}"/>
    private static async Task<Thread> After(ValueTask wait)
    {
        await wait.ConfigureAwait(false);
        return Thread.CurrentThread;
    }
}
