namespace FastJobs.Lanes;

/// <summary>
/// Jobs that wait in their order, each with the time of its submit, numbered since the ring was made so that somebody can
/// look at a few of them, let go of the lock, and go on. Guarded by its owner.
/// </summary>
internal sealed class WaitingRing<TJob>
{
    private const int Smallest = 16;
    private const int LargestKeptEmpty = 1024;
    private const long FirstNumber = 1L << 32; // some may be put before it, and a look that begins at 0 sees them

    private Entry[] _entries = [];
    private long _first = FirstNumber;
    private long _end = FirstNumber;

    /// <summary>Jobs that wait.</summary>
    public int Count { get; private set; }

    /// <summary>The number of the oldest entry.</summary>
    public long First => _first;

    /// <summary>The number of the next entry to come.</summary>
    public long End => _end;

    public void Enqueue(TJob job, long submittedAt)
    {
        MakeRoom();
        At(_end++) = new Entry { Job = job, SubmittedAt = submittedAt, IsThere = true };
        Count++;
    }

    /// <summary>Before the oldest, but behind those that were put there with a lower position.</summary>
    public void PutFirst(TJob job, long submittedAt, long position)
    {
        MakeRoom();
        long number = --_first;
        for (; number + 1 < _end && At(number + 1) is { IsPutFirst: true } next && next.Position < position; number++)
        {
            At(number) = next;
        }

        At(number) = new Entry { Job = job, SubmittedAt = submittedAt, IsThere = true, IsPutFirst = true, Position = position };
        Count++;
    }

    public bool TryDequeue(out TJob? job, out long submittedAt)
    {
        bool found = TryGet(_first, out job, out submittedAt); // the oldest entry is never a hole
        if (found)
        {
            Remove(_first);
        }

        return found;
    }

    /// <summary>The job with this number; false if it was taken or removed.</summary>
    public bool TryGet(long number, out TJob? job, out long submittedAt)
    {
        if (number < _first || number >= _end || !At(number).IsThere)
        {
            (job, submittedAt) = (default, 0);
            return false;
        }

        ref Entry entry = ref At(number);
        (job, submittedAt) = (entry.Job, entry.SubmittedAt);
        return true;
    }

    /// <summary>Takes out a job that is there.</summary>
    public void Remove(long number)
    {
        At(number) = default;
        Count--;
        while (_first < _end && !At(_first).IsThere)
        {
            _first++;
        }

        if (Count == 0 && _entries.Length > LargestKeptEmpty)
        {
            _entries = [];
        }
    }

    private void MakeRoom()
    {
        if (_end - _first < _entries.Length)
        {
            return;
        }

        var larger = new Entry[Math.Max(Smallest, _entries.Length * 2)];
        for (long number = _first; number < _end; number++)
        {
            larger[number & (larger.Length - 1)] = At(number);
        }

        _entries = larger;
    }

    private ref Entry At(long number) => ref _entries[number & (_entries.Length - 1)];

    private struct Entry
    {
        public TJob? Job;
        public long SubmittedAt;
        public bool IsThere;
        public bool IsPutFirst;
        public long Position;
    }
}
