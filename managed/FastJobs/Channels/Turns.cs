using System.Runtime.CompilerServices;

namespace FastJobs.Channels;

/// <summary>
/// How the threads that share a word of positions take turns at it. Two threads that alternate wait for the word's line
/// to travel between their cores at every item (some 100 ns, several short jobs long); one that works alone does not. So
/// the word remembers whose turn it is, and whoever else comes waits a few microseconds, as long as the other one uses the
/// time well. Only a hint: whatever it says, positions are taken and claimed by the word alone.
/// </summary>
/// <remarks>
/// A newcomer looks how far the word moves while it waits. If it moves slowly, the items take longer than the line travels:
/// then there is nothing to gain, and the next few changes of hands are not looked at. No clock is read. The fields of
/// <see cref="PaddedWord"/> that belong to it lie in the line that the thread has to own anyway.
/// </remarks>
internal static class Turns
{
    // Steps of SpinWait, some 40 ns each: 0.6 µs, twice as long each time.
    private const int FirstWait = 16;
    private const int Waits = 3;

    // A word that moves less than once in so many steps moves slowly.
    private const int StepsAnItem = 3;

    private const int FirstPass = 16;
    private const int LongestPass = 1024;

    /// <summary>The calling thread, as far as turns are concerned: where its stack is. Costs less than asking for its id.</summary>
    public static unsafe nint Self
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            return (nint)(&here) >> 14;
        }
    }

    /// <summary>It was another thread's turn: waits while that one is quick, and takes over.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Begin(ref PaddedWord word, nint self)
    {
        if (word.Pass > 0)
        {
            word.Pass--;
        }
        else if (!new TailWord(Volatile.Read(ref word.Value)).IsLeased) // its word shows nothing; a head has no such flag
        {
            Await(ref word);
        }

        word.Owner = self;
    }

    private static void Await(ref PaddedWord word)
    {
        Thread.SpinWait(FirstWait); // whoever has just taken over has to fetch what comes next
        long before = Volatile.Read(ref word.Value) >>> TailWord.PositionShift;
        for (int round = 1; round < Waits; round++)
        {
            int steps = FirstWait << round;
            Thread.SpinWait(steps);
            long now = Volatile.Read(ref word.Value) >>> TailWord.PositionShift;
            if ((now - before) * StepsAnItem < steps)
            {
                if (round == 1)
                {
                    word.NextPass = Math.Clamp(word.NextPass * 2, FirstPass, LongestPass);
                    word.Pass = word.NextPass;
                }

                return;
            }

            word.NextPass = 0;
            Thread.Yield();
            before = Volatile.Read(ref word.Value) >>> TailWord.PositionShift;
        }
    }
}
