using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace FastJobs.Channels;

/// <summary>
/// One place for an item in a segment. A slot is clear or published; a writer that owns the slot's position publishes
/// it, and the reader that owns the position clears it, or whoever uses the segment again. There is no third state, so a slot
/// costs no more than the item and one bit of knowledge: for pointers and references that bit is "not null".
/// </summary>
/// <remarks>
/// Memory ordering: <see cref="Publish"/> releases the item, <see cref="IsPublished"/> acquires it. <see cref="Take"/>
/// ends by releasing the reader's copy and <see cref="IsPublished"/> acquires that too, so a segment whose slots are
/// all clear can be used again. <see cref="Peek"/> may race with a later lap and see garbage, or parts of two items: its
/// caller validates.
/// An item without references can be read before it is claimed, and need not be cleared by its reader, to whom the slot's
/// line would have to travel for that: <see cref="IsReadEarly"/>.
/// </remarks>
internal interface ISlot<T, TSelf>
    where TSelf : struct, ISlot<T, TSelf>
{
    /// <summary>
    /// Whether readers copy the item before their claim and leave the slot as it is; the segment is cleared when it is used
    /// again. For items without references: others would be kept alive by their slots.
    /// </summary>
    static virtual bool IsReadEarly => false;

    /// <summary>Whether slots must not move: code outside of the runtime writes to them, docs/protocols.md#lease.</summary>
    static virtual bool IsPinned => false;

    static abstract void Publish(ref TSelf slot, T item);

    static abstract bool IsPublished(ref TSelf slot);

    static abstract T Peek(ref TSelf slot);

    /// <summary>Asks for the memory behind an item that is likely to be read soon. Changes nothing.</summary>
    static virtual void Prefetch(ref TSelf slot)
    {
    }

    /// <summary>Whether its reader can begin with what is in the slot, and <see cref="Prefetch"/> matters little. A hint.</summary>
    static virtual bool IsWhole(ref TSelf slot) => false;

    /// <summary>Reads and clears; only by the reader that owns the position.</summary>
    static abstract T Take(ref TSelf slot);
}

/// <summary>
/// A native pointer, never null, with whatever its owner keeps in the bits of an address: 8 bytes a slot. If the sign bit is one of
/// them the word says all that its reader needs to begin.
/// </summary>
internal struct PointerSlot : ISlot<nint, PointerSlot>
{
    private static nint AddressMask => unchecked((nint)0x0000_FFFF_FFFF_FFFF);

    private nint _item;

    public static bool IsReadEarly => true;

    public static bool IsPinned => true;

    public static void Publish(ref PointerSlot slot, nint item) => Volatile.Write(ref slot._item, item);

    public static bool IsPublished(ref PointerSlot slot) => Volatile.Read(ref slot._item) != 0;

    public static nint Peek(ref PointerSlot slot) => slot._item;

    public static unsafe void Prefetch(ref PointerSlot slot)
    {
        // Whatever the slot holds: prefetching an address that is not mapped does nothing.
        if (Sse.IsSupported)
        {
            nint item = slot._item & AddressMask;
            Sse.Prefetch0((void*)item);
            Sse.Prefetch0((void*)(item + 64));
        }
    }

    public static bool IsWhole(ref PointerSlot slot) => slot._item < 0;

    public static nint Take(ref PointerSlot slot)
    {
        nint item = slot._item;
        Volatile.Write(ref slot._item, 0);
        return item;
    }
}

/// <summary>A reference, null included: 8 bytes a slot. <typeparamref name="T"/> is a reference type.</summary>
internal struct ReferenceSlot<T> : ISlot<T, ReferenceSlot<T>>
{
    private object? _item;

    public static void Publish(ref ReferenceSlot<T> slot, T item) =>
        Volatile.Write(ref slot._item, (object?)item ?? NullItem.Instance);

    public static bool IsPublished(ref ReferenceSlot<T> slot) => Volatile.Read(ref slot._item) is not null;

    public static T Peek(ref ReferenceSlot<T> slot)
    {
        object? value = slot._item;
        return ReferenceEquals(value, NullItem.Instance) ? default! : Unsafe.As<object?, T>(ref value);
    }

    public static T Take(ref ReferenceSlot<T> slot)
    {
        T item = Peek(ref slot);
        Volatile.Write(ref slot._item, null);
        return item;
    }
}

/// <summary>Stands in a <see cref="ReferenceSlot{T}"/> for an item that is null.</summary>
internal sealed class NullItem
{
    public static readonly NullItem Instance = new();
}

/// <summary>Any value type, with a flag beside it.</summary>
internal struct TaggedSlot<T> : ISlot<T, TaggedSlot<T>>
{
    private T _item;
    private int _published;

    public static bool IsReadEarly => !RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    public static void Publish(ref TaggedSlot<T> slot, T item)
    {
        slot._item = item;
        Volatile.Write(ref slot._published, 1);
    }

    public static bool IsPublished(ref TaggedSlot<T> slot) => Volatile.Read(ref slot._published) != 0;

    public static T Peek(ref TaggedSlot<T> slot) => slot._item;

    public static T Take(ref TaggedSlot<T> slot)
    {
        T item = slot._item;
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            slot._item = default!; // or its slot would keep alive what was read
        }

        Volatile.Write(ref slot._published, 0);
        return item;
    }
}
