using System.Runtime.InteropServices;

namespace FastJobs.Contracts.Models.Checker;

/// <summary>
/// The stores of a thread that the others do not see yet, in their order: the one reordering of x86 (TSO) is that a
/// store may become visible after the thread's later loads. A model whose proof needs a fence keeps one of these in the
/// locals of its threads; without it every step is a fence, and a missing one would not be noticed.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct StoreBuffer
{
    // Three are as many as any model stores between two fences. Low byte first; an entry is address << 4 | value.
    private const int Most = 3;

    private byte _first;
    private byte _second;
    private byte _third;
    private byte _count;

    public readonly bool IsEmpty => _count == 0;

    /// <summary>Whether the next store has to wait.</summary>
    public readonly bool IsFull => _count == Most;

    /// <summary>A plain store: the others see it later.</summary>
    public void Store(int address, int value)
    {
        if (_count == Most || (uint)address > 15 || (uint)value > 15)
        {
            throw new InvalidOperationException("the model stores more than its buffer can hold");
        }

        byte entry = (byte)((address << 4) | value);
        switch (_count++)
        {
            case 0:
                _first = entry;
                break;
            case 1:
                _second = entry;
                break;
            default:
                _third = entry;
                break;
        }
    }

    /// <summary>What the thread itself loads: its own latest store, or what all see.</summary>
    public readonly int Load(int address, int visible)
    {
        int seen = visible;
        for (int i = 0; i < _count; i++)
        {
            byte entry = i == 0 ? _first : i == 1 ? _second : _third;
            seen = entry >> 4 == address ? entry & 15 : seen;
        }

        return seen;
    }

    /// <summary>Takes the oldest store out, to make it visible.</summary>
    public (int Address, int Value) TakeOldest()
    {
        byte entry = _first;
        (_first, _second, _third) = (_second, _third, 0);
        _count--;
        return (entry >> 4, entry & 15);
    }
}
