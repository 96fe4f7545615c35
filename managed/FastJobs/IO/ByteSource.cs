using System.Runtime.InteropServices;
using System.Text;

namespace FastJobs.IO;

/// <summary>
/// Something that can be read to its end: a file, a FIFO, a socket, a descriptor. Used by one thread at a time; only the
/// token's callback comes from another one.
/// </summary>
internal abstract class ByteSource : IDisposable
{
    /// <summary>Reads what there is, at least a byte; waits for it, until the token is cancelled.</summary>
    /// <returns>The number of bytes, 0 at the end, or the negative errno: ECANCELED after a cancel.</returns>
    public abstract int Read(Span<byte> buffer, CancellationToken token);

    /// <summary>Ends the use. Closes what was opened here.</summary>
    public abstract void Dispose();

    /// <summary>Opens a path. Null: it failed; the errno says why, ECANCELED included.</summary>
    /// <exception cref="IOException">On other systems than Linux it failed, and <paramref name="errno"/> says nothing.</exception>
    public static unsafe ByteSource? Open(string path, CancellationToken token, out int errno)
    {
        if (!OperatingSystem.IsLinux())
        {
            errno = 0;
            return new StreamSource(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0));
        }

        fixed (byte* bytes = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return DescriptorSource.Open(bytes, token, out errno);
        }
    }

    /// <summary>Reads a handle of the caller's, from where it stands; the handle stays open.</summary>
    public static ByteSource Over(SafeHandle handle) => OperatingSystem.IsLinux()
        ? new DescriptorSource(handle)
        : new StreamSource(new FileStream(
            new Microsoft.Win32.SafeHandles.SafeFileHandle(handle.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, 0));

    // Where the runtime's own streams must do: a read that waits sees no cancel.
    private sealed class StreamSource(Stream stream) : ByteSource
    {
        public override int Read(Span<byte> buffer, CancellationToken token) =>
            token.IsCancellationRequested ? -Posix.ECanceled : stream.Read(buffer);

        public override void Dispose() => stream.Dispose();
    }
}
