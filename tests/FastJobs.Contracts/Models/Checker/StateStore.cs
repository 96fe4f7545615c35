using System.Runtime.InteropServices;

namespace FastJobs.Contracts.Models.Checker;

/// <summary>
/// The states that were found, each once, in the order of their finding: so the store is the queue of a breadth-first
/// search too. A state is a run of bytes of fixed width; equal bytes are the same state.
/// </summary>
internal sealed class StateStore(int width)
{
    private byte[] _states = new byte[width * 1024];
    private (int Parent, byte Thread, byte Alternative)[] _origins = new (int, byte, byte)[1024];
    private int[] _table = new int[4096]; // state number + 1, or 0; open addressing, at most half full

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int state] => _states.AsSpan(state * width, width);

    /// <summary>From which state, and by which thread's which step, the state was found first.</summary>
    public (int Parent, byte Thread, byte Alternative) Origin(int state) => _origins[state];

    /// <summary>The number of a state, which is added if it is new.</summary>
    public int Find(ReadOnlySpan<byte> state, int parent, int thread, int alternative)
    {
        for (int i = Hash(state) & (_table.Length - 1); ; i = (i + 1) & (_table.Length - 1))
        {
            int found = _table[i] - 1;
            if (found >= 0 && this[found].SequenceEqual(state))
            {
                return found;
            }

            if (found < 0)
            {
                _table[i] = Count + 1;
                return Add(state, (parent, (byte)thread, (byte)alternative));
            }
        }
    }

    private int Add(ReadOnlySpan<byte> state, (int Parent, byte Thread, byte Alternative) origin)
    {
        if (Count == _origins.Length)
        {
            Array.Resize(ref _origins, Count * 2);
            Array.Resize(ref _states, Count * 2 * width);
        }

        state.CopyTo(_states.AsSpan(Count * width));
        _origins[Count] = origin;
        Count++;
        if (Count * 2 > _table.Length)
        {
            Rehash();
        }

        return Count - 1;
    }

    private void Rehash()
    {
        _table = new int[_table.Length * 2];
        for (int state = 0; state < Count; state++)
        {
            int i = Hash(this[state]) & (_table.Length - 1);
            while (_table[i] != 0)
            {
                i = (i + 1) & (_table.Length - 1);
            }

            _table[i] = state + 1;
        }
    }

    private static int Hash(ReadOnlySpan<byte> state)
    {
        ulong hash = 0;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(state)) // the width is a multiple of eight
        {
            hash = (hash ^ word) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }

        return (int)hash;
    }
}
