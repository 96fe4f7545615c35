using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>A bounded channel that waits holds exactly its capacity: never one more, never one less.</summary>
internal sealed class CapacityCases(ChannelKind kind) : ChannelCases(kind)
{
    private int Capacity => Kind.Capacity!.Value;

    public override IEnumerable<ContractCase> List() => !Kind.Waits ? [] :
    [
        Case(TryWrite_AtCapacityPlusOne_ReturnsFalseAndChangesNothing),
        Case(TryWrite_AfterOneRead_HasRoomForOne),
        Case(TryWrite_OverManyLaps_StopsExactlyAtCapacity),
        Case(TryWrite_ByManyWriters_AcceptsExactlyTheCapacity),
        Case(TryWrite_WithReaders_NeverExceedsCapacity),
        Case(TryWrite_AfterOwnRead_AlwaysFindsRoom),
    ];

    private void TryWrite_AtCapacityPlusOne_ReturnsFalseAndChangesNothing()
    {
        Channel<int> channel = CreateFull();
        Check.False(channel.Writer.TryWrite(-1));
        Check.False(channel.Writer.TryWrite(-2));
        Check.Equal(Capacity, channel.Reader.Count);
        Check.Sequence(Enumerable.Range(0, Capacity), Drain(channel.Reader));
    }

    private void TryWrite_AfterOneRead_HasRoomForOne()
    {
        Channel<int> channel = CreateFull();
        for (int i = Capacity; i < 10 * Capacity; i++)
        {
            Check.True(channel.Reader.TryRead(out _));
            Check.True(channel.Writer.TryWrite(i));
            Check.False(channel.Writer.TryWrite(-1));
        }

        Check.Sequence(Enumerable.Range(9 * Capacity, Capacity), Drain(channel.Reader));
    }

    private void TryWrite_OverManyLaps_StopsExactlyAtCapacity()
    {
        Channel<int> channel = Kind.Create<int>();
        for (int lap = 0; lap < 2_000; lap++)
        {
            int before = channel.Reader.Count;
            int accepted = 0;
            while (channel.Writer.TryWrite(lap))
            {
                accepted++;
            }

            Check.Equal(Capacity, before + accepted);

            // Leaves another number of items every lap.
            for (int i = lap % Capacity; i >= 0; i--)
            {
                Check.True(channel.Reader.TryRead(out _));
            }
        }
    }

    private async Task TryWrite_ByManyWriters_AcceptsExactlyTheCapacity()
    {
        const int Writers = 4;
        Channel<int> channel = Kind.Create<int>();
        int accepted = 0;
        int taken = 0;
        using Barrier barrier = new(Writers, _ =>
        {
            // Every writer has been refused once: the channel must be full, by exactly its capacity.
            Check.Equal(Capacity, Interlocked.Exchange(ref accepted, 0));
            Check.Equal(Capacity, channel.Reader.Count);
            taken += Drain(channel.Reader).Count;
        });
        await Crew.Run(Writers, writer =>
        {
            for (int round = 0; round < 300; round++)
            {
                while (channel.Writer.TryWrite(writer))
                {
                    Interlocked.Increment(ref accepted);
                }

                Check.True(barrier.SignalAndWait(Patience.Wait));
            }
        });
        Check.Equal(300 * Capacity, taken);
    }

    private async Task TryWrite_WithReaders_NeverExceedsCapacity()
    {
        // Counted after a write and after a read, and read in that order, the difference can exceed what the channel
        // holds only by the reads that are between taking an item and counting it: one a reader.
        const int Each = 20_000;
        const int Readers = 2;
        Channel<int> channel = Kind.Create<int>();
        long written = 0;
        long read = 0;
        void Write()
        {
            Spin spin = default;
            for (int i = 0; i < Each; i++)
            {
                while (!channel.Writer.TryWrite(i))
                {
                    spin.Once();
                }

                spin.Reset();
                Interlocked.Increment(ref written);
            }
        }

        void Read()
        {
            Spin spin = default;
            while (Interlocked.Read(ref read) < 2 * Each)
            {
                if (channel.Reader.TryRead(out _))
                {
                    Interlocked.Increment(ref read);
                    spin.Reset();
                }
                else
                {
                    spin.Once();
                }
            }
        }

        void Observe()
        {
            Spin spin = default;
            while (Interlocked.Read(ref read) < 2 * Each)
            {
                long writtenBefore = Interlocked.Read(ref written);
                Check.AtMost(Capacity + Readers, writtenBefore - Interlocked.Read(ref read));
                int count = channel.Reader.Count;
                Check.AtMost(Capacity, count);
                Check.True(count >= 0);
                spin.Once();
            }
        }

        await Crew.Run(Write, Write, Read, Read, Observe);
    }

    private async Task TryWrite_AfterOwnRead_AlwaysFindsRoom()
    {
        // Starts full; each thread takes one and puts one back. Whoever has just taken one owns room for one, whatever
        // the others are in the middle of, so neither step may ever fail.
        Channel<int> channel = CreateFull();
        int threads = Math.Min(3, Capacity);
        await Crew.Run(threads, _ =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                Check.True(channel.Reader.TryRead(out int item));
                Check.True(channel.Writer.TryWrite(item));
            }
        });
        Check.Sequence(Enumerable.Range(0, Capacity), Drain(channel.Reader).Order());
    }
}
