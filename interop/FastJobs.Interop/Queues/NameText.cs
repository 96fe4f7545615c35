using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace FastJobs.Interop.Queues;

/// <summary>
/// Names and ids of C programs as strings and back. They ought to be UTF-8; others are taken too, and each is another name: a
/// byte that is not UTF-8 becomes a low surrogate that stands alone (U+DC00 and the byte), which no UTF-8 decodes to.
/// </summary>
internal static unsafe class NameText
{
    private const char Escape = '\uDC00';

    /// <summary>Null for NULL.</summary>
    public static string? Decode(byte* text)
    {
        if (text == null)
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : DecodeOther(bytes);
    }

    /// <summary>What <see cref="Decode"/> was given, with a 0 byte behind.</summary>
    public static byte[] Encode(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) + 1];
        return bytes[..(Encode(text, bytes) + 1)];
    }

    /// <summary>The same into a buffer of <see cref="Encoding.GetMaxByteCount(int)"/> and one more.</summary>
    /// <returns>The length without the 0 byte.</returns>
    public static int Encode(string text, Span<byte> bytes)
    {
        ReadOnlySpan<char> left = text;
        int length = 0;
        while (true)
        {
            OperationStatus status = Utf8.FromUtf16(
                left, bytes[length..], out int read, out int written, replaceInvalidSequences: false);
            length += written;
            if (status != OperationStatus.InvalidData)
            {
                bytes[length] = 0;
                return length;
            }

            bytes[length++] = (byte)(left[read] - Escape);
            left = left[(read + 1)..];
        }
    }

    /// <summary>The same in memory of its own, for <see cref="Marshal.FreeCoTaskMem"/>.</summary>
    public static nint New(string text)
    {
        byte[] bytes = Encode(text);
        nint copy = Marshal.AllocCoTaskMem(bytes.Length);
        Marshal.Copy(bytes, 0, copy, bytes.Length);
        return copy;
    }

    private static string DecodeOther(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        Span<char> character = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == OperationStatus.Done)
            {
                text.Append(character[..rune.EncodeToUtf16(character)]);
                bytes = bytes[length..];
            }
            else
            {
                text.Append((char)(Escape + bytes[0]));
                bytes = bytes[1..];
            }
        }

        return text.ToString();
    }
}
