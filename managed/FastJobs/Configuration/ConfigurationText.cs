using System.Buffers;
using System.Text;

namespace FastJobs.Configuration;

/// <summary>Where the text of a configuration comes from: bytes, files, the environment. Any thread.</summary>
internal static class ConfigurationText
{
    /// <summary>More than any configuration has, and little enough to read by mistake.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>Decodes UTF-8. Null: it is not; the error says where.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes, string source, List<ConfigurationError> errors)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        }

        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        int line = 1;
        int column = 1;
        ReadOnlySpan<byte> rest = bytes;
        while (Rune.DecodeFromUtf8(rest, out Rune rune, out int length) == OperationStatus.Done)
        {
            rest = rest[length..];
            bool lineEnds = rune.Value == '\n' || (rune.Value == '\r' && (rest.IsEmpty || rest[0] != '\n'));
            column = lineEnds ? 1 : column + 1;
            line += lineEnds ? 1 : 0;
        }

        errors.Add(new ConfigurationError(source, line, column, $"expected UTF-8, found the byte 0x{rest[0]:x2}"));
        return null;
    }

    /// <summary>Reads a file. The exceptions of the file system name it.</summary>
    public static byte[] ReadFile(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using var read = new MemoryStream();
        byte[] buffer = new byte[4096];
        int count;
        while ((count = file.Read(buffer)) > 0)
        {
            read.Write(buffer, 0, count);
            if (read.Length > MaxBytes)
            {
                throw new IOException($"The configuration '{path}' has more than {MaxBytes} bytes.");
            }
        }

        return read.ToArray();
    }
}
