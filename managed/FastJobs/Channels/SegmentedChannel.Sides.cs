using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace FastJobs.Channels;

/// <summary>
/// The two sides of a channel as the BCL shapes them; each call goes straight to the channel.
/// </summary>
internal partial class SegmentedChannel<T, TSlot>
{
    /// <summary>The reading side, as the BCL shapes it.</summary>
    private sealed class ReaderSide(SegmentedChannel<T, TSlot> channel) : ChannelReader<T>
    {
        public override Task Completion => channel._completion.Task;

        public override bool CanCount => true;

        public override int Count => (int)Math.Min(channel.Count, int.MaxValue);

        public override bool CanPeek => true;

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
        public override bool TryWrite(T item) => channel.TryWriteOrDrop(item, out _);

        public override ValueTask WriteAsync(T item, CancellationToken cancellationToken = default) =>
            channel.WriteAsync(item, cancellationToken);

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) =>
            channel.WaitToWriteAsync(cancellationToken);

        public override bool TryComplete(Exception? error = null) => channel.TryClose(error);
    }
}
