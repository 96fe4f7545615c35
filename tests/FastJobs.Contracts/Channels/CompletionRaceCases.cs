using System.Threading.Channels;

namespace FastJobs.Contracts.Channels;

/// <summary>
/// Completion against everything else at once: an item that was accepted is read, and Completion ends once.
/// </summary>
internal sealed class CompletionRaceCases(ChannelKind kind) : ChannelCases(kind)
{
    private const int Rounds = 500;

    public override IEnumerable<ContractCase> List() =>
    [
        Case(TryComplete_ByManyThreads_SucceedsOnce),
        Case(TryComplete_AgainstReaders_EndsCompletionAfterTheLastItem),
        Case(TryComplete_AgainstWaitingReads_EndsThemAll),
        .. Kind.Drops ? Array.Empty<ContractCase>() : [Case(TryComplete_AgainstWriters_KeepsWhatWasAccepted)],
    ];

    private Task TryComplete_ByManyThreads_SucceedsOnce()
    {
        Channel<int>[] channels = CreateMany();
        int[] completed = new int[Rounds];
        return InStep(
            3,
            (round, _) =>
            {
                if (channels[round].Writer.TryComplete())
                {
                    Interlocked.Increment(ref completed[round]);
                }
            },
            round => Check.Equal(1, completed[round]));
    }

    private Task TryComplete_AgainstReaders_EndsCompletionAfterTheLastItem()
    {
        Channel<int>[] channels = CreateMany();
        int count = Kind.Fitting(4);
        int[] read = new int[Rounds];
        foreach (Channel<int> channel in channels)
        {
            for (int i = 0; i < count; i++)
            {
                Check.True(channel.Writer.TryWrite(i));
            }
        }

        return InStep(
            3,
            (round, thread) =>
            {
                Channel<int> channel = channels[round];
                if (thread == 0)
                {
                    Check.True(channel.Writer.TryComplete());
                    return;
                }

                Spin spin = default;
                while (!channel.Reader.Completion.IsCompleted)
                {
                    if (channel.Reader.TryRead(out _))
                    {
                        Interlocked.Increment(ref read[round]);
                    }
                    else
                    {
                        spin.Once();
                    }
                }
            },
            round => Check.Equal(count, read[round]));
    }

    private Task TryComplete_AgainstWriters_KeepsWhatWasAccepted()
    {
        Channel<int>[] channels = CreateMany();
        int[] accepted = new int[Rounds];
        int[] read = new int[Rounds];
        return InStep(
            4,
            (round, thread) =>
            {
                Channel<int> channel = channels[round];
                Spin spin = default;
                switch (thread)
                {
                    case 0:
                        // Lets the writers get going: closing in the midst of writes is the race.
                        while (Volatile.Read(ref accepted[round]) == 0)
                        {
                            spin.Once();
                        }

                        Check.True(channel.Writer.TryComplete());
                        break;
                    case 1:
                        while (!channel.Reader.Completion.IsCompleted)
                        {
                            if (channel.Reader.TryRead(out _))
                            {
                                Interlocked.Increment(ref read[round]);
                            }
                            else
                            {
                                spin.Once();
                            }
                        }

                        break;
                    default:
                        for (int i = 0; i < 200; i++)
                        {
                            if (channel.Writer.TryWrite(i))
                            {
                                Interlocked.Increment(ref accepted[round]);
                            }
                        }

                        break;
                }
            },
            round =>
            {
                Check.Equal(accepted[round], read[round]);
                Check.Equal(0, channels[round].Reader.Count);
            });
    }

    private Task TryComplete_AgainstWaitingReads_EndsThemAll()
    {
        Channel<int>[] channels = CreateMany();
        return InStep(
            3,
            (round, thread) =>
            {
                Channel<int> channel = channels[round];
                switch (thread)
                {
                    case 0:
                        Check.True(channel.Writer.TryComplete());
                        break;
                    case 1:
                        Check.Throws<ChannelClosedException, int>(channel.Reader.ReadAsync()).GetAwaiter().GetResult();
                        break;
                    default:
                        Check.False(channel.Reader.WaitToReadAsync().Within().GetAwaiter().GetResult());
                        break;
                }
            },
            _ => { });
    }

    private Channel<int>[] CreateMany() => [.. Enumerable.Range(0, Rounds).Select(_ => Kind.Create<int>())];

    /// <summary>
    /// Every thread does round 0, then <paramref name="verify"/> looks at it, then every thread does round 1...
    /// </summary>
    private static async Task InStep(int threads, Action<int, int> body, Action<int> verify)
    {
        using Barrier barrier = new(threads, b => verify((int)b.CurrentPhaseNumber));
        await Crew.Run(threads, thread =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                body(round, thread);
                Check.True(barrier.SignalAndWait(Patience.Wait));
            }
        });
    }
}
