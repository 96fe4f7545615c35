using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.Extensions.ObjectPool;

namespace FastJobs.Jobs;

/// <summary>
/// An object pool for jobs, which are taken in one thread and returned in another. DefaultObjectPool costs 225 to 288 ns
/// there; this one exchanges magazines of jobs, after Bonwick and Adams (Magazines and Vmem, USENIX 2001): each thread
/// has two, and meets the others at a lock once in a magazine.
/// </summary>
/// <remarks>Any thread may get and return. A job must be returned once, and not be used after.</remarks>
internal sealed class JobPool<TJob>(Func<int, TJob> create) : ObjectPool<TJob>
    where TJob : Pooled
{
    private readonly int _index = JobPools.Register();
    private readonly Func<int, TJob> _create = create;

    public override TJob Get()
    {
        Pooled? job = JobPools.Take(_index);
        return job is null ? _create(_index) : Unsafe.As<TJob>(job);
    }

    public override void Return(TJob obj) => JobPools.Return(obj);
}

/// <summary>What a pool holds: an object that knows its pool.</summary>
internal abstract class Pooled(int pool)
{
    // As small as it can be: it is in every job that waits.
    private readonly ushort _pool = checked((ushort)pool);

    /// <summary>Which pool it returns to.</summary>
    public int Pool => _pool;
}

/// <summary>
/// What the pools share. It is not generic, so that a thread's caches are one thread-static away for every kind of job.
/// </summary>
internal static class JobPools
{
    // Jobs a magazine: a lock once in so many operations; two magazines a thread are what a kind of job keeps at least.
    private const int MagazineSize = 64;

    // Full magazines that a depot keeps, 131,072 jobs; a deeper backlog than that leaves its jobs to the GC.
    private const int DepotSize = 2048;

    // A job of a magazine was last used by the thread that returned it: its memory is asked for a few jobs ahead.
    private const int Ahead = 5;

    private static readonly Lock s_lock = new();
    private static Depot[] s_depots = [];

    [ThreadStatic]
    private static Cache[]? t_caches;

    public static int Register()
    {
        lock (s_lock)
        {
            s_depots = [.. s_depots, new Depot()];
            return s_depots.Length - 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pooled? Take(int pool)
    {
        Cache[]? caches = t_caches;
        if (caches is not null && (uint)pool < (uint)caches.Length)
        {
            ref Cache cache = ref caches[pool];
            if (cache.Count > 0)
            {
                Pooled?[] loaded = cache.Loaded!;
                int left = --cache.Count;
                Prefetch(ref At(loaded, Math.Max(0, left - Ahead)));
                return loaded[left];
            }
        }

        return TakeSlowly(pool);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Return(Pooled job)
    {
        Cache[]? caches = t_caches;
        if (caches is not null && (uint)job.Pool < (uint)caches.Length)
        {
            ref Cache cache = ref caches[job.Pool];
            if (cache.Loaded is { } loaded && (uint)cache.Count < (uint)loaded.Length)
            {
                At(loaded, cache.Count++) = job;
                return;
            }
        }

        ReturnSlowly(job);
    }

    // Without the look whether the array takes objects of this class: it is made here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref Pooled? At(Pooled?[] magazine, int index) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(magazine), index);

    /// <summary>Asks for the memory of a job that is about to be used, if there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch<TJob>(ref TJob? job)
        where TJob : Pooled
    {
        // The reference as an address, which may be stale by the time it is used: prefetching reads nothing.
        if (Sse.IsSupported)
        {
            nint address = Unsafe.As<TJob?, nint>(ref job);
            Sse.Prefetch0((void*)address);
            Sse.Prefetch0((void*)(address + 64));
        }
    }

    private static Pooled? TakeSlowly(int pool)
    {
        ref Cache cache = ref CacheOf(pool);
        if (cache.PreviousIsFull)
        {
            (cache.Loaded, cache.Previous) = (cache.Previous, cache.Loaded);
            cache.PreviousIsFull = false;
            cache.Count = MagazineSize;
        }
        else if (s_depots[pool].TryTakeFull(ref cache.Loaded))
        {
            cache.Count = MagazineSize;
        }
        else
        {
            return null;
        }

        return cache.Loaded![--cache.Count];
    }

    private static void ReturnSlowly(Pooled job)
    {
        ref Cache cache = ref CacheOf(job.Pool);
        if (cache.Count == MagazineSize)
        {
            if (cache.PreviousIsFull)
            {
                s_depots[job.Pool].PutFull(ref cache.Previous!);
            }

            (cache.Loaded, cache.Previous) = (cache.Previous, cache.Loaded);
            cache.PreviousIsFull = true;
            cache.Count = 0;
        }

        cache.Loaded ??= new Pooled[MagazineSize];
        cache.Loaded[cache.Count++] = job;
    }

    private static ref Cache CacheOf(int pool)
    {
        if (t_caches is null || pool >= t_caches.Length)
        {
            Array.Resize(ref t_caches, Math.Max(pool + 1, s_depots.Length));
        }

        return ref t_caches[pool];
    }

    /// <summary>One thread's jobs of one pool. Loaded is in use; Previous is full or empty.</summary>
    private struct Cache
    {
        public Pooled[]? Loaded;
        public Pooled[]? Previous;
        public int Count;
        public bool PreviousIsFull;
    }

    private sealed class Depot
    {
        private readonly Stack<Pooled[]> _full = new();
        private readonly Stack<Pooled[]> _empty = new();

        // Gives an empty magazine for a full one.
        public bool TryTakeFull(ref Pooled[]? magazine)
        {
            lock (_full)
            {
                if (!_full.TryPop(out Pooled[]? full))
                {
                    return false;
                }

                if (magazine is not null)
                {
                    _empty.Push(magazine);
                }

                magazine = full;
                return true;
            }
        }

        // Gives a full magazine for an empty one, if there is one.
        public void PutFull(ref Pooled[]? magazine)
        {
            lock (_full)
            {
                if (_full.Count < DepotSize)
                {
                    _full.Push(magazine!);
                    _empty.TryPop(out magazine);
                }
            }
        }
    }
}
