using System.Runtime.InteropServices;

namespace FastJobs.IO;

/// <summary>
/// A descriptor of Linux. What may have nothing to read yet (FIFOs, sockets, terminals) is polled before each read,
/// together with a descriptor that a cancel makes readable; so a cancel ends a wait at once, and the flags of a
/// descriptor that others use too need not change.
/// </summary>
/// <remarks>
/// A FIFO without a writer reads as empty, which is also how it ends. Polled, it waits for the first writer; the end is
/// after the last one.
/// </remarks>
internal sealed class DescriptorSource : ByteSource
{
    private const int RetryMilliseconds = 10;

    private readonly int _descriptor;
    private readonly bool _owned;
    private readonly bool _polled;
    private readonly SafeHandle? _handle;
    private int _wake = -1;

    /// <summary>Takes a descriptor, to close it if it is <paramref name="owned"/>.</summary>
    public DescriptorSource(int descriptor, bool owned)
    {
        _descriptor = descriptor;
        _owned = owned;
        _polled = Posix.TypeOf(descriptor) is not (Posix.TypeRegular or Posix.TypeDirectory or Posix.TypeBlockDevice);
    }

    /// <summary>Holds a handle until it is disposed.</summary>
    public DescriptorSource(SafeHandle handle)
        : this(Hold(handle), owned: false) => _handle = handle;

    /// <summary>Opens a file, a FIFO, a device, or connects to a socket. Null: errno says why.</summary>
    public static unsafe DescriptorSource? Open(byte* path, CancellationToken token, out int errno)
    {
        errno = Posix.ECanceled;
        if (token.IsCancellationRequested)
        {
            return null;
        }

        int descriptor = Posix.Open(path);
        if (descriptor == -Posix.ENoDeviceOrAddress && Posix.TypeOf(path) == Posix.TypeSocket)
        {
            return Connect(path, token, out errno);
        }

        errno = descriptor < 0 ? -descriptor : 0;
        return descriptor < 0 ? null : new DescriptorSource(descriptor, owned: true);
    }

    public override int Read(Span<byte> buffer, CancellationToken token)
    {
        while (true)
        {
            int result = token.IsCancellationRequested ? -Posix.ECanceled
                : _polled ? Wait(token)
                : 0;
            if (result == 0)
            {
                result = Posix.Read(_descriptor, buffer);
            }

            // EAGAIN: somebody else was faster, and it is polled again. (No file that is not polled says it.)
            if (result is not (-Posix.EInterrupted or -Posix.EAgain))
            {
                return result;
            }
        }
    }

    public override void Dispose()
    {
        if (_wake >= 0)
        {
            Posix.Close(_wake); // no callback runs any more: each wait has ended its registration
            _wake = -1;
        }

        if (_owned)
        {
            Posix.Close(_descriptor);
        }

        _handle?.DangerousRelease();
    }

    private static int Hold(SafeHandle handle)
    {
        bool held = false;
        handle.DangerousAddRef(ref held);
        return (int)handle.DangerousGetHandle();
    }

    // A socket whose queue is full says EAGAIN, and nothing tells when it has room again.
    private static unsafe DescriptorSource? Connect(byte* path, CancellationToken token, out int errno)
    {
        int descriptor = Posix.NewSocket();
        errno = Math.Max(0, -descriptor);
        if (descriptor < 0)
        {
            return null;
        }

        var source = new DescriptorSource(descriptor, owned: true);
        while ((errno = -Posix.Connect(descriptor, path)) is Posix.EAgain or Posix.EInterrupted)
        {
            errno = -source.Wait(token, listen: false);
            if (errno != 0)
            {
                break;
            }
        }

        if (errno == 0)
        {
            return source;
        }

        source.Dispose();
        return null;
    }

    // 0 when the descriptor may have something, or (listen is false) after a moment; else the negative errno.
    private int Wait(CancellationToken token, bool listen = true)
    {
        int descriptor = listen ? _descriptor : -1;
        int milliseconds = listen ? Timeout.Infinite : RetryMilliseconds;
        if (!token.CanBeCanceled)
        {
            return Posix.Poll(descriptor, -1, milliseconds);
        }

        if (_wake < 0)
        {
            int made = Posix.NewEvent();
            if (made < 0)
            {
                return made;
            }

            _wake = made;
        }

        int result;
        using (token.UnsafeRegister(static source => Posix.Signal(((DescriptorSource)source!)._wake), this))
        {
            result = Posix.Poll(descriptor, _wake, milliseconds);
        }

        return token.IsCancellationRequested ? -Posix.ECanceled : result;
    }
}
