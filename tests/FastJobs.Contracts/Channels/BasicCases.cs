using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>One thread, no waiting: what goes in comes out, in order, whatever the type of item.</summary>
internal sealed class BasicCases<T>(ChannelKind kind, ItemKind<T> items) : ChannelCases(kind, items.Name)
{
    private int Fill => Kind.Fitting(100);

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Conversions_Always_GiveTheTwoEnds),
        Case(CanCountAndCanPeek_Always_AreTrue),
        Case(TryRead_WhenEmpty_ReturnsFalseAndDefault),
        Case(TryPeek_WhenEmpty_ReturnsFalseAndDefault),
        Case(TryRead_AfterWrites_ReturnsItemsInOrder),
        Case(TryRead_AfterDraining_ReturnsFalse),
        Case(TryRead_OverManyLaps_KeepsOrder),
        Case(TryPeek_WithItems_ShowsTheHeadAndLeavesIt),
        Case(TryPeek_AfterEachRead_ShowsTheNext),
        Case(Count_WhileFillingAndDraining_IsExact),
        Case(WriteAsync_WithRoom_CompletesAtOnce),
        Case(WaitToWriteAsync_WithRoom_IsTrueAtOnce),
        Case(ReadAsync_WithItems_CompletesAtOnceInOrder),
        Case(WaitToReadAsync_WithItems_IsTrueAtOnceAndTakesNone),
        Case(ReadAsync_WhenEmpty_GetsTheNextItem),
        Case(ReadAllAsync_AfterCompletion_YieldsAllInOrder),
    ];

    private void Conversions_Always_GiveTheTwoEnds()
    {
        Channel<T> channel = Kind.Create<T>();
        Check.Same(channel.Reader, (ChannelReader<T>)channel);
        Check.Same(channel.Writer, (ChannelWriter<T>)channel);
        Check.Same(channel.Reader, channel.Reader);
        Check.Same(channel.Writer, channel.Writer);
    }

    private void CanCountAndCanPeek_Always_AreTrue()
    {
        ChannelReader<T> reader = Kind.Create<T>().Reader;
        Check.True(reader.CanCount);
        Check.True(reader.CanPeek);
    }

    private void TryRead_WhenEmpty_ReturnsFalseAndDefault()
    {
        Check.False(Kind.Create<T>().Reader.TryRead(out T? item));
        Check.Equal(default, item);
    }

    private void TryPeek_WhenEmpty_ReturnsFalseAndDefault()
    {
        Check.False(Kind.Create<T>().Reader.TryPeek(out T? item));
        Check.Equal(default, item);
    }

    private void TryRead_AfterWrites_ReturnsItemsInOrder()
    {
        Channel<T> channel = CreateFilled();
        for (int i = 0; i < Fill; i++)
        {
            Check.True(channel.Reader.TryRead(out T? item));
            Check.True(items.Is(item, i));
        }
    }

    private void TryRead_AfterDraining_ReturnsFalse()
    {
        Channel<T> channel = CreateFilled();
        Check.Equal(Fill, Drain(channel.Reader).Count);
        Check.False(channel.Reader.TryRead(out _));
        Check.False(channel.Reader.TryPeek(out _));
        Check.Equal(0, channel.Reader.Count);
    }

    private void TryRead_OverManyLaps_KeepsOrder()
    {
        // Batches of every size, so that every position in a ring or a segment is once the first and once the last.
        Channel<T> channel = Kind.Create<T>();
        int written = 0;
        int read = 0;
        while (written < 10_000)
        {
            for (int i = written % Fill; i >= 0; i--)
            {
                Check.True(channel.Writer.TryWrite(items.Make(written++)));
            }

            while (channel.Reader.TryRead(out T? item))
            {
                Check.True(items.Is(item, read++));
            }
        }

        Check.Equal(written, read);
    }

    private void TryPeek_WithItems_ShowsTheHeadAndLeavesIt()
    {
        Channel<T> channel = CreateFilled();
        for (int i = 0; i < 3; i++)
        {
            Check.True(channel.Reader.TryPeek(out T? item));
            Check.True(items.Is(item, 0));
            Check.Equal(Fill, channel.Reader.Count);
        }

        Check.True(channel.Reader.TryRead(out T? first));
        Check.True(items.Is(first, 0));
    }

    private void TryPeek_AfterEachRead_ShowsTheNext()
    {
        Channel<T> channel = CreateFilled();
        for (int i = 0; i < Fill; i++)
        {
            Check.True(channel.Reader.TryPeek(out T? item));
            Check.True(items.Is(item, i));
            Check.True(channel.Reader.TryRead(out _));
        }
    }

    private void Count_WhileFillingAndDraining_IsExact()
    {
        Channel<T> channel = Kind.Create<T>();
        for (int i = 0; i < Fill; i++)
        {
            Check.Equal(i, channel.Reader.Count);
            Check.True(channel.Writer.TryWrite(items.Make(i)));
        }

        for (int left = Fill; left > 0; left--)
        {
            Check.Equal(left, channel.Reader.Count);
            Check.True(channel.Reader.TryRead(out _));
        }

        Check.Equal(0, channel.Reader.Count);
    }

    private void WriteAsync_WithRoom_CompletesAtOnce()
    {
        Channel<T> channel = Kind.Create<T>();
        for (int i = 0; i < Fill; i++)
        {
            ValueTask write = channel.Writer.WriteAsync(items.Make(i));
            Check.True(write.IsCompletedSuccessfully);
            write.GetAwaiter().GetResult();
        }

        Check.Equal(Fill, channel.Reader.Count);
    }

    private void WaitToWriteAsync_WithRoom_IsTrueAtOnce()
    {
        ValueTask<bool> wait = Kind.Create<T>().Writer.WaitToWriteAsync();
        Check.True(wait.IsCompletedSuccessfully);
        Check.True(wait.Result);
    }

    private void ReadAsync_WithItems_CompletesAtOnceInOrder()
    {
        Channel<T> channel = CreateFilled();
        for (int i = 0; i < Fill; i++)
        {
            ValueTask<T> read = channel.Reader.ReadAsync();
            Check.True(read.IsCompletedSuccessfully);
            Check.True(items.Is(read.Result, i));
        }
    }

    private void WaitToReadAsync_WithItems_IsTrueAtOnceAndTakesNone()
    {
        Channel<T> channel = CreateFilled();
        ValueTask<bool> wait = channel.Reader.WaitToReadAsync();
        Check.True(wait.IsCompletedSuccessfully);
        Check.True(wait.Result);
        Check.Equal(Fill, channel.Reader.Count);
    }

    private async Task ReadAsync_WhenEmpty_GetsTheNextItem()
    {
        // Several rounds, because a wait may use an object that an earlier wait has used.
        Channel<T> channel = Kind.Create<T>();
        for (int i = 0; i < 10; i++)
        {
            ValueTask<T> read = channel.Reader.ReadAsync();
            Check.False(read.IsCompleted);
            Check.True(channel.Writer.TryWrite(items.Make(i)));
            Check.True(items.Is(await read.Within(), i));
        }
    }

    private async Task ReadAllAsync_AfterCompletion_YieldsAllInOrder()
    {
        Channel<T> channel = CreateFilled();
        channel.Writer.Complete();
        int read = 0;
        await foreach (T item in channel.Reader.ReadAllAsync())
        {
            Check.True(items.Is(item, read++));
        }

        Check.Equal(Fill, read);
    }

    private Channel<T> CreateFilled()
    {
        Channel<T> channel = Kind.Create<T>();
        for (int i = 0; i < Fill; i++)
        {
            Check.True(channel.Writer.TryWrite(items.Make(i)));
        }

        return channel;
    }
}
