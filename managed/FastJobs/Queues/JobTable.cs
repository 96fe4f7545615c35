using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Jobs;

namespace FastJobs.Queues;

/// <summary>
/// The jobs of a queue by number, in chunks: finding one is O(1), going through them is in the order of queueing, and the
/// numbers at which no job is left cost nothing. Guarded by the lock of its queue.
/// </summary>
internal sealed class JobTable
{
    public const int ChunkShift = 8;
    public const int ChunkLength = 1 << ChunkShift;

    // The first chunk of a queue starts small, so that a queue with a few jobs is.
    private const int FirstLength = 16;
    private const int GrownLength = 64;

    // Chunks kept for later, 2 KiB each: as many as come free at once while some hundred jobs are on their way.
    private const int MostSpares = 4;

    private const int Ahead = 2;

    private const JobFlags NotPlain =
        JobFlags.StateMask | JobFlags.Head | JobFlags.Listed | JobFlags.Delayed | JobFlags.Canceling;

    private Dictionary<long, Chunk>? _directory; // once there are two
    private Chunk? _first;
    private Chunk? _last;
    private Chunk? _recent; // the last to be found by the directory
    private Chunk? _spares;
    private int _spareCount;
    private Chunk? _cursorChunk; // where the cursor was last
    private long _cursor; // no job with a smaller number waits in the order of numbers

    /// <summary>Jobs that wait in the order of numbers.</summary>
    public long Plain { get; private set; }

    public void Add(long number, QueuedJob job, bool plain)
    {
        Chunk? chunk = _last;
        if (chunk is null || chunk.Index != number >> ChunkShift)
        {
            chunk = AddChunk(number >> ChunkShift);
        }

        int place = (int)(number & (ChunkLength - 1));
        if (place >= chunk.Jobs.Length)
        {
            Array.Resize(ref chunk.Jobs, place < GrownLength ? GrownLength : ChunkLength);
        }

        chunk.Set(place, job);
        chunk.Used++;
        if (plain)
        {
            chunk.Plain++;
            Plain++;
        }
    }

    public QueuedJob? Find(long number) => Find(number, out _, out _);

    /// <summary>Finds a job, and where it is, for <see cref="RemoveAt"/> while the lock is held.</summary>
    public QueuedJob? Find(long number, out Chunk? chunk, out int place)
    {
        chunk = ChunkOf(number >> ChunkShift);
        place = (int)(number & (ChunkLength - 1));
        return chunk is not null && (uint)place < (uint)chunk.Jobs.Length ? chunk.Jobs[place] : null;
    }

    public void Remove(long number) =>
        RemoveAt(ChunkOf(number >> ChunkShift)!, (int)(number & (ChunkLength - 1)));

    public void RemoveAt(Chunk chunk, int place)
    {
        chunk.Set(place, null);
        if (--chunk.Used == 0 && !ReferenceEquals(chunk, _last))
        {
            RemoveChunk(chunk);
        }
    }

    /// <summary>A job no longer waits in the order of numbers; it stays in the table.</summary>
    public void LeaveOrder(long number)
    {
        ChunkOf(number >> ChunkShift)!.Plain--;
        Plain--;
    }

    /// <summary>Takes the first job that waits in the order of numbers out of it. There is one.</summary>
    /// <returns>Its number.</returns>
    public long TakeFirstPlain(out QueuedJob job)
    {
        long number = FirstPlain(out job);
        _cursorChunk!.Plain--;
        Plain--;
        _cursor = number + 1;
        return number;
    }

    /// <summary>The number of the first job that waits in the order of numbers. There is one.</summary>
    public long FirstPlain(out QueuedJob job)
    {
        Chunk chunk = _cursorChunk is { } at && at.Index == _cursor >> ChunkShift ? at : FirstFrom(_cursor >> ChunkShift);
        while (chunk.Plain == 0)
        {
            chunk = chunk.Next!;
        }

        long start = chunk.Index << ChunkShift;
        QueuedJob?[] jobs = chunk.Jobs;
        for (int place = (int)Math.Max(0, _cursor - start); ; place++)
        {
            if (jobs[place] is { } found
                && (found.Flags & NotPlain) == 0)
            {
                chunk.PrefetchAfter(place);
                if (!ReferenceEquals(_cursorChunk, chunk))
                {
                    _cursorChunk = chunk;
                }

                _cursor = start + place;
                job = found;
                return _cursor;
            }
        }
    }

    /// <summary>The first chunk from an index on, or null.</summary>
    public Chunk? ChunkFrom(long index)
    {
        Chunk? chunk = ChunkOf(index) ?? _first;
        while (chunk is not null && chunk.Index < index)
        {
            chunk = chunk.Next;
        }

        return chunk;
    }

    // The cursor's chunk is gone, or it was never set: all chunks before it hold no waiting job.
    private Chunk FirstFrom(long index)
    {
        Chunk chunk = ChunkOf(index) ?? _cursorChunk ?? _first!;
        while (chunk.Plain == 0)
        {
            chunk = chunk.Next!;
        }

        return chunk;
    }

    private Chunk? ChunkOf(long index)
    {
        if (_last is { } last && last.Index == index)
        {
            return last;
        }

        if (_recent is { } recent && recent.Index == index)
        {
            return recent;
        }

        if (_directory is null || !_directory.TryGetValue(index, out Chunk? found))
        {
            return null;
        }

        _recent = found;
        return found;
    }

    private Chunk AddChunk(long index)
    {
        Chunk? chunk = _spares;
        if (chunk is null)
        {
            chunk = new Chunk { Jobs = new QueuedJob?[_last is null ? FirstLength : ChunkLength] };
        }
        else
        {
            _spares = chunk.Next;
            _spareCount--;
        }

        chunk.Index = index;
        chunk.Next = null;
        chunk.Previous = _last;
        if (_last is { } last)
        {
            _directory ??= new Dictionary<long, Chunk> { [last.Index] = last };
            last.Next = chunk;
        }
        else
        {
            _first = chunk;
        }

        _directory?.Add(index, chunk);
        Chunk? before = _last;
        _last = chunk;
        if (before is { Used: 0 })
        {
            RemoveChunk(before);
        }

        return chunk;
    }

    private void RemoveChunk(Chunk chunk)
    {
        if (chunk.Previous is { } previous)
        {
            previous.Next = chunk.Next;
        }
        else
        {
            _first = chunk.Next;
        }

        if (chunk.Next is { } next)
        {
            next.Previous = chunk.Previous;
        }

        _directory!.Remove(chunk.Index);
        if (ReferenceEquals(chunk, _recent))
        {
            _recent = null;
        }

        if (ReferenceEquals(chunk, _cursorChunk))
        {
            _cursorChunk = chunk.Next; // the last chunk is never removed
        }

        chunk.Next = chunk.Previous = null;
        if (_spareCount < MostSpares && chunk.Jobs.Length == ChunkLength)
        {
            chunk.Next = _spares;
            _spares = chunk;
            _spareCount++;
        }
    }

    /// <summary>The jobs of one run of numbers.</summary>
    internal sealed class Chunk
    {
        public long Index;
        public int Used;

        /// <summary>How many of them wait in the order of numbers.</summary>
        public int Plain;
        public required QueuedJob?[] Jobs;
        public Chunk? Next;
        public Chunk? Previous;

        /// <summary>
        /// Asks for the memory of the job that comes next but one: its last user was another thread, and whoever is about to
        /// use it holds the lock then.
        /// </summary>
        public void PrefetchAfter(int place)
        {
            if (place + Ahead < Jobs.Length)
            {
                JobPools.Prefetch(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Jobs), place + Ahead));
            }
        }

        /// <summary>The job of the next number, if this chunk has it.</summary>
        public QueuedJob? After(int place) => place + 1 < Jobs.Length ? Jobs[place + 1] : null;

        /// <summary>Without the look whether the array takes jobs of this class, which costs as much as the rest.</summary>
        public void Set(int place, QueuedJob? job) =>
            Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Jobs), place) = job;
    }
}
