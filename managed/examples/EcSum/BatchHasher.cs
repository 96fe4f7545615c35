using System.Collections.Concurrent;
using System.Security.Cryptography;
using FastJobs;
using Microsoft.Win32.SafeHandles;

namespace EcSum;

/// <summary>Takes a batch through the lanes: IO reads what fits the chunk, CPU hashes it, until all files are done.</summary>
internal sealed class BatchHasher(JobEngine engine)
{
    private readonly ConcurrentBag<Batch> _spare = [];

    public Batch Rent() => _spare.TryTake(out Batch? batch) ? batch : new Batch();

    public void Return(Batch batch)
    {
        batch.Clear();
        _spare.Add(batch);
    }

    public async Task<Batch> HashAsync(Batch batch)
    {
        int next = 0;
        while (next < batch.Items.Count)
        {
            // The lane is told which file comes first; the batch says how far it got.
            batch.ReadItems = next;
            await engine.IO.RunAsync(static batch => Fill(batch), batch);
            int read = batch.ReadItems;
            if (read == next)
            {
                await HashLargeAsync(batch.Items[next++], batch.Chunk);
                continue;
            }

            await engine.Cpu.RunAsync(static job => Hash(job.Batch, job.From), (Batch: batch, From: next));
            next = read;
        }

        return batch;
    }

    // In the IO lane: reads files from batch.ReadItems on while they fit the chunk, and says how far it got.
    private static void Fill(Batch batch)
    {
        int used = 0;
        for (; batch.ReadItems < batch.Items.Count; batch.ReadItems++)
        {
            Item item = batch.Items[batch.ReadItems];
            item.Start = used;
            item.Length = 0;
            if (item.Error is not null)
            {
                continue;
            }

            try
            {
                using SafeFileHandle file = File.OpenHandle(item.Path);
                int got;
                while (used < batch.Chunk.Length
                    && (got = RandomAccess.Read(file, batch.Chunk.AsSpan(used), item.Length)) > 0)
                {
                    used += got;
                    item.Length += got;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                item.Error = e.Message;
            }

            if (used == batch.Chunk.Length)
            {
                return; // this file may go on: it is read again, with the next fill or alone
            }
        }
    }

    // In the CPU lane.
    private static void Hash(Batch batch, int from)
    {
        for (int i = from; i < batch.ReadItems; i++)
        {
            Item item = batch.Items[i];
            if (item.Error is null)
            {
                SHA256.HashData(batch.Chunk.AsSpan(item.Start, item.Length), item.Digest);
            }
        }
    }

    // A file larger than the chunk: read and hashed a chunk at a time.
    private async Task HashLargeAsync(Item item, byte[] chunk)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(item.Path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long offset = 0;
            int got;
            while ((got = await engine.IO.RunAsync(
                static read => RandomAccess.Read(read.File, read.Chunk, read.Offset),
                (File: file, Chunk: chunk, Offset: offset))) > 0)
            {
                offset += got;
                await engine.Cpu.RunAsync(
                    static append => append.Hash.AppendData(append.Chunk, 0, append.Count), (Hash: hash, Chunk: chunk, Count: got));
            }

            hash.GetHashAndReset(item.Digest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            item.Error = e.Message;
        }
    }
}
