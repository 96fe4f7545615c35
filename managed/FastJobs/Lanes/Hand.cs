using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>
/// Jobs that a worker has claimed with one exchange and runs one after the other. It takes each without a locked operation;
/// whoever runs out of jobs takes the rest away. docs/protocols.md#hand.
/// </summary>
/// <remarks>
/// Closed at first. The lock is the worker set's. Its jobs are no references (see WorkerSet.HandUse) and do not move, so that code
/// outside of the runtime can take some too: <see cref="Native"/>.
/// </remarks>
internal sealed class Hand<TJob>
{
    /// <summary>
    /// How many jobs the only hand of a set holds at most: all of a segment. What it costs to fill it, a look at the tail's line and
    /// an exchange of the head's, is shared by so many.
    /// </summary>
    public const int Room = 512;

    /// <summary>How many where each worker may have a hand: who comes late finds some left.</summary>
    public const int RoomOfSeveral = 64;

    /// <summary>How many hands can tell their claims from each other's: 1 to this, see <see cref="HeadWord.Holder"/>.</summary>
    public const int Names = HeadWord.Recalled - 1;

    // The count is made of two: how many were put in, and how many of them the owner has taken.
    private const int FilledShift = 16;
    private const int TakenMask = (1 << FilledShift) - 1;

    // A worker whose hand was recalled waits so many looks, about a claim each, before it opens one again; where it is the only
    // one that may have one, four times as many after each time.
    private const int FewestClaims = 64;
    private const int MostClaims = 1 << 16;
    private const int JobsOfARun = 512;

    private readonly OwnedCount[] _counts = GC.AllocateArray<OwnedCount>(24, pinned: true); // the one in the middle counts
    private TJob[] _jobs = []; // no room before it is opened: many workers never come upon so many jobs
    private int _claims = FewestClaims; // until it may be opened
    private int _wait = FewestClaims;
    private int _run; // jobs it was filled with since it was opened

    /// <summary>The position of the first of its jobs. The owner writes it.</summary>
    public long Position;

    /// <summary>Claims since the owner last looked for overdue hands, about. The owner's.</summary>
    public int Looks;

    /// <summary>Whether jobs may be put in. Changed with the lock; the owner may look without.</summary>
    public bool IsOpen;

    /// <summary>Its name where no other hand may be open beside it; otherwise 0. Changed with the lock.</summary>
    public int Name;

    /// <summary>
    /// Where the owner puts jobs, when the hand is open and empty, before it fills it. More each time, so that little has to be moved
    /// if it is recalled soon.
    /// </summary>
    public Span<TJob> Space => _jobs.AsSpan(0, Name == 0 ? RoomOfSeveral : Math.Clamp(_run, RoomOfSeveral, Room));

    /// <summary>How many jobs are in it, as far as the caller sees.</summary>
    public int Count
    {
        get
        {
            int value = Counted.Value;
            return (value >> FilledShift) - (value & TakenMask);
        }
    }

    /// <summary>The position behind the last of its jobs, as far as the caller sees.</summary>
    public long EndPosition => Volatile.Read(ref Position) + (Counted.Value >> FilledShift);

    /// <summary>How far its owner has come, as far as the caller sees.</summary>
    public long Progress => Volatile.Read(ref Position) + (Counted.Value & TakenMask);

    private ref OwnedCount Counted =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_counts), 12); // alone on its lines: 144 bytes from either end

    /// <summary>The count and the jobs, for code outside of the runtime, as long as the hand is referred to.</summary>
    public unsafe void Native(out OwnedCount* count, out void* jobs)
    {
        count = (OwnedCount*)Unsafe.AsPointer(ref Counted);
        jobs = Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_jobs));
    }

    /// <summary>The owner is about to claim a job without it. Whether it may try to open it.</summary>
    public bool MayOpen()
    {
        if (--_claims > 0)
        {
            return false;
        }

        _claims = FewestClaims; // for the next look, if this one says no
        return true;
    }

    /// <summary>The owner's, before it opens it: without a lock, since there may be no memory.</summary>
    public void MakeRoom()
    {
        if (_jobs.Length == 0)
        {
            _jobs = GC.AllocateArray<TJob>(Room, pinned: true);
        }
    }

    /// <summary>The owner's, with the lock.</summary>
    public void Open(int name)
    {
        Counted.Restart();
        Name = name;
        IsOpen = true;
        _run = 0;
    }

    /// <summary>The owner's: takes the next job. False: there is none, or all have been taken away.</summary>
    /// <param name="worker">Whose lock is the lock.</param>
    /// <param name="job">The job.</param>
    /// <param name="position">Its position.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(Lock worker, out TJob? job, ref long position)
    {
        int value = Counted.Value;
        int taken = value & TakenMask;
        if (taken == value >> FilledShift)
        {
            job = default;
            return false;
        }

        job = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_jobs), taken);
        position = Position + taken;
        return Counted.TrySet(value + 1) || HasCounted(worker, value + 1);
    }

    /// <summary>The owner's, when native code has taken a job for it and found the hand stopped: whether it was in time.</summary>
    public bool HasTaken(Lock worker) => HasCounted(worker, Counted.Value);

    /// <summary>The owner's: the position of the job that was taken last.</summary>
    public long LastPosition => Progress - 1;

    /// <summary>The owner's, with the lock: the open hand has what was put into its space.</summary>
    public void Fill(long position, int jobs)
    {
        Volatile.Write(ref Position, position);
        Counted.TrySet(jobs << FilledShift);
    }

    /// <summary>The owner's: the hand has what was put into its space, which is not claimed yet. False: it was closed.</summary>
    public bool TryFill(Lock worker, long position, int jobs)
    {
        _run = Math.Min(_run + jobs, JobsOfARun);
        if (_run == JobsOfARun)
        {
            _wait = FewestClaims;
        }

        Volatile.Write(ref Position, position);
        if (Counted.TrySet(jobs << FilledShift))
        {
            return true;
        }

        HasCounted(worker, jobs << FilledShift);
        return false;
    }

    /// <summary>The owner's: what it was filled with was not claimed after all.</summary>
    public void Empty(Lock worker)
    {
        if (!Counted.TrySet(0))
        {
            HasCounted(worker, 0);
        }
    }

    /// <summary>With the lock: takes the rest away and closes it.</summary>
    /// <param name="end">The position behind the last of the rest.</param>
    public ReadOnlySpan<TJob> Close(out long end)
    {
        int value = Counted.Stop(); // and not looked at again: the owner may change it still, to no effect
        end = Volatile.Read(ref Position) + (value >> FilledShift);
        IsOpen = false;
        return _jobs.AsSpan((value & TakenMask)..(value >> FilledShift));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool HasCounted(Lock worker, int value)
    {
        lock (worker)
        {
            bool counted = Counted.HasCounted(value);
            Counted.Clear();
            _claims = _wait;
            _wait = Name == 0 ? FewestClaims : Math.Min(_wait * 4, MostClaims);
            return counted;
        }
    }
}
