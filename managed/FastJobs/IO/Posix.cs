using System.Runtime.InteropServices;

namespace FastJobs.IO;

/// <summary>The few calls of Linux that reading needs. Failures are told by errno, as a return value.</summary>
internal static unsafe partial class Posix
{
    public const int EInterrupted = 4;
    public const int EIO = 5;
    public const int ENoDeviceOrAddress = 6;
    public const int EAgain = 11;
    public const int ENoMemory = 12;
    public const int EInvalid = 22;
    public const int ENameTooLong = 36;
    public const int ECanceled = 125;

    public const short PollIn = 1;

    public const int TypeMask = 0xF000;
    public const int TypeSocket = 0xC000;
    public const int TypeRegular = 0x8000;
    public const int TypeDirectory = 0x4000;
    public const int TypeBlockDevice = 0x6000;

    private const int ReadOnlyNonBlocking = 0x800 | 0x80000 | 0x100; // O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
    private const int EventNonBlocking = 0x800 | 0x80000; // EFD_NONBLOCK | EFD_CLOEXEC
    private const int UnixFamily = 1;
    private const int StreamNonBlocking = 1 | 0x800 | 0x80000; // SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
    private const int AtWorkingDirectory = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxType = 1;
    private const int StatxSize = 256;
    private const int StatxModeOffset = 28;
    private const int SocketPathSize = 108;

    /// <summary>Opens without waiting: a FIFO opens before it has a writer.</summary>
    /// <returns>A descriptor, or the negative errno.</returns>
    public static int Open(byte* path)
    {
        int descriptor;
        do
        {
            descriptor = OpenFile(path, ReadOnlyNonBlocking);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == EInterrupted);
        return descriptor >= 0 ? descriptor : -Marshal.GetLastPInvokeError();
    }

    /// <summary>The kind of file (a Type constant), or 0 if it cannot be told.</summary>
    public static int TypeOf(byte* path) => Statx(AtWorkingDirectory, path, 0);

    /// <inheritdoc cref="TypeOf(byte*)"/>
    public static int TypeOf(int descriptor)
    {
        byte empty = 0;
        return Statx(descriptor, &empty, AtEmptyPath);
    }

    /// <summary>Reads once. The number of bytes, 0 at the end, or the negative errno.</summary>
    public static int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint count = ReadFile(descriptor, start, (nuint)buffer.Length);
            return count < 0 ? -Marshal.GetLastPInvokeError() : (int)count;
        }
    }

    /// <summary>Waits until one of two descriptors can be read; a negative one is ignored.</summary>
    /// <returns>0, also if the time was up or a signal came, or the negative errno.</returns>
    public static int Poll(int first, int second, int milliseconds)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = first, Events = PollIn };
        entries[1] = new PollEntry { Descriptor = second, Events = PollIn };
        return PollFiles(entries, 2, milliseconds) >= 0 || Marshal.GetLastPInvokeError() == EInterrupted
            ? 0
            : -Marshal.GetLastPInvokeError();
    }

    /// <summary>A descriptor that <see cref="Signal"/> makes readable for good, or the negative errno.</summary>
    public static int NewEvent()
    {
        int descriptor = EventFile(0, EventNonBlocking);
        return descriptor >= 0 ? descriptor : -Marshal.GetLastPInvokeError();
    }

    public static void Signal(int descriptor)
    {
        ulong one = 1;
        WriteFile(descriptor, &one, sizeof(ulong)); // fails only where it is readable already
    }

    public static void Close(int descriptor) => CloseFile(descriptor);

    /// <summary>A stream socket, not connected, or the negative errno.</summary>
    public static int NewSocket()
    {
        int descriptor = SocketFile(UnixFamily, StreamNonBlocking, 0);
        return descriptor >= 0 ? descriptor : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Connects to the socket with this path. 0, or the negative errno; EAGAIN: its queue is full.</summary>
    public static int Connect(int descriptor, byte* path)
    {
        ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(path);
        if (name.Length >= SocketPathSize)
        {
            return -ENameTooLong;
        }

        byte* address = stackalloc byte[sizeof(ushort) + SocketPathSize];
        *(ushort*)address = UnixFamily;
        var sunPath = new Span<byte>(address + sizeof(ushort), SocketPathSize);
        sunPath.Clear();
        name.CopyTo(sunPath);
        return ConnectSocket(descriptor, address, sizeof(ushort) + SocketPathSize) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    private static int Statx(int directory, byte* path, int flags)
    {
        byte* found = stackalloc byte[StatxSize];
        return StatFile(directory, path, flags, StatxType, found) == 0 ? *(ushort*)(found + StatxModeOffset) & TypeMask : 0;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int OpenFile(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(int descriptor, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteFile(int descriptor, void* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int PollFiles(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFile(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int SocketFile(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectSocket(int descriptor, byte* address, uint size);

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int StatFile(int directory, byte* path, int flags, uint mask, byte* found);

    [StructLayout(LayoutKind.Sequential, Size = 8)] // the last two bytes say what happened, which nobody asks
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
    }
}
