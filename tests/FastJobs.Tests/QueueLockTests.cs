using FastJobs.Parking;
using Xunit;

namespace FastJobs.Tests;

/// <summary>The lock of a named queue, where threads have to sleep for it.</summary>
public sealed class QueueLockTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private ShortLock _lock;
    private long _guarded;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hold_ManyThreadsSomeSlowInside_AreOneAtATimeAndAllEnter(bool interrupted)
    {
        const int Threads = 8;
        int rounds = interrupted ? 2000 : 20_000;
        long interrupts = 0;
        int left = Threads;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            for (int round = 0; round < rounds; round++)
            {
                using (_lock.Hold())
                {
                    long seen = _guarded;
                    if (round % 256 == number * 32)
                    {
                        Thread.SpinWait(100_000); // some milliseconds, so that the others sleep
                    }

                    _guarded = seen + 1;
                }

                try
                {
                    Thread.Sleep(0); // an interrupt that had to wait comes here
                }
                catch (ThreadInterruptedException)
                {
                    Interlocked.Increment(ref interrupts);
                }
            }

            Interlocked.Decrement(ref left);
        })
        { IsBackground = true })];
        Array.ForEach(threads, static thread => thread.Start());
        DateTime end = DateTime.UtcNow + s_patience;
        for (int next = 0; interrupted && Volatile.Read(ref left) > 0 && DateTime.UtcNow < end; next++)
        {
            Thread thread = threads[next % Threads];
            if (thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin))
            {
                thread.Interrupt();
            }
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(s_patience), "a thread sleeps for a lock that nobody holds");
        }

        Assert.Equal((long)Threads * rounds, _guarded);
        Assert.Equal(interrupted, interrupts > 0);
    }

    [Fact]
    public void Hold_InterruptedWhileItSleeps_EntersAndIsInterruptedAfter()
    {
        bool entered = false;
        bool interrupted = false;
        Thread thread = new(() =>
        {
            try
            {
                using (_lock.Hold())
                {
                    entered = true;
                }

                Thread.Sleep(Timeout.Infinite);
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        })
        { IsBackground = true };

        using (_lock.Hold())
        {
            thread.Start();
            for (int i = 0; i < 3; i++)
            {
                Assert.True(SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), s_patience));
                thread.Interrupt();
            }

            Assert.False(entered);
        }

        Assert.True(thread.Join(s_patience));
        Assert.True(entered);
        Assert.True(interrupted);
    }
}
