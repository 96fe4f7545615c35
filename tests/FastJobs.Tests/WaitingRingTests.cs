using FastJobs.Lanes;
using Xunit;

namespace FastJobs.Tests;

/// <summary>The order of jobs that wait before a lane's queue.</summary>
public sealed class WaitingRingTests
{
    [Fact]
    public void PutFirst_SeveralPositions_LeaveInTheirOrderBeforeAllOthers()
    {
        var ring = new WaitingRing<string>();
        ring.Enqueue("slot", 1);
        ring.PutFirst("5", 5, 5);
        ring.PutFirst("3", 3, 3);
        ring.PutFirst("7", 7, 7);
        ring.Enqueue("late", 9);
        ring.PutFirst("4", 4, 4);
        Assert.Equal(["3", "4", "5", "7", "slot", "late"], Drain(ring));
    }

    [Fact]
    public void PutFirst_WhenTheRingIsFullOrHasHoles_LosesNothing()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            var ring = new WaitingRing<string>();
            List<string> wanted = [];
            for (int i = 0; i < 100; i++)
            {
                if (random.Next(3) > 0)
                {
                    ring.Enqueue($"{i}", i);
                    wanted.Add($"{i}");
                }
                else
                {
                    ring.PutFirst($"-{i}", i, -i);
                    wanted.Insert(0, $"-{i}");
                }

                if (random.Next(4) == 0)
                {
                    Remove(ring, wanted, random.Next(wanted.Count));
                }
            }

            Assert.Equal(wanted.Count, ring.Count);
            Assert.Equal(wanted, Drain(ring));
        }
    }

    private static void Remove(WaitingRing<string> ring, List<string> wanted, int which)
    {
        for (long number = ring.First; number < ring.End; number++)
        {
            if (ring.TryGet(number, out string? job, out _) && job == wanted[which])
            {
                ring.Remove(number);
            }
        }

        wanted.RemoveAt(which);
    }

    private static List<string> Drain(WaitingRing<string> ring)
    {
        List<string> found = [];
        while (ring.TryDequeue(out string? job, out long submittedAt))
        {
            Assert.True(submittedAt >= 0);
            found.Add(job!);
        }

        return found;
    }
}
