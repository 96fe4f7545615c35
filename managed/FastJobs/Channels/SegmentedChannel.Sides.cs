using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>
/// The two sides of a channel as the BCL shapes them; each call goes straight to the channel.
/// </summary>
/// <remarks>
/// What is called for each item is compiled with optimization at once (AggressiveOptimization, here and in the channel): on
/// its way there by tiers it would be instrumented code for a while, with counters that all threads write to, which takes two
/// to ten times as long. Nothing is lost: there is no virtual call in it for which the counts would help.
/// </remarks>
internal partial class SegmentedChannel<T, TSlot>
{
    /// <summary>The reading side, as the BCL shapes it.</summary>
    private sealed class ReaderSide(SegmentedChannel<T, TSlot> channel) : ChannelReader<T>
    {
        public override Task Completion => channel._completion.Task;

        public override bool CanCount => true;

        public override int Count => (int)Math.Min(channel.Count, int.MaxValue);

        public override bool CanPeek => true;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override bool TryRead([MaybeNullWhen(false)] out T item) => channel.TryRead(out item);

        public override bool TryPeek([MaybeNullWhen(false)] out T item) => channel.TryPeek(out item);

        public override ValueTask<T> ReadAsync(CancellationToken cancellationToken = default) =>
            channel.ReadAsync(cancellationToken);

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
            channel.WaitToReadAsync(cancellationToken);
    }

    /// <summary>The writing side, as the BCL shapes it.</summary>
    private sealed class WriterSide(SegmentedChannel<T, TSlot> channel) : ChannelWriter<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override bool TryWrite(T item) => channel.TryWriteOrDrop(item, out _);

        public override ValueTask WriteAsync(T item, CancellationToken cancellationToken = default) =>
            channel.WriteAsync(item, cancellationToken);

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) =>
            channel.WaitToWriteAsync(cancellationToken);

        public override bool TryComplete(Exception? error = null) => channel.TryClose(error);
    }
}
