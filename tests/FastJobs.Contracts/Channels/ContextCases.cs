using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// What a wait takes along: synchronization context, task scheduler, execution context; inline or not.
/// </summary>
internal sealed class ContextCases(ChannelKind kind) : ChannelCases(kind)
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(ReadAsync_OnASynchronizationContext_ResumesThere),
        Case(ReadAsync_OnASynchronizationContextButConfiguredAway_ResumesElsewhere),
        Case(ReadAsync_OnATaskScheduler_ResumesThere),
        Case(ReadAsync_WithAnExecutionContext_KeepsIt),
        Case(ReadAsync_WithARawContinuation_KeepsTheExecutionContext),
    ];

    private Task ReadAsync_OnASynchronizationContext_ResumesThere() => Both(async channel =>
    {
        PostingContext context = new();
        Task<SynchronizationContext?> reader = context.Start(async () =>
        {
            await channel.Reader.ReadAsync();
            return SynchronizationContext.Current;
        });
        Check.True(channel.Writer.TryWrite(1));
        Check.Same(context, await reader.Within());
        Check.Equal(1, context.Posts);
    });

    private Task ReadAsync_OnASynchronizationContextButConfiguredAway_ResumesElsewhere() => Both(async channel =>
    {
        PostingContext context = new();
        Task<SynchronizationContext?> reader = context.Start(async () =>
        {
            await channel.Reader.ReadAsync().ConfigureAwait(false);
            return SynchronizationContext.Current;
        });
        Check.True(channel.Writer.TryWrite(1));
        Check.Same(null, await reader.Within());
        Check.Equal(0, context.Posts);
    });

    private Task ReadAsync_OnATaskScheduler_ResumesThere() => Both(async channel =>
    {
        TaskScheduler scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<TaskScheduler> reader = Task.Factory.StartNew(
            async () =>
            {
                ValueTask<int> read = channel.Reader.ReadAsync();
                Check.False(read.IsCompleted);
                waiting.SetResult();
                await read;
                return TaskScheduler.Current;
            },
            CancellationToken.None,
            TaskCreationOptions.None,
            scheduler).Unwrap();
        await waiting.Task.Within();
        Check.True(channel.Writer.TryWrite(1));
        Check.Same(scheduler, await reader.Within());
    });

    private Task ReadAsync_WithAnExecutionContext_KeepsIt() => Both(async channel =>
    {
        AsyncLocal<int> local = new();
        Task<int> reader = Read();
        local.Value = 2;
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(2, local.Value);
        Check.Equal(1, await reader.Within());

        async Task<int> Read()
        {
            local.Value = 1;
            await channel.Reader.ReadAsync().ConfigureAwait(false);
            return local.Value;
        }
    });

    private Task ReadAsync_WithARawContinuation_KeepsTheExecutionContext() => Both(async channel =>
    {
        // An awaiter used by hand: here nobody but the channel carries the context.
        AsyncLocal<int> local = new() { Value = 1 };
        TaskCompletionSource<int> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ValueTask<int> read = channel.Reader.ReadAsync();
        read.GetAwaiter().OnCompleted(() => seen.SetResult(local.Value));
        local.Value = 2;
        Check.True(channel.Writer.TryWrite(1));
        Check.Equal(2, local.Value);
        Check.Equal(1, await seen.Task.Within());
        Check.Equal(1, read.GetAwaiter().GetResult());
    });

    /// <summary>Inline continuations allowed or not, the contexts are kept.</summary>
    private async Task Both(Func<Channel<int>, Task> run)
    {
        await run(Kind.Create<int>(inline: false));
        await run(Kind.Create<int>(inline: true));
    }

    /// <summary>A context that counts what is posted to it, and runs that on the pool.</summary>
    private sealed class PostingContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state)
        {
            Interlocked.Increment(ref _posts);
            Task.Run(() => Under(() => d(state)));
        }

        /// <summary>Starts <paramref name="body"/> on this thread, under this context.</summary>
        public Task<T> Start<T>(Func<Task<T>> body)
        {
            Task<T>? task = null;
            Under(() => task = body());
            Check.False(task!.IsCompleted);
            return task;
        }

        private void Under(Action body)
        {
            SynchronizationContext? before = Current;
            SetSynchronizationContext(this);
            try
            {
                body();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }
    }
}
