namespace EcSum;

/// <summary>Consecutive files that travel together: small ones by the dozen, a large one alone. Used again.</summary>
internal sealed class Batch
{
    public const int MaxFiles = 64;
    public const int ChunkBytes = 512 * 1024;

    /// <summary>The files' contents, one behind the other, as far as they fit.</summary>
    public byte[] Chunk { get; } = new byte[ChunkBytes];

    public List<Item> Items { get; } = new(MaxFiles);

    /// <summary>How many files the chunk holds whole; the next one, if any, is streamed.</summary>
    public int ReadItems { get; set; }

    public void Clear()
    {
        Items.Clear();
        ReadItems = 0;
    }
}

/// <summary>One file: where its bytes are, then its digest or why there is none.</summary>
internal sealed class Item(string path)
{
    public string Path { get; } = path;

    public int Start { get; set; }

    public int Length { get; set; }

    public byte[] Digest { get; } = new byte[32];

    public string? Error { get; set; }
}

/// <summary>The files of the operands, in order, in batches.</summary>
internal static class Walk
{
    public static IEnumerable<Batch> Batches(IEnumerable<string> operands, Func<Batch> rent)
    {
        Batch batch = rent();
        foreach (Item item in operands.SelectMany(Items))
        {
            batch.Items.Add(item);
            if (batch.Items.Count == Batch.MaxFiles)
            {
                yield return batch;
                batch = rent();
            }
        }

        yield return batch;
    }

    private static IEnumerable<Item> Items(string operand) =>
        Directory.Exists(operand) ? Entries(operand) : [new Item(operand)];

    private static IEnumerable<Item> Entries(string directory)
    {
        FileSystemInfo[] entries;
        Item? failed = null;
        try
        {
            entries = new DirectoryInfo(directory).GetFileSystemInfos();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            failed = new Item(directory) { Error = e.Message };
            entries = [];
        }

        if (failed is not null)
        {
            yield return failed;
        }

        Array.Sort(entries, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        foreach (FileSystemInfo entry in entries)
        {
            string path = System.IO.Path.Join(directory, entry.Name);
            if (entry.LinkTarget is not null)
            {
                continue;
            }

            if (entry is DirectoryInfo)
            {
                foreach (Item item in Entries(path))
                {
                    yield return item;
                }
            }
            else
            {
                yield return new Item(path);
            }
        }
    }
}
