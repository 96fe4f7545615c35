using System.Runtime.CompilerServices;

namespace FastJobs.Contracts.Models.Checker;

/// <summary>Six bytes by index: slots, marks of jobs. Zero at the start.</summary>
[InlineArray(6)]
internal struct Six
{
    private byte _first;
}

/// <summary>Sets of small numbers as bits of a byte.</summary>
internal static class Bits
{
    public static bool Has(this byte set, int number) => (set >> number & 1) != 0;

    public static void Add(this ref byte set, int number) => set |= (byte)(1 << number);

    public static void Remove(this ref byte set, int number) => set &= (byte)~(1 << number);

    /// <summary>The set {0 .. count - 1}.</summary>
    public static byte First(int count) => (byte)((1 << count) - 1);
}
