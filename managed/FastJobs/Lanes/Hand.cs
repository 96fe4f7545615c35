using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastJobs.Lanes;

/// <summary>
/// Jobs that a worker of a relaxed lane has claimed with one exchange and runs one after the other. It takes each without a
/// locked operation; whoever runs out of jobs takes the rest away. docs/protocols.md#hand.
/// </summary>
/// <remarks>Closed at first. The lock is the worker set's.</remarks>
internal sealed class Hand<TJob>
{
    /// <summary>How many jobs it holds at most.</summary>
    public const int Room = 64;

    // The count is made of two: how many were put in, and how many of them the owner has taken.
    private const int FilledShift = 8;
    private const int TakenMask = (1 << FilledShift) - 1;

    private readonly TJob[] _jobs = new TJob[Room];
    private OwnedCount _count;

    /// <summary>The position of the first of its jobs. The owner's.</summary>
    public long Position;

    /// <summary>Claims since the owner last looked for overdue hands, about. The owner's.</summary>
    public int Looks;

    /// <summary>Whether jobs may be put in. Changed with the lock; the owner may look without.</summary>
    public bool IsOpen;

    /// <summary>Where the owner puts jobs, when the hand is empty, before it fills it.</summary>
    public Span<TJob> Space => _jobs;

    /// <summary>How many jobs are in it, as far as the caller sees.</summary>
    public int Count
    {
        get
        {
            int value = _count.Value;
            return (value >> FilledShift) - (value & TakenMask);
        }
    }

    /// <summary>The owner's, with the lock.</summary>
    public void Open()
    {
        _count.Restart();
        IsOpen = true;
    }

    /// <summary>The owner's: takes the next job. False: there is none, or all have been taken away.</summary>
    /// <param name="worker">Whose lock is the lock.</param>
    /// <param name="job">The job.</param>
    /// <param name="position">Its position.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(Lock worker, out TJob? job, ref long position)
    {
        int value = _count.Value;
        int taken = value & TakenMask;
        if (taken == value >> FilledShift)
        {
            job = default;
            return false;
        }

        job = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_jobs), taken);
        position = Position + taken;
        return _count.TrySet(value + 1) || HasCounted(worker, value + 1);
    }

    /// <summary>The owner's: the hand holds what was put into its space. False: it was closed, and the jobs are the owner's still.</summary>
    public bool TryFill(Lock worker, int jobs) =>
        _count.TrySet(jobs << FilledShift) || HasCounted(worker, jobs << FilledShift);

    /// <summary>With the lock: takes the rest away and closes it.</summary>
    public ReadOnlySpan<TJob> Close()
    {
        int value = _count.Stop();
        IsOpen = false;
        return _jobs.AsSpan((value & TakenMask)..(value >> FilledShift));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool HasCounted(Lock worker, int value)
    {
        lock (worker)
        {
            bool counted = _count.HasCounted(value);
            _count.Clear();
            return counted;
        }
    }
}
