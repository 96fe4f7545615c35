using System.Text;
using System.Threading.Channels;

namespace EcSum;

/// <summary>Prints the batches in the order in which they were begun.</summary>
internal static class Printer
{
    public static async Task<int> RunAsync(ChannelReader<Task<Batch>> window, BatchHasher hasher)
    {
        int status = 0;
        var lines = new StringBuilder();
        await using Stream output = Console.OpenStandardOutput();
        await foreach (Task<Batch> hashed in window.ReadAllAsync())
        {
            Batch batch = await hashed;
            lines.Clear();
            foreach (Item item in batch.Items)
            {
                if (item.Error is { } error)
                {
                    status = 1;
                    await output.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()));
                    lines.Clear();
                    Console.Error.WriteLine($"EcSum: {item.Path}: {error}");
                }
                else
                {
                    Append(lines, item);
                }
            }

            await output.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()));
            hasher.Return(batch);
        }

        return status;
    }

    // As sha256sum: a name with a line break or a backslash is escaped, and the line begins with a backslash.
    private static void Append(StringBuilder lines, Item item)
    {
        bool escaped = item.Path.AsSpan().IndexOfAny('\\', '\n', '\r') >= 0;
        string name = escaped
            ? item.Path.Replace("\\", "\\\\").Replace("\n", "\\n").Replace("\r", "\\r")
            : item.Path;
        lines.Append(escaped ? "\\" : "").Append(Convert.ToHexStringLower(item.Digest)).Append("  ").Append(name).Append('\n');
    }
}
